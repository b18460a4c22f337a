// features: writes what a network for photos makes of pictures ahead of its head. Parses flags, writes the file; the
// work is trainers/features.h's.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/app.h"
#include "apps/device_flags.h"
#include "apps/flags.h"
#include "datasets/numpy.h"
#include "datasets/photos.h"
#include "framework/error.h"
#include "framework/file.h"
#include "framework/json_text.h"
#include "framework/message.h"
#include "framework/safetensors.h"
#include "trainers/features.h"
#include "trainers/run_config.h"
#include "trainers/weights.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;

struct Settings {
  WeightsChoice weights;
  DeviceOptions device;
  app::DeviceFlags device_flags;
  std::vector<std::string> files;
  std::string dataset, data_dir, split = "both", out;
  int64_t batch_size = 32, synthetic = 0;
  bool check_hash = true, json = false, quiet = false;
};

// Pictures to make features of, and what the file calls theirs.
struct Part {
  std::string name;
  datasets::Split split;
};

constexpr const char* kTrain = "train";
constexpr const char* kTest = "test";

void add_flags(app::Flags& flags, Settings& settings) {
  flags.add_words("PICTURE", settings.files, "PNG or JPEG files");
  flags.add("--weights", settings.weights.path, "a run's folder, a safetensors file or a .pth");
  flags.add("--model", settings.weights.model, "network for photos; default: the run's");
  flags.add("--dataset", settings.dataset,
            ("the pictures of a data set instead: " + datasets::dataset_names()).c_str());
  flags.add("--split", settings.split, "of --dataset: train, test or both");
  flags.add("--synthetic", settings.synthetic, "so many images of random bytes instead, gone over twice and timed");
  flags.add("--data-dir", settings.data_dir, "where data sets are; default $CAIRN_DATA, else ./data");
  flags.add("--check-hash", settings.check_hash, "refuse data files that are not the published ones (true or false)");
  flags.add("--out", settings.out, "file to write: .safetensors, or .npy for one array");
  settings.device_flags.add(flags, settings.device);
  flags.add("--batch-size", settings.batch_size, "images at a time");
  flags.add_switch("--json", settings.json, "print the result as one JSON object, the last line of stdout");
  flags.add_switch("--quiet", settings.quiet, "print only errors and results");
  flags.set_footer(
      "A safetensors file holds `features`, or `train.features` and `test.features`, a row for each image, "
      "and the labels of data sets.\n");
}

bool ends_in_npy(const Settings& settings) {
  return fs::path(settings.out).extension() == ".npy";
}

void check(const Settings& settings) {
  if (settings.weights.path.empty())
    throw UsageError("--weights is needed: a run's folder, a safetensors file or a .pth");
  if (!settings.files.empty() + !settings.dataset.empty() + (settings.synthetic != 0) != 1)
    throw UsageError("give pictures, or --dataset, or --synthetic: one of them");
  if (settings.split != kTrain && settings.split != kTest && settings.split != "both")
    throw UsageError("--split must be train, test or both, not " + settings.split);
  if (settings.split != "both" && settings.dataset.empty()) throw UsageError("--split goes with --dataset");
  constexpr int64_t kMost = 1'000'000;
  if (settings.synthetic < 0 || settings.synthetic > kMost)
    throw UsageError(fmt::format("--synthetic must be between 1 and {}, not {}", kMost, settings.synthetic));
  if (settings.batch_size < 1)
    throw UsageError(fmt::format("--batch-size must be 1 or more, not {}", settings.batch_size));
  if (settings.out.empty() && settings.synthetic == 0)
    throw UsageError("--out is needed: the file to write, .safetensors or .npy");
  if (ends_in_npy(settings) && !settings.dataset.empty() && settings.split == "both")
    throw UsageError("--out " + settings.out + ": holds one array: --split train or --split test");
  check_device(settings.device);
}

std::vector<Part> dataset_parts(const Settings& settings, const datasets::NetworkInput& input) {
  datasets::LoadOptions load;
  load.quiet = settings.quiet;
  load.check_hash = settings.check_hash;
  load.test_only = settings.split == kTest;
  load.stop = &app::interruption();
  load.photos = photo_form(input);
  datasets::Dataset dataset = datasets::load_dataset(settings.dataset, settings.data_dir, load);
  scale_to_fit(input, dataset);
  check_fit(input, dataset);
  std::vector<Part> parts;
  if (settings.split != kTest) parts.push_back({kTrain, std::move(dataset.train)});
  if (settings.split != kTrain) parts.push_back({kTest, std::move(dataset.test)});
  return parts;
}

datasets::Split pictures(const std::vector<std::string>& names, const datasets::NetworkInput& input) {
  datasets::PhotoFiles files;
  for (const std::string& name : names) {
    const fs::path path = name;
    files.enter(path.parent_path());
    files.add(path.filename().string());
  }
  return datasets::streamed_split(input.image, datasets::photo_source(std::move(files), photo_form(input)), {});
}

std::vector<Part> parts_of(const Settings& settings, const datasets::NetworkInput& input) {
  if (settings.synthetic > 0) return {{"", random_images(input.image, settings.synthetic)}};
  if (!settings.files.empty()) return {{"", pictures(settings.files, input)}};
  return dataset_parts(settings, input);
}

HostTensor host_tensor(const std::string& name, const Tensor& tensor) {
  return to_host({{name, tensor}}).front();
}

void write(const Settings& settings, const Weights& weights, const std::vector<HostTensor>& tensors) {
  if (settings.out.empty()) return;
  if (!ends_in_npy(settings)) return write_safetensors(settings.out, tensors, {{"model", weights.model->name}});
  const datasets::Bytes file = datasets::encode_npy(tensors.front());
  const std::span<const std::byte> bytes = std::as_bytes(std::span(file));
  write_file_atomically(settings.out, std::span(&bytes, 1));
}

// How long a part took.
nlohmann::json timing_of(const Part& part, const Features& features) {
  const int64_t width = features.rows.defined() ? features.rows.shape()[1] : 0;
  return {{"split", part.name},
          {"images", part.split.count},
          {"features", width},
          {"seconds", features.seconds},
          {"waiting_seconds", features.waiting_seconds},
          {"images_per_second", static_cast<double>(part.split.count) / features.seconds}};
}

void print_result(const Settings& settings, const Weights& weights, const Device& device, const nlohmann::json& parts) {
  if (settings.json) {
    app::print("{}\n", dump_json({{"model", weights.model->name}, {"threads", device.threads()}, {"parts", parts}}));
    return;
  }
  for (const nlohmann::json& part : parts) {
    const auto name = part["split"].get<std::string>();
    app::print("{}{} images, {} features each: {:.3g} s, of these {:.3g} s of waiting for pictures; {:.3g} images/s\n",
               name.empty() ? "" : name + ": ", part["images"].get<int64_t>(), part["features"].get<int64_t>(),
               part["seconds"].get<double>(), part["waiting_seconds"].get<double>(),
               part["images_per_second"].get<double>());
  }
}

// What of the network's recipe makes pictures into its images: all but the number of classes, and crops.
datasets::NetworkInput input_of(const ModelInfo& model) {
  datasets::NetworkInput input = network_input(model, model.recipes.front());
  input.classes = 0;
  input.crop = 0;
  return input;
}

int features(int argc, char** argv) {
  app::Flags flags("features", "Writes the features that a network for photos makes of pictures, ahead of its head.");
  Settings settings;
  add_flags(flags, settings);
  if (!flags.parse(argc, argv)) return app::kDone;
  settings.device_flags.resolve(settings.device);
  check(settings);
  if (!settings.quiet) app::warn_of_threads("features", settings.device.threads);
  const Weights weights = find_weights(settings.weights);
  if (weights.model->head.empty())
    throw UsageError("--model " + weights.model->name + ": features are of networks for photos, such as resnet50");
  const std::shared_ptr<Device> device = Device::open(settings.device);
  const FeatureMaker maker(device, *weights.model, *load_model(device, weights));
  const PixelScale pixels = settings.synthetic > 0 ? PixelScale{{1.0f / 255.0f}, {0}} : weights.pixels;
  const SampleInput numbers(RowScale(device, pixels.scale, pixels.shift), {});
  const int passes = settings.synthetic > 0 ? 2 : 1;  // the first one warms up

  std::vector<HostTensor> tensors;
  nlohmann::json timings = nlohmann::json::array();
  for (const Part& part : parts_of(settings, input_of(*weights.model))) {
    const DeviceSplit split = upload(device, part.split);
    Features made;
    for (int pass = 0; pass < passes; ++pass) made = maker.of(split, numbers, settings.batch_size, app::interruption());
    const std::string prefix = part.name.empty() ? "" : part.name + ".";
    if (made.rows.defined()) tensors.push_back(host_tensor(prefix + "features", made.rows));
    if (split.has(datasets::kLabel)) tensors.push_back(host_tensor(prefix + "labels", split.column(datasets::kLabel)));
    timings.push_back(timing_of(part, made));
  }
  write(settings, weights, tensors);
  print_result(settings, weights, *device, timings);
  return app::kDone;
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) {
  return cairn::app::guarded("features", [&] { return cairn::features(argc, argv); });
}
