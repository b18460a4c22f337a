// A suite's tables and pages from results that are made up here: which figure stands where, and that the HTML page
// needs no other file.
#include <doctest/doctest.h>

#include "comparisons/files.h"
#include "comparisons/report.h"
#include "datasets/png.h"
#include "framework/error.h"
#include "tests/apps/command.h"

namespace cairn::comparisons {
namespace {

using cairn::testing::TemporaryFolder;

nlohmann::json result(const std::string& model, const std::string& implementation, double scale) {
  nlohmann::json points;
  for (const int epoch : {20, 60, 100})
    points.push_back({{"epoch", epoch},
                      {"steps", epoch},
                      {"seconds", scale * epoch},
                      {"train_loss", 1.0},
                      {"accuracy", 0.8 + 0.001 * epoch}});
  return {{"model", model},       {"recipe", "full-batch"},
          {"dataset", "mnist"},   {"impl", implementation},
          {"device", "cpu"},      {"precision", "fp32"},
          {"threads", 2},         {"seed", 1},
          {"epochs", 100},        {"steps", 100},
          {"test_accuracy", 0.9}, {"batch_size", 0},
          {"points", points},     {"machine", "A <machine>"},
          {"cores", 2},           {"compiler", "g++"},
          {"version", "0.1.0"},   {"commit", "abc"},
          {"date", "2026-01-01"}};
}

bool page_has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("tables have a column for each mark that was reached or published, ours above the published") {
  const Suite& suite = find_suite("nmist");
  const std::vector<nlohmann::json> results = {result("linear", "simd", 0.01), result("linear", "vanilla", 0.1)};
  const std::vector<SuiteTables> tables = suite_tables(suite, false, results);
  REQUIRE(tables.size() == 1);
  CHECK(tables[0].dataset == "mnist");
  const std::vector<std::string> header = {"network", "by", "on", "20 epochs", "100 epochs", "500 epochs"};
  CHECK(tables[0].seconds.header == header);
  REQUIRE(tables[0].seconds.rows.size() == 6);  // ours, and two published ones for each network
  CHECK(tables[0].seconds.rows[0] ==
        std::vector<std::string>{"linear classifier", "simd", "cpu, 2 threads", "0.20 s", "1.00 s", ""});
  CHECK(tables[0].accuracy.rows[1] ==
        std::vector<std::string>{"linear classifier", "vanilla", "cpu, 2 threads", "82.00 %", "90.00 %", ""});
  CHECK(tables[0].seconds.rows[2] ==
        std::vector<std::string>{"linear classifier", "CuPy, published", "RTX 2060, Ryzen 5 3600", "", "6.00 s", ""});
  CHECK(tables[0].accuracy.rows[5].back() == "93 %");
}

TEST_CASE("the published training accuracies are marked as such") {
  nlohmann::json ours = result("relunet", "simd", 1);
  const std::vector<SuiteTables> tables = suite_tables(find_suite("skoltech"), false, {ours});
  const auto cell = [&](const std::string& by) {
    for (const auto& row : tables[0].accuracy.rows)
      if (row[0] == "ReLUNet" && row[1] == by) return row.at(6);
    return std::string();
  };
  CHECK(tables[0].accuracy.header.at(6) == "45 epochs");
  CHECK(cell("PyTorch, published") == "99.9 % (training)");
  CHECK(cell("cuDNN, published") == "96.4 %");
}

TEST_CASE("plots are made for what was trained, with the published curves beside it") {
  const std::vector<Plot> plots = suite_plots(find_suite("nmist"), {result("linear", "simd", 0.01)});
  REQUIRE(plots.size() == 2);
  CHECK(plots[0].name == "mnist-linear-accuracy");
  REQUIRE(plots[0].series.size() == 3);
  CHECK(plots[0].series[0].points.size() == 3);
  CHECK(plots[0].series[0].points[1].y == doctest::Approx(86));
  CHECK(plots[0].series[2].published);
  CHECK(plots[1].series[1].points[0].y == 6);
}

TEST_CASE("a suite of texts speaks of texts, and MXNet's curve stands beside ours") {
  nlohmann::json ours = result("imdb-gru", "simd", 1);
  ours.update({{"recipe", "mxnet"}, {"dataset", "imdb"}});
  for (int epoch = 0; epoch < 3; ++epoch) ours["points"][epoch]["epoch"] = epoch + 1;
  ours["points"][2]["train_accuracy"] = 0.964;
  const Suite& suite = find_suite("imdb-frameworks");
  const std::vector<std::vector<std::string>> rows = suite_tables(suite, false, {ours})[0].accuracy.rows;
  const std::vector<std::string> curve = {"Glorot's uniform",  "MXNet's curve, published", "not stated",
                                          "77.5 % (training)", "92.4 % (training)",        "96.4 % (training)"};
  CHECK(rows[0] == std::vector<std::string>{"Glorot's uniform", "simd", "cpu, 2 threads", "82.00 %", "86.00 %",
                                            "90.00 % (training 96.40 %)"});
  CHECK(std::ranges::count(rows, curve) == 1);
  const Plot accuracy = suite_plots(suite, {ours})[0];
  CHECK(accuracy.y_label == "% of the test texts");
  REQUIRE(accuracy.series.size() == 8);  // ours, ours while training, five published accuracies, the curve
  CHECK(accuracy.series[1].name == accuracy.series[0].name + ", training texts");
  REQUIRE(accuracy.series[1].points.size() == 1);
  CHECK(accuracy.series[1].points[0].y == doctest::Approx(96.4));
  CHECK(accuracy.series[7].name == "MXNet's curve, published, training texts");
  CHECK(accuracy.series[7].points.size() == 3);

  const TemporaryFolder folder;
  write_report(suite, true, {ours}, folder.path);
  CHECK_FALSE(page_has(read_text(folder.path / "report.md"), "images"));
}

TEST_CASE("the pages hold tables, plots, machine and sources; the HTML page refers to nothing outside") {
  const TemporaryFolder folder;
  nlohmann::json with_inference = result("linear", "simd", 0.0137);
  with_inference["test"] = {
      {"batch_size", 100}, {"batches", 200}, {"images", 20000}, {"seconds", 0.5}, {"accuracy", 0.9}};
  with_inference["digits"] = {{"right", 9}, {"count", 10}, {"process_seconds", 0.1}};
  write_report(find_suite("nmist"), false, {with_inference}, folder.path);
  const std::string html = read_text(folder.path / "report.html"), markdown = read_text(folder.path / "report.md");
  for (const std::string& page : {html, markdown}) {
    CHECK(page_has(page, "Pietot/MNIST-Neural-Network"));
    CHECK(page_has(page, "commit abc"));
    CHECK(page_has(page, "9 of 10"));
    CHECK(page_has(page, "100 x 200"));
    CHECK(page_has(page, "2.50"));  // ms a batch
    CHECK(page_has(page, "13.7"));  // ms a step
    CHECK(page_has(page, "90.00 %"));
    CHECK_FALSE(page_has(page, "quick form"));
  }
  CHECK(page_has(html, "A &lt;machine&gt;"));
  CHECK_FALSE(page_has(html, "<machine>"));
  for (const char* outside : {"<img", "<link", "<script", "src=", "url(", "@import"})
    CHECK_FALSE(page_has(html, outside));
  CHECK(page_has(html, "<svg "));
  CHECK(page_has(markdown, "](plots/mnist-linear-time.svg)"));
  CHECK(page_has(read_text(folder.path / "plots/mnist-linear-time.svg"), "<svg "));
  CHECK(datasets::read_picture(folder.path / "plots/mnist-linear-accuracy.png").width > 1000);

  write_report(find_suite("nmist"), true, {}, folder.path);
  CHECK(page_has(read_text(folder.path / "report.md"), "No training is finished yet."));
  CHECK(page_has(read_text(folder.path / "report.md"), "The quick form"));
}

TEST_CASE("pages that cannot be written are an error of the run") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path / "report.md");
  CHECK_THROWS_AS(write_report(find_suite("nmist"), false, {}, folder.path), RunError);
}

}  // namespace cairn::comparisons
