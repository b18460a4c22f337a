// Bad input: one line on stderr that names what is wrong, exit code 2, nothing written. The faults of data files are
// covered in full by tests/datasets; here each kind must reach the user as it should.
#include <doctest/doctest.h>

#include <filesystem>

#include "kernels/registry.h"
#include "tests/apps/command.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;

// Runs train and expects one line that holds every one of `parts`, and an unchanged folder.
void expect_refusal(const std::vector<std::string>& arguments, const std::vector<std::string>& parts,
                    const fs::path& folder, const std::string& data = "") {
  CAPTURE(arguments);
  const auto entries = [&] { return std::distance(fs::recursive_directory_iterator(folder), {}); };
  const auto before = entries();
  const Result result = run(CAIRN_TRAIN, arguments, folder, data);
  CHECK(result.code == 2);
  CHECK(result.out.empty());
  CHECK_MESSAGE(line_count(result.error) == 1, result.error);
  for (const std::string& part : parts) CHECK_MESSAGE(result.error.find(part) != std::string::npos, result.error);
  CHECK(entries() == before);
}

const std::vector<std::string> kDigits = {"--dataset", "digits", "--quiet"};

std::vector<std::string> digits(std::vector<std::string> more) {
  more.insert(more.end(), kDigits.begin(), kDigits.end());
  return more;
}

std::string big_endian(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

std::string images(uint32_t magic, uint32_t count, size_t bytes) {
  return big_endian(magic) + big_endian(count) + big_endian(28) + big_endian(28) + std::string(bytes, '\1');
}

std::string labels(uint32_t count, const std::string& values) {
  return big_endian(2049) + big_endian(count) + values;
}

}  // namespace

TEST_CASE("unknown names list the choices") {
  const TemporaryFolder folder;
  expect_refusal(digits({"--model", "cnm"}), {"unknown model 'cnm'", "linear, dnn, mlp"}, folder.path);
  expect_refusal({"--dataset", "mnits"}, {"mnits", "mnist", "fashion-mnist", "digits"}, folder.path);
  expect_refusal(digits({"--impl", "magic"}), {"unknown implementation 'magic'", "reference", "simd", "vanilla"},
                 folder.path);
  expect_refusal(digits({"--model", "deep-3"}), {"'deep-3'", "made to denoise: ./cairn denoise --filter deep-3"},
                 folder.path);
  expect_refusal(digits({"--model", "dnn", "--recipe", "x"}), {"unknown recipe", "'x'", "default, full-batch"},
                 folder.path);
  expect_refusal(digits({"--optimizer", "lion"}), {"unknown optimizer 'lion'", "sgd, adam, adamw"}, folder.path);
  expect_refusal(digits({"--schedule", "zigzag"}), {"zigzag", "constant", "cosine"}, folder.path);
  expect_refusal(digits({"--device", "tpu"}), {"unknown device 'tpu'", "auto, cpu or cuda"}, folder.path);
  expect_refusal(digits({"--precision", "int8"}), {"unknown precision 'int8'", "fp32, tf32, bf16"}, folder.path);
  expect_refusal(digits({"--impl", "vanilla", "--device", "cpu", "--kernel", "gemm=99"}), {"gemm=99", "gemm=1"},
                 folder.path);
  expect_refusal(digits({"--learning-rat", "1"}), {"--learning-rat", "--lr", "--batch-size"}, folder.path);
  expect_refusal(digits({"stray"}), {"stray"}, folder.path);
}

TEST_CASE("numbers that make no sense name their flag") {
  const TemporaryFolder folder;
  for (const char* flag : {"--lr", "--epochs"})
    for (const char* value : {"0", "-1", "nan", "", "abc", "1e999"})
      expect_refusal(digits({std::string(flag) + "=" + value}), {flag}, folder.path);
  for (const char* value : {"-1", "nan", "2.5", "99999999999999999999", "60001"})
    expect_refusal(digits({std::string("--batch-size=") + value}), {"--batch-size"}, folder.path);
  expect_refusal(digits({"--lr", "inf"}), {"--lr"}, folder.path);
  expect_refusal(digits({"--threads", "-2"}), {"--threads"}, folder.path);
  for (const char* flag : {"--epochs", "--seed", "--threads"})  // beyond int64, uint64 and int
    expect_refusal(digits({flag, "99999999999999999999"}), {flag, "'99999999999999999999' is out of range"},
                   folder.path);
  expect_refusal(digits({"--lr"}), {"--lr"}, folder.path);
}

TEST_CASE("an output that cannot be written is refused before training") {
  const TemporaryFolder folder;
  write_file(folder.path / "file", "not a folder");
  expect_refusal(digits({"--out", "file"}), {"file"}, folder.path);
  expect_refusal(digits({"--out", "file/below"}), {"file/below"}, folder.path);
  expect_refusal(digits({"--out", "/proc/cairn"}), {"/proc/cairn"}, folder.path);
}

TEST_CASE("a settings file that is none") {
  const TemporaryFolder folder;
  write_file(folder.path / "broken.json", "{\"lr\": ");
  write_file(folder.path / "list.json", "[1, 2]");
  write_file(folder.path / "unknown.json", "{\"learning\": 1}");
  write_file(folder.path / "nested.json", "{\"lr\": {}}");
  for (const char* name : {"broken.json", "list.json", "nested.json", "absent.json"})
    expect_refusal(digits({"--config", name}), {name}, folder.path);
  expect_refusal(digits({"--config", "unknown.json"}), {"--learning"}, folder.path);
}

TEST_CASE("a device that is not there") {
  const TemporaryFolder folder;
  expect_refusal(digits({"--impl", "simd", "--device", "cuda"}), {"--device cpu"}, folder.path);
  for (const Backend* backend : compiled_backends())
    if (backend->where == Where::cuda && backend->device_count() > 0) return;  // there it is
  const Result result = run(CAIRN_TRAIN, digits({"--impl", "vanilla", "--device", "cuda"}), folder.path);
  CHECK(result.code == 2);
  CHECK_MESSAGE(line_count(result.error) == 1, result.error);
  CHECK_MESSAGE(result.error.find("CUDA") != std::string::npos, result.error);
}

TEST_CASE("data files that are not what they claim name the file and the fault") {
  const TemporaryFolder folder, data;
  const fs::path mnist = data.path / "mnist";
  const std::string good_images = images(2051, 1, 784), good_labels = labels(1, std::string(1, '\3'));
  const auto write = [&](const std::string& train_images, const std::string& train_labels) {
    write_file(mnist / "train-images-idx3-ubyte", train_images);
    write_file(mnist / "train-labels-idx1-ubyte", train_labels);
    write_file(mnist / "t10k-images-idx3-ubyte", good_images);
    write_file(mnist / "t10k-labels-idx1-ubyte", good_labels);
  };
  const auto refused = [&](const std::vector<std::string>& parts) {
    expect_refusal({"--dataset=mnist", "--quiet", "--check-hash=false"}, parts, folder.path, data.path);
    // Also when MNIST is only the first choice: damage is never passed over.
    expect_refusal({"--quiet", "--check-hash=false"}, parts, folder.path, data.path);
  };
  write(good_images, good_labels);
  expect_refusal({"--quiet"}, {"train-images-idx3-ubyte", "sha256", "--check-hash"}, folder.path, data.path);
  write(images(2052, 1, 784), good_labels);
  refused({"train-images-idx3-ubyte"});
  write("", good_labels);
  refused({"train-images-idx3-ubyte"});
  write(images(2051, 2, 784), good_labels);
  refused({"train-images-idx3-ubyte"});
  write(images(2051, 0xffffffffu, 784), good_labels);
  refused({"train-images-idx3-ubyte"});
  write(good_images + "x", good_labels);
  refused({"train-images-idx3-ubyte"});
  write(good_images, labels(1, std::string(1, '\12')));
  refused({"train-labels-idx1-ubyte"});
  write(good_images, labels(2, "\1\2"));
  refused({"train-"});
}

}  // namespace cairn::testing
