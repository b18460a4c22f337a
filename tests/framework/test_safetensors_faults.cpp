// Safetensors files that are not what they claim to be: each fault is one line that names the file and the reason, and
// no bytes whatever crash the reader.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "framework/error.h"
#include "framework/safetensors.h"
#include "kernels/philox.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

std::string file_of(uint64_t header_bytes, const std::string& rest) {
  std::string file(8, '\0');
  std::memcpy(file.data(), &header_bytes, 8);
  return file + rest;
}

std::string file_of(const std::string& header, size_t data_bytes) {
  return file_of(header.size(), header + std::string(data_bytes, '\x2A'));
}

std::span<const std::byte> bytes_of(const std::string& file) {
  return std::as_bytes(std::span(file));
}

// The text of the error without the name of the file in front, which is checked.
std::string fault_of(const std::string& file) {
  const std::string text = message_of<DataError>([&] { parse_safetensors(bytes_of(file), "some/file"); });
  const std::string start = "some/file: ";
  CHECK(text.substr(0, start.size()) == start);
  CHECK(text.find('\n') == std::string::npos);
  return text.substr(std::min(text.size(), start.size()));
}

// One tensor "t" of four bytes, with the given body.
std::string fault_of_tensor(const std::string& body, size_t data_bytes = 4) {
  return fault_of(file_of("{\"t\":" + body + "}", data_bytes));
}

std::string tensor_body(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

}  // namespace

TEST_CASE("a well-formed file in unusual clothes is read") {
  // Keys in another order, white space, offsets out of order, an empty tensor in between.
  const std::string header = R"( {"z" : {"shape":[ 1],"data_offsets":[4,8], "dtype":"F32"},
    "e":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}, "a":{"data_offsets":[0,4],"dtype":"I32","shape":[]}}  )";
  const auto tensors = parse_safetensors(bytes_of(file_of(header.substr(1), 8)), "file");
  REQUIRE(tensors.size() == 3);
  CHECK(tensors[0].name == "a");
  CHECK(tensors[0].dtype == DType::i32);
  CHECK(tensors[1].name == "e");
  CHECK(tensors[2].name == "z");
  CHECK(tensors[2].bytes == std::vector<std::byte>(4, std::byte{0x2A}));
  CHECK(parse_safetensors(bytes_of(file_of("{}", 0)), "file").empty());
}

TEST_CASE("files too short for their header") {
  CHECK(fault_of("") == "has 0 bytes, too few for the 8 that open a safetensors file");
  CHECK(fault_of("1234567") == "has 7 bytes, too few for the 8 that open a safetensors file");
  CHECK(fault_of(file_of(3, "{}")) == "is cut short: it says that its header has 3 bytes, and only 2 follow");
  CHECK(fault_of(file_of(100'000'001, "{}")) ==
        "says that its header has 100000001 bytes; at most 100000000 are accepted (is this a safetensors file?)");
  CHECK(fault_of(file_of(UINT64_MAX, "{}")) ==
        "says that its header has 18446744073709551615 bytes; at most 100000000 are accepted (is this a safetensors "
        "file?)");
}

TEST_CASE("headers that are no JSON object") {
  CHECK(fault_of(file_of("", 0)) == "its header is not a JSON object");
  CHECK(fault_of(file_of("[]", 0)) == "its header is not a JSON object");
  CHECK(fault_of(file_of(" {}", 0)) == "its header is not a JSON object");
  CHECK(fault_of(file_of("null", 0)) == "its header is not a JSON object");
  CHECK(fault_of(file_of("{", 0)).substr(0, 31) == "its header is not valid JSON (a");
  CHECK(fault_of(file_of("{} x", 0)) == "its header is not valid JSON (at byte 4 of the header)");
  CHECK(fault_of(file_of("{\"a\xFF\":1}", 0)) == "its header is not valid JSON (at byte 4 of the header)");
  CHECK(fault_of(file_of("{'a':1}", 0)) == "its header is not valid JSON (at byte 2 of the header)");
  CHECK(fault_of(file_of(std::string("{}\0\0\0", 5), 0)) == "its header is not valid JSON (at byte 3 of the header)");
}

TEST_CASE("values in the wrong place") {
  CHECK(fault_of_tensor("1") == "its header has a number for 't' instead of a tensor");
  CHECK(fault_of_tensor("-1.5") == "its header has a number for 't' instead of a tensor");
  CHECK(fault_of_tensor("[]") == "its header has a list for 't' instead of a tensor");
  CHECK(fault_of_tensor("null") == "its header has null for 't' instead of a tensor");
  CHECK(fault_of_tensor("\"x\"") == "its header has a text for 't' instead of a tensor");
  CHECK(fault_of_tensor(tensor_body("7", "[]", "[0,4]")) ==
        "tensor 't' has a number in 'dtype', where it does not belong");
  CHECK(fault_of_tensor(tensor_body("\"F32\"", "{}", "[0,4]")) ==
        "tensor 't' has an object in 'shape', where it does not belong");
  CHECK(fault_of_tensor(tensor_body("\"F32\"", "[[1]]", "[0,4]")) ==
        "tensor 't' has a list in 'shape', where it does not belong");
  CHECK(fault_of_tensor(tensor_body("\"F32\"", "[true]", "[0,4]")) ==
        "tensor 't' has true or false in 'shape', where it does not belong");
  CHECK(fault_of_tensor(tensor_body("\"F32\"", "3", "[0,4]")) ==
        "tensor 't' has a number in 'shape', where it does not belong");
  CHECK(fault_of_tensor(tensor_body("\"F32\"", "[]", "\"0,4\"")) ==
        "tensor 't' has a text in 'data_offsets', where it does not belong");
  CHECK(fault_of(file_of(R"({"__metadata__":{"k":1}})", 0)) == "its metadata 'k' is a number, not a text");
  CHECK(fault_of(file_of(R"({"__metadata__":{"k":{}}})", 0)) == "its metadata 'k' is an object, not a text");
  CHECK(fault_of(file_of(R"({"__metadata__":"k"})", 0)) ==
        "its header has a text for '__metadata__' instead of a tensor");
  CHECK(fault_of(file_of("{\"t\":" + std::string(100'000, '['), 0)) ==
        "its header has a list for 't' instead of a tensor");
}

TEST_CASE("keys that are missing, unknown or there twice") {
  CHECK(fault_of_tensor("{}") == "tensor 't' has no 'dtype'");
  CHECK(fault_of_tensor(R"({"dtype":"F32","shape":[]})") == "tensor 't' has no 'data_offsets'");
  CHECK(fault_of_tensor(R"({"dtype":"F32","data_offsets":[0,4]})") == "tensor 't' has no 'shape'");
  CHECK(fault_of_tensor(R"({"dtype":"F32","stride":[1]})") == "tensor 't' has the unknown key 'stride'");
  for (const std::string key : {"dtype", "shape", "data_offsets"}) {
    const std::string value = key == "dtype" ? "\"F32\"" : key == "shape" ? "[]" : "[0,4]";
    const std::string twice = "{\"" + key + "\":" + value + ",\"" + key + "\":" + value + "}";
    CHECK(fault_of_tensor(twice) == "tensor 't' has the key '" + key + "' twice");
  }
  const std::string body = tensor_body("\"U8\"", "[0]", "[0,0]");
  CHECK(fault_of(file_of("{\"a\":" + body + ",\"b\":" + body + ",\"a\":" + body + "}", 0)) ==
        "its header has the key 'a' twice");
  CHECK(fault_of(file_of(R"({"__metadata__":{},"__metadata__":{}})", 0)) ==
        "its header has the key '__metadata__' twice");
  CHECK(fault_of(file_of(R"({"__metadata__":{"k":"1","k":"1"}})", 0)) == "its metadata has the key 'k' twice");
}

TEST_CASE("dtypes and shapes that cannot be") {
  CHECK(fault_of_tensor(tensor_body("\"BF16\"", "[2]", "[0,4]")) ==
        "tensor 't' has the dtype 'BF16'; F32, F64, U8, I32 and I64 can be read");
  CHECK(fault_of_tensor(tensor_body("\"f32\"", "[1]", "[0,4]")) ==
        "tensor 't' has the dtype 'f32'; F32, F64, U8, I32 and I64 can be read");
  for (const std::string dimension : {"-1", "1.0", "1e3", "1e400", "18446744073709551616", "-9223372036854775809"})
    CHECK(fault_of_tensor(tensor_body("\"F32\"", "[" + dimension + "]", "[0,4]")) ==
          (dimension == "1e400"
               ? "its header is not valid JSON (at byte 34 of the header)"
               : "tensor 't' has the dimension '" + dimension + "', which is negative, fractional or too large"));
  CHECK(fault_of_tensor(tensor_body("\"F32\"", "[1,1,1,1,1]", "[0,4]")) == "tensor 't' has more than 4 dimensions");
  for (const std::string shape : {"[18446744073709551615]", "[4294967296,4294967296]", "[2305843009213693952]",
                                  "[0,18446744073709551615]", "[65536,65536,65536,65536]"})
    CHECK(fault_of_tensor(tensor_body("\"F32\"", shape, "[0,4]")) ==
          "tensor 't' has a shape with more bytes than any file");
}

TEST_CASE("offsets that cannot be") {
  const auto fault = [](const std::string& offsets) { return fault_of_tensor(tensor_body("\"F32\"", "[1]", offsets)); };
  CHECK(fault("[]") == "tensor 't' must have two data_offsets, begin and end");
  CHECK(fault("[0]") == "tensor 't' must have two data_offsets, begin and end");
  CHECK(fault("[0,2,4]") == "tensor 't' must have two data_offsets, begin and end");
  CHECK(fault("[-4,0]") == "tensor 't' has the offset '-4', which is negative, fractional or too large");
  CHECK(fault("[0,4.0]") == "tensor 't' has the offset '4.0', which is negative, fractional or too large");
  CHECK(fault("[4,0]") == "tensor 't' ends (0) before it begins (4)");
  CHECK(fault("[0,8]") == "tensor 't' ends at byte 8 of the data, and the file has only 4");
  CHECK(fault("[0,18446744073709551615]") ==
        "tensor 't' ends at byte 18446744073709551615 of the data, and the file has only 4");
  CHECK(fault("[0,3]") == "tensor 't' has 3 bytes of data; its dtype and shape make 4");
}

TEST_CASE("data with overlaps, holes and remains") {
  const auto two = [](const std::string& first, const std::string& second, size_t data_bytes) {
    return fault_of(file_of(
        "{\"a\":" + tensor_body("\"F32\"", "[1]", first) + ",\"b\":" + tensor_body("\"F32\"", "[1]", second) + "}",
        data_bytes));
  };
  CHECK(two("[0,4]", "[2,6]", 6) == "tensor 'b' overlaps the tensor before it: it begins at 2 instead of 4");
  CHECK(two("[0,4]", "[0,4]", 4) == "tensor 'b' overlaps the tensor before it: it begins at 0 instead of 4");
  CHECK(two("[0,4]", "[8,12]", 12) == "tensor 'b' leaves a hole before it: it begins at 8 instead of 4");
  CHECK(two("[8,12]", "[4,8]", 12) == "tensor 'b' leaves a hole before it: it begins at 4 instead of 0");
  CHECK(two("[0,4]", "[4,8]", 9) == "has 1 bytes after the last tensor");
  CHECK(fault_of(file_of("{}", 3)) == "has 3 bytes after the last tensor");
}

TEST_CASE("names in errors stay on one line") {
  CHECK(fault_of(file_of(R"({"a\nb\u0007":1})", 0)) == "its header has a number for 'a?b?' instead of a tensor");
  CHECK(fault_of(file_of("{\"" + std::string(500, 'x') + "\":1}", 0)) ==
        "its header has a number for '" + std::string(80, 'x') + "...' instead of a tensor");
}

TEST_CASE("paths that are no file") {
  const TemporaryFolder folder;
  const auto fault = [](const std::filesystem::path& path) {
    return message_of<DataError>([&] { read_safetensors(path); });
  };
  const std::string base = folder.path().string();
  CHECK(fault(base + "/none") == base + "/none: cannot be opened: No such file or directory");
  CHECK(fault(base) == base + ": is a directory, not a file");
  REQUIRE(mkfifo((base + "/pipe").c_str(), 0600) == 0);
  CHECK(fault(base + "/pipe") == base + "/pipe: is not a regular file");
  std::ofstream(base + "/short") << "12345";
  CHECK(fault(base + "/short") == base + "/short: has 5 bytes, too few for the 8 that open a safetensors file");
  // As large as a disk, and hollow: refused for its header before anything of that size is allocated.
  std::ofstream(base + "/hollow") << file_of(2, "{}");
  REQUIRE(truncate((base + "/hollow").c_str(), off_t{1} << 40) == 0);
  CHECK(fault(base + "/hollow") == base + "/hollow: has 1099511627766 bytes after the last tensor");
}

TEST_CASE("no damage to a file crashes the reader") {
  const std::string header = R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
                             R"("b":{"dtype":"I64","shape":[],"data_offsets":[16,24]}}  )";
  const std::string good = file_of(header, 24);
  REQUIRE(parse_safetensors(bytes_of(good), "file").size() == 2);
  int refused = 0, read = 0;
  const auto try_one = [&](const std::string& file) {
    try {
      parse_safetensors(bytes_of(file), "file");
      ++read;
    } catch (const DataError&) {
      ++refused;
    }
  };
  for (size_t length = 0; length < good.size(); ++length) try_one(good.substr(0, length));
  CHECK(read == 0);
  constexpr uint32_t kTries = 20'000;
  for (uint32_t i = 0; i < kTries; ++i) {
    std::string file = good;
    const philox::Block draw = philox::draw(5, 0, i, 0), other = philox::draw(5, 1, i, 0);
    const size_t place = draw.word[0] % file.size();
    constexpr char kTokens[] = "{}[]\",:0123456789-.eEtfn\\u \xFF";
    switch (draw.word[1] % 4) {
      case 0:
        file[place] = static_cast<char>(draw.word[2]);
        break;
      case 1:
        file[place] = kTokens[draw.word[2] % (sizeof kTokens - 1)];
        break;
      case 2:
        file.erase(place, 1 + draw.word[2] % 8);
        break;
      default:
        file.insert(place, file.substr(other.word[0] % file.size(), 1 + draw.word[2] % 40));
    }
    if (other.word[1] % 2 && file.size() >= 8) {  // with the header's length mended, so that the JSON itself is reached
      const uint64_t length = file.size() >= 32 ? file.size() - 32 : 0;
      std::memcpy(file.data(), &length, 8);
    }
    try_one(file);
  }
  CHECK(refused > static_cast<int>(kTries / 2));
  CHECK(read > 0);  // damage to the data, or to a name, is none that a reader can see
}

}  // namespace cairn::test
