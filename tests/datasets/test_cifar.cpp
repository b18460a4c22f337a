// CIFAR's records, where its files are looked for, and the whole of CIFAR-10 where $CAIRN_DATA has it.
#include "datasets/cifar.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "datasets/choose.h"
#include "datasets/order.h"
#include "datasets/sha256.h"
#include "tests/datasets/numpy_files.h"
#include "tests/datasets/support.h"
#include "tests/datasets/tar.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kFiles = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                         "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};

// Records whose pixels tell where they belong; `coarse`: with a coarse label before the fine one.
Bytes records(std::initializer_list<uint8_t> labels, uint8_t first_pixel, bool coarse = false) {
  Bytes file;
  for (const uint8_t label : labels) {
    if (coarse) file.push_back(19);
    file.push_back(label);
    Bytes pixels = pattern(kCifarImageBytes);
    pixels[0] = first_pixel++;
    file.insert(file.end(), pixels.begin(), pixels.end());
  }
  return file;
}

// Two images a batch, labelled 0 to 9, and three for testing.
Bytes small_file(size_t i) {
  const auto label = static_cast<uint8_t>(2 * i);
  return i < 5 ? records({label, static_cast<uint8_t>(label + 1)}, label) : records({9, 8, 7}, 100);
}

void write_small_cifar(const fs::path& folder, bool gzip = false) {
  for (size_t i = 0; i < kFiles.size(); ++i)
    write_file(folder / (kFiles[i] + (gzip ? ".gz" : "")), gzip ? make_gzip(small_file(i)) : small_file(i));
}

void check_small_cifar(const Dataset& dataset, const fs::path& source) {
  CHECK(dataset.source == source.string());
  CHECK(dataset.train.count == 10);
  CHECK(image_shape(dataset.train) == Shape{3, 32, 32});
  CHECK(byte_labels(dataset.train) == Bytes{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(byte_labels(dataset.test) == Bytes{9, 8, 7});
  for (size_t i = 0; i < 10; ++i) CHECK(images(dataset.train)[i * kCifarImageBytes] == i);
  CHECK(images(dataset.train)[1] == pattern(2)[1]);
  CHECK(dataset.classes == 10);
  CHECK(dataset.class_names[9] == "truck");
}

Bytes small_archive() {
  const auto entry = [](size_t i) { return tar_entry("cifar-10-batches-bin/" + kFiles[i], small_file(i)); };
  return tar_gz({tar_entry("cifar-10-batches-bin/", {}, kFolder), entry(3), entry(5), entry(0),
                 tar_entry("cifar-10-batches-bin/readme.html", pattern(88)), entry(4), entry(1), entry(2)});
}

}  // namespace

TEST_CASE("CIFAR's files are found where fetch and unpackers leave them, plain or compressed") {
  for (const char* place : {"cifar10", "cifar10/cifar-10-batches-bin", "cifar-10-batches-bin", ""}) {
    for (const bool gzip : {false, true}) {
      const TemporaryFolder folder;
      const fs::path files = *place == '\0' ? folder.path() : folder.path() / place;
      write_small_cifar(files, gzip);
      check_small_cifar(load_dataset("cifar10", folder.path(), kUnchecked), files);
    }
  }
}

TEST_CASE("CIFAR is read out of the published archive") {
  for (const char* place : {"cifar10/cifar-10-binary.tar.gz", "cifar-10-binary.tar.gz"}) {
    const TemporaryFolder folder;
    write_file(folder.path() / place, small_archive());
    check_small_cifar(load_dataset("cifar10", folder.path(), kUnchecked), folder.path() / place);
    check_error<DataError>([&] { load_dataset("cifar10", folder.path(), kChecked); },
                           {"cifar-10-binary.tar.gz: data_batch_", "bytes, not the 30730000"});
    const Bytes archive = small_archive();
    write_file(folder.path() / place, std::span(archive).first(archive.size() / 2));
    check_error<DataError>([&] { load_dataset("cifar10", folder.path(), kUnchecked); },
                           {"cifar-10-binary.tar.gz: cannot be unpacked"});
    write_file(folder.path() / place, tar_gz({tar_entry("cifar-10-batches-py/data_batch_1", pattern(99))}));
    check_error<DataError>([&] { load_dataset("cifar10", folder.path(), kUnchecked); },
                           {"has no cifar-10-batches-bin/data_batch_1.bin"});
  }
}

TEST_CASE("CIFAR in its version for Python is the same set, in folders and in the published archive") {
  const auto python_file = [](size_t i) {
    const Bytes binary = small_file(i);
    Bytes pixels;
    std::vector<int> labels;
    for (size_t begin = 0; begin < binary.size(); begin += 1 + kCifarImageBytes) {
      labels.push_back(binary[begin]);
      pixels.insert(pixels.end(), binary.begin() + static_cast<std::ptrdiff_t>(begin + 1),
                    binary.begin() + static_cast<std::ptrdiff_t>(begin + 1 + kCifarImageBytes));
    }
    return make_pickle_batch(pixels, kCifarImageBytes, labels, PickleForm::python2);
  };
  const auto name = [](size_t i) { return fs::path(kFiles[i]).stem().string(); };
  for (const char* place : {"cifar10/cifar-10-batches-py", "cifar-10-batches-py"}) {
    const TemporaryFolder folder;
    for (size_t i = 0; i < kFiles.size(); ++i) write_file(folder.path() / place / name(i), python_file(i));
    check_small_cifar(load_dataset("cifar10", folder.path(), kUnchecked), folder.path() / place);
    check_error<DataError>([&] { load_dataset("cifar10", folder.path(), kChecked); },
                           {"data_batch_1: has 6146 bytes, not the 30730000"});
    write_file(folder.path() / place / "data_batch_2", to_bytes("cos\nsystem\n."));
    check_error<DataError>([&] { load_dataset("cifar10", folder.path(), kUnchecked); },
                           {"data_batch_2: names 'os.system'"});
    fs::remove(folder.path() / place / "data_batch_2");
    check_error<DataError>([&] { load_dataset("cifar10", folder.path(), kUnchecked); },
                           {"cifar10: data_batch_2 is not in ", "beside the others"});
    write_small_cifar(folder.path() / "cifar10");  // the binary version counts first
    check_small_cifar(load_dataset("cifar10", folder.path(), kUnchecked), folder.path() / "cifar10");
  }
  const TemporaryFolder folder;
  const auto entry = [&](size_t i) { return tar_entry("cifar-10-batches-py/" + name(i), python_file(i)); };
  write_file(folder.path() / "cifar10/cifar-10-python.tar.gz",
             tar_gz({tar_entry("cifar-10-batches-py/", {}, kFolder), entry(3), entry(5), entry(0), entry(4), entry(1),
                     tar_entry("cifar-10-batches-py/batches.meta", pattern(158)), entry(2)}));
  check_small_cifar(load_dataset("cifar10", folder.path(), kUnchecked),
                    folder.path() / "cifar10/cifar-10-python.tar.gz");
  LoadOptions stream = kUnchecked;
  stream.stream = true;
  check_error<DataError>([&] { load_dataset("cifar10", folder.path(), stream); },
                         {"cifar-10-python.tar.gz: images can be left in plain .bin files only"});
}

TEST_CASE("CIFAR-100 takes the fine label") {
  const TemporaryFolder folder;
  const fs::path place = folder.path() / "cifar100";
  write_file(place / "train.bin", records({99, 0, 40}, 0, true));
  write_file(place / "test.bin", records({7}, 9, true));
  const Dataset dataset = load_dataset("cifar100", folder.path(), kUnchecked);
  CHECK(byte_labels(dataset.train) == Bytes{99, 0, 40});
  CHECK(images(dataset.test)[0] == 9);
  CHECK(dataset.classes == 100);
  CHECK(dataset.class_names[99] == "worm");
  write_file(place / "test.bin", records({100}, 9, true));
  check_error<DataError>([&] { load_dataset("cifar100", folder.path(), kUnchecked); },
                         {"test.bin: label 100 of image 0 is over 99"});
}

TEST_CASE("CIFAR-100 in its version for Python has both labels") {
  const TemporaryFolder folder;
  const fs::path place = folder.path() / "cifar-100-python";
  const auto file = [](size_t count, const std::vector<int>& labels, const std::vector<std::string>& keys) {
    return make_pickle_batch(pattern(count * kCifarImageBytes), kCifarImageBytes, labels, PickleForm::python2, keys);
  };
  const std::vector<std::string> both = {"coarse_labels", "fine_labels"};
  write_file(place / "train", file(3, {9, 0, 99}, both));
  write_file(place / "test", file(1, {7}, both));
  const Dataset dataset = load_dataset("cifar100", folder.path(), kUnchecked);
  CHECK(byte_labels(dataset.train) == Bytes{9, 0, 99});
  CHECK(images(dataset.train)[kCifarImageBytes + 5] == pattern(kCifarImageBytes + 6).back());
  write_file(place / "test", file(1, {7}, {"fine_labels"}));
  check_error<DataError>([&] { load_dataset("cifar100", folder.path(), kUnchecked); },
                         {"test: has no 'coarse_labels'"});
}

TEST_CASE("faulty CIFAR files are refused in one line") {
  const TemporaryFolder folder;
  const fs::path place = folder.path() / "cifar10";
  const auto refused = [&](const char* file, const Bytes& bytes, std::initializer_list<const char*> parts) {
    write_small_cifar(place);
    write_file(place / file, bytes);
    check_error<DataError>([&] { load_dataset("cifar10", folder.path(), kUnchecked); }, parts);
  };
  Bytes cut = small_file(2);
  cut.pop_back();
  refused("data_batch_3.bin", cut, {"data_batch_3.bin: has 6145 bytes, which are no whole number of images of 3073"});
  refused("data_batch_3.bin", {}, {"data_batch_3.bin: is empty"});
  refused("test_batch.bin", records({3, 10}, 0), {"test_batch.bin: label 10 of image 1 is over 9"});
  refused("test_batch.bin", records({3, 255}, 0), {"test_batch.bin: label 255 of image 1 is over 9"});

  write_small_cifar(place);
  check_error<DataError>([&] { load_dataset("cifar10", folder.path(), kChecked); },
                         {"data_batch_1.bin: has 6146 bytes, not the 30730000 of cifar10's data_batch_1.bin"});
  fs::remove(place / "data_batch_4.bin");
  check_error<DataError>([&] { load_dataset("cifar10", folder.path(), kUnchecked); },
                         {"cifar10: data_batch_4.bin is not in ", "beside the others"});
  fs::create_directory(place / "data_batch_4.bin");
  check_error<DataError>([&] { load_dataset("cifar10", folder.path(), kUnchecked); },
                         {"data_batch_4.bin: is a directory"});
  const TemporaryFolder empty;
  check_error<MissingDataError>([&] { load_dataset("cifar10", empty.path(), kChecked); },
                                {"cifar10: data_batch_1.bin is not in ", "or use --dataset digits32"});
}

TEST_CASE("CIFAR's images may stay in their files") {
  const TemporaryFolder folder;
  write_small_cifar(folder.path() / "cifar10");
  LoadOptions options = kUnchecked;
  options.stream = true;
  const Dataset streamed = load_dataset("cifar10", folder.path(), options);
  const Dataset resident = load_dataset("cifar10", folder.path(), kUnchecked);
  CHECK(streamed.source == resident.source);
  CHECK(streamed.train.column("label").bytes == resident.train.column("label").bytes);
  CHECK(streamed.train.column("image").bytes.empty());
  CHECK(image_shape(streamed.train) == Shape{3, 32, 32});
  check_error<UsageError>([&] { images(streamed.train); }, {"the column 'image' is in files"});

  const std::vector<int32_t> rows{9, 0, 4, 4};
  const auto same = [&](const Split& one, const Split& other, std::span<const int32_t> which) {
    Bytes a(which.size() * kCifarImageBytes), b(a.size());
    read_rows(one.column("image"), which, reinterpret_cast<std::byte*>(a.data()));
    read_rows(other.column("image"), which, reinterpret_cast<std::byte*>(b.data()));
    return a == b;
  };
  CHECK(same(streamed.train, resident.train, rows));
  CHECK(same(streamed.test, resident.test, std::array{2, 0}));
  const Split some = subset(streamed.train, rows);
  CHECK(some.count == 4);
  CHECK(byte_labels(some) == Bytes{9, 0, 4, 4});
  CHECK(same(some, subset(resident.train, rows), std::array{0, 1, 2, 3}));

  write_small_cifar(folder.path() / "packed/cifar10", true);
  check_error<DataError>([&] { load_dataset("cifar10", folder.path() / "packed", options); },
                         {"data_batch_1.bin.gz: images can be left in plain .bin files only"});
}

TEST_CASE("a compressed file that holds more than the published one is not inflated to its end") {
  const TemporaryFolder folder;
  write_small_cifar(folder.path() / "cifar10");
  fs::remove(folder.path() / "cifar10/data_batch_1.bin");
  write_file(folder.path() / "cifar10/data_batch_1.bin.gz", make_gzip(Bytes(31'000'000, 0)));
  check_error<DataError>([&] { load_dataset("cifar10", folder.path(), kChecked); },
                         {"data_batch_1.bin.gz: holds more than 30730000 bytes"});
}

TEST_CASE("a colour network gets CIFAR-10, or else the coloured digits") {
  const TemporaryFolder folder;
  const NetworkInput ten{"colour", {3, 32, 32}, 10}, hundred{"many", {3, 32, 32}, 100};
  LoadOptions here{.allow_download = false, .check_hash = false, .quiet = true};
  CHECK(choose_name("", ten) == "cifar10");
  CHECK(choose_name("", hundred) == "cifar100");
  CHECK(choose_dataset("", ten, folder.path(), here).name == "digits32");
  check_error<MissingDataError>([&] { choose_dataset("", hundred, folder.path(), here); }, {"cifar100: train.bin"});
  write_small_cifar(folder.path() / "cifar10");
  CHECK(choose_dataset("", ten, folder.path(), here).name == "cifar10");
}

TEST_CASE("real data: CIFAR-10") {
  if (std::getenv("CAIRN_DATA") == nullptr || !fs::exists(fs::path(std::getenv("CAIRN_DATA")) / "cifar10")) {
    MESSAGE("skipped: CAIRN_DATA is not set, or has no cifar10");
    return;
  }
  const Dataset cifar = load_dataset("cifar10", {}, kChecked);
  CHECK(cifar.train.count == 50'000);
  CHECK(cifar.test.count == 10'000);
  CHECK(histogram(byte_labels(cifar.train)) == std::vector<int>(10, 5000));
  CHECK(histogram(byte_labels(cifar.test)) == std::vector<int>(10, 1000));
  CHECK(std::ranges::equal(labels(cifar.train).first(10), std::array{6, 9, 9, 4, 1, 1, 2, 7, 8, 3}));
  CHECK(std::ranges::equal(labels(cifar.test).first(10), std::array{3, 8, 8, 0, 6, 6, 1, 6, 3, 1}));
  const PixelStatistics pixels = measure_pixels(cifar.train);
  for (size_t channel = 0; channel < 3; ++channel) {
    CHECK(std::abs(pixels.mean[channel] - cifar.mean[channel]) < 5e-5);
    CHECK(std::abs(pixels.std[channel] - cifar.std[channel]) < 5e-5);
  }
  // A published batch in another's place, or one pixel changed, and it is not the published set.
  const TemporaryFolder folder;
  const fs::path place = folder.path() / "cifar10";
  Bytes batch(10'000 * (1 + kCifarImageBytes));
  for (size_t i = 0; i < 10'000; ++i) {
    uint8_t* const record = batch.data() + i * (1 + kCifarImageBytes);
    *record = static_cast<uint8_t>(labels(cifar.test)[i]);
    std::memcpy(record + 1, images(cifar.test).data() + i * kCifarImageBytes, kCifarImageBytes);
  }
  for (const std::string& file : kFiles) write_file(place / file, batch);
  check_error<DataError>([&] { load_dataset("cifar10", folder.path(), kChecked); },
                         {"data_batch_1.bin: is cifar10's test_batch.bin, not the published data_batch_1.bin"});
  batch[5000] ^= 1;
  write_file(place / "data_batch_1.bin", batch);
  check_error<DataError>([&] { load_dataset("cifar10", folder.path(), kChecked); },
                         {"data_batch_1.bin: has sha256 ", "not the published data_batch_1.bin of cifar10"});
}

}  // namespace cairn::datasets
