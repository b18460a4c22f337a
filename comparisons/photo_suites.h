// Published comparisons of networks for photos whose weights are given: how fast they make features, and how well and
// how fast they tell ImageNet's photos apart. Not here: suites that train (suites.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/table.h"

namespace cairn::comparisons {

// What somebody else measured.
struct PhotoFigure {
  std::string model;       // as it is called here
  std::string by, device;  // "PyTorch", "K80"
  int64_t images = 0;
  double seconds = 0;
  std::optional<double> top1 = {}, top5 = {};  // in percent
};

enum class PhotoTask {
  features,  // of random images, with drawn weights: the second of two passes
  classify,  // the photos of a data set, with published weights, from files to the five likeliest classes
};

struct PhotoSuite {
  std::string name, title;
  std::string source;              // of the published figures
  std::vector<std::string> notes;  // what one has to know before comparing
  PhotoTask task;
  std::vector<std::string> models;
  std::vector<PhotoFigure> published;
};

std::vector<PhotoSuite> photo_suites();
// Nothing: no suite of photos is called so.
std::optional<PhotoSuite> find_photo_suite(const std::string& name);

struct PhotoSuiteOptions {
  std::vector<std::string> implementations, models;  // empty: all that this machine has, without reference; the suite's
  std::string dataset = "imagenet", data_dir;        // of PhotoTask::classify
  std::string
      weights_dir;  // likewise: <model>.safetensors, <model>.pth, or <model>/ with one of either, as fetch leaves it
  bool check_hash = true, quick = false, quiet = false;
  std::string where = "auto";
  int threads = 0;
  std::string out;
  const std::atomic<bool>* stop = nullptr;
};

struct PhotoSuiteResult {
  bool interrupted = false;
  std::filesystem::path folder;         // of report.md, report.html and results.jsonl
  std::vector<nlohmann::json> results;  // a network and implementation each, of all calls for the folder
};

// The same call goes on with what an earlier one has not finished. Throws UsageError for a network without weights and
// a folder of other settings; and what reading weights and photos throws.
PhotoSuiteResult run_photo_suite(const PhotoSuite& suite, const PhotoSuiteOptions& options);

// Ours and the published ones, network by network.
benchmarks::Table photo_table(const PhotoSuite& suite, const std::vector<nlohmann::json>& results);

}  // namespace cairn::comparisons
