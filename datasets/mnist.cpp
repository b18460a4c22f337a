// A start waits for this, so the four files are read, hashed and inflated side by side. Hashes are of the files as
// published, or of their plain content.
#include "datasets/mnist.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <future>

#include "datasets/file.h"
#include "datasets/gzip.h"
#include "datasets/idx.h"
#include "datasets/sha256.h"
#include "datasets/sources.h"
#include "framework/message.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

// Shorter than fetch's: a training without a network falls back on another data set and should not wait long for it.
constexpr std::chrono::milliseconds kConnectTimeout{3'000}, kStallTimeout{10'000};

struct PublishedFile {
  const char* name;  // without .gz
  int dimensions;
  const char* plain_sha256;
};

struct Family {
  const char* name;
  const char* torchvision_folder;
  std::array<PublishedFile, 4> files;  // training images and labels, test images and labels
  PixelStatistics pixels;
  std::vector<std::string> class_names;
};

const Family kMnist{
    "mnist",
    "MNIST/raw",
    {{{"train-images-idx3-ubyte", 3, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
      {"train-labels-idx1-ubyte", 1, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
      {"t10k-images-idx3-ubyte", 3, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
      {"t10k-labels-idx1-ubyte", 1, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}}},
    kMnistPixels,
    {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}};

const Family kFashionMnist{
    "fashion-mnist",
    "FashionMNIST/raw",
    {{{"train-images-idx3-ubyte", 3, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"},
      {"train-labels-idx1-ubyte", 1, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"},
      {"t10k-images-idx3-ubyte", 3, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"},
      {"t10k-labels-idx1-ubyte", 1, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"}}},
    kFashionMnistPixels,
    {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}};

// The file's path under one of the names that publishers and unpackers give it, or an empty path. A thing that is no
// file counts where there is nothing better, so that a folder in a file's place is an error later and not a silent
// download.
fs::path find_file(const fs::path& folder, const PublishedFile& file) {
  const std::string name = file.name;
  std::string dotted = name;  // as the gzip header has it, and as unpackers that read it write it
  dotted[dotted.rfind("-idx")] = '.';
  fs::path other;
  std::error_code ignored;  // an unreadable folder holds nothing
  // The last two: a folder for each file, as archives are unpacked by a double click.
  for (const std::string& each : {name + ".gz", name, dotted, dotted + ".gz", name + "/" + name, name + "/" + dotted}) {
    const fs::path path = folder / each;
    if (!fs::exists(path, ignored)) continue;
    if (fs::is_regular_file(path, ignored)) return path;
    if (other.empty()) other = path;
  }
  return other;
}

// The published form of the family's file i, in the order of Family::files.
const RemoteFile& gzip_file(const Family& family, size_t i) {
  return find_source(family.name).files[i];
}

// Where the four files are, after downloading what is missing.
std::array<fs::path, 4> locate(const Family& family, const fs::path& data_dir, const LoadOptions& options) {
  const fs::path own = data_dir / family.name;
  std::array<fs::path, 4> paths;
  size_t found = 0;
  fs::path folder = own;
  for (const fs::path& candidate : {own, data_dir / family.torchvision_folder, data_dir}) {
    for (size_t i = 0; i < paths.size(); ++i) {
      paths[i] = find_file(candidate, family.files[i]);
      found += !paths[i].empty();
    }
    if (found != 0) {
      folder = candidate;
      break;
    }
  }

  std::vector<RemoteFile> missing;
  for (size_t i = 0; i < paths.size(); ++i) {
    if (!paths[i].empty()) continue;
    missing.push_back(gzip_file(family, i));
    paths[i] = folder / missing.back().name;
  }
  if (missing.empty()) return paths;
  if (!options.allow_download) {
    throw MissingDataError(
        fmt::format("{}: {} is not in {}: put the four published files there, allow the download, or "
                    "use --dataset digits",
                    family.name, missing[0].name, folder.string()));
  }
  if (!options.quiet) say(fmt::format("{} is not in {}: downloading it", family.name, data_dir.string()));
  const DownloadOptions download{
      .quiet = options.quiet, .stop = options.stop, .connect_timeout = kConnectTimeout, .stall_timeout = kStallTimeout};
  const HeldFolder held(folder, download.quiet, download.stop);
  try {
    download_files(missing, choose_mirrors(find_source(family.name), options.mirrors), held, download);
  } catch (const MissingDataError& error) {
    throw MissingDataError(std::string(error.what()) + ", or use --dataset digits");
  }
  return paths;
}

// What a file with an unexpected hash is, where that is known.
std::string describe_hash(const std::string& hash) {
  for (const Family* family : {&kMnist, &kFashionMnist}) {
    for (size_t i = 0; i < family->files.size(); ++i) {
      if (hash == gzip_file(*family, i).sha256 || hash == family->files[i].plain_sha256)
        return fmt::format("is {}'s {}", family->name, family->files[i].name);
    }
  }
  return fmt::format("has sha256 {}", hash);
}

IdxArray load_file(const fs::path& path, const Family& family, size_t i, bool check_hash) {
  const PublishedFile& file = family.files[i];
  const Bytes bytes = read_file(path);
  const auto hash_file = [&] { return check_hash ? sha256(bytes) : std::string(); };
  std::future<std::string> hash = std::async(std::launch::async, hash_file);
  IdxArray array = decode_idx(bytes, file.dimensions, path.string());
  const std::string found = hash.get();
  if (!check_hash || found == gzip_file(family, i).sha256 || found == file.plain_sha256) return array;

  // Compressed anew by another program, the content is still the published one.
  if (is_gzip(bytes)) {
    Bytes plain = peek_gzip(bytes, 4 + 4 * array.sizes.size(), path.string());
    Sha256 content;
    content.update(plain);
    content.update(array.bytes);
    if (content.finish() == file.plain_sha256) return array;
  }
  throw DataError(
      fmt::format("{}: {}, not the published {} file: delete it to have it downloaded again, or use "
                  "--check-hash false for another data set in this format",
                  path.string(), describe_hash(found), family.name));
}

Dataset load_family(const Family& family, const fs::path& data_dir, const LoadOptions& options) {
  const std::array<fs::path, 4> paths = locate(family, data_dir, options);
  std::array<std::future<IdxArray>, 4> arrays;
  for (size_t i = 0; i < arrays.size(); ++i) {
    arrays[i] = std::async(std::launch::async, [&family, &options, &path = paths[i], i] {
      return load_file(path, family, i, options.check_hash);
    });
  }

  Dataset dataset;
  dataset.name = family.name;
  dataset.classes = static_cast<int>(family.class_names.size());
  dataset.mean = family.pixels.mean;
  dataset.std = family.pixels.std;
  dataset.class_names = family.class_names;
  dataset.source = paths[0].parent_path().string();
  const auto join = [&](size_t images, size_t labels) {
    IdxArray image_array = arrays[images].get(), label_array = arrays[labels].get();
    return join_idx(std::move(image_array), std::move(label_array), dataset.classes, paths[images].string(),
                    paths[labels].string());
  };
  dataset.train = join(0, 1);
  dataset.test = join(2, 3);
  if (dataset.train.height != dataset.test.height || dataset.train.width != dataset.test.width) {
    throw DataError(fmt::format("{} holds {}x{} images but {} holds {}x{}", paths[0].string(), dataset.train.height,
                                dataset.train.width, paths[2].string(), dataset.test.height, dataset.test.width));
  }
  return dataset;
}

}  // namespace

Dataset load_mnist(const fs::path& data_dir, const LoadOptions& options) {
  return load_family(kMnist, data_dir, options);
}

Dataset load_fashion_mnist(const fs::path& data_dir, const LoadOptions& options) {
  return load_family(kFashionMnist, data_dir, options);
}

}  // namespace cairn::datasets
