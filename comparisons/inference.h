// What a suite does with a trained network besides reading off its curve: the test set in batches, timed, and a picture
// of each class given to a `predict` process that knows nothing but the saved weights. Not here: training.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "comparisons/suites.h"
#include "trainers/run_config.h"

namespace cairn::comparisons {

// On the weights that config.out holds; quick: ten batches at most. Throws what predicted_digits does.
nlohmann::json timed_test(const RunConfig& config, const TestPlan& plan, bool quick,
                          const std::filesystem::path& program);

// The first test image of each class as a PNG file in config.out, and what the program made of them. Throws RunError
// with what the program said if it failed.
nlohmann::json predicted_digits(const RunConfig& config, const std::filesystem::path& program);

}  // namespace cairn::comparisons
