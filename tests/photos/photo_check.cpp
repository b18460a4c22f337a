// photo_check: how many rendered photos of digits a trained network reads, as `predict` would. The figures of
// docs/predict.md are its output.
#include <fmt/format.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>

#include "apps/app.h"
#include "apps/flags.h"
#include "datasets/digit_image.h"
#include "framework/error.h"
#include "tests/photos/photo.h"
#include "trainers/predictor.h"

namespace cairn {
namespace {

struct Options {
  WeightsChoice weights;
  std::string source = "mnist", data_dir, out;
  uint64_t seed = 1;
  int64_t count = 400, empty = 150;
};

void write(const std::string& folder, const std::string& name, const datasets::Picture& picture) {
  if (folder.empty()) return;
  std::filesystem::create_directories(folder);
  const datasets::Bytes bytes = datasets::encode_png(picture);
  std::ofstream(std::filesystem::path(folder) / name, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::string describe(const photos::Settings& s) {
  constexpr const char* kPapers[] = {"plain", "ruled", "squared"};
  return fmt::format(
      "{} {}x{} digit {:.0f} px pen {:.3f} tilt {:.0f} falloff {:.2f} lamp {:.1f} shadow {:.2f} blur {:.1f} noise "
      "{:.0f}",
      kPapers[static_cast<int>(s.paper)], s.width, s.height, s.digit * static_cast<float>(std::min(s.width, s.height)),
      s.pen, s.tilt_degrees, s.falloff, s.lamp, s.shadow, s.blur_pixels, s.noise);
}

struct Tally {
  int64_t count = 0, right = 0, confident_misses = 0, refused = 0, doubted = 0;
};

// How many photos of the same papers under the same lights, with nothing written on them, are said to be blank.
void check_empty(const Options& options) {
  int64_t blank = 0;
  for (uint32_t index = 0; index < options.empty; ++index) {
    const photos::Settings settings = photos::draw_settings(options.seed, index, true);
    const std::string name = fmt::format("empty{:04}", index);
    const datasets::Picture picture = photos::take_photo(nullptr, settings);
    std::string outcome = "one digit";
    try {
      datasets::prepare_digit(picture, name);
    } catch (const DataError& error) {
      outcome = error.what();
    }
    if (outcome.find("is blank") != std::string::npos) {
      ++blank;
      continue;
    }
    write(options.out, name + ".png", picture);
    app::print("{}  is empty, taken for: {}  ({})\n", name, outcome, describe(settings));
  }
  app::print("empty            {:5} photos  {} said to be blank\n", options.empty, blank);
}

int check_photos(int argc, char** argv) {
  app::Flags flags("photo_check", "Counts how many rendered photos of digits a trained network reads.");
  Options options;
  flags.add("--weights", options.weights.path, "a run's folder or a safetensors file");
  flags.add("--source", options.source, "what is written: mnist (images of its test split) or strokes");
  flags.add("--data-dir", options.data_dir, "where data sets are; default $CAIRN_DATA, else ./data");
  flags.add("--seed", options.seed, "of every property of every photo");
  flags.add("--photos", options.count, "how many");
  flags.add("--empty", options.empty, "how many photos of paper without writing");
  flags.add("--out", options.out, "write each photo that is not read, and what the network saw, to this folder");
  if (!flags.parse(argc, argv)) return app::kDone;
  if (options.source != "mnist" && options.source != "strokes")
    throw UsageError(fmt::format("--source must be mnist or strokes, not '{}'", options.source));
  for (const auto& [flag, count] : {std::pair{"--photos", options.count}, {"--empty", options.empty}})
    if (count < 0 || count > 1'000'000)
      throw UsageError(fmt::format("{} must be between 0 and 1000000, not {}", flag, count));

  datasets::Dataset mnist;
  if (options.source == "mnist") mnist = datasets::load_dataset("mnist", options.data_dir, {.quiet = true});
  Predictor predictor(Device::open({.implementation = "simd", .threads = 1}), find_weights(options.weights));
  Tally all;
  std::map<std::string, Tally> parts;
  for (uint32_t index = 0; index < options.count; ++index) {
    const photos::Photo taken = options.source == "mnist" ? photos::random_photo(options.seed, index, mnist.test)
                                                          : photos::random_photo(options.seed, index);
    const std::string name = fmt::format("photo{:04}", index);
    Tally one;
    one.count = 1;
    std::string outcome;
    try {
      const auto [pixels, doubts] = datasets::prepare_digit(taken.picture, name);
      const Predictions predictions =
          predictor.predict(datasets::image_split({1, 28, 28}, {pixels.begin(), pixels.end()}), 1);
      const ClassProbability best = top_classes(predictions, 0, 1)[0];
      one.right = best.label == taken.label;
      one.confident_misses = !one.right && best.probability > 0.9f;
      one.doubted = !doubts.empty();
      outcome = fmt::format("{} at {:.2f} % {}", best.label, 100 * best.probability, fmt::join(doubts, "; "));
      if (!one.right) write(options.out, name + "-seen.png", {28, 28, 1, {pixels.begin(), pixels.end()}});
    } catch (const DataError& error) {
      one.refused = 1;
      outcome = error.what();
    }
    if (!one.right) {
      write(options.out, name + ".png", taken.picture);
      app::print("{}  is {}, read as {}  ({})\n", name, taken.label, outcome, describe(taken.settings));
    }
    constexpr const char* kPapers[] = {"paper plain", "paper ruled", "paper squared"};
    for (Tally* tally : {&all, &parts[kPapers[static_cast<int>(taken.settings.paper)]],
                         &parts[taken.settings.shadow > 0 ? "shadow" : "no shadow"],
                         &parts[taken.settings.falloff > 0 ? "light falls off" : "light even"],
                         &parts[taken.settings.noise > 5 ? "noise above 5" : "noise to 5"]}) {
      tally->count += one.count;
      tally->right += one.right;
      tally->confident_misses += one.confident_misses;
      tally->refused += one.refused;
      tally->doubted += one.doubted;
    }
  }
  if (all.count > 0) parts["all"] = all;  // no photos have no rates
  for (const auto& [name, tally] : parts)
    app::print("{:16} {:5} photos  {:6.2f} % right  {:5.2f} % confident misses  {:3} refused  {:3} doubted\n", name,
               tally.count, 100.0 * static_cast<double>(tally.right) / static_cast<double>(tally.count),
               100.0 * static_cast<double>(tally.confident_misses) / static_cast<double>(tally.count), tally.refused,
               tally.doubted);
  if (options.empty > 0) check_empty(options);
  return app::kDone;
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) {
  return cairn::app::guarded("photo_check", [&] { return cairn::check_photos(argc, argv); });
}
