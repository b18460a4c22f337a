// What PyTorch made of a network, as comparisons/references/record.py recorded it: one JSON file a network, in it a
// case for each recipe and data set. Reading and checking those files. Not here: training against them (parity.h).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/shape.h"

namespace cairn::comparisons {

// Of one parameter in one step.
struct ReferenceGradient {
  std::string name;
  Shape shape;
  double norm = 0;
  std::vector<double> samples;  // of the elements that sample_places names
};

struct ReferenceEpoch {
  int64_t epoch = 0;
  double loss = 0, accuracy = 0;  // mean over the training set; fraction of the test set
};

// A form of PyTorch's step, timed or failed.
struct ReferenceTime {
  std::string form, data;  // "eager", "compiled", "graph"; "resident" tensors or a "loader"
  double step_ms = 0, epoch_seconds = 0;
  std::string failure;  // why there is no time
};

// A machine's and a PyTorch's figures.
struct ReferenceRun {
  std::string key;  // its own in the file
  std::string machine, processor, device, gpu, torch, date;
  int64_t threads = 0;
  double deviation_10 = 0, deviation_100 = 0;  // of its losses from the case's
  std::vector<ReferenceEpoch> epochs;
  // Accuracies after each epoch: of other seeds than the case's, and of that seed where only rounding differs.
  std::map<uint64_t, std::vector<double>> seeds;
  std::map<std::string, std::vector<double>> twins;
  std::vector<ReferenceTime> times;
};

struct ReferenceCase {
  std::string file, model, recipe, dataset;
  uint64_t seed = 0;
  nlohmann::json settings;   // the recipe's, as check_settings compares them
  std::string train_sha256;  // of the training images and then labels
  std::string torch;         // that computed the losses and gradients
  std::string parity_run;    // the key of the run that did; "": not told
  std::vector<double> losses;
  std::map<int64_t, std::vector<ReferenceGradient>> gradients;  // by step, 1 for the first
  // By step: how far PyTorch's losses lie from its own where only rounding differs (comparisons/references/training.py,
  // TWINS), and those of its other versions and devices. What these do not share, no other program can share with them.
  std::vector<double> own_deviation;
  // The same training in double precision; empty where it was not recorded. own_deviation: of batches in the opposite
  // order, in double precision too; where that was not recorded, none.
  struct InDouble {
    std::string torch;
    std::vector<double> losses;
    std::map<int64_t, std::vector<ReferenceGradient>> gradients;
    std::vector<double> own_deviation;
  } in_double;
  std::vector<ReferenceRun> runs;

  std::string label() const { return model + " " + recipe + " on " + dataset; }
};

inline constexpr int64_t kReferenceVersion = 1;

// Which elements of a tensor with that many are recorded.
std::vector<int64_t> sample_places(int64_t count);

// --references, else $CAIRN_REFERENCES, else where the sources or the installation keep them.
std::filesystem::path resolve_references(const std::string& folder);

// Every case of FOLDER/<model>.json. DataError, one line: not there, not JSON, of another program or version, cut
// short, a field that is missing or of another type.
std::vector<ReferenceCase> read_references(const std::filesystem::path& folder, const std::string& model);
// Whether the folder has a file of that network.
bool is_recorded(const std::filesystem::path& folder, const std::string& model);

}  // namespace cairn::comparisons
