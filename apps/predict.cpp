// predict: recognises what is in pictures or says what a text is, or tests a network on a data set. Parses flags and
// prints; the work is trainers/predictor.h's, datasets/digit_image.h's and datasets/color_image.h's.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/app.h"
#include "apps/device_flags.h"
#include "apps/flags.h"
#include "datasets/color_image.h"
#include "datasets/digit_image.h"
#include "datasets/file.h"
#include "datasets/order.h"
#include "framework/error.h"
#include "framework/file.h"
#include "framework/json_text.h"
#include "framework/message.h"
#include "trainers/mistake_grid.h"
#include "trainers/predictor.h"
#include "trainers/run_config.h"
#include "trainers/text_reader.h"

namespace cairn {
namespace {

constexpr const char* kStandardInput = "-";

struct Settings {
  WeightsChoice weights;
  DeviceOptions device;
  app::DeviceFlags device_flags;
  std::vector<std::string> files;
  std::optional<std::string> text;
  std::string dataset, data_dir, mistakes;
  bool check_hash = true, json = false, quiet = false, show = false;
  std::optional<int64_t> batch_size_asked;
  std::optional<int> top_asked;
  int64_t batch_size = 256, batches = 0;
  int top = 3;
};

void add_flags(app::Flags& flags, Settings& settings) {
  flags.add_words("PICTURE", settings.files,
                  "PNG or JPEG files, for a digit network of one handwritten digit each; - is standard input");
  flags.add("--text", settings.text, "a text, for a network of texts; - is standard input, a text a line");
  flags.add("--weights", settings.weights.path, "a run's folder, a safetensors file or a .pth");
  flags.add("--model", settings.weights.model, "network; default: the run's");
  flags.add("--recipe", settings.weights.recipe, "recipe it was trained with; default: the run's, else default");
  flags.add("--trained-on", settings.weights.trained_on,
            "data set it was trained on; default: the run's, else the first that fits");
  flags.add("--dataset", settings.dataset,
            ("test on this data set's test split instead: " + datasets::dataset_names()).c_str());
  flags.add("--data-dir", settings.data_dir, "where data sets are; default $CAIRN_DATA, else ./data");
  flags.add("--check-hash", settings.check_hash, "refuse data files that are not the published ones (true or false)");
  flags.add("--mistakes", settings.mistakes, "with --dataset: write the worst mistakes to this PNG file");
  settings.device_flags.add(flags, settings.device);
  flags.add("--batch-size", settings.batch_size_asked, "images at a time; default 256, of photos 32; 0 = all");
  flags.add("--batches", settings.batches,
            "with --dataset: so many of them, from the first image again at the end; 0 = each image once");
  flags.add("--top", settings.top_asked, "most probable classes to print; default 3, of photos 5");
  flags.add_switch("--show", settings.show, "draw what the network sees");
  flags.add_switch("--json", settings.json, "print the result as one JSON object, the last line of stdout");
  flags.add_switch("--quiet", settings.quiet, "print only errors and results");
}

// What was not asked for hangs on the network.
void resolve(Settings& settings, bool photos) {
  settings.batch_size = settings.batch_size_asked.value_or(photos ? 32 : 256);
  settings.top = settings.top_asked.value_or(photos ? 5 : 3);
}

void check(const Settings& settings) {
  if (settings.weights.path.empty())
    throw UsageError("--weights is needed: a run's folder, a safetensors file or a .pth");
  if (!settings.files.empty() + settings.text.has_value() + !settings.dataset.empty() != 1)
    throw UsageError("give pictures to recognise, or --text, or --dataset to test on: one of them");
  const auto inputs =
      std::ranges::count(settings.files, "-") + (settings.weights.path == "-") + (settings.text == kStandardInput);
  if (inputs > 1) throw UsageError("standard input (-) can be read only once");
  if (!settings.mistakes.empty() && settings.dataset.empty()) throw UsageError("--mistakes goes with --dataset");
  if (settings.batches < 0) throw UsageError(fmt::format("--batches must be 0 or more, not {}", settings.batches));
  if (settings.batches > 0 && (settings.dataset.empty() || settings.batch_size == 0))
    throw UsageError("--batches goes with --dataset and a --batch-size");
  if (settings.show && settings.files.empty()) throw UsageError("--show goes with pictures");
  if (settings.top < 1) throw UsageError(fmt::format("--top must be 1 or more, not {}", settings.top));
  check_device(settings.device);
}

// Pictures and texts each have networks of their own.
void check_kind(const Settings& settings, const Weights& weights) {
  const ModelInfo& model = *weights.model;
  if (settings.text && !takes_texts(model))
    throw UsageError("--text is for networks of texts; model " + model.name + " takes images");
  if (!takes_texts(model)) return;
  if (!settings.files.empty())
    throw UsageError("pictures are for networks of images; model " + model.name + " takes texts: --text");
  if (!settings.mistakes.empty())
    throw UsageError("--mistakes draws images; model " + model.name + " takes texts, whose worst mistakes are printed");
}

// What the data set that the network was trained on calls a class; its number, where it has fewer.
std::string class_name(const Weights& weights, int label) {
  const auto i = static_cast<size_t>(label);
  return i < weights.class_names.size() ? weights.class_names[i] : std::to_string(label);
}

nlohmann::json to_json(const Weights& weights, const std::vector<ClassProbability>& classes) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& [label, probability] : classes)
    list.push_back({{"class", label}, {"name", class_name(weights, label)}, {"probability", probability}});
  return list;
}

std::string timing_text(const PredictionTiming& timing, const Weights& weights) {
  const std::string waiting =
      timing.waiting_seconds > 0 ? fmt::format(", and {:.3g} s of waiting for files", timing.waiting_seconds) : "";
  return fmt::format("{:.0f} {}/s, median {:.3g} ms for a batch of {}{}", timing.images_per_second,
                     examples_of(*weights.model), 1e3 * timing.median_batch_seconds, timing.batch_size, waiting);
}

// What the network takes a picture or a text for: the most probable class, and then the next ones.
std::string answer(const Weights& weights, const std::vector<ClassProbability>& top) {
  std::string text = fmt::format("{}  {:.2f} %", class_name(weights, top[0].label), 100 * top[0].probability);
  for (size_t k = 1; k < top.size(); ++k)
    text += fmt::format("{}{} {:.2f} %", k == 1 ? "   then " : ", ", class_name(weights, top[k].label),
                        100 * top[k].probability);
  return text;
}

// What every result says of how it was computed.
nlohmann::json identity(const Settings& settings, const Weights& weights, const Device& device, int64_t images,
                        const PredictionTiming& timing) {
  return {{"model", weights.model->name},
          {"weights", weights.file.string()},
          {"impl", device.implementation()},
          {"device", name_of(device.where())},
          {"precision", name_of(settings.device.precision)},
          {"threads", device.threads()},
          {"images", images},
          {"batch_size", timing.batch_size},
          {"batches", timing.batches},
          {"seconds", timing.seconds},
          {"median_batch_seconds", timing.median_batch_seconds},
          {"images_per_second", timing.images_per_second},
          {"waiting_seconds", timing.waiting_seconds}};
}

// Two columns a pixel, so that it is about square on a terminal. Colour as the mean of its channels.
void draw(const Shape& image, std::span<const uint8_t> pixels) {
  constexpr const char* kShades[] = {"  ", "░░", "▒▒", "▓▓", "██"};
  const auto channels = static_cast<size_t>(image[0]), plane = static_cast<size_t>(image[1] * image[2]);
  for (size_t i = 0; i < plane; ++i) {
    size_t sum = 0;
    for (size_t channel = 0; channel < channels; ++channel) sum += pixels[channel * plane + i];
    app::print("{}{}", kShades[(sum / channels * 4 + 200) / 255],
               (i + 1) % static_cast<size_t>(image[2]) == 0 ? "\n" : "");
  }
}

const Shape kDigitImage{1, datasets::kDigitSide, datasets::kDigitSide};

// Those that can be read, one after the other; each of the rest is a line on stderr.
struct Pictures {
  std::vector<std::string> files;
  datasets::Bytes pixels;
  std::vector<std::vector<std::string>> doubts;  // of each: what may be wrong with the picture
};

// photo_side: as prepare_color's shorter side.
Pictures read_pictures(const std::vector<std::string>& files, const Shape& image, int64_t photo_side) {
  Pictures pictures;
  const auto append = [&](const auto& pixels, std::vector<std::string> doubts) {
    pictures.pixels.insert(pictures.pixels.end(), pixels.begin(), pixels.end());
    pictures.doubts.push_back(std::move(doubts));
  };
  for (const std::string& file : files) {
    try {
      const datasets::Picture picture = datasets::read_picture(file);
      if (image == kDigitImage) {
        datasets::PreparedDigit digit = datasets::prepare_digit(picture, file);
        append(digit.pixels, std::move(digit.doubts));
      } else {
        append(prepare_color(picture, image, photo_side), {});
      }
      pictures.files.push_back(file);
    } catch (const DataError& error) {
      say(fmt::format("predict: {}", error.what()));
    }
  }
  return pictures;
}

// What follows the single answers: all of them as JSON, or how long they took.
void finish(const Settings& settings, const Weights& weights, const Device& device, const Predictions& predictions,
            const nlohmann::json& answers) {
  if (settings.json) {
    nlohmann::json result = identity(settings, weights, device, predictions.count, predictions.timing);
    result["predictions"] = answers;
    app::print("{}\n", dump_json(result));
  } else if (!settings.quiet) {
    say(timing_text(predictions.timing, weights));
  }
}

int recognise(const Settings& settings, const Weights& weights, Device& device, Predictor& predictor) {
  // A network that sees a window of its images gets a picture of their size, and takes the window's place in it.
  const bool window = weights.augmentation.crop > 0;
  const Shape image = window ? datasets::find_dataset(weights.trained_on).image : weights.model->input;
  if (image != kDigitImage && image[0] != 3)
    throw UsageError("pictures are made into images of " + kDigitImage.text() + " or of three channels; model " +
                     weights.model->name + " takes " + image.text());
  const Pictures pictures = read_pictures(settings.files, image, weights.model->photo_side);
  const int code = pictures.files.size() == settings.files.size() ? app::kDone : app::kBadInput;
  if (pictures.files.empty()) return code;
  const Predictions predictions = predictor.predict(datasets::image_split(image, pictures.pixels), settings.batch_size);

  nlohmann::json list = nlohmann::json::array();
  for (int64_t i = 0; i < predictions.count; ++i) {
    const std::string& file = pictures.files[static_cast<size_t>(i)];
    const std::vector<ClassProbability> top = top_classes(predictions, i, settings.top);
    const std::vector<std::string>& doubts = pictures.doubts[static_cast<size_t>(i)];
    list.push_back({{"file", file},
                    {"class", top[0].label},
                    {"name", class_name(weights, top[0].label)},
                    {"probability", top[0].probability},
                    {"top", to_json(weights, top)},
                    {"doubts", doubts}});
    if (settings.show) {
      const auto size = static_cast<size_t>(image.count());
      draw(image, std::span(pictures.pixels).subspan(static_cast<size_t>(i) * size, size));
    }
    if (settings.json) continue;
    app::print("{}  {}", file, answer(weights, top));
    if (!doubts.empty()) app::print("   doubtful: {}", fmt::join(doubts, "; "));
    app::print("\n");
  }
  finish(settings, weights, device, predictions, list);
  return code;
}

// The text that was given, or the lines of standard input, whatever system ended them.
std::vector<std::string> read_texts(const std::string& given) {
  constexpr size_t kMostTexts = 100'000;
  if (given != kStandardInput) return {given};
  const datasets::Bytes input = datasets::read_file(kStandardInput, Pipes::read);
  std::vector<std::string> texts;
  for (auto begin = input.begin(); begin != input.end();) {
    const auto end = std::find(begin, input.end(), '\n');
    if (texts.size() == kMostTexts)
      throw DataError(fmt::format("standard input: has more than {} lines, the most texts at a time", kMostTexts));
    texts.emplace_back(begin, end);
    if (texts.back().ends_with('\r')) texts.back().pop_back();
    begin = end == input.end() ? end : end + 1;
  }
  return texts;
}

// What the network made of the words, where there is something to say.
std::string remarks(const TextReader::Reading& reading, bool last) {
  constexpr size_t kListed = 10;
  std::string text;
  if (reading.seen < reading.words)
    text += fmt::format("   reads the {} {} of {} words", last ? "last" : "first", reading.seen, reading.words);
  if (reading.words == 0) text += "   no words";
  for (size_t i = 0; i < std::min(kListed, reading.unknown.size()); ++i)
    text += (i == 0 ? "   unknown: " : ", ") + in_quotes(to_json_text(reading.unknown[i]));
  if (reading.unknown.size() > kListed) text += fmt::format(" and {} more", reading.unknown.size() - kListed);
  return text;
}

int judge(const Settings& settings, const Weights& weights, Device& device, Predictor& predictor) {
  const TextReader reader(weights);
  std::vector<TextReader::Reading> readings;
  datasets::Texts texts;
  for (const std::string& text : read_texts(*settings.text)) {
    readings.push_back(reader.read(text));
    texts.add(weights.text.shown(readings.back().ranks));
    readings.back().ranks = {};
  }
  const Predictions predictions = predictor.predict(datasets::text_split(std::move(texts)), settings.batch_size);
  nlohmann::json list = nlohmann::json::array();
  for (int64_t i = 0; i < predictions.count; ++i) {
    const TextReader::Reading& reading = readings[static_cast<size_t>(i)];
    const std::vector<ClassProbability> top = top_classes(predictions, i, settings.top);
    if (settings.json)
      list.push_back({{"class", top[0].label},
                      {"name", class_name(weights, top[0].label)},
                      {"probability", top[0].probability},
                      {"top", to_json(weights, top)},
                      {"words", reading.words},
                      {"words_read", reading.seen},
                      {"unknown", reading.unknown}});
    else
      app::print("{}{}{}\n", settings.text == kStandardInput ? fmt::format("line {}  ", i + 1) : "",
                 answer(weights, top), remarks(reading, weights.text.keep_last));
  }
  finish(settings, weights, device, predictions, list);
  return app::kDone;
}

void print_confusion(const TestReport& report) {
  constexpr size_t kMost = 20;  // classes, a column each
  const size_t classes = report.confusion.size();
  if (classes > kMost) return app::print("\nright and predicted classes: {0} x {0} counts, with --json", classes);
  app::print("\nright class (down) and predicted class (across)\n{:4}", "");
  for (size_t label = 0; label < classes; ++label) app::print("{:7}", label);
  for (size_t label = 0; label < classes; ++label) {
    app::print("\n{:4}", label);
    for (const int64_t count : report.confusion[label]) app::print("{:7}", count);
  }
}

// What the network read of a text of the test split, at most so many words of it: the ones at the end that it keeps.
std::string excerpt(const datasets::Dataset& dataset, const Weights& weights, int64_t index, size_t most) {
  const std::span<const int32_t> shown = weights.text.shown(dataset.test.texts->text(index));
  const bool last = weights.text.keep_last, cut = shown.size() > most;
  const std::string text = text_of(cut ? (last ? shown.last(most) : shown.first(most)) : shown, dataset.words.get());
  return fmt::format("{}{}{}", cut && last ? "... " : "", text, cut && !last ? " ..." : "");
}

void print_report(const TestReport& report, const datasets::Dataset& dataset, const Weights& weights) {
  constexpr size_t kListedWords = 40;
  const std::vector<std::string>& names = dataset.class_names;
  constexpr size_t kListed = 10;
  const Evaluation& evaluation = report.evaluation;
  const std::string top5 = evaluation.top5 ? fmt::format("  top-5 {:.2f} %", 100 * *evaluation.top5) : std::string();
  app::print("accuracy {:.2f} % ({} of {}){}  loss {:.4f}\n", 100 * evaluation.accuracy, evaluation.correct,
             evaluation.count, top5, evaluation.loss);
  print_confusion(report);
  if (!report.mistakes.empty()) app::print("\n\nworst mistakes of {}\n", report.mistakes.size());
  for (size_t i = 0; i < std::min(kListed, report.mistakes.size()); ++i) {
    const Mistake& mistake = report.mistakes[i];
    app::print("  {} {:<6} is {} and was taken for {} ({:.2f} %)\n", dataset.test.texts ? "text" : "image",
               mistake.index, names[static_cast<size_t>(mistake.label)], names[static_cast<size_t>(mistake.predicted)],
               100 * mistake.probability);
    if (dataset.test.texts)
      app::print("    {}\n", without_controls(to_json_text(excerpt(dataset, weights, mistake.index, kListedWords))));
  }
  app::print("\n{}\n", timing_text(report.timing, weights));
}

// The data set's ranks become those that the network was trained with, as far as words are known.
void use_words_of(const Weights& weights, datasets::Dataset& dataset) {
  if (!has_words(weights)) return;
  const TextReader reader(weights);
  if (!dataset.words) {
    dataset.words = reader.index();
    return;
  }
  datasets::Texts texts = reader.translated(*dataset.test.texts, *dataset.words);
  if (texts.ranks == dataset.test.texts->ranks) return;
  dataset.test.texts = std::move(texts);
  dataset.words = reader.index();
}

int test(const Settings& settings, const Weights& weights, Device& device, Predictor& predictor) {
  datasets::LoadOptions load;
  load.quiet = settings.quiet;
  load.check_hash = settings.check_hash;
  load.test_only = true;
  const datasets::NetworkInput input = network_input(*weights.model, find_recipe(*weights.model, weights.recipe));
  load.photos = photo_form(input);
  datasets::Dataset dataset = datasets::load_dataset(settings.dataset, settings.data_dir, load);
  scale_to_fit(input, dataset);
  check_fit(input, dataset);
  if (dataset.test.texts) use_words_of(weights, dataset);
  if (settings.batches > 0) dataset.test = repeated(dataset.test, settings.batches * settings.batch_size);
  const TestReport report = predictor.evaluate(dataset.test, settings.batch_size);

  const bool draw_grid = !settings.mistakes.empty() && !report.mistakes.empty();
  if (draw_grid) {
    const datasets::Bytes file = encode_png(draw_mistakes(dataset.test, report.mistakes));
    const std::span<const std::byte> bytes = std::as_bytes(std::span(file));
    write_file_atomically(settings.mistakes, std::span(&bytes, 1));
  }
  if (!settings.mistakes.empty() && !settings.quiet)
    say(draw_grid ? "the worst mistakes are in " + settings.mistakes
                  : "no mistakes: " + settings.mistakes + " was not written");
  if (!settings.json) {
    print_report(report, dataset, weights);
    return app::kDone;
  }
  nlohmann::json mistakes = nlohmann::json::array();
  for (size_t i = 0; i < std::min(kMistakesShown, report.mistakes.size()); ++i) {
    const Mistake& mistake = report.mistakes[i];
    mistakes.push_back({{"index", mistake.index},
                        {"class", mistake.label},
                        {"predicted", mistake.predicted},
                        {"probability", mistake.probability},
                        {"class_probability", mistake.label_probability}});
    if (dataset.test.texts) mistakes.back()["text"] = excerpt(dataset, weights, mistake.index, SIZE_MAX);
  }
  nlohmann::json result = identity(settings, weights, device, dataset.test.count, report.timing);
  result.update({{"dataset", dataset.name},
                 {"test_loss", report.evaluation.loss},
                 {"test_accuracy", report.evaluation.accuracy},
                 {"correct", report.evaluation.correct},
                 {"confusion", report.confusion},
                 {"mistakes", mistakes}});
  if (report.evaluation.top5) result["test_top5_accuracy"] = *report.evaluation.top5;
  app::print("{}\n", dump_json(result));
  return app::kDone;
}

int predict(int argc, char** argv) {
  app::Flags flags("predict",
                   "Recognises what is in pictures or says what a text is, or tests a network on a data set.");
  Settings settings;
  add_flags(flags, settings);
  if (!flags.parse(argc, argv)) return app::kDone;
  settings.device_flags.resolve(settings.device);
  resolve(settings, false);
  check(settings);
  if (!settings.quiet) app::warn_of_threads("predict", settings.device.threads);

  const Weights weights = find_weights(settings.weights);
  check_kind(settings, weights);
  resolve(settings, takes_photos(*weights.model));
  const std::shared_ptr<Device> device = Device::open(settings.device);
  Predictor predictor(device, weights);
  if (!settings.quiet)
    say(fmt::format("model {} from {}, trained on {} (recipe {})\n{}: {}", weights.model->name, weights.file.string(),
                    weights.trained_on, weights.recipe, device->label(), device->description()));
  if (settings.text) return judge(settings, weights, *device, predictor);
  return settings.files.empty() ? test(settings, weights, *device, predictor)
                                : recognise(settings, weights, *device, predictor);
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) {
  return cairn::app::guarded("predict", [&] { return cairn::predict(argc, argv); });
}
