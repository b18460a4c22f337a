#include "comparisons/photo_suites.h"

#include <fmt/format.h>

#include <algorithm>

#include "comparisons/files.h"
#include "comparisons/page.h"
#include "comparisons/run.h"
#include "datasets/choose.h"
#include "datasets/order.h"
#include "framework/error.h"
#include "framework/json_text.h"
#include "framework/message.h"
#include "trainers/features.h"
#include "trainers/predictor.h"

namespace cairn::comparisons {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kBatch = 32;
constexpr int64_t kCpuImages = 256, kGpuImages = 1280, kQuickImages = 4;

// Seconds for features of 256 images on six cores, of 1280 on a K80. Knet's graph has the stride where ours of
// resnet50-v1 has it.
std::vector<PhotoFigure> feature_figures() {
  struct Row {
    const char* by;
    double cpu, gpu;  // 0: not published
  };
  std::vector<PhotoFigure> figures;
  for (const auto& [by, cpu, gpu] : {Row{"MXNet with MKL", 10.1, 9.96}, Row{"TensorFlow", 23.1, 8.26},
                                     Row{"CNTK", 31.2, 10.9}, Row{"MXNet", 31.9, 9.87}, Row{"PyTorch", 43.8, 9.86},
                                     Row{"Caffe2", 44, 18.1}, Row{"Keras on TensorFlow", 50.5, 13.1},
                                     Row{"Keras on CNTK", 70, 27.9}, Row{"Chainer", 78, 12}, Row{"Knet", 115, 8.00}}) {
    const std::string model = std::string(by) == "Knet" ? "resnet50-v1" : "resnet50";
    figures.push_back({model, by, "six CPU cores", kCpuImages, cpu});
    figures.push_back({model, by, "K80", kGpuImages, gpu});
  }
  return figures;
}

std::vector<PhotoFigure> photo_figures() {
  constexpr int64_t kPhotos = 50000;
  const auto row = [](const char* model, double minutes, double top1, double top5) {
    return PhotoFigure{model, "PyTorch", "Apple M1, 4 workers", kPhotos, 60 * minutes, top1, top5};
  };
  return {row("alexnet", 1.59, 56.5, 79.1), row("vgg16", 7.82, 71.6, 90.4), row("inception-v3", 6.41, 77.5, 93.6),
          row("resnet18", 1.90, 69.8, 89.1), row("resnet101", 7.47, 77.4, 93.5)};
}

DeviceOptions device_of(const PhotoSuiteOptions& options, const std::string& implementation) {
  DeviceOptions device;
  device.implementation = implementation;
  device.where = options.where;
  device.threads = options.threads;
  return device;
}

nlohmann::json time_features(const std::string& model, const PhotoSuiteOptions& options,
                             const std::shared_ptr<Device>& device, const std::atomic<bool>& stop) {
  const ModelInfo& info = find_model(model);
  Initializer initializer(info.recipes.front().init, 1);
  const FeatureMaker maker(device, info, *info.build(device, initializer, DType::f32));
  const int64_t images = options.quick ? kQuickImages : device->where() == Where::cuda ? kGpuImages : kCpuImages;
  const DeviceSplit split = upload(device, random_images(info.input, images));
  const SampleInput numbers(RowScale(device, 1.0f / 255.0f, 0), {});
  maker.of(split, numbers, kBatch, stop);
  return {{"images", images}, {"seconds", maker.of(split, numbers, kBatch, stop).seconds}};
}

// Where fetch and people put weights; empty: there are none of this network.
fs::path weights_of(const std::string& model, const std::string& folder) {
  const fs::path base = fs::path(folder) / model;
  std::error_code error;
  for (const char* ending : {".safetensors", ".pth"}) {
    const fs::path alone = base.string() + ending;
    if (fs::exists(alone, error)) return alone;
    for (const auto& entry : fs::directory_iterator(base, error))
      if (entry.path().extension() == ending) return entry.path();
  }
  return {};
}

nlohmann::json classify(const std::string& model, const PhotoSuiteOptions& options,
                        const std::shared_ptr<Device>& device) {
  const Weights weights = find_weights({.path = weights_of(model, options.weights_dir), .model = model});
  datasets::LoadOptions load;
  load.quiet = options.quiet;
  load.check_hash = options.check_hash;
  load.test_only = true;
  load.stop = options.stop;
  const datasets::NetworkInput input = network_input(*weights.model, weights.model->recipes.front());
  load.photos = photo_form(input);
  datasets::Dataset dataset = datasets::load_dataset(options.dataset, options.data_dir, load);
  check_fit(input, dataset);
  if (options.quick && dataset.test.count > kQuickImages) {
    std::vector<int32_t> first;
    for (int32_t i = 0; i < kQuickImages; ++i) first.push_back(i);
    dataset.test = datasets::subset(dataset.test, first);
  }
  const TestReport report = Predictor(device, weights).evaluate(dataset.test, kBatch);
  return {{"images", report.evaluation.count},
          {"seconds", report.timing.seconds + report.timing.waiting_seconds},
          {"waiting_seconds", report.timing.waiting_seconds},
          {"top1", 100 * report.evaluation.accuracy},
          {"top5", 100 * report.evaluation.top5.value_or(0)},
          {"weights", weights.file.filename().string()}};
}

std::vector<std::string> models_of(const PhotoSuite& suite, const PhotoSuiteOptions& options) {
  for (const std::string& model : options.models)
    if (std::ranges::find(suite.models, model) == suite.models.end())
      throw UsageError(fmt::format("suite {} has no network {}", suite.name, model));
  const std::vector<std::string>& asked = options.models.empty() ? suite.models : options.models;
  if (suite.task == PhotoTask::features) return asked;
  if (options.weights_dir.empty())
    throw UsageError("suite " + suite.name +
                     " needs --weights-dir: a folder with <network>.pth or .safetensors of each");
  for (const std::string& model : asked)
    if (weights_of(model, options.weights_dir).empty())
      throw UsageError(
          fmt::format("{0} has no {1}.safetensors, {1}.pth or {1}/*.pth: ./cairn fetch {1} --data-dir {0}, or "
                      "name the networks that are there by --model",
                      options.weights_dir, model));
  return asked;
}

void open_folder(const PhotoSuite& suite, const PhotoSuiteOptions& options, const fs::path& folder) {
  nlohmann::json settings = {
      {"suite", suite.name}, {"quick", options.quick}, {"threads", options.threads}, {"device", options.where}};
  if (suite.task == PhotoTask::classify) settings["dataset"] = options.dataset;
  open_suite_folder(folder, settings);
}

void write_pages(const PhotoSuite& suite, bool quick, const PhotoSuiteResult& result) {
  Page page(suite.title);
  if (quick)
    page.paragraph(
        fmt::format("The quick form: {} images. It shows that everything works; its figures are not to be "
                    "compared with the published ones.",
                    kQuickImages));
  std::vector<std::string> machines;
  for (const nlohmann::json& each : result.results) {
    const std::string line = each["impl"].get<std::string>() + " on " + each["machine"].get<std::string>();
    if (std::ranges::find(machines, line) == machines.end()) machines.push_back(line);
  }
  page.list(machines);
  page.paragraph("Published figures: " + suite.source + ". They were measured by others on other machines:");
  page.list(suite.notes);
  page.table("", photo_table(suite, result.results));
  write_text(result.folder / "report.md", page.markdown());
  write_text(result.folder / "report.html", page.html());
}

std::string optional_percent(const nlohmann::json& result, const char* name) {
  return result.contains(name) ? fmt::format("{:.2f} %", result[name].get<double>()) : "";
}

}  // namespace

std::vector<PhotoSuite> photo_suites() {
  return {{.name = "resnet50-features",
           .title = "Features of ResNet-50, in ten frameworks",
           .source = "ilkarman/DeepLearningFrameworks, its README",
           .notes = {"Batches of 32 images of random bytes, 256 of them on a CPU and 1280 on a GPU; the second of two "
                     "passes, with copies to the device.",
                     "The published images are random floats in [0, 1); here they have 256 steps.",
                     "Knet, and Gluon's resnet50_v1, have the stride on a block's first convolution: resnet50-v1.",
                     "Weights are drawn: they make no difference to the time."},
           .task = PhotoTask::features,
           .models = {"resnet50", "resnet50-v1"},
           .published = feature_figures()},
          {.name = "playground-imagenet",
           .title = "Five networks on ImageNet's validation photos",
           .source = "LucasRr/deep_learning_playground, its README",
           .notes = {"Batches of 32 photos, decoded, scaled and cut as torchvision does it; time is of all of it.",
                     "Weights are those in --weights-dir; the published figures are of torchvision's first ones.",
                     "The publication's sixth network, EfficientNet-b2, is not here."},
           .task = PhotoTask::classify,
           .models = {"alexnet", "vgg16", "inception-v3", "resnet18", "resnet101"},
           .published = photo_figures()}};
}

std::optional<PhotoSuite> find_photo_suite(const std::string& name) {
  for (const PhotoSuite& suite : photo_suites())
    if (suite.name == name) return suite;
  return {};
}

PhotoSuiteResult run_photo_suite(const PhotoSuite& suite, const PhotoSuiteOptions& options) {
  static const std::atomic<bool> never{false};
  const std::atomic<bool>& stop = options.stop ? *options.stop : never;
  const std::vector<std::string> models = models_of(suite, options);
  const std::vector<std::string> implementations =
      options.implementations.empty() ? implementations_here() : options.implementations;
  PhotoSuiteResult result;
  result.folder = options.out.empty() ? fs::path("runs") / ("compare-" + suite.name + (options.quick ? "-quick" : ""))
                                      : fs::path(options.out);
  open_folder(suite, options, result.folder);
  const FolderLock lock(result.folder);
  const fs::path file = result.folder / "results.jsonl";
  result.results = read_lines(file);
  for (const std::string& implementation : implementations)
    for (const std::string& model : models) {
      const bool finished = std::ranges::any_of(result.results, [&](const nlohmann::json& each) {
        return each.value("model", "") == model && each.value("impl", "") == implementation;
      });
      if (!options.quiet) say(fmt::format("{} by {}{}", model, implementation, finished ? ": finished before" : ""));
      if (finished) continue;
      if (stop) {
        result.interrupted = true;
        return result;
      }
      const std::shared_ptr<Device> device = Device::open(device_of(options, implementation));
      nlohmann::json measured = suite.task == PhotoTask::features ? time_features(model, options, device, stop)
                                                                  : classify(model, options, device);
      measured.update({{"model", model}, {"impl", implementation}, {"machine", device->description()}});
      append_line(file, measured);
      result.results.push_back(measured);
      write_pages(suite, options.quick, result);
    }
  write_pages(suite, options.quick, result);
  return result;
}

benchmarks::Table photo_table(const PhotoSuite& suite, const std::vector<nlohmann::json>& results) {
  benchmarks::Table table{
      {"network", "by", "on", "images", "seconds", "images/s"}, {false, false, false, true, true, true}, {}};
  const bool labelled = suite.task == PhotoTask::classify;
  if (labelled)
    for (const char* column : {"top-1", "top-5"}) {
      table.header.push_back(column);
      table.right.push_back(true);
    }
  const auto add = [&](std::vector<std::string> row, const std::string& top1, const std::string& top5) {
    if (labelled) row.insert(row.end(), {top1, top5});
    table.rows.push_back(std::move(row));
  };
  for (const std::string& model : suite.models) {
    for (const nlohmann::json& each : results) {
      if (each.value("model", "") != model) continue;
      const auto images = each.at("images").get<int64_t>();
      const double seconds = each.at("seconds");
      add({model, "Cairn, " + each.at("impl").get<std::string>(), "this machine", std::to_string(images),
           benchmarks::number(seconds), benchmarks::number(static_cast<double>(images) / seconds)},
          optional_percent(each, "top1"), optional_percent(each, "top5"));
    }
    for (const PhotoFigure& each : suite.published)
      if (each.model == model)
        add({model, each.by, each.device, std::to_string(each.images), benchmarks::number(each.seconds),
             benchmarks::number(static_cast<double>(each.images) / each.seconds)},
            each.top1 ? fmt::format("{:.1f} %", *each.top1) : "", each.top5 ? fmt::format("{:.1f} %", *each.top5) : "");
  }
  return table;
}

}  // namespace cairn::comparisons
