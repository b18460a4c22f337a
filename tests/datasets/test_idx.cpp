// The IDX reader and the gzip layer below it: what they accept, and one fault after another.
#include "datasets/idx.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/file.h"
#include "datasets/gzip.h"
#include "framework/error.h"
#include "kernels/philox.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {
namespace {

constexpr uint32_t kImagesMagic = 0x803, kLabelsMagic = 0x801;

Bytes small_images() {
  return make_idx(kImagesMagic, {3, 4, 5}, pattern(60));
}
void decode_images(const Bytes& file) {
  decode_idx(file, 3, "images");
}

void check_fault(const Bytes& file, std::initializer_list<const char*> parts) {
  check_error<DataError>([&] { decode_images(file); }, parts);
  check_error<DataError>([&] { decode_images(file); }, {"images: "});
}

// A gzip member with every optional header field (RFC 1952): extra, name, comment, header checksum.
Bytes with_all_fields(Bytes file) {
  const Bytes fields{3, 0, 'a', 'b', 'c', 'n', 'a', 'm', 'e', 0, 'h', 'i', 0, 1, 2};
  file[3] = 2 | 4 | 8 | 16;
  file.insert(file.begin() + 10, fields.begin(), fields.end());
  return file;
}

}  // namespace

TEST_CASE("an IDX file is read plain and gzipped, by content") {
  for (const Bytes& file : {small_images(), make_gzip(small_images()), make_gzip(small_images(), 0),
                            with_all_fields(make_gzip(small_images()))}) {
    const IdxArray array = decode_idx(file, 3, "images");
    CHECK(array.sizes == std::vector<int64_t>{3, 4, 5});
    CHECK(array.bytes == pattern(60));
  }
}

TEST_CASE("a gzipped IDX file larger than any buffer on the way is read whole") {
  const Bytes content = pattern(300 * 28 * 28);
  for (const int level : {0, 1, 6, 12}) {
    const IdxArray array = decode_idx(make_gzip(make_idx(kImagesMagic, {300, 28, 28}, content), level), 3, "images");
    CHECK(array.bytes == content);
  }
}

TEST_CASE("faults of the header") {
  check_fault({}, {"is empty"});
  check_fault({0, 0, 8}, {"truncated", "header"});
  check_fault(make_idx(kImagesMagic, {3, 4}, {}), {"truncated inside its IDX header"});
  check_fault(make_idx(0x903, {3, 4, 5}, pattern(60)), {"wrong magic number 0x00000903", "0x00000803"});
  check_fault(to_bytes("<!DOCTYPE html><html></html>"), {"wrong magic number"});
  check_fault(make_idx(kLabelsMagic, {3}, pattern(3)), {"has 1 dimensions where 3 were expected"});
  check_fault(make_idx(kImagesMagic, {0, 28, 28}, {}), {"declares 0 items"});
  check_fault(make_idx(kImagesMagic, {1, 0, 28}, {}), {"declares 0 pixels a side"});
  check_fault(make_idx(kImagesMagic, {0xFFFFFFFF, 28, 28}, pattern(60)), {"declares 4294967295 items", "10000000"});
  check_fault(make_idx(kImagesMagic, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, pattern(60)), {"declares 4294967295"});
  check_fault(make_idx(kImagesMagic, {1, 65536, 65536}, pattern(60)), {"65536 pixels a side"});
  check_fault(make_idx(kImagesMagic, {10'000'000, 4096, 4096}, pattern(60)), {"more than the 1073741824 bytes"});
}

TEST_CASE("content that is not what the header declares") {
  Bytes file = small_images();
  file.pop_back();
  check_fault(file, {"truncated: 59 bytes", "declares 60"});
  check_fault(make_gzip(file), {"truncated: holds 75 bytes", "declares 76"});
  file = small_images();
  file.insert(file.end(), 7, 1);
  check_fault(file, {"7 trailing bytes"});
  check_fault(make_gzip(file), {"more than the 76 bytes"});
}

TEST_CASE("damaged gzip") {
  const Bytes good = make_gzip(small_images());
  for (size_t size = 2; size < good.size(); ++size) {  // every way to cut it short
    CAPTURE(size);
    check_fault(Bytes(good.begin(), good.begin() + static_cast<ptrdiff_t>(size)), {"cut short"});
  }
  const Bytes fields = with_all_fields(good);
  for (size_t size = 2; size < 25; ++size) {
    CAPTURE(size);
    check_fault(Bytes(fields.begin(), fields.begin() + static_cast<ptrdiff_t>(size)),
                {"cut short inside its gzip header"});
  }

  Bytes file = good;
  file[file.size() - 8] ^= 1;
  check_fault(file, {"CRC-32"});
  file = good;
  file[file.size() - 4] ^= 1;
  check_fault(file, {"gzip length is wrong"});
  for (const Bytes& rest : {Bytes{1}, Bytes{0, 0, 1}, Bytes{0x1F}, to_bytes("garbage")}) {
    file = good;
    file.insert(file.end(), rest.begin(), rest.end());
    check_fault(file, {fmt::format("{} bytes after the end of its gzip stream", rest.size()).c_str()});
  }
  file = good;
  file.insert(file.end(), good.begin(), good.end());
  check_fault(file, {"holds more than the 76 bytes"});
  file = good;
  file[2] = 7;
  check_fault(file, {"unknown method"});
  file = good;
  file[3] = 0x80;
  check_fault(file, {"unknown method or flag"});
  check_fault(make_gzip({}), {"truncated"});
}

TEST_CASE("gzip of several members, empty ones too, and zeros after the last") {
  const Bytes plain = small_images();
  for (const size_t first : {0, 1, 3, 7, 15, 16, 17, 75, 76})
    for (const size_t second : {0, 1, 9, 60}) {
      CAPTURE(first);
      CAPTURE(second);
      const size_t middle = std::min(plain.size(), first + second);
      Bytes file;
      const auto add = [&](size_t begin, size_t end, int level) {
        const Bytes member = make_gzip(std::span(plain).subspan(begin, end - begin), level);
        file.insert(file.end(), member.begin(), member.end());
      };
      add(0, first, 6);
      add(first, middle, 0);
      add(middle, plain.size(), 9);
      CHECK(decode_idx(file, 3, "images").bytes == pattern(60));
      file.resize(file.size() + 512 - file.size() % 512, 0);
      CHECK(decode_idx(file, 3, "images").bytes == pattern(60));
    }
}

TEST_CASE("a second member that is damaged, cut short, or too much") {
  const Bytes plain = small_images();
  Bytes first = make_gzip(std::span(plain).first(30)), second = make_gzip(std::span(plain).subspan(30));
  const auto joined = [&](const Bytes& rest) {
    Bytes file = first;
    file.insert(file.end(), rest.begin(), rest.end());
    return file;
  };
  check_fault(first, {"truncated: holds 30 bytes", "declares 76"});
  for (size_t size = 2; size < second.size(); ++size) {
    CAPTURE(size);
    // libdeflate takes the missing end for zeros, which may mean more content than there is room for.
    check_fault(joined(Bytes(second.begin(), second.begin() + static_cast<ptrdiff_t>(size))), {});
  }
  Bytes changed = second;
  changed[changed.size() - 8] ^= 1;
  check_fault(joined(changed), {"CRC-32"});
  changed = second;
  changed[2] = 7;
  check_fault(joined(changed), {"unknown method"});
  const Bytes more = joined(second);
  Bytes file = more;
  const Bytes one = make_gzip(Bytes{1});
  file.insert(file.end(), one.begin(), one.end());
  check_fault(file, {"holds more than the 76 bytes"});
  first[first.size() - 8] ^= 1;
  check_fault(joined(second), {"CRC-32"});
}

TEST_CASE("gzip bombs are not inflated") {
  Bytes members = make_gzip(small_images());  // and many members of nothing, then too much
  const Bytes nothing = make_gzip(Bytes{});
  for (int i = 0; i < 100'000; ++i) members.insert(members.end(), nothing.begin(), nothing.end());
  CHECK(decode_idx(members, 3, "images").bytes == pattern(60));
  Bytes zeros = make_gzip(Bytes(1'000'000, 0), 1);
  members.insert(members.end(), zeros.begin(), zeros.end());
  check_fault(members, {"holds more than the 76 bytes"});
  Bytes bomb = small_images();
  bomb.resize(200'000'000);
  std::fill(bomb.begin() + 76, bomb.end(), 0);
  bomb = make_gzip(bomb, 1);
  check_fault(bomb, {"holds more than the 76 bytes"});
  check_fault(make_gzip(make_idx(kImagesMagic, {1'000'000, 28, 28}, pattern(60))), {"compressed bytes can hold"});
}

TEST_CASE("whatever the bytes, the answer is an array or a DataError") {
  const Bytes seeds[] = {small_images(), make_gzip(small_images()), make_gzip(small_images(), 0)};
  int accepted = 0, refused = 0;
  for (uint32_t trial = 0; trial < 6000; ++trial) {
    Bytes file = seeds[trial % 3];
    const philox::Block draw = philox::draw(1, 0, trial, 0);
    for (uint32_t change = 0; change <= draw.word[0] % 3; ++change) {
      const philox::Block place = philox::draw(1, 1, trial, change);
      file[place.word[0] % file.size()] ^= static_cast<uint8_t>(1 + place.word[1] % 255);
    }
    if (draw.word[1] % 4 == 0) file.resize(draw.word[2] % file.size());
    try {
      decode_images(file);
      ++accepted;
    } catch (const DataError&) {
      ++refused;
    }
  }
  CHECK(accepted > 100);  // changed pixels of a plain file
  CHECK(refused > 3000);
}

TEST_CASE("images and labels must belong together") {
  const auto join = [](uint32_t image_count, const Bytes& labels) {
    const Bytes images = make_idx(kImagesMagic, {image_count, 2, 2}, pattern(4 * image_count));
    const Bytes label_file = make_idx(kLabelsMagic, {static_cast<uint32_t>(labels.size())}, labels);
    return join_idx(decode_idx(images, 3, "images"), decode_idx(label_file, 1, "labels"), 10, "images", "labels");
  };
  const Split set = join(3, {0, 9, 4});
  CHECK(set.count == 3);
  CHECK(image_shape(set) == Shape{1, 2, 2});
  CHECK(set.column("image").bytes == pattern(12));
  CHECK(byte_labels(set) == Bytes{0, 9, 4});
  check_error<DataError>([&] { join(3, {0, 9}); }, {"images holds 3 images but labels holds 2 labels"});
  check_error<DataError>([&] { join(3, {0, 10, 200}); }, {"labels: label 10 of item 1 is over 9"});
}

TEST_CASE("files that cannot be read") {
  const TemporaryFolder folder;
  check_error<DataError>([&] { read_file(folder.path() / "none"); }, {"none: cannot be opened: No such file"});
  check_error<DataError>([&] { read_file(folder.path()); }, {"is a directory"});

  const std::filesystem::path pipe = folder.path() / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  check_error<DataError>([&] { read_file(pipe); }, {"pipe: is not a regular file"});
  check_error<DataError>([&] { read_file(folder.path(), Pipes::read); }, {"is a directory"});
  CHECK(read_file("/dev/null", Pipes::read).empty());
  check_error<DataError>([&] { read_file("/dev/zero", Pipes::read); },
                         {"/dev/zero: gives more than the 536870912 bytes"});

  const std::filesystem::path huge = folder.path() / "huge";
  write_file(huge, pattern(10));
  std::filesystem::resize_file(huge, static_cast<uintmax_t>(kMaxFileBytes) + 1);  // sparse
  check_error<DataError>([&] { read_file(huge); }, {"huge: has 1073741825 bytes, more than"});

  const std::filesystem::path secret = folder.path() / "secret";
  write_file(secret, pattern(10));
  CHECK(read_file(secret) == pattern(10));
  std::filesystem::permissions(secret, std::filesystem::perms::none);
  if (geteuid() == 0) {
    MESSAGE("skipped: root may read every file");
  } else {
    check_error<DataError>([&] { read_file(secret); }, {"secret: cannot be opened: Permission denied"});
  }
}

}  // namespace cairn::datasets
