// What the trainer's tests share: devices of this machine, data sets made for a test, short runs.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "trainers/trainer.h"

namespace cairn::testing {

// Every implementation that runs on this machine's CPU.
inline const std::vector<std::string> kCpuImplementations = {"reference", "simd", "vanilla"};

// A stop that never comes.
inline const std::atomic<bool> kNever{false};

// Of the CPU, with two threads.
std::shared_ptr<Device> open(const std::string& implementation);

RunConfig config_for(const std::string& model, const std::string& recipe, const std::string& implementation,
                     int threads = 2);

// The first `count` training images of a data set, `test_count` test images.
datasets::Dataset load(const std::string& name, int64_t count, int64_t test_count);
bool has_mnist();

Trainer make_trainer(const RunConfig& config, const datasets::Dataset& dataset);

// Losses of the first `steps` steps.
std::vector<float> first_losses(Trainer& trainer, int64_t steps);
std::vector<std::byte> parameter_bytes(Trainer& trainer);

// A folder that goes away with the test; it is not there yet.
struct TemporaryFolder {
  TemporaryFolder();
  ~TemporaryFolder();
  std::filesystem::path path;
};

// Of `linear` on the generated digits: 40 steps an epoch.
RunConfig short_run(const std::filesystem::path& out, int64_t epochs);

}  // namespace cairn::testing
