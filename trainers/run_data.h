// What a run computes with: the device and the data set that its settings name, the latter checked against the record
// of what it was. Not here: training (run.h), reading data sets (datasets/).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "datasets/dataset.h"
#include "trainers/run.h"
#include "trainers/trainer.h"

namespace cairn {

// SHA-256, in hexadecimal digits, of a data set's shapes, images or texts, and labels.
std::string data_sha256(const datasets::Dataset& dataset);

// Opens each thing once, however often it is asked for in a row.
class RunResources {
 public:
  explicit RunResources(const RunOptions& options) : options_(options) {}

  // Fills in what only the machine and its data can say: the device, the data set's name and hash, the number of
  // classes of a model that has as many as its data. Throws DataError for
  // data of another hash than the settings have.
  void settle_device(RunConfig& config);
  void settle(RunConfig& config);
  // A trainer for these settings.
  std::unique_ptr<Trainer> trainer(const RunConfig& config);
  // What the last one trains, with what and how, in lines for people.
  const std::string& banner() const { return banner_; }
  const Device& device() const { return *device_; }
  // What its texts' ranks stand for; null: that is not known, or it is trained on images.
  const datasets::WordIndex* words() const { return words_.get(); }
  // Its classes' names, a line each, where the table of data sets does not say them; else "".
  const std::string& class_lines() const { return class_lines_; }

 private:
  RunOptions options_;
  std::shared_ptr<Device> device_;
  DeviceOptions device_options_;
  std::optional<datasets::Dataset> dataset_;
  std::shared_ptr<const datasets::WordIndex> words_;
  std::string banner_, class_lines_;
  int classes_ = 0;   // of the data
  RunConfig loaded_;  // the settings that dataset_ belongs to
};

}  // namespace cairn
