// Downsampled ImageNet in small files that look like the published ones: each form and place, subsets, faults.
#include "datasets/imagenet32.h"

#include <array>

#include "datasets/choose.h"
#include "datasets/fetch.h"
#include "datasets/imagenet_names.h"
#include "datasets/order.h"
#include "datasets/sources.h"
#include "tests/datasets/numpy_files.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

constexpr size_t kImageBytes = 3 * 32 * 32;

enum class Form { python2, python3_for_2, python3, stored, deflated };

Bytes batch_file(Form form, const Bytes& pixels, const std::vector<int>& labels) {
  switch (form) {
    case Form::python2:
      return make_pickle_batch(pixels, kImageBytes, labels, PickleForm::python2);
    case Form::python3_for_2:
      return make_pickle_batch(pixels, kImageBytes, labels, PickleForm::python3_for_2);
    case Form::python3:
      return make_pickle_batch(pixels, kImageBytes, labels, PickleForm::python3);
    default:
      return make_npz_batch(pixels, kImageBytes, labels, form == Form::deflated);
  }
}

const char* ending(Form form) {
  return form == Form::stored || form == Form::deflated ? ".npz" : "";
}

// Two images a file, of which the first pixels tell them apart.
Bytes small_pixels(int file) {
  Bytes pixels = pattern(2 * kImageBytes);
  pixels[0] = static_cast<uint8_t>(2 * file);
  pixels[kImageBytes] = static_cast<uint8_t>(2 * file + 1);
  return pixels;
}

void write_batch(const fs::path& folder, int file, Form form) {
  write_file(folder / ("train_data_batch_" + std::to_string(file) + ending(form)),
             batch_file(form, small_pixels(file), {file, 1001 - file}));
}

void write_small_set(const fs::path& train, const fs::path& val, Form form = Form::python3) {
  for (int file = 1; file <= 10; ++file) write_batch(train, file, form);
  write_file(val / (std::string("val_data") + ending(form)), batch_file(form, small_pixels(50), {1, 1000}));
}

Bytes all_pixels(const Split& split) {
  std::vector<int32_t> rows(static_cast<size_t>(split.count));
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int32_t>(i);
  Bytes pixels(rows.size() * kImageBytes);
  read_rows(split.column(kImage), rows, reinterpret_cast<std::byte*>(pixels.data()));
  return pixels;
}

void check_small_set(const Dataset& dataset) {
  CHECK(dataset.classes == 1000);
  CHECK(image_shape(dataset.train) == Shape{3, 32, 32});
  REQUIRE(dataset.train.count == 20);
  REQUIRE(dataset.test.count == 2);
  Bytes expected;
  for (int file = 1; file <= 10; ++file) {
    const Bytes pixels = small_pixels(file);
    expected.insert(expected.end(), pixels.begin(), pixels.end());
    CHECK(labels(dataset.train)[2 * static_cast<size_t>(file) - 2] == file - 1);
    CHECK(labels(dataset.train)[2 * static_cast<size_t>(file) - 1] == 1000 - file);
  }
  CHECK(all_pixels(dataset.train) == expected);
  CHECK(all_pixels(dataset.test) == small_pixels(50));
  CHECK(labels(dataset.test)[0] == 0);
  CHECK(labels(dataset.test)[1] == 999);
}

}  // namespace

TEST_CASE("downsampled ImageNet is read in each form, into memory and left in its files") {
  for (const Form form : {Form::python2, Form::python3_for_2, Form::python3, Form::stored, Form::deflated}) {
    CAPTURE(static_cast<int>(form));
    const TemporaryFolder folder;
    const fs::path place = folder.path() / "imagenet32";
    write_small_set(place, place, form);
    const Dataset dataset = load_dataset("imagenet32", folder.path(), kUnchecked);
    CHECK(dataset.source == place.string());
    check_small_set(dataset);
    LoadOptions options = kUnchecked;
    options.stream = true;
    if (form == Form::python3_for_2 || form == Form::deflated) {
      check_error<DataError>([&] { load_dataset("imagenet32", folder.path(), options); },
                             {"val_data", "images are packed in it"});
      continue;
    }
    const Dataset streamed = load_dataset("imagenet32", folder.path(), options);
    CHECK(streamed.train.column(kImage).bytes.empty());
    check_small_set(streamed);
  }
}

TEST_CASE("downsampled ImageNet is found where its archives unpack to") {
  const std::array<std::array<const char*, 2>, 5> places{{{"imagenet32/Imagenet32_train", "imagenet32/Imagenet32_val"},
                                                          {"Imagenet32_train", "Imagenet32_val"},
                                                          {"imagenet32", "imagenet32/Imagenet32_val"},
                                                          {"Imagenet32_train_npz", "Imagenet32_val_npz"},
                                                          {"", ""}}};
  for (const auto& [train, val] : places) {
    const TemporaryFolder folder;
    write_small_set(folder.path() / train, folder.path() / val);
    check_small_set(load_dataset("imagenet32", folder.path(), kUnchecked));
  }
}

TEST_CASE("some of downsampled ImageNet's files do, where the published ones are not asked for") {
  const TemporaryFolder folder;
  const fs::path place = folder.path() / "imagenet32";
  check_error<MissingDataError>([&] { load_dataset("imagenet32", folder.path(), kUnchecked); },
                                {"imagenet32: train_data_batch_1 is not in ", "register at https://image-net.org"});
  write_batch(place, 3, Form::python3);
  check_error<DataError>([&] { load_dataset("imagenet32", folder.path(), kUnchecked); },
                         {"imagenet32: val_data is not in "});
  write_file(place / "val_data", batch_file(Form::python3, small_pixels(50), {1, 1000}));
  write_batch(place, 8, Form::stored);
  check_error<DataError>([&] { load_dataset("imagenet32", folder.path(), kChecked); },
                         {"imagenet32: train_data_batch_1 is not in ", "or take those that there are by --check-hash"});
  const Dataset dataset = load_dataset("imagenet32", folder.path(), kUnchecked);
  CHECK(dataset.train.count == 4);
  CHECK(labels(dataset.train)[2] == 7);
  fs::remove(place / "train_data_batch_3");
  fs::remove(place / "train_data_batch_8.npz");
  check_error<DataError>([&] { load_dataset("imagenet32", folder.path(), kUnchecked); },
                         {"imagenet32: train_data_batch_1 is not in ", "put it there"});
  write_small_set(place, place);
  check_error<DataError>([&] { load_dataset("imagenet32", folder.path(), kChecked); },
                         {"imagenet32: its files have 2 images for testing, where 50000 were published"});
}

TEST_CASE("faulty files of downsampled ImageNet are refused in one line") {
  const TemporaryFolder folder;
  const fs::path place = folder.path() / "imagenet32";
  write_small_set(place, place);
  const auto refused = [&](const Bytes& file, std::initializer_list<const char*> parts) {
    write_file(place / "train_data_batch_4", file);
    check_error<DataError>([&] { load_dataset("imagenet32", folder.path(), kUnchecked); }, parts);
  };
  const Bytes pixels = small_pixels(4);
  refused(batch_file(Form::python3, pixels, {0, 5}), {"train_data_batch_4: label 0 of image 0 is not from 1 to 1000"});
  refused(batch_file(Form::python3, pixels, {5, 1001}), {"label 1001 of image 1 is not from 1 to 1000"});
  refused(batch_file(Form::python3, pixels, {-1, 5}), {"label -1 of image 0"});
  refused(batch_file(Form::stored, pixels, {5, 0}), {"label 0 of image 1"});
  refused(batch_file(Form::python3, pixels, {5}), {"has 1 labels for 2 images"});
  refused(batch_file(Form::python3, {}, {}), {"are no rows of 3072 bytes"});
  refused(make_pickle_batch(pixels, 2 * kImageBytes, {5}), {"are no rows of 3072 bytes, one for each image"});
  refused(make_pickle_batch(pixels, kImageBytes, {5, 6}, PickleForm::python2, {"fine_labels"}), {"has no 'labels'"});
  refused({}, {"train_data_batch_4: is no pickle that can be read: it is cut short, at byte 0"});
  refused(pattern(5000), {"train_data_batch_4: is no pickle that can be read"});
  refused(make_zip({{"data.npy", make_npy("|u1", "(2, 3072)", pixels)}}), {"train_data_batch_4: has no labels.npy"});
  refused(make_npz_batch(pixels, 1024, {1, 2, 3, 4, 5, 6}), {"are no rows of 3072 bytes"});
  Bytes cut = batch_file(Form::python2, pixels, {5, 6});
  cut.resize(cut.size() - 100);
  refused(cut, {"train_data_batch_4: is no pickle that can be read: it is cut short"});
  refused(to_bytes("cos\nsystem\n(S'touch run'\ntR."),
          {"train_data_batch_4: names 'os.system', ", "nothing of it was run"});
}

TEST_CASE("downsampled ImageNet is fetched by hand") {
  const TemporaryFolder folder;
  const DataSource& source = find_source("imagenet32");
  check_error<MissingDataError>([&] { fetch_source(source, folder.path(), choose_mirrors(source), kQuiet); },
                                {"imagenet32: cannot be fetched, since it needs a login", "in ", "imagenet32"});
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("downsampled ImageNet has ILSVRC's classes") {
  CHECK(find_dataset("imagenet32").class_names == imagenet_class_names());
  CHECK(choose_name("", {"many", {3, 32, 32}, 1000}) == "imagenet32");
}

}  // namespace cairn::datasets
