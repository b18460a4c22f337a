// A start waits for this, so the files are read, hashed and taken apart side by side.
#include "datasets/cifar.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <future>

#include "datasets/archive.h"
#include "datasets/fetch.h"
#include "datasets/file.h"
#include "datasets/pixel_batch.h"
#include "datasets/sha256.h"
#include "datasets/sources.h"
#include "datasets/stream.h"
#include "framework/message.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

const Shape kCifarImage{3, 32, 32};

struct CifarFamily {
  CifarRecord record;
  DataSource source;  // its members: the files for training, and last the one for testing
  // For Python: folder, archive and the keys of what is before an image's pixels in the binary version. Its files have
  // the same names without .bin, and the same images in the same order.
  std::string python_folder, python_archive;
  std::vector<std::string> python_labels;
};

const CifarFamily& cifar10() {
  static const CifarFamily family{
      {.label_bytes = 1, .classes = 10},
      {"cifar10",
       "32x32 colour photos of 10 classes, unpacked to .bin files",
       {{"cifar-10-binary.tar.gz", 170052171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"}},
       {"https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/",
        "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/"},
       "cifar-10-batches-bin",
       {{"data_batch_1.bin", 30730000, "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"},
        {"data_batch_2.bin", 30730000, "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"},
        {"data_batch_3.bin", 30730000, "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"},
        {"data_batch_4.bin", 30730000, "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"},
        {"data_batch_5.bin", 30730000, "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"},
        {"test_batch.bin", 30730000, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"}}},
      "cifar-10-batches-py",
      "cifar-10-python.tar.gz",
      {"labels"}};
  return family;
}

const CifarFamily& cifar100() {
  static const CifarFamily family{
      {.label_bytes = 2, .classes = 100},
      {"cifar100",
       "32x32 colour photos of 100 classes, unpacked to .bin files",
       {{"cifar-100-binary.tar.gz", 168513733, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"}},
       {"https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/"},
       "cifar-100-binary",
       {{"train.bin", 153700000, "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29"},
        {"test.bin", 30740000, "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a"}}},
      "cifar-100-python",
      "cifar-100-python.tar.gz",
      {"coarse_labels", "fine_labels"}};
  return family;
}

std::vector<std::string> member_names(const CifarFamily& family, bool python) {
  std::vector<std::string> names;
  for (const RemoteFile& member : family.source.members)
    names.push_back(python ? fs::path(member.name).stem().string() : member.name);
  return names;
}

// Under its own name or compressed, or an empty path.
fs::path find_member(const fs::path& folder, const std::string& name) {
  std::error_code ignored;  // an unreadable folder holds nothing
  for (const char* ending : {"", ".gz", ".xz"})
    if (const fs::path path = folder / (name + ending); fs::exists(path, ignored)) return path;
  return {};
}

// Where the files are; empty: not in any of the folders. DataError: some of them are missing.
std::vector<fs::path> find_files(const CifarFamily& family, const std::vector<fs::path>& folders, bool python) {
  for (const fs::path& folder : folders) {
    std::vector<fs::path> paths;
    std::string missing;
    for (const std::string& name : member_names(family, python)) {
      if (fs::path path = find_member(folder, name); !path.empty())
        paths.push_back(std::move(path));
      else if (missing.empty())
        missing = name;
    }
    if (paths.empty()) continue;
    if (missing.empty()) return paths;
    throw DataError(fmt::format("{}: {} is not in {}, beside the others: put it there, or delete those and `fetch {}`",
                                family.source.name, missing, folder.string(), family.source.name));
  }
  return {};
}

// The archive as published, or an empty path.
fs::path find_archive(const fs::path& own, const fs::path& data_dir, const std::string& name) {
  std::error_code ignored;
  for (const fs::path& folder : {own, data_dir})
    if (fs::path path = folder / name; fs::exists(path, ignored)) return path;
  return {};
}

// What there is of a set: its files, or else an archive, or neither.
struct CifarPlace {
  std::vector<fs::path> paths;
  fs::path archive;
  bool python = false;

  bool nothing() const { return paths.empty() && archive.empty(); }
  fs::path place() const { return archive.empty() ? paths[0].parent_path() : archive; }
};

CifarPlace find_cifar(const CifarFamily& family, const fs::path& data_dir) {
  const fs::path own = data_dir / family.source.name;
  const std::string& unpacked = family.source.archive_folder;
  CifarPlace found{find_files(family, {own, own / unpacked, data_dir / unpacked, data_dir}, false), {}};
  if (found.paths.empty()) found.archive = find_archive(own, data_dir, family.source.files.front().name);
  if (!found.nothing()) return found;
  found = {find_files(family, {own / family.python_folder, data_dir / family.python_folder}, true), {}, true};
  if (found.paths.empty()) found.archive = find_archive(own, data_dir, family.python_archive);
  return found;
}

void download(const CifarFamily& family, const fs::path& data_dir, const LoadOptions& options) {
  const DataSource& source = family.source;
  if (!options.allow_download)
    throw MissingDataError(
        fmt::format("{}: {} is not in {}: put the published files there, `fetch {}`, or use "
                    "--dataset digits32",
                    source.name, source.members.front().name, (data_dir / source.name).string(), source.name));
  if (!options.quiet) say(fmt::format("{} is not in {}: downloading it", source.name, data_dir.string()));
  try {
    fetch_source(source, data_dir, choose_mirrors(source, options.mirrors), unasked_download(options));
  } catch (const MissingDataError& error) {
    throw MissingDataError(std::string(error.what()) + ", or use --dataset digits32");
  }
}

// One file's content and what errors call it.
struct Content {
  Bytes bytes;
  std::string name;
};

// A file that is longer than the published one is refused before it is read or inflated any further. The names of
// images are in Python's, too.
uint64_t most_bytes(const RemoteFile& member, bool check_hash, bool python) {
  return check_hash ? (python ? 2 : 1) * member.bytes : kMaxFileBytes;
}

Content read_content(const fs::path& path, const RemoteFile& member, bool check_hash) {
  Bytes bytes = read_file(path);
  if (path.extension() == ".gz" || path.extension() == ".xz")
    bytes = decompress(bytes, most_bytes(member, check_hash, false), path.string());
  return {std::move(bytes), path.string()};
}

std::vector<Content> read_contents(const CifarFamily& family, const CifarPlace& found, bool check_hash) {
  uint64_t most = 0;
  for (const RemoteFile& member : family.source.members)
    most = std::max(most, most_bytes(member, check_hash, found.python));
  const std::vector<std::string> names = member_names(family, found.python);
  const std::string archive = found.archive.string();
  std::vector<Bytes> members =
      read_members(read_file(found.archive), found.python ? family.python_folder : family.source.archive_folder, names,
                   most, archive);
  std::vector<Content> contents;
  for (size_t i = 0; i < members.size(); ++i) contents.push_back({std::move(members[i]), archive + ": " + names[i]});
  return contents;
}

// Python's form as the binary one, so that the same hashes tell whether it is the published set.
void make_binary(Content& content, const CifarFamily& family) {
  const PixelBatchFormat format{
      .image = kCifarImage, .labels = family.python_labels.back().c_str(), .classes = family.record.classes};
  const PixelBatch batch(std::move(content.bytes), format, content.name);
  const auto count = static_cast<size_t>(batch.count());
  content.bytes = Bytes(count * family.record.bytes());
  for (size_t column = 0; column < family.record.label_bytes; ++column) {
    const std::vector<int64_t> labels = batch.numbers(family.python_labels[column]);
    for (size_t i = 0; i < count; ++i) {
      if (labels[i] < 0 || labels[i] > UINT8_MAX)
        throw DataError(
            fmt::format("{}: {} of image {} is {}", content.name, family.python_labels[column], i, labels[i]));
      content.bytes[i * family.record.bytes() + column] = static_cast<uint8_t>(labels[i]);
    }
  }
  for (size_t i = 0; i < count; ++i)
    std::memcpy(content.bytes.data() + i * family.record.bytes() + family.record.label_bytes,
                batch.pixels().data() + i * kCifarImageBytes, kCifarImageBytes);
}

// What a file with an unexpected hash is, where that is known.
std::string describe_content(const std::string& hash) {
  for (const CifarFamily* family : {&cifar10(), &cifar100()})
    for (const RemoteFile& member : family->source.members)
      if (hash == member.sha256) return fmt::format("is {}'s {}", family->source.name, member.name);
  return fmt::format("has sha256 {}", hash);
}

void check_published(const Content& content, const RemoteFile& member, const CifarFamily& family) {
  constexpr const char* kAdvice = "`fetch` brings the published one, --check-hash false takes another in this format";
  if (content.bytes.size() != member.bytes)
    throw DataError(fmt::format("{}: has {} bytes, not the {} of {}'s {}: {}", content.name, content.bytes.size(),
                                member.bytes, family.source.name, member.name, kAdvice));
  if (const std::string hash = sha256(content.bytes); hash != member.sha256)
    throw DataError(fmt::format("{}: {}, not the published {} of {}: {}", content.name, describe_content(hash),
                                member.name, family.source.name, kAdvice));
}

// What is kept of one file: its labels, and its pixels unless these stay in it.
struct Part {
  Bytes pixels;
  std::vector<int32_t> labels;
};

Part decode_file(const Content& content, size_t i, const CifarFamily& family, const LoadOptions& options) {
  const CifarRecord& record = family.record;
  const auto count = static_cast<size_t>(count_cifar(content.bytes.size(), record, content.name));
  Part part{Bytes(count * kCifarImageBytes), std::vector<int32_t>(count)};
  decode_cifar(content.bytes, record, content.name, part.pixels, part.labels);
  if (options.check_hash) check_published(content, family.source.members[i], family);
  if (options.stream) part.pixels = {};
  return part;
}

// `paths`: of the parts, whose images stay there; none: the parts have them.
Split join(std::span<const Part> parts, std::span<const fs::path> paths, const CifarRecord& record) {
  Bytes pixels;
  std::vector<int32_t> labels;
  std::vector<RecordFile> files;
  size_t bytes = 0;
  for (const Part& part : parts) bytes += part.pixels.size();
  pixels.reserve(bytes);
  for (size_t i = 0; i < parts.size(); ++i) {
    pixels.insert(pixels.end(), parts[i].pixels.begin(), parts[i].pixels.end());
    labels.insert(labels.end(), parts[i].labels.begin(), parts[i].labels.end());
    if (!paths.empty()) files.push_back({paths[i], static_cast<int64_t>(parts[i].labels.size())});
  }
  if (files.empty()) return image_split(kCifarImage, std::move(pixels), labels);
  const RecordPart image{record.bytes(), record.label_bytes, kCifarImageBytes};
  return streamed_split(kCifarImage, record_source(files, image), labels);
}

void check_streamable(std::span<const fs::path> paths, const fs::path& archive, const std::string& name) {
  const auto packed = std::ranges::find_if(paths, [](const fs::path& path) { return path.extension() != ".bin"; });
  if (archive.empty() && packed == paths.end()) return;
  throw DataError(fmt::format("{}: images can be left in plain .bin files only: unpack it, or `fetch {}`",
                              archive.empty() ? packed->string() : archive.string(), name));
}

Dataset load_cifar(const CifarFamily& family, const fs::path& data_dir, const LoadOptions& options) {
  CifarPlace found = find_cifar(family, data_dir);
  if (found.nothing()) {
    download(family, data_dir, options);
    found = find_cifar(family, data_dir);
  }
  const fs::path place = found.place();
  std::vector<fs::path>& paths = found.paths;
  if (options.stream) check_streamable(paths, found.archive, family.source.name);
  const bool check_hash = options.check_hash;
  std::vector<Content> contents;
  if (!found.archive.empty()) contents = read_contents(family, found, check_hash);
  std::vector<std::future<Part>> files;
  for (size_t i = 0; i < family.source.members.size(); ++i)
    files.push_back(std::async(std::launch::async, [&, i] {
      Content content =
          found.archive.empty() ? read_content(paths[i], family.source.members[i], check_hash) : std::move(contents[i]);
      if (found.python) make_binary(content, family);
      return decode_file(content, i, family, options);
    }));
  std::vector<Part> parts;
  for (std::future<Part>& file : files) parts.push_back(file.get());
  const size_t training = parts.size() - 1;
  if (!options.stream) paths.clear();
  const auto split = [&](size_t first, size_t count) {
    return join(std::span(parts).subspan(first, count),
                std::span(paths).subspan(paths.empty() ? 0 : first, paths.empty() ? 0 : count), family.record);
  };

  const DatasetInfo& info = find_dataset(family.source.name);
  Dataset dataset = described(info);
  dataset.source = place.string();
  dataset.train = split(0, training);
  dataset.test = split(training, 1);
  return dataset;
}

}  // namespace

int64_t count_cifar(size_t file_bytes, const CifarRecord& record, const std::string& name) {
  if (file_bytes == 0) throw DataError(fmt::format("{}: is empty", name));
  if (file_bytes % record.bytes() != 0)
    throw DataError(
        fmt::format("{}: has {} bytes, which are no whole number of images of {}: it is cut short, or not "
                    "a CIFAR file",
                    name, file_bytes, record.bytes()));
  return static_cast<int64_t>(file_bytes / record.bytes());
}

void decode_cifar(std::span<const uint8_t> file, const CifarRecord& record, const std::string& name,
                  std::span<uint8_t> pixels, std::span<int32_t> labels) {
  const auto count = static_cast<size_t>(count_cifar(file.size(), record, name));
  if (pixels.size() != count * kCifarImageBytes || labels.size() != count)
    throw ShapeError(fmt::format("decode_cifar: room for other than {} images", count));
  for (size_t i = 0; i < count; ++i) {
    const std::span<const uint8_t> bytes = file.subspan(i * record.bytes(), record.bytes());
    labels[i] = bytes[record.label_bytes - 1];
    if (labels[i] >= record.classes)
      throw DataError(fmt::format("{}: label {} of image {} is over {}", name, labels[i], i, record.classes - 1));
    std::memcpy(pixels.data() + i * kCifarImageBytes, bytes.data() + record.label_bytes, kCifarImageBytes);
  }
}

DatasetInfo cifar10_info() {
  return {.name = "cifar10",
          .description = "photos, 32x32 colour, 10 classes, 50,000 + 10,000 (Krizhevsky, Nair, Hinton)",
          .image = kCifarImage,
          .class_names = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"},
          .pixels = {{0.4914f, 0.4822f, 0.4465f}, {0.2470f, 0.2435f, 0.2616f}},
          .load = [](const fs::path& data_dir,
                     const LoadOptions& options) { return load_cifar(cifar10(), data_dir, options); },
          .source = &cifar10().source};
}

DatasetInfo cifar100_info() {
  return {.name = "cifar100",
          .description = "photos, 32x32 colour, 100 classes, 50,000 + 10,000 (Krizhevsky, Nair, Hinton)",
          .image = kCifarImage,
          .class_names = {"apple",       "aquarium fish", "baby",      "bear",       "beaver",       "bed",
                          "bee",         "beetle",        "bicycle",   "bottle",     "bowl",         "boy",
                          "bridge",      "bus",           "butterfly", "camel",      "can",          "castle",
                          "caterpillar", "cattle",        "chair",     "chimpanzee", "clock",        "cloud",
                          "cockroach",   "couch",         "crab",      "crocodile",  "cup",          "dinosaur",
                          "dolphin",     "elephant",      "flatfish",  "forest",     "fox",          "girl",
                          "hamster",     "house",         "kangaroo",  "keyboard",   "lamp",         "lawn mower",
                          "leopard",     "lion",          "lizard",    "lobster",    "man",          "maple tree",
                          "motorcycle",  "mountain",      "mouse",     "mushroom",   "oak tree",     "orange",
                          "orchid",      "otter",         "palm tree", "pear",       "pickup truck", "pine tree",
                          "plain",       "plate",         "poppy",     "porcupine",  "possum",       "rabbit",
                          "raccoon",     "ray",           "road",      "rocket",     "rose",         "sea",
                          "seal",        "shark",         "shrew",     "skunk",      "skyscraper",   "snail",
                          "snake",       "spider",        "squirrel",  "streetcar",  "sunflower",    "sweet pepper",
                          "table",       "tank",          "telephone", "television", "tiger",        "tractor",
                          "train",       "trout",         "tulip",     "turtle",     "wardrobe",     "whale",
                          "willow tree", "wolf",          "woman",     "worm"},
          .pixels = {{0.5071f, 0.4865f, 0.4409f}, {0.2673f, 0.2564f, 0.2762f}},
          .load = [](const fs::path& data_dir,
                     const LoadOptions& options) { return load_cifar(cifar100(), data_dir, options); },
          .source = &cifar100().source};
}

}  // namespace cairn::datasets
