// The published comparisons that `compare` repeats, as data: networks, recipes, data sets, the epochs at which they are
// read off, and the figures that were published. Not here: running them (run.h), pages (report.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cairn::comparisons {

// A network of a suite. Marks are the epochs of the tables; the last one is where the recipe, or the quick form, ends.
struct Network {
  std::string model, recipe;
  std::string title;  // what the publication calls it
  std::vector<int64_t> marks, quick_marks;
  int64_t eval_every = 1;  // epochs between two points of the curve; every mark is a multiple of it
};

struct PublishedPoint {
  int64_t epoch = 0;
  std::optional<double> seconds, accuracy;  // accuracy in percent
};

// What somebody else measured with a network of the suite.
struct PublishedCurve {
  std::string model, dataset;  // as they are called here
  std::string by;              // "cuDNN"
  std::string device;          // what it ran on, or "not stated"
  bool training_accuracy = false;
  std::vector<PublishedPoint> points;
};

struct Suite {
  std::string name, title;
  std::string source;              // of the published figures
  std::vector<std::string> notes;  // what one has to know before comparing
  std::vector<std::string> datasets;
  std::vector<Network> networks;
  std::vector<PublishedCurve> published;
  bool inference = false;   // also: the whole test set in batches of 100, and ten pictures in a process of their own
  int64_t test_passes = 1;  // over the test set, of that test
  int64_t quick_images = 2000;  // training images of --quick
};

std::span<const Suite> known_suites();
// Throws UsageError that lists the choices.
const Suite& find_suite(const std::string& name);

}  // namespace cairn::comparisons
