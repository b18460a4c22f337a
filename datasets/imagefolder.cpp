#include "datasets/imagefolder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "datasets/imagenet_names.h"
#include "datasets/photos.h"
#include "datasets/sources.h"
#include "framework/file.h"
#include "framework/json_text.h"
#include "framework/message.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

constexpr const char *kImageFolder = "imagefolder", *kImageNet = "imagenet";
constexpr const char *kTrain = "train", *kVal = "val";
constexpr int64_t kTrainingPhotos = 1'281'167, kTestPhotos = 50'000;  // of ILSVRC2012

const DataSource& imagefolder_source() {
  static const DataSource source = [] {
    DataSource it;
    it.name = kImageFolder;
    it.note = "your own photos, in a folder for each class";
    it.by_hand = "the photos are yours: put them, as train/CLASS/NAME.jpg and val/CLASS/NAME.jpg (or .jpeg, or .png),";
    return it;
  }();
  return source;
}

const DataSource& imagenet_source() {
  static const DataSource source = [] {
    DataSource it;
    it.name = kImageNet;
    it.note = "ImageNet's photos of 1000 classes (ILSVRC2012)";
    it.by_hand =
        "it needs a login: register at https://image-net.org, download ILSVRC2012's training and validation images, "
        "and "
        "unpack them as train/SYNSET/NAME.JPEG and val/SYNSET/NAME.JPEG";
    return it;
  }();
  return source;
}

struct ClassFolder {
  std::string name;
  std::vector<std::string> files;
};

// train/ or val/.
struct Listing {
  fs::path folder;
  std::vector<ClassFolder> classes;
  int64_t left_out = 0;
};

bool is_photo(const fs::path& name) {
  std::string ending = name.extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char letter) { return std::tolower(letter); });
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

// What is in a folder, by name. DataError: it cannot be listed.
std::vector<fs::directory_entry> entries(const fs::path& folder) {
  std::vector<fs::directory_entry> all;
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) all.push_back(*at);
  if (failed) throw DataError(fmt::format("{}: cannot be listed: {}", folder.string(), failed.message()));
  std::ranges::sort(all, {}, [](const fs::directory_entry& entry) { return entry.path().filename().native(); });
  return all;
}

Listing list(const fs::path& folder) {
  Listing listing{folder, {}};
  std::error_code ignored;  // what cannot be looked at is left out
  for (const fs::directory_entry& entry : entries(folder)) {
    ClassFolder found{entry.path().filename().string(), {}};
    if (!entry.is_directory(ignored) || found.name.starts_with(".")) {
      ++listing.left_out;
      continue;
    }
    for (const fs::directory_entry& file : entries(entry.path())) {
      if (is_photo(file.path()) && file.is_regular_file(ignored))
        found.files.push_back(file.path().filename().string());
      else
        ++listing.left_out;
    }
    if (found.files.empty())
      throw DataError(
          fmt::format("{}: has no .jpg, .jpeg or .png file: put some there, or delete it", entry.path().string()));
    listing.classes.push_back(std::move(found));
  }
  if (listing.classes.empty())
    throw DataError(fmt::format("{}: has no folder of photos: put one there for each class", folder.string()));
  return listing;
}

// The folder that train/ and val/ are in. MissingDataError: there is none. DataError: one of the two alone.
fs::path find_place(const DataSource& source, const fs::path& data_dir, bool test_only) {
  std::error_code ignored;
  const auto has = [&](const fs::path& place, const char* part) { return fs::is_directory(place / part, ignored); };
  for (const fs::path& place : {data_dir / source.name, data_dir}) {
    if (!has(place, kTrain) && !has(place, kVal)) continue;
    for (const char* part : {kTrain, kVal})
      if (!has(place, part) && !(test_only && part == kTrain))
        throw DataError(
            fmt::format("{}: {} is missing: put a folder for each class there", source.name, (place / part).string()));
    return place;
  }
  throw MissingDataError(fmt::format("{}: train and val are not in {}: {} there", source.name,
                                     (data_dir / source.name).string(), source.by_hand));
}

// Numbers of classes by the names of their folders.
struct Classes {
  std::vector<std::string> folders, names;  // sorted; what people call them

  // None: -1.
  int32_t number(const std::string& folder) const {
    const auto found = std::ranges::lower_bound(folders, folder);
    return found != folders.end() && *found == folder ? static_cast<int32_t>(found - folders.begin()) : -1;
  }
};

// The first folder that is no synset's, or null.
const ClassFolder* first_other(const Classes& synsets, const Listing& listing) {
  const auto found =
      std::ranges::find_if(listing.classes, [&](const ClassFolder& folder) { return synsets.number(folder.name) < 0; });
  return found == listing.classes.end() ? nullptr : &*found;
}

// Those of `train` alone where it is listed, else of `val`.
Classes own_classes(const std::string& name, const Listing& train, const Listing& val) {
  const Listing& from = train.classes.empty() ? val : train;
  Classes classes;
  for (const ClassFolder& folder : from.classes) {
    classes.folders.push_back(folder.name);
    classes.names.push_back(without_controls(to_json_text(folder.name)));
  }
  if (classes.folders.size() < 2)
    throw DataError(fmt::format("{}: {} has one class alone, {}: there must be two to tell apart", name,
                                from.folder.string(), classes.names.front()));
  for (const ClassFolder& folder : val.classes)
    if (classes.number(folder.name) < 0)
      throw DataError(fmt::format("{}: {} has no photos to train with: there is no {}", name,
                                  (val.folder / folder.name).string(), (train.folder / folder.name).string()));
  return classes;
}

Classes find_classes(const DataSource& source, const Listing& train, const Listing& val) {
  Classes synsets{imagenet_synsets(), imagenet_synset_names()};
  const ClassFolder* other = first_other(synsets, train);
  const fs::path& place = other != nullptr ? train.folder : val.folder;
  if (other == nullptr) other = first_other(synsets, val);
  if (other == nullptr) return synsets;
  if (source.name == kImageNet)
    throw DataError(fmt::format("{}: {} is none of its synsets: photos of other classes are read by --dataset {}",
                                source.name, (place / other->name).string(), kImageFolder));
  return own_classes(source.name, train, val);
}

Split photo_split(const Listing& listing, const Classes& classes, const PhotoForm& form) {
  PhotoFiles files;
  std::vector<int32_t> labels;
  for (const ClassFolder& folder : listing.classes) {
    files.enter(listing.folder / folder.name);
    for (const std::string& name : folder.files) files.add(name);
    labels.insert(labels.end(), folder.files.size(), classes.number(folder.name));
  }
  return streamed_split(form.image, photo_source(std::move(files), form), labels);
}

void check_photo_count(const Split& split, int64_t published, const char* what) {
  if (split.count == published) return;
  throw DataError(
      fmt::format("{}: there are {} photos for {}, where {} were published: --check-hash false takes any number",
                  kImageNet, split.count, what, published));
}

Dataset load_folders(const DataSource& source, const fs::path& data_dir, const LoadOptions& options) {
  const fs::path place = find_place(source, data_dir, options.test_only);
  const Listing val = list(place / kVal);
  const Listing train = options.test_only ? Listing{place / kTrain, {}} : list(place / kTrain);
  Classes classes = find_classes(source, train, val);
  Dataset dataset = described(find_dataset(source.name));
  dataset.source = place.string();
  dataset.train = photo_split(train, classes, options.photos);
  dataset.test = photo_split(val, classes, options.photos);
  dataset.classes = static_cast<int>(classes.folders.size());
  dataset.class_names = std::move(classes.names);
  for (const Listing* listing : {&train, &val})
    if (listing->left_out > 0 && !options.quiet)
      say(fmt::format("{}: {} in {} {} no .jpg, .jpeg or .png of a class, and left out", source.name, listing->left_out,
                      listing->folder.string(), listing->left_out == 1 ? "is" : "are"));
  return dataset;
}

Dataset load_imagefolder(const fs::path& data_dir, const LoadOptions& options) {
  return load_folders(imagefolder_source(), data_dir, options);
}

Dataset load_imagenet(const fs::path& data_dir, const LoadOptions& options) {
  Dataset dataset = load_folders(imagenet_source(), data_dir, options);
  if (!options.check_hash) return dataset;
  check_photo_count(dataset.test, kTestPhotos, "testing");
  if (!options.test_only) check_photo_count(dataset.train, kTrainingPhotos, "training");
  return dataset;
}

// As torchvision's networks take them, whatever they are trained on.
const PixelStatistics kImageNetPixels{{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};

}  // namespace

DatasetInfo imagefolder_info() {
  return {.name = kImageFolder,
          .description = "photos of your own, in a folder for each class, train/CLASS and val/CLASS",
          .image = PhotoForm().image,
          .photos = true,
          .pixels = kImageNetPixels,
          .load = load_imagefolder,
          .source = &imagefolder_source()};
}

DatasetInfo imagenet_info() {
  return {.name = kImageNet,
          .description = "ImageNet's photos, 1000 classes, 1,281,167 + 50,000 (Russakovsky and others)",
          .image = PhotoForm().image,
          .photos = true,
          .class_names = imagenet_synset_names(),
          .pixels = kImageNetPixels,
          .load = load_imagenet,
          .source = &imagenet_source()};
}

}  // namespace cairn::datasets
