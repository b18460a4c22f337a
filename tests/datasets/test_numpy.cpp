// Arrays out of .npy files and pickles, zip archives, and what numpy itself writes where a Python with it is at hand.
#include "datasets/numpy.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "datasets/archive.h"
#include "datasets/file.h"
#include "datasets/pixel_batch.h"
#include "tests/datasets/numpy_files.h"
#include "tests/datasets/support.h"
#include "tests/python.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

std::vector<int64_t> read_integers(const Bytes& npy) {
  return integers(NpyFile(npy, "file").array(), "file");
}

Bytes with_header(const std::string& header, const Bytes& content = {}) {
  Bytes file = to_bytes("\x93NUMPY");
  for (const size_t byte : {size_t{1}, size_t{0}, header.size() % 256, header.size() / 256})
    file.push_back(static_cast<uint8_t>(byte));
  file.insert(file.end(), header.begin(), header.end());
  file.insert(file.end(), content.begin(), content.end());
  return file;
}

// As write_arrays.py describes it.
std::string describe(const NumpyArray& array) {
  std::string shape, bytes;
  for (const int64_t dimension : array.shape) shape += (shape.empty() ? "" : ",") + std::to_string(dimension);
  for (const uint8_t byte : array.bytes) bytes += fmt::format("{:02x}", byte);
  const char order = array.element_bytes == 1 ? '|' : array.big_endian ? '>' : '<';
  return fmt::format("{}{}{} {} {} {}\n", order, array.kind, array.element_bytes, array.columns_first ? 'F' : 'C',
                     shape, bytes);
}

}  // namespace

TEST_CASE("integers of each type come out of .npy files") {
  CHECK(read_integers(make_npy("|u1", "(2,)", {0, 255})) == std::vector<int64_t>{0, 255});
  CHECK(read_integers(make_npy("|i1", "(2,)", {1, 255})) == std::vector<int64_t>{1, -1});
  CHECK(read_integers(make_npy("<i2", "(1,)", {0x34, 0x12})) == std::vector<int64_t>{0x1234});
  CHECK(read_integers(make_npy(">u4", "(1L,)", {0xFF, 0, 0, 1})) == std::vector<int64_t>{0xFF000001});
  CHECK(read_integers(make_npy("<i8", "(1,)", Bytes(8, 0xFF))) == std::vector<int64_t>{-1});
  CHECK(read_integers(make_npy("<i8", "(0,)", {})).empty());
  check_error<DataError>([] { read_integers(make_npy("<u8", "(1,)", Bytes(8, 0xFF))); },
                         {"file: 18446744073709551615 is too large"});
  check_error<DataError>([] { read_integers(make_npy("<f4", "(1,)", Bytes(4, 0))); }, {"file: is no row of integers"});
  check_error<DataError>([] { read_integers(make_npy("<i4", "(1, 1)", Bytes(4, 0))); }, {"is no row of integers"});
}

TEST_CASE("a tensor's .npy file is one of numpy's, and is read back") {
  HostTensor tensor{"x", DType::f32, {2, 3}, std::vector<std::byte>(24)};
  for (size_t i = 0; i < 24; ++i) tensor.bytes[i] = static_cast<std::byte>(i);
  const Bytes file = encode_npy(tensor);
  // numpy.save has the header up to a multiple of 64 bytes, spaces and a new line at its end.
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,3,), }";
  header.resize(117, ' ');
  header += '\n';
  CHECK(file == with_header(header, Bytes{0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                          12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}));
  CHECK(describe(NpyFile(file, "file").array()) == "<f4 C 2,3 000102030405060708090a0b0c0d0e0f1011121314151617\n");
  const HostTensor empty{"x", DType::i64, {0, 4}, {}};
  CHECK(describe(NpyFile(encode_npy(empty), "file").array()) == "<i8 C 0,4 \n");
  const HostTensor row{"x", DType::u8, {3}, std::vector<std::byte>(3)};
  CHECK(describe(NpyFile(encode_npy(row), "file").array()) == "|u1 C 3 000000\n");
}

TEST_CASE("faulty .npy files are refused in one line") {
  const auto refused = [](const Bytes& file, std::initializer_list<const char*> parts) {
    check_error<DataError>([&] { NpyFile(file, "file"); }, parts);
  };
  const std::string good = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)}";
  CHECK(NpyFile(with_header(good, {1, 2}), "file").array().count() == 2);
  refused({}, {"file: is no .npy file"});
  refused(pattern(100), {"file: is no .npy file"});
  refused(to_bytes("\x93NUMPY\4 "), {"file: has version 4 of the .npy format, where 1 to 3 are read"});
  refused(to_bytes("\x93NUMPY\1 "), {"file: is cut short inside its header"});
  refused(to_bytes("\x93NUMPY\1  \xFF{"), {"file: is cut short inside its header"});
  refused(with_header(good, {1}), {"file: has 1 bytes, where its shape and type make 2"});
  refused(with_header(good, {1, 2, 3}), {"file: has 3 bytes, where its shape and type make 2"});
  for (const char* header :
       {"", "{}", "{'descr': '|u1'}", "{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)} x",
        "{'descr': '|u1', 'fortran_order': False, 'shape': 2}", "{'descr': '|u1', 'fortran_order': False, 'shape': (2",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (x,)}", "{'descr': '|u1",
        "{'descr': '|u1', 'what': False, 'shape': (2,)}"})
    refused(with_header(header, {1, 2}), {"file: has a header that no .npy file has"});
  for (const char* type : {"<U5", "|S3", "<M8", "<f16", "u3", "", "<", "i", "<i4x", "|V8"})
    refused(with_header(fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ()}}", type)),
            {"file: has elements of the type '", "which is not read"});
  refused(make_npy("<i8", "(-1,)", {}), {"file: has a shape that no memory holds"});
  refused(make_npy("<i8", "(4611686018427387904, 4)", {}), {"file: has a shape that no memory holds"});
  refused(make_npy("<i8", "(4611686018427387904,)", {}), {"file: has a shape that no memory holds"});
  refused(make_npy("|O", "(1,)", to_bytes("N.")), {"file: the array is None, where an array belongs"});
  refused(make_npy("|O", "(1,)", to_bytes("cos\nsystem\n.")), {"file: names 'os.system'"});
}

TEST_CASE("zip archives: members in place or inflated, and what their entries claim is not believed") {
  const Bytes one = pattern(700), two = pattern(5000);
  const Bytes archive = make_zip({{"other", pattern(10)}, {"one", one}, {"two", two, true}});
  const std::vector<ZipMember> members = read_zip(archive, {"two", "one"}, 5000, "archive");
  CHECK(Bytes(members[0].content.begin(), members[0].content.end()) == two);
  CHECK(Bytes(members[1].content.begin(), members[1].content.end()) == one);
  CHECK(members[1].unpacked.empty());
  CHECK(members[1].content.data() > archive.data());
  CHECK(members[1].content.data() < archive.data() + archive.size());
  const auto refused = [](const Bytes& file, std::initializer_list<const char*> parts) {
    check_error<DataError>([&] { read_zip(file, {"one"}, 5000, "archive"); }, parts);
  };
  refused(make_zip({{"two", two}}), {"archive: has no one"});
  refused(make_zip({{"one", one}, {"one", one}}), {"archive: has one twice in it"});
  refused(make_zip({{"one", Bytes(1'000'000, 0), true}}), {"archive: holds more than 5000 bytes"});
  refused(make_zip(std::vector<ZipEntry>(20'002, {"other", {}})), {"archive: holds more than the published one"});
  refused(pattern(1000), {"archive: cannot be unpacked"});
  refused({}, {"archive: cannot be unpacked"});
  Bytes wrong = make_zip({{"one", one}});
  wrong[wrong.size() / 2] ^= 1;
  refused(wrong, {"archive: cannot be unpacked", "CRC"});
  Bytes other_method = make_zip({{"one", one, true}});
  other_method[8] = 14;  // LZMA
  refused(other_method, {"archive: is compressed in another way than by deflation"});
  // The head's 64-bit sizes say that there are 2^56 bytes.
  Bytes claims = make_zip({{"one", one}});
  claims[30 + 3 + 4 + 7] = 1;
  claims[30 + 3 + 4 + 8 + 7] = 1;
  check_error<DataError>([&] { read_zip(claims, {"one"}, UINT64_MAX, "archive"); }, {"archive: "});
}

TEST_CASE("Python's numpy writes what is read: .npy, .npz and pickles of each protocol") {
  if (!testing::has_python_with("numpy")) return;
  const TemporaryFolder folder;
  REQUIRE(testing::run_python(fs::path(CAIRN_SOURCE_DIR) / "tests/datasets/write_arrays.py", ".", folder.path()));
  for (const char* name :
       {"bytes", "high_bytes", "empty", "short", "big_endian", "long", "real", "single", "columns", "scalar"}) {
    CAPTURE(name);
    const fs::path base = folder.path() / name;
    std::ifstream text(base.string() + ".txt");
    const std::string expected((std::istreambuf_iterator<char>(text)), {});
    REQUIRE(!expected.empty());
    const Bytes npy = read_file(base.string() + ".npy");
    CHECK(describe(NpyFile(npy, "file").array()) == expected);
    for (int protocol = 0; protocol <= 5; ++protocol) {
      CAPTURE(protocol);
      const Bytes file = read_file(fmt::format("{}.{}.pickle", base.string(), protocol));
      const Pickle pickle(std::as_bytes(std::span(file)), "file");
      CHECK(describe(numpy_array(pickle.root().find("data", "it").value(), "data")) == expected);
      const PickleValue more = pickle.root().find("more", "it").value();
      CHECK(describe(numpy_array(more.find("it", "more").value(), "it")) == expected);
    }
  }
  const Bytes npy = read_file(folder.path() / "objects.npy");
  const NpyFile objects(npy, "file");
  REQUIRE(objects.array().objects);
  CHECK(integers(objects.array().objects->element(0, "it"), "it") == std::vector<int64_t>{1, 2, 70000});
  CHECK(integers(objects.array().objects->element(1, "it"), "it").empty());
  CHECK(integers(objects.array().objects->element(2, "it"), "it") == std::vector<int64_t>{-1});
  for (const char* name :
       {"batch.0", "batch.1", "batch.2", "batch.3", "batch.4", "batch.5", "batch.stored.npz", "batch.deflated.npz"}) {
    CAPTURE(name);
    const PixelBatch batch(read_file(folder.path() / name), {.image = {3, 2, 2}, .first_label = 1, .classes = 1000},
                           name);
    CHECK(batch.labels() == std::vector<int32_t>{0, 999});
    REQUIRE(batch.pixels().size() == 24);
    for (size_t i = 0; i < 24; ++i) CHECK(batch.pixels()[i] == i);
  }
}

TEST_CASE("real data: Keras's file of reviews is an archive of lists") {
  if (std::getenv("CAIRN_DATA") == nullptr || !fs::exists(fs::path(std::getenv("CAIRN_DATA")) / "imdb/imdb.npz")) {
    MESSAGE("skipped: CAIRN_DATA is not set, or has no imdb/imdb.npz");
    return;
  }
  const Bytes file = read_file(fs::path(std::getenv("CAIRN_DATA")) / "imdb/imdb.npz");
  const std::vector<ZipMember> members = read_zip(file, {"x_train.npy", "y_train.npy"}, kMaxFileBytes, "imdb.npz");
  const NpyFile reviews(members[0].content, "x_train"), labels(members[1].content, "y_train");
  REQUIRE(reviews.array().objects);
  CHECK(reviews.array().shape == std::vector<int64_t>{25000});
  CHECK(integers(labels.array(), "y_train").size() == 25000);
  size_t words = 0;
  for (size_t i = 0; i < 25000; ++i) words += integers(reviews.array().objects->element(i, "review"), "review").size();
  CHECK(words > 5'000'000);
}

}  // namespace cairn::datasets
