// Where MNIST is looked for, its hashes, and the whole of it where $CAIRN_DATA has it.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "datasets/registry.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

// A small set in MNIST's format: 5 training and 2 test images of 3 x 4.
void write_small_set(const fs::path& folder, bool gzip) {
  const auto write = [&](const std::string& name, const Bytes& bytes) {
    write_file(folder / (gzip ? name + ".gz" : name), gzip ? make_gzip(bytes) : bytes);
  };
  write("train-images-idx3-ubyte", make_idx(0x803, {5, 3, 4}, pattern(60)));
  write("train-labels-idx1-ubyte", make_idx(0x801, {5}, Bytes{0, 1, 2, 3, 4}));
  write("t10k-images-idx3-ubyte", make_idx(0x803, {2, 3, 4}, pattern(24)));
  write("t10k-labels-idx1-ubyte", make_idx(0x801, {2}, Bytes{9, 8}));
}

void check_small_set(const Dataset& dataset, const fs::path& folder) {
  CHECK(dataset.train.count == 5);
  CHECK(dataset.train.column("image").bytes == pattern(60));
  CHECK(byte_labels(dataset.test) == Bytes{9, 8});
  CHECK(dataset.source == folder.string());
}

}  // namespace

TEST_CASE("the four files are found in each folder, gzipped or plain") {
  for (const char* subfolder : {"mnist", "MNIST/raw", ""}) {
    for (const bool gzip : {false, true}) {
      const TemporaryFolder folder;
      const fs::path place = *subfolder == '\0' ? folder.path() : folder.path() / subfolder;
      write_small_set(place, gzip);
      check_small_set(load_dataset("mnist", folder.path(), kUnchecked), place);
    }
  }
}

TEST_CASE("the four files are found under the names that unpackers give them") {
  const std::pair<const char*, const char*> sets[] = {
      {"mnist", "mnist"}, {"mnist", "MNIST/raw"}, {"mnist", ""}, {"fashion-mnist", "FashionMNIST/raw"}};
  for (const auto& [name, subfolder] : sets)
    for (const char* form : {"{0}.{1}", "{0}.{1}.gz", "{0}-{1}/{0}-{1}", "{0}-{1}/{0}.{1}"}) {
      CAPTURE(form);
      const TemporaryFolder folder;
      const fs::path place = *subfolder == '\0' ? folder.path() : folder.path() / subfolder;
      write_small_set(place, false);
      for (const char* stem : {"train", "t10k"})
        for (const auto& [kind, format] : {std::pair("images", "idx3-ubyte"), std::pair("labels", "idx1-ubyte")}) {
          const std::string start = fmt::format("{}-{}", stem, kind);
          const fs::path from = place / (start + "-" + format), aside = place / "aside";
          fs::rename(from, aside);
          const fs::path to = place / fmt::format(fmt::runtime(form), start, format);
          fs::create_directories(to.parent_path());
          fs::rename(aside, to);
        }
      const Dataset dataset = load_dataset(name, folder.path(), kUnchecked);
      CHECK(dataset.train.column("image").bytes == pattern(60));
      CHECK(byte_labels(dataset.test) == Bytes{9, 8});
    }
}

TEST_CASE("a file is taken before a folder of its name, and where both are files, the published name") {
  const TemporaryFolder folder;
  const fs::path place = folder.path() / "mnist";
  write_small_set(place, true);
  const fs::path labels = place / "train-labels-idx1-ubyte.gz";
  write_file(place / "train-labels.idx1-ubyte", make_idx(0x801, {5}, Bytes{4, 4, 4, 4, 4}));
  check_small_set(load_dataset("mnist", folder.path(), kUnchecked), place);
  fs::remove(labels);
  fs::create_directory(labels);
  CHECK(byte_labels(load_dataset("mnist", folder.path(), kUnchecked).train) == Bytes{4, 4, 4, 4, 4});
}

TEST_CASE("a set whose gzip files have several members and padding is read, and checked by its content") {
  const TemporaryFolder folder;
  const fs::path place = folder.path() / "mnist";
  write_small_set(place, false);
  const fs::path plain = place / "train-images-idx3-ubyte";
  const Bytes images = make_idx(0x803, {5, 3, 4}, pattern(60));
  Bytes file = make_gzip(std::span(images).first(10));
  const Bytes rest = make_gzip(std::span(images).subspan(10));
  file.insert(file.end(), rest.begin(), rest.end());
  file.resize(1024, 0);
  fs::remove(plain);
  write_file(plain.string() + ".gz", file);
  check_small_set(load_dataset("mnist", folder.path(), kUnchecked), place);
}

TEST_CASE("--data-dir comes before $CAIRN_DATA, and that before ./data") {
  const TemporaryFolder by_flag, by_variable, by_default, none;
  const fs::path before = fs::current_path();
  fs::current_path(by_default.path());
  write_small_set("data/fashion-mnist", true);
  {
    const ScopedVariable variable("CAIRN_DATA", by_variable.path().c_str());
    write_small_set(by_flag.path() / "fashion-mnist", true);
    write_small_set(by_variable.path() / "fashion-mnist", true);
    check_small_set(load_dataset("fashion-mnist", by_flag.path(), kUnchecked), by_flag.path() / "fashion-mnist");
    check_small_set(load_dataset("fashion-mnist", {}, kUnchecked), by_variable.path() / "fashion-mnist");
    check_error<MissingDataError>([&] { load_dataset("fashion-mnist", none.path(), kUnchecked); },
                                  {"train-images-idx3-ubyte.gz is not in", "fashion-mnist", "--dataset digits"});
  }
  const ScopedVariable variable("CAIRN_DATA", nullptr);
  check_small_set(load_dataset("fashion-mnist", {}, kUnchecked), "data/fashion-mnist");
  fs::current_path(before);
}

TEST_CASE("a missing fourth file is named, and nothing falls back on another folder") {
  const TemporaryFolder folder;
  write_small_set(folder.path() / "mnist", true);
  write_small_set(folder.path(), true);
  fs::remove(folder.path() / "mnist" / "t10k-labels-idx1-ubyte.gz");
  check_error<MissingDataError>([&] { load_dataset("mnist", folder.path(), kUnchecked); },
                                {"t10k-labels-idx1-ubyte.gz is not in"});
}

TEST_CASE("files that are not the published ones are refused") {
  for (const bool gzip : {false, true}) {
    const TemporaryFolder folder;
    write_small_set(folder.path() / "mnist", gzip);
    check_error<DataError>(
        [&] { load_dataset("mnist", folder.path(), kChecked); },
        {"train-images-idx3-ubyte", "has sha256", "not the published mnist file", "delete it", "--check-hash false"});
  }
}

TEST_CASE("faults of the files reach the user through load_dataset") {
  const TemporaryFolder folder;
  const fs::path labels = folder.path() / "mnist" / "train-labels-idx1-ubyte.gz";
  const auto check = [&](std::initializer_list<const char*> parts) {
    check_error<DataError>([&] { load_dataset("mnist", folder.path(), kUnchecked); }, parts);
  };
  write_small_set(folder.path() / "mnist", true);
  write_file(labels, make_gzip(make_idx(0x801, {4}, Bytes{0, 1, 2, 3})));
  check({"holds 5 images but", "holds 4 labels"});
  write_file(labels, make_gzip(make_idx(0x801, {5}, Bytes{0, 1, 2, 3, 77})));
  check({"train-labels-idx1-ubyte.gz: label 77 of item 4 is over 9"});
  write_file(labels, {});
  check({"train-labels-idx1-ubyte.gz: is empty"});
  fs::remove(labels);
  fs::create_directory(labels);
  check({"train-labels-idx1-ubyte.gz: is a directory"});

  write_small_set(folder.path() / "mnist", false);
  fs::remove(labels);
  for (const char* name : {"train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"}) {
    fs::remove(folder.path() / "mnist" / name);
  }
  write_file(folder.path() / "mnist" / "t10k-images-idx3-ubyte", make_idx(0x803, {2, 4, 3}, pattern(24)));
  check({"holds 3x4 images but", "holds 4x3"});
}

TEST_CASE("real data: MNIST and Fashion-MNIST") {
  const char* const data_dir = std::getenv("CAIRN_DATA");
  if (data_dir == nullptr) {
    MESSAGE("skipped: CAIRN_DATA is not set");
    return;
  }
  const Dataset mnist = load_dataset("mnist", {}, kChecked);
  const Dataset fashion = load_dataset("fashion-mnist", {}, kChecked);
  for (const Dataset* dataset : {&mnist, &fashion}) {
    CHECK(dataset->train.count == 60000);
    CHECK(dataset->test.count == 10000);
    CHECK(dataset->train.column("image").bytes.size() == 60000 * 784);
    CHECK(dataset->test.column("image").bytes.size() == 10000 * 784);
    CHECK(image_shape(dataset->train) == Shape{1, 28, 28});
    CHECK(dataset->classes == 10);
    CHECK(dataset->class_names.size() == 10);
    const auto [mean, deviation] = mean_and_deviation(dataset->train.column("image").bytes);
    CHECK(std::abs(mean - dataset->mean.at(0)) < 5e-5);
    CHECK(std::abs(deviation - dataset->std.at(0)) < 5e-5);
  }
  CHECK(histogram(byte_labels(mnist.train)) ==
        std::vector<int>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
  CHECK(histogram(byte_labels(mnist.test)) == std::vector<int>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
  CHECK(histogram(byte_labels(fashion.train)) == std::vector<int>(10, 6000));
  CHECK(histogram(byte_labels(fashion.test)) == std::vector<int>(10, 1000));
}

TEST_CASE("real data: plain and recompressed files are known by their content, others are not") {
  const char* const data_dir = std::getenv("CAIRN_DATA");
  if (data_dir == nullptr) {
    MESSAGE("skipped: CAIRN_DATA is not set");
    return;
  }
  const Dataset expected = load_dataset("mnist", {}, kChecked);
  const fs::path source = expected.source;
  const TemporaryFolder folder;
  const fs::path place = folder.path() / "mnist";
  fs::create_directories(place);
  for (const char* name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"}) {
    const std::string file = std::string(name) + ".gz";
    if (fs::exists(source / file)) {
      fs::create_symlink(fs::absolute(source / file), place / file);
    } else {
      fs::create_symlink(fs::absolute(source / name), place / name);
    }
  }
  const Bytes images = make_idx(0x803, {10000, 28, 28}, expected.test.column("image").bytes);
  write_file(place / "t10k-images-idx3-ubyte", images);
  write_file(place / "t10k-labels-idx1-ubyte.gz", make_gzip(make_idx(0x801, {10000}, byte_labels(expected.test)), 1));
  CHECK(load_dataset("mnist", folder.path(), kChecked).test.column("image").bytes ==
        expected.test.column("image").bytes);

  Bytes changed = images;
  changed[5000] ^= 1;
  write_file(place / "t10k-images-idx3-ubyte", changed);
  check_error<DataError>([&] { load_dataset("mnist", folder.path(), kChecked); },
                         {"t10k-images-idx3-ubyte: has sha256", "not the published"});
  fs::remove(place / "t10k-images-idx3-ubyte");
  write_file(place / "t10k-images-idx3-ubyte.gz", make_gzip(changed, 1));
  check_error<DataError>([&] { load_dataset("mnist", folder.path(), kChecked); },
                         {"t10k-images-idx3-ubyte.gz: has sha256", "not the published"});
  check_error<DataError>([&] { load_dataset("fashion-mnist", source, kChecked); },
                         {"is mnist's train-images-idx3-ubyte, not the published fashion-mnist file"});
}

}  // namespace cairn::datasets
