// What a suite does with a trained network besides reading off its curve: the test set in batches of 100, timed, and
// ten pictures of digits given to a `predict` process that knows nothing but the saved weights. Not here: training.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "trainers/run_config.h"

namespace cairn::comparisons {

inline constexpr int64_t kTestBatch = 100;

// The first `images` test images, `passes` times over, on the weights that config.out holds.
nlohmann::json timed_test(const RunConfig& config, int64_t images, int64_t passes);

// The first test image of each class as a PNG file in config.out, and what the program made of them. Throws RunError
// with what the program said if it failed.
nlohmann::json predicted_digits(const RunConfig& config, const std::filesystem::path& program);

}  // namespace cairn::comparisons
