#include "comparisons/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "comparisons/files.h"
#include "comparisons/page.h"
#include "datasets/png.h"
#include "models/model.h"
#include "trainers/median.h"

namespace cairn::comparisons {
namespace {

namespace fs = std::filesystem;

std::string word(const nlohmann::json& result, const char* name) {
  return result.at(name).get<std::string>();
}

std::string label(const nlohmann::json& result) {
  return word(result, "impl") + " on " + word(result, "device");
}

std::string label(const PublishedCurve& curve) {
  return fmt::format("{}, published", curve.by);
}

// "images" or "texts": a suite's networks are all of one kind.
std::string examples_of(const Suite& suite) {
  return cairn::examples_of(find_model(suite.networks.front().model));
}

std::string training_examples_of(const Suite& suite) {
  return std::string(", training ") + examples_of(suite);
}

// The data sets that have a training, in the order of the results.
std::vector<std::string> datasets_of(const std::vector<nlohmann::json>& results) {
  std::vector<std::string> names;
  for (const nlohmann::json& result : results)
    if (std::ranges::find(names, word(result, "dataset")) == names.end()) names.push_back(word(result, "dataset"));
  return names;
}

template <class Use>
void for_trainings(const std::vector<nlohmann::json>& results, const Network& network, const std::string& dataset,
                   const Use& use) {
  for (const nlohmann::json& result : results)
    if (word(result, "model") == network.model && word(result, "recipe") == network.recipe &&
        word(result, "dataset") == dataset)
      use(result);
}

template <class Use>
void for_published(const Suite& suite, const Network& network, const std::string& dataset, const Use& use) {
  for (const PublishedCurve& curve : suite.published)
    if (curve.is_of(network, dataset)) use(curve);
}

// The epochs that get a column: the marks that a training reaches and those that were published.
std::vector<int64_t> columns_of(const Suite& suite, bool quick, const std::vector<nlohmann::json>& results,
                                const std::string& dataset) {
  std::set<int64_t> epochs;
  for (const Network& network : suite.networks) {
    const std::vector<int64_t>& marks = quick ? network.quick_marks : network.marks;
    for_trainings(results, network, dataset, [&](const nlohmann::json& result) {
      int64_t last = 0;
      for (const nlohmann::json& point : result.at("points")) {
        last = point.at("epoch");
        if (std::ranges::find(marks, last) != marks.end()) epochs.insert(last);
      }
      if (last > 0) epochs.insert(last);
    });
    for_published(suite, network, dataset, [&](const PublishedCurve& curve) {
      for (const PublishedPoint& point : curve.points) epochs.insert(point.epoch);
    });
  }
  return {epochs.begin(), epochs.end()};
}

std::string seconds_text(double seconds) {
  return benchmarks::number(seconds) + " s";
}

std::string accuracy_text(const nlohmann::json& point) {
  const std::string tested = percent_text(point.at("accuracy").get<double>());
  const auto counted = point.find("train_accuracy");
  return counted == point.end() ? tested
                                : fmt::format("{} (training {})", tested, percent_text(counted->get<double>()));
}

SuiteTables tables_of(const Suite& suite, bool quick, const std::vector<nlohmann::json>& results,
                      const std::string& dataset) {
  const std::vector<int64_t> columns = columns_of(suite, quick, results, dataset);
  SuiteTables tables{dataset, {{"network", "by", "on"}, {false, false, false}, {}}, {}};
  for (const int64_t epoch : columns) {
    tables.seconds.header.push_back(fmt::format("{} {}", epoch, epoch == 1 ? "epoch" : "epochs"));
    tables.seconds.right.push_back(true);
  }
  tables.accuracy = tables.seconds;
  const auto add = [&](const std::vector<std::string>& head, const auto& cell) {
    std::vector<std::string> seconds = head, accuracy = head;
    for (const int64_t epoch : columns) {
      const auto [time, hits] = cell(epoch);
      seconds.push_back(time);
      accuracy.push_back(hits);
    }
    tables.seconds.rows.push_back(seconds);
    tables.accuracy.rows.push_back(accuracy);
  };
  for (const Network& network : suite.networks) {
    for_trainings(results, network, dataset, [&](const nlohmann::json& result) {
      const int threads = result.at("threads");
      const std::string on =
          threads > 0 ? fmt::format("{}, {} threads", word(result, "device"), threads) : word(result, "device");
      add({network.title, word(result, "impl"), on}, [&](int64_t epoch) -> std::pair<std::string, std::string> {
        for (const nlohmann::json& point : result.at("points"))
          if (point.at("epoch") == epoch) return {seconds_text(point.at("seconds")), accuracy_text(point)};
        return {};
      });
    });
    for_published(suite, network, dataset, [&](const PublishedCurve& curve) {
      add({network.title, label(curve), curve.device}, [&](int64_t epoch) -> std::pair<std::string, std::string> {
        for (const PublishedPoint& point : curve.points)
          if (point.epoch == epoch)
            return {point.seconds ? seconds_text(*point.seconds) : "",
                    point.accuracy
                        ? fmt::format("{:g} %{}", *point.accuracy, curve.training_accuracy ? " (training)" : "")
                        : ""};
        return {};
      });
    });
  }
  return tables;
}

// The median over the pieces of the curve, which a busy minute of the machine does not move.
double step_seconds(const nlohmann::json& result) {
  std::vector<double> pieces;
  double steps = 0, seconds = 0;
  for (const nlohmann::json& point : result.at("points")) {
    const double next_steps = point.at("steps"), next_seconds = point.at("seconds");
    if (next_steps > steps) pieces.push_back((next_seconds - seconds) / (next_steps - steps));
    steps = next_steps;
    seconds = next_seconds;
  }
  return median(pieces);
}

benchmarks::Table runs_table(const std::vector<nlohmann::json>& results) {
  benchmarks::Table table{{"model", "recipe", "data set", "by", "batch", "steps", "ms a step, median", "time",
                           "test accuracy", "threads", "precision", "seed", "commit", "date"},
                          {false, false, false, false, true, true, true, true, true, true, false, true, false, false},
                          {}};
  for (const nlohmann::json& result : results) {
    const int64_t batch = result.at("batch_size"), steps = result.at("steps");
    const double seconds = result.at("points").empty() ? 0 : result["points"].back().at("seconds").get<double>();
    table.rows.push_back({word(result, "model"), word(result, "recipe"), word(result, "dataset"), label(result),
                          batch > 0 ? std::to_string(batch) : "full", std::to_string(steps),
                          benchmarks::number(1e3 * step_seconds(result)), seconds_text(seconds),
                          percent_text(result.at("test_accuracy").get<double>()),
                          std::to_string(result.at("threads").get<int>()), word(result, "precision"),
                          std::to_string(result.at("seed").get<uint64_t>()), word(result, "commit"),
                          word(result, "date")});
  }
  return table;
}

benchmarks::Table inference_table(const std::vector<nlohmann::json>& results) {
  benchmarks::Table table{
      {"model", "by", "test batches", "time", "ms a batch", "accuracy", "pictures right", "process"},
      {false, false, true, true, true, true, true, true},
      {}};
  for (const nlohmann::json& result : results) {
    if (!result.contains("test") || !result.contains("digits")) continue;
    const nlohmann::json &test = result["test"], &digits = result["digits"];
    const int64_t batches = test.at("batches");
    const double seconds = test.at("seconds");
    table.rows.push_back({word(result, "model"), label(result),
                          fmt::format("{} x {}", test.at("batch_size").get<int64_t>(), batches), seconds_text(seconds),
                          benchmarks::number(1e3 * seconds / static_cast<double>(std::max<int64_t>(batches, 1))),
                          percent_text(test.at("accuracy").get<double>()),
                          fmt::format("{} of {}", digits.at("right").get<int>(), digits.at("count").get<int>()),
                          seconds_text(digits.at("process_seconds"))});
  }
  return table;
}

// The machines and builds behind the results, each once.
std::vector<std::string> machines_of(const std::vector<nlohmann::json>& results) {
  std::vector<std::string> lines;
  for (const nlohmann::json& result : results) {
    const std::string line = fmt::format(
        "{}, {} cores; Cairn {} at commit {}, {}; {}; seed {}; trained {}", word(result, "machine"),
        result.at("cores").get<int>(), word(result, "version"), word(result, "commit"), word(result, "compiler"),
        word(result, "precision"), result.at("seed").get<uint64_t>(), word(result, "date"));
    if (std::ranges::find(lines, line) == lines.end()) lines.push_back(line);
  }
  return lines;
}

Page make_page(const Suite& suite, bool quick, const std::vector<nlohmann::json>& results,
               const std::vector<Plot>& plots) {
  Page page(suite.title);
  if (quick)
    page.paragraph(
        fmt::format("The quick form: few epochs on {} training {}. It shows that everything works; its "
                    "figures are not to be compared with the published ones.",
                    suite.quick_examples, examples_of(suite)));
  if (results.empty()) page.paragraph("No training is finished yet.");
  page.paragraph(
      "Our time is of the training steps alone: choosing the batch, pixels made numbers where it has some, forward, "
      "backward, update, until the device is done with the epoch's last step. Reading data, evaluation, and saving are "
      "outside. Our accuracy is on the test " +
      examples_of(suite) + ", one training a row.");
  page.list(machines_of(results));
  page.paragraph("Published figures: " + suite.source + ". They were measured by others on other machines:");
  page.list(suite.notes);
  for (const SuiteTables& tables : suite_tables(suite, quick, results)) {
    page.heading(tables.dataset);
    page.table("Time", tables.seconds);
    page.table("Accuracy", tables.accuracy);
    for (const Plot& plot : plots)
      if (plot.name.starts_with(tables.dataset + "-")) page.plot(plot);
  }
  if (const benchmarks::Table inference = inference_table(results); !inference.rows.empty()) {
    page.heading("Test and pictures");
    page.table(
        "The test images in batches, probabilities on the host, after one batch to warm up; and one picture of "
        "each digit, given to `predict`, a process that loads the saved weights (its time holds its start)",
        inference);
  }
  if (!results.empty()) {
    page.heading("Runs");
    page.table("One training a row; the folders under curves/ hold settings, metrics and weights", runs_table(results));
  }
  return page;
}

}  // namespace

std::vector<SuiteTables> suite_tables(const Suite& suite, bool quick, const std::vector<nlohmann::json>& results) {
  std::vector<SuiteTables> tables;
  for (const std::string& dataset : datasets_of(results)) tables.push_back(tables_of(suite, quick, results, dataset));
  return tables;
}

std::vector<Plot> suite_plots(const Suite& suite, const std::vector<nlohmann::json>& results) {
  std::vector<Plot> plots;
  for (const std::string& dataset : datasets_of(results))
    for (const Network& network : suite.networks) {
      const std::string title = network.title + " on " + dataset,
                        name = dataset + "-" + curve_name(suite, network.model, network.recipe);
      Plot accuracy{
          name + "-accuracy", title + ": accuracy", "epochs", "% of the test " + examples_of(suite), false, {}};
      Plot time{name + "-time", title + ": time", "epochs", "seconds", true, {}};
      for_trainings(results, network, dataset, [&](const nlohmann::json& result) {
        accuracy.series.push_back({label(result), {}, false});
        time.series.push_back({label(result), {}, false});
        Series counted{label(result) + training_examples_of(suite), {}, false};
        for (const nlohmann::json& point : result.at("points")) {
          const double epoch = point.at("epoch");
          accuracy.series.back().points.push_back({epoch, 100 * point.at("accuracy").get<double>()});
          time.series.back().points.push_back({epoch, point.at("seconds")});
          if (point.contains("train_accuracy"))
            counted.points.push_back({epoch, 100 * point.at("train_accuracy").get<double>()});
        }
        if (!counted.points.empty()) accuracy.series.push_back(counted);
      });
      if (accuracy.series.empty()) continue;
      for_published(suite, network, dataset, [&](const PublishedCurve& curve) {
        const bool ambiguous = std::ranges::count_if(suite.published, [&](const PublishedCurve& other) {
                                 return other.model == curve.model && other.recipe == curve.recipe &&
                                        other.dataset == dataset && other.by == curve.by;
                               }) > 1;
        const std::string by = ambiguous ? label(curve) + ", " + curve.device : label(curve);
        accuracy.series.push_back({curve.training_accuracy ? by + training_examples_of(suite) : by, {}, true});
        time.series.push_back({by, {}, true});
        for (const PublishedPoint& point : curve.points) {
          const auto epoch = static_cast<double>(point.epoch);
          if (point.accuracy) accuracy.series.back().points.push_back({epoch, *point.accuracy});
          if (point.seconds) time.series.back().points.push_back({epoch, *point.seconds});
        }
      });
      plots.push_back(accuracy);
      plots.push_back(time);
    }
  return plots;
}

void write_report(const Suite& suite, bool quick, const std::vector<nlohmann::json>& results, const fs::path& folder) {
  const std::vector<Plot> plots = suite_plots(suite, results);
  std::error_code ignored;  // the first file that is written there says what is wrong
  fs::create_directories(folder / kPlotFolder, ignored);
  for (const Plot& plot : plots) {
    write_text(folder / kPlotFolder / (plot.name + ".svg"), svg(plot));
    const datasets::Bytes png = encode_png(picture(plot));
    write_bytes(folder / kPlotFolder / (plot.name + ".png"), std::as_bytes(std::span(png)));
  }
  const Page page = make_page(suite, quick, results, plots);
  write_text(folder / "report.md", page.markdown());
  write_text(folder / "report.html", page.html());
}

}  // namespace cairn::comparisons
