// A start waits for this, so the four files are read, hashed and inflated side by side. Hashes are of the files as
// published, or of their plain content.
#include "datasets/mnist.h"

#include <fmt/format.h>

#include <array>
#include <future>

#include "datasets/fetch.h"
#include "datasets/file.h"
#include "datasets/gzip.h"
#include "datasets/idx.h"
#include "datasets/sha256.h"
#include "datasets/sources.h"
#include "framework/message.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

struct PublishedFile {
  const char* name;  // without .gz
  int dimensions;
  const char* plain_sha256;
};

struct Family {
  const char* torchvision_folder;
  std::array<PublishedFile, 4> files;  // training images and labels, test images and labels
  DataSource source;                   // the same, gzipped
  std::string name() const { return source.name; }
};

const Family& mnist() {
  static const Family family{
      "MNIST/raw",
      {{{"train-images-idx3-ubyte", 3, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
        {"train-labels-idx1-ubyte", 1, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
        {"t10k-images-idx3-ubyte", 3, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
        {"t10k-labels-idx1-ubyte", 1, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}}},
      {"mnist",
       "handwritten digits",
       {{"train-images-idx3-ubyte.gz", 9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
        {"train-labels-idx1-ubyte.gz", 28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
        {"t10k-images-idx3-ubyte.gz", 1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
        {"t10k-labels-idx1-ubyte.gz", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"}},
       {"https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://raw.githubusercontent.com/fgnt/mnist/master/"}}};
  return family;
}

const Family& fashion_mnist() {
  static const Family family{
      "FashionMNIST/raw",
      {{{"train-images-idx3-ubyte", 3, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"},
        {"train-labels-idx1-ubyte", 1, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"},
        {"t10k-images-idx3-ubyte", 3, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"},
        {"t10k-labels-idx1-ubyte", 1, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"}}},
      {"fashion-mnist",
       "articles of clothing",
       {{"train-images-idx3-ubyte.gz", 26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"},
        {"train-labels-idx1-ubyte.gz", 29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"},
        {"t10k-images-idx3-ubyte.gz", 4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"},
        {"t10k-labels-idx1-ubyte.gz", 5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"}},
       {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"}}};
  return family;
}

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
  return family.source.files[i];
}

// Where the four files are, after downloading what is missing.
std::array<fs::path, 4> locate(const Family& family, const fs::path& data_dir, const LoadOptions& options) {
  const fs::path own = data_dir / family.name();
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
                    family.name(), missing[0].name, folder.string()));
  }
  if (!options.quiet) say(fmt::format("{} is not in {}: downloading it", family.name(), data_dir.string()));
  const DownloadOptions download = unasked_download(options);
  const HeldFolder held(folder, download.quiet, download.stop);
  try {
    download_files(missing, choose_mirrors(family.source, options.mirrors), held, download);
  } catch (const MissingDataError& error) {
    throw MissingDataError(std::string(error.what()) + ", or use --dataset digits");
  }
  return paths;
}

// What a file with an unexpected hash is, where that is known.
std::string describe_hash(const std::string& hash) {
  for (const Family* family : {&mnist(), &fashion_mnist()}) {
    for (size_t i = 0; i < family->files.size(); ++i) {
      if (hash == gzip_file(*family, i).sha256 || hash == family->files[i].plain_sha256)
        return fmt::format("is {}'s {}", family->name(), family->files[i].name);
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
                  path.string(), describe_hash(found), family.name()));
}

Dataset load_family(const Family& family, const fs::path& data_dir, const LoadOptions& options) {
  const std::array<fs::path, 4> paths = locate(family, data_dir, options);
  std::array<std::future<IdxArray>, 4> arrays;
  for (size_t i = 0; i < arrays.size(); ++i) {
    arrays[i] = std::async(std::launch::async, [&family, &options, &path = paths[i], i] {
      return load_file(path, family, i, options.check_hash);
    });
  }

  const DatasetInfo& info = find_dataset(family.name());
  Dataset dataset = described(info);
  dataset.source = paths[0].parent_path().string();
  const auto join = [&](size_t images, size_t labels) {
    IdxArray image_array = arrays[images].get(), label_array = arrays[labels].get();
    return join_idx(std::move(image_array), std::move(label_array), dataset.classes, paths[images].string(),
                    paths[labels].string());
  };
  dataset.train = join(0, 1);
  dataset.test = join(2, 3);
  const Shape train = image_shape(dataset.train), test = image_shape(dataset.test);
  if (train != test) {
    throw DataError(fmt::format("{} holds {}x{} images but {} holds {}x{}", paths[0].string(), train[1], train[2],
                                paths[2].string(), test[1], test[2]));
  }
  return dataset;
}

}  // namespace

DatasetInfo mnist_info() {
  return {.name = "mnist",
          .description = "handwritten digits, 28x28 grey, 10 classes, 60,000 + 10,000 (LeCun, Cortes, Burges)",
          .image = {1, 28, 28},
          .class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
          .pixels = {{0.1307f}, {0.3081f}},
          .load = [](const fs::path& data_dir,
                     const LoadOptions& options) { return load_family(mnist(), data_dir, options); },
          .source = &mnist().source};
}

DatasetInfo fashion_mnist_info() {
  return {
      .name = "fashion-mnist",
      .description = "articles of clothing, 28x28 grey, 10 classes, 60,000 + 10,000 (Zalando Research, MIT licence)",
      .image = {1, 28, 28},
      .class_names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
                      "Ankle boot"},
      .pixels = {{0.2860f}, {0.3530f}},
      .load = [](const fs::path& data_dir,
                 const LoadOptions& options) { return load_family(fashion_mnist(), data_dir, options); },
      .source = &fashion_mnist().source};
}

}  // namespace cairn::datasets
