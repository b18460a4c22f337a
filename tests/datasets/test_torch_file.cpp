// Files as torch.save writes them: made here, opcode by opcode; and by PyTorch itself where a Python with it is at
// hand.
#include "datasets/torch_file.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstring>

#include "datasets/file.h"
#include "framework/error.h"
#include "tests/datasets/numpy_files.h"
#include "tests/datasets/support.h"
#include "tests/python.h"

namespace cairn::datasets {
namespace {

using namespace std::string_literals;

std::string integer(int64_t value) {
  std::string text = "J";
  for (int i = 0; i < 4; ++i) text += static_cast<char>(value >> 8 * i & 0xFF);
  return text;
}

std::string text(const std::string& characters) {
  return "X" + integer(static_cast<int64_t>(characters.size())).substr(1) + characters;
}

std::string tuple(const std::vector<int64_t>& values) {
  std::string all = "(";
  for (const int64_t value : values) all += integer(value);
  return all + "t";
}

struct Tensor {
  std::string name, key = "0", type = "FloatStorage";
  int64_t stored = 6, offset = 0;
  std::vector<int64_t> shape = {2, 3}, strides = {3, 1};
};

std::string pickled(const Tensor& t) {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\n" + t.type + "\n" + text(t.key) +
         text("cpu") + integer(t.stored) + "tQ" + integer(t.offset) + tuple(t.shape) + tuple(t.strides) +
         "\x89"s
         "ccollections\nOrderedDict\n)RtR";
}

std::string state(const std::vector<Tensor>& tensors) {
  std::string all = "}(";
  for (const Tensor& each : tensors) all += text(each.name) + pickled(each);
  return all + "u";
}

template <class V>
Bytes bytes_of(const std::vector<V>& values) {
  Bytes bytes(values.size() * sizeof(V));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

const Bytes kSix = bytes_of<float>({1, 2, 3, 4, 5, 6});

Bytes file_of(const std::string& what, const std::vector<ZipEntry>& storages = {{"net/data/0", kSix}}) {
  std::vector<ZipEntry> entries = {{"net/data.pkl", to_bytes("\x80\2" + what + ".")},
                                   {"net/byteorder", to_bytes("little")}};
  entries.insert(entries.end(), storages.begin(), storages.end());
  entries.push_back({"net/version", to_bytes("3\n")});
  return make_zip(entries);
}

std::vector<HostTensor> read(const Bytes& file) {
  return read_torch_file(file, "file");
}

std::vector<float> floats(const HostTensor& tensor) {
  REQUIRE(tensor.dtype == DType::f32);
  std::vector<float> values(tensor.bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

void refused(const Bytes& file, std::initializer_list<const char*> parts) {
  check_error<DataError>([&] { read(file); }, parts);
}

}  // namespace

TEST_CASE("tensors come out of a .pth in their order, whole ones, views and shared ones") {
  const Bytes file = file_of(state({{.name = "fc.weight"},
                                    {.name = "turned", .shape = {3, 2}, .strides = {1, 3}},
                                    {.name = "part", .offset = 2, .shape = {2}, .strides = {2}},
                                    {.name = "one", .offset = 5, .shape = {}, .strides = {}},
                                    {.name = "none", .shape = {0, 3}, .strides = {3, 1}}}));
  CHECK(is_torch_file(file));
  const std::vector<HostTensor> tensors = read(file);
  REQUIRE(tensors.size() == 5);
  CHECK(tensors[0].name == "fc.weight");
  CHECK(tensors[0].shape == Shape{2, 3});
  CHECK(floats(tensors[0]) == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(floats(tensors[1]) == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(floats(tensors[2]) == std::vector<float>{3, 5});
  CHECK(tensors[3].shape == Shape{});
  CHECK(floats(tensors[3]) == std::vector<float>{6});
  CHECK(floats(tensors[4]).empty());
}

TEST_CASE("halves, bfloat16 and doubles become floats; integers stay; a deflated storage is read too") {
  // 1, -2, 2^-24 (the least), 65504 (the largest), infinity, -0
  const Bytes halves = bytes_of<uint16_t>({0x3C00, 0xC000, 0x0001, 0x7BFF, 0x7C00, 0x8000});
  const Bytes bfloats = bytes_of<uint16_t>({0x3F80, 0xC000, 0x0001, 0x7F7F, 0x7F80, 0x8000});
  const auto one = [](const std::string& type, const std::string& key) {
    return Tensor{.name = type, .key = key, .type = type, .shape = {6}, .strides = {1}};
  };
  const std::vector<HostTensor> tensors =
      read(file_of(state({one("HalfStorage", "h"), one("BFloat16Storage", "b"), one("DoubleStorage", "d"),
                          one("LongStorage", "l"), one("IntStorage", "i"), one("BoolStorage", "t")}),
                   {{"net/data/h", halves, true},
                    {"net/data/b", bfloats},
                    {"net/data/d", bytes_of<double>({1, -2, 1e-300, 0.1, 5, 6})},
                    {"net/data/l", bytes_of<int64_t>({1, -2, int64_t{1} << 40, 4, 5, 6})},
                    {"net/data/i", bytes_of<int32_t>({1, -2, 3, 4, 5, 6})},
                    {"net/data/t", {0, 1, 1, 0, 0, 1}}}));
  REQUIRE(tensors.size() == 6);
  CHECK(floats(tensors[0]) == std::vector<float>{1, -2, 0x1p-24f, 65504, HUGE_VALF, 0});
  CHECK(std::signbit(floats(tensors[0])[5]));
  CHECK(floats(tensors[1]) == std::vector<float>{1, -2, 0x1p-133f, 0x1.fep127f, HUGE_VALF, 0});
  CHECK(floats(tensors[2]) == std::vector<float>{1, -2, 0, 0.1f, 5, 6});
  CHECK(tensors[3].dtype == DType::i64);
  CHECK(tensors[4].dtype == DType::i32);
  CHECK(tensors[5].dtype == DType::u8);
  int64_t large = 0;
  std::memcpy(&large, tensors[3].bytes.data() + 16, 8);
  CHECK(large == int64_t{1} << 40);
}

TEST_CASE("a checkpoint's state is found beside an optimizer's, and the marks of spread and compiled networks go") {
  const std::string net = state({{.name = "module._orig_mod.fc.weight"}, {.name = "module.modules.bias"}});
  const std::string optimizer = "}(" + text("state") + "}(" + integer(0) + "}(" + text("momentum_buffer") +
                                pickled({.name = "", .key = "9"}) + "uu" + text("lr") +
                                "G\x3f\xb9\x99\x99\x99\x99\x99\x9au";
  for (const char* key : {"state_dict", "model_state_dict", "model", "net"}) {
    CAPTURE(key);
    const std::vector<HostTensor> tensors =
        read(file_of("}(" + text("epoch") + integer(7) + text("optimizer") + optimizer + text(key) + net + "u"));
    REQUIRE(tensors.size() == 2);
    CHECK(tensors[0].name == "fc.weight");
    CHECK(tensors[1].name == "modules.bias");
  }
  // A parameter is the tensor in it.
  const std::string parameter = "ctorch._utils\n_rebuild_parameter\n(" + pickled({.name = ""}) +
                                "\x88"s
                                "ccollections\nOrderedDict\n)RtR";
  CHECK(floats(read(file_of("}" + text("w") + parameter + "s"))[0])[5] == 6);
}

TEST_CASE("a DenseNet's tensors of before 2018 get the names that they have today") {
  const auto named = [](const std::string& name) { return read(file_of(state({{.name = name}})))[0].name; };
  const std::string block = "features.denseblock1.denselayer12.";
  CHECK(named(block + "norm.1.running_mean") == block + "norm1.running_mean");
  CHECK(named(block + "norm.2.weight") == block + "norm2.weight");
  CHECK(named("module." + block + "conv.1.weight") == block + "conv1.weight");
  CHECK(named(block + "conv.2.weight") == block + "conv2.weight");
  for (const std::string& other :
       {block + "conv1.weight", block + "conv.3.weight", block + "norm.1", block + "norm.12.w",
        "features.transition1.norm.1.weight"s, "layer1.0.conv.1.weight"s})
    CHECK(named(other) == other);
  refused(file_of(state({{.name = block + "conv.1.weight"}, {.name = block + "conv1.weight"}})),
          {"file: has two tensors '", "denselayer12.conv1.weight'"});
}

TEST_CASE("what is no .pth, or lies about its tensors, is refused in one line") {
  const auto lying = [](const Tensor& tensor, std::initializer_list<const char*> parts) {
    refused(file_of(state({tensor})), parts);
  };
  lying({.name = "w", .offset = 1}, {"file: tensor 'w' has 6 values from place 1 to 6, its storage has 6"});
  lying({.name = "w", .offset = -1}, {"tensor 'w' has 6 values from place -1"});
  lying({.name = "w", .stored = 7, .shape = {7}, .strides = {1}},
        {"tensor 'w' should have a storage of 7 values of 4 bytes, there are 24 bytes"});
  lying({.name = "w", .type = "DoubleStorage"}, {"should have a storage of 6 values of 8 bytes, there are 24 bytes"});
  lying({.name = "w", .shape = {1000, 1000, 1000, 1000}, .strides = {0, 0, 0, 0}}, {"'w' has 1000000000000 values"});
  lying({.name = "w", .shape = {2, 3}, .strides = {-3, 1}}, {"'w' has strides that lead out of its storage"});
  lying({.name = "w", .shape = {1, 1, 1, 2, 3}, .strides = {6, 6, 6, 3, 1}}, {"'w' has 5 dimensions and 5 strides"});
  lying({.name = "w", .shape = {-2, 3}}, {"file: tensor 'w': "});
  lying({.name = "w", .key = "1"}, {"file: has no net/data/1"});
  lying({.name = "w", .type = "ComplexStorage"}, {"names 'torch.ComplexStorage'"});
  refused(file_of(state({{.name = "w"}, {.name = "module.w"}})), {"file: has two tensors 'w'"});
  std::vector<Tensor> many;
  for (int i = 0; i < 400; ++i) many.push_back({.name = std::to_string(i)});
  CHECK(read(file_of(state(many))).size() == 400);  // the pickle itself is as large
  many.clear();
  const Bytes large(100'000, 0);
  for (int i = 0; i < 10; ++i)
    many.push_back({.name = std::to_string(i), .stored = 25'000, .shape = {25'000}, .strides = {1}});
  refused(file_of(state(many), {{"net/data/0", large}}), {"file: its tensors share their storages more often"});
  refused(file_of("}" + text("epoch") + integer(3) + "s"), {"file: holds no tensors by name"});
  refused(file_of(integer(3)), {"file: holds no tensors by name"});
  refused(file_of("cposix\nsystem\n" + text("true") + "\x85R"), {"file: data.pkl: names 'posix.system'"});
  refused(make_zip({{"a/data.pkl", {}}, {"b/data.pkl", {}}}), {"file: is a zip archive with 2 files data.pkl"});
  refused(make_zip({{"data/0", kSix}}), {"with 0 files data.pkl, where torch.save writes one"});
  refused(make_zip({{"n/data.pkl", {}}, {"n/byteorder", to_bytes("big")}}),
          {"its numbers have their bytes in the other order"});
  Bytes cut = file_of(state({{.name = "w"}}));
  cut.resize(cut.size() / 2);
  refused(cut, {"file: "});
  CHECK_FALSE(is_torch_file(to_bytes("{}")));
}

namespace {

// As torch.save wrote it before 1.6. storages: the keys in their order, each with its elements and their number.
struct OldStorage {
  std::string key;
  int64_t count;
  Bytes bytes;
};
Bytes old_file(const std::string& what, const std::vector<OldStorage>& storages = {{"0", 6, kSix}},
               const std::string& version = "M\xe9\3", const std::string& machine = "}") {
  std::string file = "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
  for (const std::string& each : {version, machine, what}) file += "\x80\2" + each + ".";
  file += "\x80\2](";
  for (const OldStorage& each : storages) file += text(each.key);
  file += "e.";
  for (const OldStorage& each : storages) {
    for (int i = 0; i < 8; ++i) file += static_cast<char>(each.count >> 8 * i & 0xFF);
    file.append(each.bytes.begin(), each.bytes.end());
  }
  return to_bytes(file);
}

}  // namespace

TEST_CASE("the form of before PyTorch 1.6: storages follow in the order of their keys") {
  const Bytes halves = bytes_of<uint16_t>({0x3C00, 0xC000});
  const Bytes file =
      old_file(state({{.name = "w"},
                      {.name = "h", .key = "1", .type = "HalfStorage", .stored = 2, .shape = {2}, .strides = {1}}}),
               {{"1", 2, halves}, {"0", 6, kSix}});
  CHECK(is_torch_file(file));
  const std::vector<HostTensor> tensors = read(file);
  REQUIRE(tensors.size() == 2);
  CHECK(floats(tensors[0]) == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(floats(tensors[1]) == std::vector<float>{1, -2});
  // A storage that only an optimizer has is passed over.
  const std::string checkpoint =
      "}(" + text("net") + state({{.name = "w"}}) + text("optimizer") + "}" + text("m") +
      pickled({.name = "m", .key = "m", .type = "DoubleStorage", .stored = 1, .shape = {1}, .strides = {1}}) + "su";
  const Bytes one_double = bytes_of<double>({7});
  CHECK(floats(read(old_file(checkpoint, {{"m", 1, one_double}, {"0", 6, kSix}}))[0])[5] == 6);
}

TEST_CASE("what is wrong with a file of before PyTorch 1.6 is one line") {
  const std::string good = state({{.name = "w"}});
  refused(old_file(good, {{"0", 6, kSix}}, "M\xea\3"), {"file: is of version 1002, where 1001 is read"});
  refused(old_file(good, {{"0", 6, kSix}}, "M\xe9\3", "}" + text("little_endian") + "\x89s"),
          {"file: its numbers have their bytes in the other order"});
  refused(old_file(good, {}), {"file: has no storage '0'"});
  refused(old_file(good, {{"9", 6, kSix}}), {"file: has a storage '9' that nothing names"});
  refused(old_file(good, {{"0", 7, kSix}}), {"file: is cut short in storage '0'"});
  refused(old_file(good, {{"0", -1, kSix}}), {"file: is cut short in storage '0'"});
  refused(old_file(good, {{"0", INT64_MAX, kSix}}), {"file: is cut short in storage '0'"});
  refused(old_file(good, {{"0", 5, kSix}}), {"tensor 'w' should have a storage of 6 values of 4 bytes, there are 20"});
  refused(old_file("cposix\nsystem\n" + text("true") + "\x85R"), {"its pickle of the network: names 'posix.system'"});
  refused(old_file(integer(3)), {"file: holds no tensors by name"});
  const Bytes whole = old_file(good);
  for (size_t size = 14; size < whole.size(); ++size)
    refused(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)), {"file: "});
}

TEST_CASE("Python's PyTorch saves what is read to the bit") {
  if (!testing::has_python_with("torch")) return;
  const TemporaryFolder folder;
  REQUIRE(testing::run_python(CAIRN_SOURCE_DIR "/tests/datasets/write_torch_files.py", "", folder.path()));
  for (const char* name : {"plain", "half", "bfloat16", "double", "module", "compiled", "checkpoint", "views", "old",
                           "old-half", "old-checkpoint", "old-views"}) {
    CAPTURE(name);
    const std::vector<HostTensor> tensors = read_torch_file(read_file(folder.path() / (name + ".pth"s)), name);
    const Bytes expected = read_file(folder.path() / (name + ".txt"s));
    std::string found;
    for (const HostTensor& tensor : tensors) {
      found += tensor.name + " " + tensor.shape.text();
      for (const std::byte byte : tensor.bytes) found += fmt::format(" {:02x}", static_cast<unsigned>(byte));
      found += "\n";
    }
    CHECK(found == std::string(expected.begin(), expected.end()));
  }
}

}  // namespace cairn::datasets
