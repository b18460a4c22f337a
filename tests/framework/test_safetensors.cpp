// Safetensors files: round trips, the layout on disk, faults of writing, and exchange with Python's package. Not here:
// files with faults (test_safetensors_faults.cpp).
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "framework/error.h"
#include "framework/safetensors.h"
#include "tests/framework/support.h"
#include "tests/python.h"

namespace cairn::test {
namespace {

template <class T>
HostTensor host_tensor(const std::string& name, DType dtype, Shape shape, const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {name, dtype, shape, {bytes.begin(), bytes.end()}};
}

std::vector<HostTensor> samples() {
  return {
      host_tensor<double>("doubles", DType::f64, {2, 1}, {1.5, -2e300}),
      host_tensor<int64_t>("wide", DType::i64, {}, {INT64_MIN}),
      host_tensor<float>("fc.weight", DType::f32, {2, 3}, {1, 2, 3, 4, 5, 6}),
      host_tensor<float>("nothing", DType::f32, {0, 3}, {}),
      host_tensor<int32_t>("whole", DType::i32, {1, 1, 1, 2}, {-7, 7}),
      host_tensor<uint8_t>("bytes \"quoted\" \xC3\xA9\n", DType::u8, {3}, {0, 128, 255}),
  };
}

void check_equal(const std::vector<HostTensor>& actual, const std::vector<HostTensor>& expected) {
  REQUIRE(actual.size() == expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    CHECK(actual[i].name == expected[i].name);
    CHECK(actual[i].dtype == expected[i].dtype);
    CHECK(actual[i].shape == expected[i].shape);
    CHECK(actual[i].bytes == expected[i].bytes);
  }
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

HostTensor large() {
  return {"large", DType::u8, {1 << 20}, std::vector<std::byte>(1 << 20)};
}

}  // namespace

TEST_CASE("tensors and metadata survive a round trip") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.safetensors";
  const SafetensorsMetadata metadata = {{"format", "pt"}, {"step", "12"}, {"", "\t\"\\"}};
  write_safetensors(path, samples(), metadata);
  SafetensorsMetadata read_back = {{"old", "gone"}};
  check_equal(read_safetensors(path, &read_back), samples());
  CHECK(read_back == metadata);
  check_equal(read_safetensors(path), samples());
  CHECK(folder.entries() == std::vector<std::string>{"model.safetensors"});
  write_safetensors(path, {});  // over what is there
  CHECK(read_safetensors(path, &read_back).empty());
  CHECK(read_back.empty());
}

TEST_CASE("wide elements come first and the order is kept otherwise") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.safetensors";
  std::vector<HostTensor> tensors = {
      host_tensor<uint8_t>("a", DType::u8, {1}, {1}), host_tensor<float>("c", DType::f32, {1}, {2}),
      host_tensor<float>("b", DType::f32, {1}, {3}), host_tensor<double>("d", DType::f64, {1}, {4})};
  write_safetensors(path, tensors);
  std::string names;
  for (const HostTensor& tensor : read_safetensors(path)) names += tensor.name;
  CHECK(names == "dcba");
}

TEST_CASE("the bytes on disk are the format's") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.safetensors";
  write_safetensors(path,
                    {host_tensor<float>("b", DType::f32, {2}, {1, -2}), host_tensor<uint8_t>("a", DType::u8, {1}, {9})},
                    {{"k", "v"}});
  std::string header = R"({"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                       R"("a":{"dtype":"U8","shape":[1],"data_offsets":[8,9]}})";
  while (header.size() % 8) header += ' ';
  std::string expected(8, '\0');
  expected[0] = static_cast<char>(header.size());
  expected += header + std::string("\0\0\x80\x3F\0\0\0\xC0\x09", 9);
  CHECK(contents(path) == expected);
}

TEST_CASE("tensors that cannot be in one file are refused and nothing is written") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.safetensors";
  const auto refusal = [&](const std::vector<HostTensor>& tensors, const SafetensorsMetadata& metadata = {}) {
    const std::string text = message_of<DataError>([&] { write_safetensors(path, tensors, metadata); });
    CHECK(folder.entries().empty());
    return text;
  };
  const HostTensor a = host_tensor<float>("a", DType::f32, {1}, {1});
  HostTensor reserved = a, cut = a, foreign = a;
  reserved.name = "__metadata__";
  cut.bytes.pop_back();
  foreign.name = "\xFF";
  const std::string start = path.string() + ": ";
  CHECK(refusal({a, a}) == start + "cannot hold two tensors named 'a'");
  CHECK(refusal({reserved}) == start + "cannot hold a tensor named '__metadata__', which the format reserves");
  CHECK(refusal({cut}) == start + "tensor 'a' has 3 bytes, not those of f32[1]");
  CHECK(refusal({foreign}) == start + "cannot hold names or metadata that are not UTF-8");
  CHECK(refusal({a}, {{"k", "\xFF"}}) == start + "cannot hold names or metadata that are not UTF-8");
}

TEST_CASE("a file that cannot be written is an error that names it and leaves nothing") {
  const TemporaryFolder folder;
  const auto refusal = [](const std::filesystem::path& path) {
    return message_of<IoError>([&] { write_safetensors(path, {large()}); });
  };
  SUBCASE("no such folder") {
    const auto path = folder.path() / "none" / "model.safetensors";
    CHECK(refusal(path) == path.string() + ": cannot be written: No such file or directory");
  }
  SUBCASE("a file as the folder") {
    std::ofstream(folder.path() / "file") << "x";
    const auto path = folder.path() / "file" / "model.safetensors";
    CHECK(refusal(path) == path.string() + ": cannot be written: Not a directory");
  }
  SUBCASE("a folder in the file's place") {
    CHECK(refusal(folder.path()) == folder.path().string() + ": cannot be written: it is a directory");
  }
  SUBCASE("a device in the file's place") {
    CHECK(refusal("/dev/full") == "/dev/full: cannot be written: it is not a regular file");
    struct stat status;
    REQUIRE(stat("/dev/full", &status) == 0);
    CHECK(S_ISCHR(status.st_mode));
  }
  SUBCASE("a folder that is read-only") {
    std::filesystem::permissions(folder.path(),
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    const bool root = geteuid() == 0;  // permissions do not hold root back: nobody tries instead
    constexpr uid_t kNobody = 65534;
    if (root) {
      REQUIRE(chown(folder.path().c_str(), kNobody, static_cast<gid_t>(-1)) == 0);
      REQUIRE(seteuid(kNobody) == 0);
    }
    const auto path = folder.path() / "model.safetensors";
    const std::string text = refusal(path);
    if (root) REQUIRE(seteuid(0) == 0);
    CHECK(text == path.string() + ": cannot be written: Permission denied");
    CHECK(folder.entries().empty());
    std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
  }
  SUBCASE("a disk that is full") {
    // A limit on the size of files stands for it: the write stops in the middle in the same way.
    const auto path = folder.path() / "model.safetensors";
    write_safetensors(path, samples());
    struct rlimit before;
    REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto handler = signal(SIGXFSZ, SIG_IGN);
    const struct rlimit small { 100'000, before.rlim_max };
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    const std::string text = refusal(path);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    CHECK(text == path.string() + ": cannot be written: File too large");
    CHECK(folder.entries() == std::vector<std::string>{"model.safetensors"});
    check_equal(read_safetensors(path), samples());  // the old file is whole
  }
}

TEST_CASE("a new file has the permissions that the user's mask leaves") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.safetensors";
  const mode_t before = umask(027);
  write_safetensors(path, {});
  umask(before);
  struct stat status;
  REQUIRE(stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
}

TEST_CASE("Python's safetensors reads what is written here, and the other way round") {
  if (!cairn::testing::has_python_with("safetensors, numpy")) return;
  const TemporaryFolder folder;
  const std::vector<HostTensor> tensors = {
      host_tensor<double>("a.doubles", DType::f64, {2, 1}, {1.5, -2e300}),
      host_tensor<int64_t>("b.wide", DType::i64, {1}, {INT64_MIN}),
      host_tensor<float>("c.weight", DType::f32, {2, 3}, {1, 2, 3, 4, 5, 6}),
      host_tensor<float>("d.nothing", DType::f32, {0, 3}, {}),
      host_tensor<int32_t>("e.whole", DType::i32, {1, 1, 1, 2}, {-7, 7}),
      host_tensor<uint8_t>("f.bytes", DType::u8, {3}, {0, 128, 255}),
  };
  write_safetensors(folder.path() / "ours.safetensors", tensors, {{"step", "12"}});
  std::ofstream(folder.path() / "exchange.py") << R"(
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file
expected = {
    "a.doubles": np.array([[1.5], [-2e300]]), "b.wide": np.array([-2**63]),
    "c.weight": np.arange(1, 7, dtype=np.float32).reshape(2, 3), "d.nothing": np.zeros((0, 3), np.float32),
    "e.whole": np.array([-7, 7], np.int32).reshape(1, 1, 1, 2), "f.bytes": np.array([0, 128, 255], np.uint8)}
with safe_open("ours.safetensors", framework="np") as file:
    assert file.metadata() == {"step": "12"}
    assert set(file.keys()) == set(expected)
    for name, value in expected.items():
        tensor = file.get_tensor(name)
        assert tensor.dtype == value.dtype and tensor.shape == value.shape and (tensor == value).all(), name
save_file(expected, "theirs.safetensors", {"step": "12"})
)";
  REQUIRE(cairn::testing::run_python("exchange.py", "", folder.path()));
  SafetensorsMetadata metadata;
  const std::vector<HostTensor> theirs = read_safetensors(folder.path() / "theirs.safetensors", &metadata);
  CHECK(metadata == SafetensorsMetadata{{"step", "12"}});
  REQUIRE(theirs.size() == tensors.size());
  for (const HostTensor& expected : tensors) {
    const auto found = std::find_if(theirs.begin(), theirs.end(),
                                    [&](const HostTensor& tensor) { return tensor.name == expected.name; });
    REQUIRE(found != theirs.end());
    check_equal({*found}, {expected});
  }
  // Written in their order, the two files are the same to the byte.
  write_safetensors(folder.path() / "again.safetensors", theirs, metadata);
  CHECK(contents(folder.path() / "again.safetensors") == contents(folder.path() / "theirs.safetensors"));
}

}  // namespace cairn::test
