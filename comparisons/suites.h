// The published comparisons that `compare` repeats, as data: networks, recipes, data sets, the epochs at which they are
// read off, and the figures that were published. Not here: running them (run.h), pages (report.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cairn::comparisons {

// A network of a suite, which may stand there with several recipes. Marks are the epochs of the tables; the last one is
// where the recipe, or the quick form, ends.
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
  std::string recipe = {};  // which of the network's in the suite; "": it has only one
  bool is_of(const Network& network, const std::string& on) const {
    return model == network.model && (recipe.empty() || recipe == network.recipe) && dataset == on;
  }
};

// What is done with a trained network of images on its test images.
struct TestPlan {
  int64_t batch_size = 100;
  int64_t batches = 0;       // from the first image again at the end; 0: each image once
  bool own_process = false;  // by a `predict` that loads the saved weights, on the CPU
};

struct Suite {
  std::string name, title;
  std::string source;              // of the published figures
  std::vector<std::string> notes;  // what one has to know before comparing
  std::vector<std::string> datasets;
  std::vector<Network> networks;
  std::vector<PublishedCurve> published;
  std::optional<TestPlan> inference = {};  // also: this test, timed, and ten pictures in a process of their own
  int64_t quick_examples = 2000;           // training examples of --quick
};

// What a training's folder and plots are called: the network, and the recipe where the suite has several of it.
std::string curve_name(const Suite& suite, const std::string& model, const std::string& recipe);

std::span<const Suite> known_suites();
// Throws UsageError that lists the choices.
const Suite& find_suite(const std::string& name);

}  // namespace cairn::comparisons
