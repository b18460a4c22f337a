// What a comparison with PyTorch says: verdicts, ratios only where they mean something, the page and its files.
#include <doctest/doctest.h>

#include "comparisons/bars.h"
#include "comparisons/parity_report.h"
#include "framework/error.h"
#include "tests/apps/command.h"

namespace cairn::comparisons {
namespace {

bool contains_text(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A comparison that holds in everything, made by hand.
ParityResult held_example() {
  ParityResult result;
  result.reference.model = "lenet";
  result.reference.recipe = "default";
  result.reference.dataset = "digits";
  result.reference.torch = "2.15.0";
  result.implementation = "simd";
  result.device = "simd on cpu";
  result.threads = 2;
  for (int i = 0; i < 100; ++i) {
    result.reference.losses.push_back(2.3 - 0.01 * i);
    result.losses.push_back(2.3 - 0.01 * i);
  }
  result.reference.own_deviation = std::vector<double>(100, 3e-6);
  result.first = {4e-7, 9, 0, 0};
  result.all = {2e-5, 83, 0, 0};
  result.gradients[1] = {"conv1.weight", 1.5, 1.5, 3e-6};
  result.gradients[10] = {"fc3.bias", 0.5, 0.5, 2e-3};
  result.epochs = {{1, 0.9712, 0.9731, 1, 1, true, {}, {}}};
  result.step_seconds = 0.002;
  result.epoch_seconds = 1.876;
  ReferenceRun run;
  run.machine = "amd-25-1-1-avx2-2-cores";
  run.processor = "a processor";
  run.device = "cpu";
  run.torch = "2.15.0";
  run.date = "2026-11-21";
  run.threads = 2;
  run.times = {
      {"eager", "resident", 6, 5.6, ""}, {"eager", "loader", 8, 7.5, ""}, {"compiled", "resident", 0, 0, "no g++"}};
  result.timed = run;
  result.same_machine = true;
  return result;
}

std::string row_of(const benchmarks::Table& table, const std::string& name) {
  for (const auto& cells : table.rows)
    if (cells[0] == name) {
      std::string line;
      for (size_t i = 1; i < cells.size(); ++i) line += cells[i] + "|";
      return line;
    }
  return "no such row";
}

}  // namespace

TEST_CASE("a comparison that holds: every line with a limit says so") {
  const ParityResult result = held_example();
  CHECK(result.holds());
  const benchmarks::Table table = parity_table(result);
  CHECK(row_of(table, "loss at step 100") == "1.31|1.31|0.0e+00|||");
  CHECK(row_of(table, "worst of losses 1 to 10, at step 9") == "||4.0e-07|1.0e-05|within|");
  CHECK(row_of(table, "worst of losses 1 to 100, at step 83") == "||2.0e-05|1.0e-03|within|");
  CHECK(row_of(table, "gradients at step 1, worst: conv1.weight") == "1.5|1.5|3.0e-06|1.0e-04|within|");
  CHECK(row_of(table, "gradients at step 10, worst: fc3.bias") == "0.5|0.5|2.0e-03|||");
  CHECK(row_of(table, "accuracy after epoch 1") == "97.31 %|97.12 %|0.19 points|0.3 points|within|");
  CHECK(row_of(table, "a step, an epoch; PyTorch eager, resident data") == "6.00 ms, 5.60 s|2.00 ms, 1.88 s|3.00 x|||");
  CHECK(row_of(table, "a step, an epoch; PyTorch compiled, resident data") == "failed|2.00 ms, 1.88 s||||");
}

TEST_CASE("what does not hold is said on its line, and of the whole") {
  const auto verdicts = [](void (*change)(ParityResult&)) {
    ParityResult result = held_example();
    change(result);
    CHECK_FALSE(result.holds());
    int beyond = 0;
    for (const auto& cells : parity_table(result).rows) beyond += cells.back() == "NOT WITHIN";
    CHECK(summary_table({result}).rows[0].back() == "NOT WITHIN");
    return beyond;
  };
  CHECK(verdicts([](ParityResult& result) { result.first.left = 4; }) == 1);
  CHECK(verdicts([](ParityResult& result) { result.all.left = 40; }) == 1);
  CHECK(verdicts([](ParityResult& result) { result.gradients[1].deviation = 1.1e-4; }) == 1);
  CHECK(verdicts([](ParityResult& result) { result.epochs[0].ours = 0.9700; }) == 1);
}

TEST_CASE("what rounding does to PyTorch itself is no failure, and is not called within either") {
  ParityResult result = held_example();
  result.all = {0.3, 97, 31, 27};
  CHECK(result.all.verdict() == Verdict::as_pytorch_itself);
  CHECK(result.holds());
  CHECK(row_of(parity_table(result), "worst of losses 1 to 100, at step 97") == "||3.0e-01|1.0e-03|as PyTorch itself|");
  CHECK(row_of(parity_table(result),
               "  beyond the limit from step 31; PyTorch's own beyond a tenth of it from step 27") == "|||||");
  CHECK(summary_table({result}).rows[0].back() == "as PyTorch itself");
  result.all.own_left = 32;  // PyTorch held longer than we did
  CHECK(result.all.verdict() == Verdict::beyond);
  CHECK_FALSE(result.holds());
  result.all.own_left = 0;
  CHECK_FALSE(result.holds());
  result.first = {2e-5, 9, 9, 9};
  result.all = {2e-5, 9, 0, 0};
  CHECK(result.holds());
  CHECK(summary_table({result}).rows[0].back() == "as PyTorch itself");
}

TEST_CASE("an accuracy beyond the limit is judged by what PyTorch's own do, and says so") {
  ParityResult result = held_example();
  AccuracyCheck& epoch = result.epochs[0];
  epoch.ours = 0.9770;
  epoch.seeds_recorded = 5;
  epoch.seeds = spread_of({0.9731, 0.9780, 0.9755, 0.9741, 0.9763});
  CHECK(result.holds());
  CHECK(result.accuracy_deviation() == doctest::Approx(0.0039));
  CHECK(row_of(parity_table(result), "accuracy after epoch 1") ==
        "97.31 %|97.70 %|0.39 points|0.3 points|within what seeds do|");
  CHECK(row_of(parity_table(result), "  PyTorch's seeds: 5, and where one more lies") ==
        "97.54 +- 0.19 %|||96.58 to 98.50 %||");
  CHECK(row_of(parity_table(result), "  PyTorch's trainings of this seed: 1, too few of 5") == "|||||");
  CHECK(summary_table({result}).rows[0].back() == "as PyTorch itself");
  epoch.rounding_grows = false;
  CHECK_FALSE(result.holds());
  CHECK(row_of(parity_table(result), "accuracy after epoch 1") == "97.31 %|97.70 %|0.39 points|0.3 points|NOT WITHIN|");
  CHECK(row_of(parity_table(result), "  PyTorch's own does not change by rounding: chance has no say") == "|||||");
  epoch.rounding_grows = true;
  epoch.ours = 0.9651;
  CHECK_FALSE(result.holds());
  CHECK(row_of(parity_table(result), "accuracy after epoch 1") ==
        "97.31 %|96.51 %|0.80 points|0.3 points|BEYOND WHAT SEEDS DO|");
  CHECK(summary_table({result}).rows[0].back() == "NOT WITHIN");
}

TEST_CASE("a ratio of times is claimed only on one machine with one number of threads") {
  ParityResult result = held_example();
  const ReferenceTime& eager = result.timed->times[0];
  CHECK(*result.ratio(eager) == doctest::Approx(3));
  CHECK(contains_text(times_note(result), "this machine, at another hour"));
  result.threads = 1;
  CHECK_FALSE(result.ratio(eager).has_value());
  CHECK(contains_text(times_note(result), "but 1 threads here, so no ratio of times is claimed (--threads 2)"));
  result.threads = 2;
  result.same_machine = false;
  CHECK_FALSE(result.ratio(eager).has_value());
  CHECK(contains_text(
      times_note(result),
      "a processor (amd-25-1-1-avx2-2-cores), 2 threads, recorded 2026-11-21: not known to be this machine ("));
  CHECK(row_of(parity_table(result), "a step, an epoch; PyTorch eager, resident data") ==
        "6.00 ms, 5.60 s|2.00 ms, 1.88 s||||");
  result.timed.reset();
  CHECK(contains_text(times_note(result), "No time of PyTorch is recorded"));
  CHECK(summary_table({result}).rows[0][13].empty());
}

TEST_CASE("fewer steps: the last one is shown, and no epoch") {
  ParityResult result = held_example();
  result.losses.resize(7);
  result.epochs.clear();
  const benchmarks::Table table = parity_table(result);
  CHECK(row_of(table, "loss at step 1") == "2.3|2.3|0.0e+00|||");
  CHECK(row_of(table, "loss at step 7") == "2.24|2.24|0.0e+00|||");
  CHECK(row_of(table, "loss at step 10") == "no such row");
  CHECK(row_of(table, "worst of losses 1 to 7, at step 9") != "no such row");
  CHECK(summary_table({result}).rows[0][8].empty());
}

TEST_CASE("bars are as long as their values") {
  const std::string text = svg(BarChart{"t", "<time>", "ms", {{"ours", 2, false}, {"theirs", 8, true}}});
  CHECK(contains_text(text, "<title>&lt;time&gt;</title>"));
  CHECK(contains_text(text, "x1=\"250.00\" y1=\"53.00\" x2=\"375.00\""));
  CHECK(contains_text(text, "x1=\"250.00\" y1=\"79.00\" x2=\"750.00\""));
  CHECK(contains_text(svg(BarChart{"t", "nothing", "ms", {{"ours", 0, false}}}), "x2=\"250.00\""));
}

TEST_CASE("the page: one HTML file with its drawings inside, Markdown with links to them") {
  const testing::TemporaryFolder folder;
  ParityResult other = held_example();
  other.implementation = "vanilla";
  other.device = "vanilla on cpu";
  write_parity_report({held_example(), other}, folder.path / "page");
  const std::string html = testing::read_file(folder.path / "page/report.html");
  const std::string markdown = testing::read_file(folder.path / "page/report.md");
  const std::string network = testing::read_file(folder.path / "page/lenet.md");
  size_t drawings = 0;
  for (size_t at = 0; (at = html.find("<svg ", at)) != std::string::npos; ++at) ++drawings;
  CHECK(drawings == 6);
  CHECK_FALSE(contains_text(html, "src="));
  CHECK_FALSE(contains_text(html, "href="));
  for (const char* name : {"loss", "accuracy", "time"}) {
    const std::string file = std::string("plots/lenet-default-digits-vanilla-") + name + ".svg";
    CHECK(contains_text(network, "](" + file + ")"));
    CHECK(testing::read_file(folder.path / "page" / file).starts_with("<svg "));
  }
  CHECK(contains_text(markdown, "| lenet | default | digits | simd on cpu | 4.0e-07 |"));
  CHECK(contains_text(markdown, "- [lenet](lenet.md)\n"));
  CHECK(contains_text(network, "## lenet default on digits, vanilla on cpu"));
  testing::write_file(folder.path / "file", "");
  CHECK_THROWS_AS(write_parity_report({held_example()}, folder.path / "file"), RunError);
}

}  // namespace cairn::comparisons
