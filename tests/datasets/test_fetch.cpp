// Data sets that come as archives: unpacked as published, and nothing that an archive says is believed.
#include "datasets/fetch.h"
#include "datasets/pretrained.h"

#include <cstring>

#include "datasets/archive.h"
#include "datasets/dataset.h"
#include "datasets/file.h"
#include "datasets/sha256.h"
#include "tests/datasets/http_server.h"
#include "tests/datasets/support.h"
#include "tests/datasets/tar.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

const Bytes kOne = pattern(5000), kTwo = pattern(700'000);

DataSource source_of(const Bytes& archive) {
  return {"set", "",        {{"set.tar.gz", archive.size(), sha256(archive)}},
          {},    "batches", {{"one.bin", kOne.size(), sha256(kOne)}, {"two.bin", kTwo.size(), sha256(kTwo)}}};
}

size_t files_below(const fs::path& folder) {
  return static_cast<size_t>(std::distance(fs::recursive_directory_iterator(folder), {}));
}

}  // namespace

TEST_CASE("a data set in an archive is downloaded, unpacked and checked; the archive goes") {
  const NoProxy no_proxy;
  const Bytes archive = tar_gz({tar_entry("batches/", {}, kFolder), tar_entry("batches/readme.html", pattern(300)),
                                tar_entry("batches/two.bin", kTwo), tar_entry("batches/one.bin", kOne)});
  const HttpServer server({{"/set.tar.gz", {.body = archive, .close_after = 400, .faulty_requests = 1}}});
  const TemporaryFolder folder;
  const fs::path place = folder.path() / "set";
  const DataSource source = source_of(archive);
  CHECK(fetch_source(source, folder.path(), {server.url()}, kQuiet));
  CHECK(read_file(place / "one.bin") == kOne);
  CHECK(read_file(place / "two.bin") == kTwo);
  CHECK(files_below(folder.path()) == 3);
  CHECK(server.requests().size() == 2);
  CHECK_FALSE(fetch_source(source, folder.path(), {server.url()}, kQuiet));
  CHECK(server.requests().size() == 2);

  fs::remove(place / "one.bin");
  write_file(place / "one.bin.part", pattern(9000));  // of a process that was killed while it unpacked
  CHECK(fetch_source(source, folder.path(), {server.url()}, kQuiet));
  CHECK(read_file(place / "one.bin") == kOne);
  CHECK(files_below(folder.path()) == 3);

  write_file(place / "one.bin", pattern(17));
  check_error<DataError>([&] { fetch_source(source, folder.path(), {server.url()}, kQuiet); },
                         {"set/one.bin: is not the published set file", "move or delete it"});
  CHECK(read_file(place / "one.bin") == pattern(17));
}

TEST_CASE("an archive whose gzip has several members, and zeros after the last, is one stream") {
  const Bytes one = tar_entry("batches/one.bin", kOne), two = tar_entry("batches/two.bin", kTwo);
  Bytes tar = one;
  tar.insert(tar.end(), two.begin(), two.end());
  tar.resize(tar.size() + 1024, 0);
  Bytes archive;
  for (const auto& [begin, end] : {std::pair<size_t, size_t>(0, 700), {700, 6000}, {6000, 6000}, {6000, tar.size()}}) {
    const Bytes member = make_gzip(std::span(tar).subspan(begin, end - begin));
    archive.insert(archive.end(), member.begin(), member.end());
  }
  archive.resize((archive.size() + 511) / 512 * 512, 0);
  const TemporaryFolder folder;
  write_file(folder.path() / "archive", archive);
  unpack_archive(folder.path() / "archive", "batches", source_of(archive).members, folder.path(), kQuiet);
  CHECK(read_file(folder.path() / "one.bin") == kOne);
  CHECK(read_file(folder.path() / "two.bin") == kTwo);
}

TEST_CASE("what an archive says about places, kinds and sizes is not believed") {
  const TemporaryFolder folder;
  const fs::path out = folder.path() / "outer" / "out", path = folder.path() / "archive";
  const Bytes one = tar_entry("batches/one.bin", kOne), two = tar_entry("batches/two.bin", kTwo);
  const auto refused = [&](const Bytes& archive, std::initializer_list<const char*> parts) {
    fs::remove_all(folder.path() / "outer");
    fs::create_directories(out);
    write_file(path, archive);
    check_error<DataError>([&] { unpack_archive(path, "batches", source_of(archive).members, out, kQuiet); }, parts);
    for (const auto& entry : fs::directory_iterator(out)) CHECK(entry.path().extension() == ".bin");
    CHECK(files_below(folder.path() / "outer") <= 2);
  };
  for (const char* name : {"../one.bin", "batches/../one.bin", "/batches/one.bin", "/tmp/one.bin", "batches/one.bin/x",
                           "x/batches/one.bin", "one.bin"})
    refused(tar_gz({two, tar_entry(name, kOne)}), {"archive: has no batches/one.bin"});
  refused(tar_gz({two, tar_entry("batches/one.bin", {}, kSymbolicLink, "/etc/passwd")}),
          {"one.bin is no regular file"});
  refused(tar_gz({two, tar_entry("batches/one.bin", {}, kHardLink, "batches/two.bin")}),
          {"one.bin is no regular file"});
  refused(tar_gz({two, tar_entry("batches/one.bin", {}, kFolder)}), {"one.bin is no regular file"});
  refused(tar_gz({two, tar_entry("batches/one.bin", pattern(4999))}), {"one.bin has another size in it than 4.9 KiB"});
  refused(tar_gz({two, tar_entry("batches/one.bin", kOne, kRegular, "", size_t{1} << 32)}), {"has another size"});
  Bytes other = kOne;
  other[77] ^= 1;
  refused(tar_gz({two, tar_entry("batches/one.bin", other)}), {"one.bin has another sha256"});
  refused(tar_gz({tar_entry("batches/bomb", Bytes(70'000'000)), one, two}), {"holds more than the published one"});
  refused(tar_gz({tar_entry("batches/bomb", {}, kRegular, "", size_t{1} << 32), one, two}), {"holds more than"});
  Bytes many;
  for (int i = 0; i < 1100; ++i) {
    const Bytes entry = tar_entry("x" + std::to_string(i), {});
    many.insert(many.end(), entry.begin(), entry.end());
  }
  refused(tar_gz({many, one, two}), {"holds more than"});

  const Bytes good = tar_gz({one, two});
  refused(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(good.size() / 2)), {"archive: "});
  Bytes damaged = good;
  damaged[damaged.size() / 2] ^= 0xff;
  refused(damaged, {"archive: "});
  refused({}, {"archive: "});
  refused(pattern(5000), {"archive: "});
  fs::remove(path);
  check_error<DataError>([&] { unpack_archive(path, "batches", source_of(good).members, out, kQuiet); },
                         {"cannot be unpacked"});

  write_file(path, good);
  fs::create_symlink("/nowhere", out / "two.bin.part");
  check_error<IoError>([&] { unpack_archive(path, "batches", source_of(good).members, out, kQuiet); },
                       {"two.bin.part: cannot be written"});
  const std::atomic<bool> stop = true;
  fs::remove(out / "one.bin");
  check_error<InterruptedError>(
      [&] { unpack_archive(path, "batches", source_of(good).members, out, {.quiet = true, .stop = &stop}); },
      {"interrupted while unpacking"});
  CHECK_FALSE(fs::exists(out / "one.bin"));
}

TEST_CASE("an archive's files that are there already are left alone, however many") {
  // Two of them are more than may be passed over. Gzip members are repeated: that is quicker than compressing it all.
  constexpr size_t kPieces = 40, kPiece = size_t{1} << 20;
  Bytes large(kPieces * kPiece);
  std::memset(large.data(), 0, large.size());
  const Bytes piece = make_gzip(std::span(large).first(kPiece));
  Bytes archive;
  const auto append = [&](const Bytes& bytes) { archive.insert(archive.end(), bytes.begin(), bytes.end()); };
  for (const char* name : {"batches/a.bin", "batches/b.bin"}) {
    append(make_gzip(tar_entry(name, {}, kRegular, "", large.size())));
    for (size_t i = 0; i < kPieces; ++i) append(piece);
  }
  append(tar_gz({tar_entry("batches/one.bin", kOne)}));
  const std::vector<RemoteFile> members = {{"a.bin", large.size(), sha256(large)},
                                           {"b.bin", large.size(), sha256(large)},
                                           {"one.bin", kOne.size(), sha256(kOne)}};
  const TemporaryFolder folder;
  write_file(folder.path() / "archive", archive);
  write_file(folder.path() / "a.bin", large);
  write_file(folder.path() / "b.bin", large);
  unpack_archive(folder.path() / "archive", "batches", members, folder.path(), kQuiet);
  CHECK(read_file(folder.path() / "one.bin") == kOne);
}

TEST_CASE("members of an archive are read into memory, and single files that are compressed") {
  const Bytes archive = tar_gz({tar_entry("batches/two.bin", kTwo), tar_entry("batches/one.bin", kOne)});
  const std::vector<std::string> names = {"one.bin", "two.bin"};
  CHECK(read_members(archive, "batches", names, kTwo.size(), "archive") == std::vector<Bytes>{kOne, kTwo});
  check_error<DataError>([&] { read_members(archive, "batches", names, kTwo.size() - 1, "archive"); },
                         {"archive: holds more than 699999 bytes"});
  check_error<DataError>([&] { read_members(archive, "other", names, kTwo.size(), "archive"); },
                         {"archive: has no other/one.bin"});
  const Bytes one = tar_entry("batches/one.bin", kOne), two = tar_entry("batches/two.bin", kTwo);
  check_error<DataError>(
      [&] {
        read_members(tar_gz({one, two, one}), "batches", names, kTwo.size(), "archive");
      },
      {"archive: has one.bin twice"});
  check_error<DataError>(
      [&] { read_members(std::span(archive).first(archive.size() - 9), "batches", names, kTwo.size(), "archive"); },
      {"archive: cannot be unpacked"});

  CHECK(decompress(make_gzip(kTwo), kTwo.size(), "file") == kTwo);
  // What `printf cairn | xz -c --check=crc32` writes.
  const Bytes xz = {0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x01, 0x69, 0x22, 0xde, 0x36, 0x02, 0x00, 0x21};
  check_error<DataError>([&] { decompress(make_gzip(kTwo), kTwo.size() - 1, "file"); },
                         {"file: holds more than 699999 bytes"});
  check_error<DataError>([&] { decompress(kOne, kOne.size(), "file"); }, {"file: is not compressed by gzip or xz"});
  check_error<DataError>([&] { decompress(xz, 100, "file"); }, {"file: cannot be unpacked"});
  check_error<DataError>([&] { decompress({}, 100, "file"); }, {"file: "});
}

TEST_CASE("the table of sources is complete") {
  for (const DataSource& source : known_sources()) {
    CAPTURE(source.name);
    CHECK((source.by_hand.empty() ? source.mirrors.size() >= 2 : source.mirrors.empty() && source.files.empty()));
    CHECK(source.archive_folder.empty() == source.members.empty());
    CHECK((source.members.empty() || source.files.size() == 1));
    for (const auto& files : {source.files, source.members})
      for (const RemoteFile& file : files) {
        CHECK(file.bytes > 0);
        CHECK(file.sha256.size() == 64);
      }
    for (const std::string& mirror : source.mirrors) {
      CHECK(mirror.starts_with("http"));
      CHECK(mirror.ends_with('/'));
    }
  }
  for (const DataSource& weights : pretrained_sources()) {
    CAPTURE(weights.name);
    CHECK(&find_source(weights.name) == &weights);
    REQUIRE(weights.files.size() == 1);
    const std::string& digits = weights.files.front().sha256;
    CHECK(digits.size() == 8);
    CHECK(digits.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(weights.files.front().name.ends_with("-" + digits + ".pth"));
  }
  for (const DataSource& source : known_sources())
    check_error<UsageError>([] { find_source("cifar"); }, {"unknown data set 'cifar'", source.name.c_str()});
  const ScopedVariable variable("CAIRN_MIRROR", " http://a/x  http://b/ ");
  CHECK(choose_mirrors(find_source("imdb")) == std::vector<std::string>{"http://a/x/imdb/", "http://b/imdb/"});
  CHECK(choose_mirrors(find_source("imdb"), {"http://c"}) == std::vector<std::string>{"http://c/imdb/"});
}

}  // namespace cairn::datasets
