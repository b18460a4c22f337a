// Photos in folders: which there are, what their classes are called, what a network is given of them.
#include "datasets/imagefolder.h"

#include <algorithm>
#include <cstring>

#include "datasets/choose.h"
#include "datasets/fetch.h"
#include "datasets/imagenet_names.h"
#include "datasets/order.h"
#include "datasets/png.h"
#include "datasets/sources.h"
#include "datasets/stream.h"
#include "tests/datasets/jpeg_files.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

const LoadOptions kSmallPhotos{.allow_download = false, .check_hash = false, .quiet = true};

LoadOptions with_form(const Shape& image, int64_t shorter_side) {
  LoadOptions options = kSmallPhotos;
  options.photos = {image, shorter_side};
  return options;
}

// A photo of one colour.
void write_photo(const fs::path& path, uint8_t grey, int64_t width = 20, int64_t height = 16) {
  const Picture picture{width, height, 3, Bytes(static_cast<size_t>(width * height * 3), grey)};
  write_file(path, path.extension() == ".png" ? encode_png(picture) : make_jpeg(picture));
}

// Two classes, two photos each to train with and one to test on.
struct Cats {
  Cats() {
    write_photo(folder.path() / "train/cat/b.jpg", 20);
    write_photo(folder.path() / "train/cat/a.png", 10);
    write_photo(folder.path() / "train/ant/2.JPEG", 40);
    write_photo(folder.path() / "train/ant/1.Jpg", 30);
    write_photo(folder.path() / "val/ant/5.png", 50);
    write_photo(folder.path() / "val/cat/6.jpeg", 60);
  }
  fs::path at(const char* name) const { return folder.path() / name; }
  TemporaryFolder folder;
};

void check_folder_refused(const fs::path& place, std::initializer_list<const char*> parts) {
  check_error<DataError>([&] { load_dataset("imagefolder", place, kSmallPhotos); }, parts);
}

std::vector<int> row(const Split& split, int32_t number) {
  const Column& column = split.column(kImage);
  Bytes bytes(column.row_bytes());
  read_rows(column, {&number, 1}, std::as_writable_bytes(std::span(bytes)).data());
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("folders of photos are a data set, in the order of their names") {
  const Cats cats;
  const Dataset set = load_dataset("imagefolder", cats.folder.path(), with_form({3, 8, 8}, 12));
  CHECK(set.name == "imagefolder");
  CHECK(set.source == cats.folder.path().string());
  CHECK(set.classes == 2);
  CHECK(set.class_names == std::vector<std::string>{"ant", "cat"});
  CHECK(set.mean.size() == 3);
  CHECK(set.train.count == 4);
  CHECK(set.test.count == 2);
  CHECK(std::ranges::equal(labels(set.train), std::vector{0, 0, 1, 1}));
  CHECK(std::ranges::equal(labels(set.test), std::vector{0, 1}));
  CHECK(image_shape(set.train) == Shape{3, 8, 8});
  CHECK(set.train.column(kImage).bytes.empty());
  for (int32_t i = 0; i < 4; ++i)
    CHECK(row(set.train, i) == std::vector<int>(3 * 8 * 8, std::vector{30, 40, 10, 20}[static_cast<size_t>(i)]));
  CHECK(row(set.test, 1) == std::vector<int>(3 * 8 * 8, 60));
  const PixelStatistics pixels = measure_pixels(set.train);
  CHECK(pixels.mean[0] == doctest::Approx(25.0 / 255));
  const Split chosen = subset(set.train, std::vector{3, 0});
  CHECK(row(chosen, 0)[0] == 20);

  // Below the set's own name too.
  fs::create_directories(cats.at("data/imagefolder"));
  fs::rename(cats.at("train"), cats.at("data/imagefolder/train"));
  fs::rename(cats.at("val"), cats.at("data/imagefolder/val"));
  CHECK(load_dataset("imagefolder", cats.at("data"), kSmallPhotos).train.count == 4);
}

TEST_CASE("a photo is given as prepare_color makes it, by any number of threads") {
  const TemporaryFolder folder;
  std::vector<Picture> pictures;
  for (int i = 0; i < 6; ++i) {
    pictures.push_back(smooth_picture(30 + 7 * i, 50 - 3 * i, 3));
    const std::string split = i < 4 ? "train" : "val", name = std::to_string(i) + ".png";
    write_file(folder.path() / split / (i % 2 == 0 ? "a" : "b") / name, encode_png(pictures.back()));
  }
  const PhotoForm form{{3, 16, 12}, 20};
  const Dataset set = load_dataset("imagefolder", folder.path(), with_form(form.image, form.shorter_side));
  const std::vector<int> order = {0, 2, 1, 3};  // of the training photos
  for (const int threads : {1, 3}) {
    Stream stream(set.train.column(kImage).source, 3, 2, threads);
    stream.add({0, 1, 2, 3});
    const std::atomic<bool> never{false};
    int photo = 0;
    for (const int64_t rows : {3, 1}) {
      const StreamedBatch batch = *stream.next(never);
      REQUIRE(batch.rows == rows);
      for (int64_t i = 0; i < rows; ++i) {
        const Bytes made = prepare_color(pictures[static_cast<size_t>(order[static_cast<size_t>(photo++)])], form.image,
                                         form.shorter_side);
        CHECK(std::memcmp(batch.bytes.data() + static_cast<size_t>(i) * made.size(), made.data(), made.size()) == 0);
      }
      stream.release(batch);
    }
  }
}

TEST_CASE("folders of ImageNet's synsets are its classes, however few there are") {
  const TemporaryFolder folder;
  write_photo(folder.path() / "train/n02123045/1.jpg", 10);
  write_photo(folder.path() / "val/n15075141/1.jpg", 20);
  write_photo(folder.path() / "val/n01440764/1.jpg", 30);
  for (const char* name : {"imagefolder", "imagenet"}) {
    const Dataset set = load_dataset(name, folder.path(), kSmallPhotos);
    CHECK(set.name == name);
    CHECK(set.classes == 1000);
    CHECK(set.class_names == imagenet_synset_names());
    CHECK(image_shape(set.train) == Shape{3, 224, 224});
    CHECK(std::ranges::equal(labels(set.train), std::vector{281}));
    CHECK(std::ranges::equal(labels(set.test), std::vector{0, 999}));
  }
  check_error<DataError>(
      [&] { load_dataset("imagenet", folder.path(), kChecked); },
      {"imagenet: there are 2 photos for testing, where 50000 were published", "--check-hash false"});
  write_photo(folder.path() / "val/tench/1.jpg", 30);
  check_error<DataError>([&] { load_dataset("imagenet", folder.path(), kSmallPhotos); },
                         {"imagenet: ", "val/tench is none of its synsets", "--dataset imagefolder"});
}

TEST_CASE("what is tested needs no photos to train with") {
  const Cats cats;
  fs::remove_all(cats.at("train"));
  check_folder_refused(cats.folder.path(), {"imagefolder: ", "train is missing"});
  LoadOptions options = kSmallPhotos;
  options.test_only = true;
  const Dataset set = load_dataset("imagefolder", cats.folder.path(), options);
  CHECK(set.train.count == 0);
  CHECK(image_shape(set.train) == Shape{3, 224, 224});
  CHECK(set.test.count == 2);
  CHECK(set.class_names == std::vector<std::string>{"ant", "cat"});
}

TEST_CASE("folders that are no set of photos are refused in one line") {
  const TemporaryFolder empty;
  check_error<MissingDataError>([&] { load_dataset("imagefolder", empty.path(), kSmallPhotos); },
                                {"imagefolder: train and val are not in ", "the photos are yours"});
  check_error<MissingDataError>([&] { load_dataset("imagenet", empty.path(), kSmallPhotos); },
                                {"imagenet: train and val are not in ", "https://image-net.org"});
  {
    const Cats cats;
    fs::remove_all(cats.at("val"));
    check_folder_refused(cats.folder.path(), {"imagefolder: ", "val is missing"});
    fs::create_directories(cats.at("val"));
    check_folder_refused(cats.folder.path(), {"val: has no folder of photos"});
    fs::create_directories(cats.at("val/ant"));
    check_folder_refused(cats.folder.path(), {"val/ant: has no .jpg, .jpeg or .png file"});
    write_photo(cats.at("val/ant/1.png"), 1);
    CHECK(load_dataset("imagefolder", cats.folder.path(), kSmallPhotos).test.count == 1);
    write_photo(cats.at("val/cow/1.png"), 1);
    check_folder_refused(cats.folder.path(), {"val/cow has no photos to train with: there is no ", "train/cow"});
  }
  {
    const Cats cats;
    fs::remove_all(cats.at("train/cat"));
    check_folder_refused(cats.folder.path(), {"train has one class alone, ant: there must be two"});
  }
}

TEST_CASE("what is no photo of a class is left out, and a photo that cannot be read is named") {
  const Cats cats;
  write_file(cats.at("train/notes.txt"), to_bytes("x"));
  write_file(cats.at("train/.hidden/a.jpg"), to_bytes("x"));
  write_file(cats.at("train/cat/notes.txt"), to_bytes("x"));
  write_photo(cats.at("train/cat/more/7.jpg"), 70);
  fs::create_directories(cats.at("train/cat/folder.jpg"));
  write_file(cats.at("val/cat/damaged.png"), to_bytes("hello"));
  const Dataset set = load_dataset("imagefolder", cats.folder.path(), with_form({3, 8, 8}, 12));
  CHECK(set.train.count == 4);
  CHECK(set.test.count == 3);
  check_error<DataError>([&] { row(set.test, 2); }, {"val/cat/damaged.png: is not a PNG or JPEG file"});
  Stream stream(set.test.column(kImage).source, 2, 2, 2);
  stream.add({0, 1, 2});
  const std::atomic<bool> never{false};
  stream.release(*stream.next(never));
  check_error<DataError>([&] { stream.next(never); }, {"val/cat/damaged.png: "});
}

TEST_CASE("other photos are told apart without being read") {
  const Cats cats;
  const auto fingerprint = [&](const PhotoForm& form) {
    return load_dataset("imagefolder", cats.folder.path(), with_form(form.image, form.shorter_side))
        .train.column(kImage)
        .source->fingerprint();
  };
  const PhotoForm form{{3, 8, 8}, 12};
  const std::string before = fingerprint(form);
  CHECK(fingerprint(form) == before);
  CHECK(fingerprint({{3, 8, 8}, 13}) != before);
  CHECK(fingerprint({{3, 8, 9}, 12}) != before);
  fs::rename(cats.at("train/cat/a.png"), cats.at("train/cat/aa.png"));
  CHECK(fingerprint(form) != before);
  fs::rename(cats.at("train/cat/aa.png"), cats.at("train/cat/a.png"));
  CHECK(fingerprint(form) == before);
  write_photo(cats.at("train/cat/a.png"), 10, 200, 160);
  CHECK(fingerprint(form) != before);
}

TEST_CASE("a network decides what becomes of photos") {
  const auto form = [](const NetworkInput& input) {
    const PhotoForm made = photo_form(input);
    return made.image.text() + " " + std::to_string(made.shorter_side);
  };
  CHECK(form({"net", {3, 224, 224}, 1000}) == "[3, 224, 224] 256");
  CHECK(form({"net", {3, 299, 299}, 1000}) == "[3, 299, 299] 342");
  CHECK(form({"net", {3, 299, 299}, 1000, 299, 0, 350}) == "[3, 350, 350] 350");
  CHECK(form({"net", {3, 32, 32}, 10}) == "[3, 32, 32] 37");
  CHECK(form({"net", {3, 224, 224}, 1000, 224}) == "[3, 256, 256] 256");
  CHECK(form({"net", {3, 224, 224}, 1000, 0, 0, 232}) == "[3, 224, 224] 232");

  CHECK(choose_name("", {"net", {3, 224, 224}, 1000}) == "imagenet");
  CHECK(choose_name("", {"net", {3, 299, 299}, 1000}) == "imagenet");
  CHECK(choose_name("", {"net", {3, 32, 32}, 1000}) == "imagenet32");
  CHECK(choose_name("imagefolder", {"net", {3, 64, 64}, 2}) == "imagefolder");
  check_error<UsageError>([] { choose_name("", {"net", {3, 64, 64}, 2}); }, {"which no data set here has"});

  const Cats cats;
  const Dataset set = choose_dataset("imagefolder", {"net", {3, 12, 12}, 2, 12}, cats.folder.path(), kSmallPhotos);
  CHECK(image_shape(set.train) == Shape{3, 14, 14});
  check_error<UsageError>(
      [&] {
        choose_dataset("imagefolder", {"net", {3, 12, 12}, 10}, cats.folder.path(), kSmallPhotos);
      },
      {"model net takes images of [3, 12, 12] in 10 classes; data set imagefolder has [3, 12, 12] in 2"});
  check_error<UsageError>(
      [&] {
        choose_dataset("imagefolder", {"grey", {1, 28, 28}, 10}, cats.folder.path(), kChecked);
      },
      {"model grey takes images of [1, 28, 28] in 10 classes; data set imagefolder has [3, 28, 28]"});
}

TEST_CASE("photos are fetched by hand") {
  const TemporaryFolder folder;
  for (const auto& [name, why] :
       {std::pair("imagefolder", "since the photos are yours"), std::pair("imagenet", "since it needs a login")})
    check_error<MissingDataError>(
        [&, name = name] {
          const DataSource& source = find_source(name);
          fetch_source(source, folder.path(), choose_mirrors(source), kQuiet);
        },
        {name, "cannot be fetched", why});
}

}  // namespace cairn::datasets
