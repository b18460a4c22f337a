// bench from the command line.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/apps/command.h"

namespace cairn::testing {
namespace {

using nlohmann::json;

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("bench kernels: JSON, Markdown, text; and the pages made from results") {
  const TemporaryFolder folder;
  // On the CPU: which rows there are must not depend on the machine.
  const std::vector<std::string> brief = {"--small",          "--threads=1", "--repeats=1",   "--device=cpu",
                                          "--seconds=0.0001", "--quiet",     "--only=softmax"};
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.end(), brief.begin(), brief.end());
    return words;
  };
  const Result result = run(CAIRN_BENCH, with({"kernels", "--format=json"}), folder.path);
  REQUIRE_MESSAGE(result.code == 0, result.error);
  CHECK(result.error == "");
  const json report = json::parse(result.out);
  CHECK(report["kind"] == "kernels");
  CHECK(report["threads"] == 1);
  CHECK(report["cold"] == true);
  CHECK(report["cpu_ceilings"]["gflops"] > 0);
  for (const char* field : {"commit", "compiler", "version", "date", "name"})
    CHECK_MESSAGE(report["machine"][field] != "", field);
  std::vector<std::string> implementations;
  for (const json& row : report["rows"]) {
    CHECK(row["primitive"].get<std::string>().rfind("softmax", 0) == 0);
    CHECK(row["seconds"] > 0);
    CHECK(row["library"] == "eigen");
    implementations.push_back(row["impl"]);
  }
  CHECK(implementations ==
        std::vector<std::string>{"eigen", "reference", "simd", "vanilla", "eigen", "reference", "simd", "vanilla"});

  CHECK(run(CAIRN_BENCH, with({"kernels", "--impl=vanilla", "--warm"}), folder.path).out.find("warm cache") !=
        std::string::npos);
  CHECK(run(CAIRN_BENCH, with({"kernels", "--format=markdown"}), folder.path).out.find("| softmax_forward |") !=
        std::string::npos);

  CHECK(run(CAIRN_BENCH, with({"kernels", "--format=json", "--out=results/"}), folder.path).code == 0);
  const Result step = run(CAIRN_BENCH,
                          {"step", "--model=linear", "--dataset=digits", "--device=cpu", "--threads=1", "--repeats=1",
                           "--seconds=0.001", "--format=json", "--out=results/", "--quiet"},
                          folder.path);
  REQUIRE_MESSAGE(step.code == 0, step.error);
  const Result page = run(CAIRN_BENCH, {"page", "--results=results", "--out=pages"}, folder.path);
  REQUIRE_MESSAGE(page.code == 0, page.error);
  const std::string machine = report["machine"]["folder"];
  const auto check_page = [&](const std::string& file, const std::vector<std::string>& parts) {
    const std::string text = read(folder.path / "pages" / file);
    for (const std::string& part : parts) CHECK_MESSAGE(text.find(part) != std::string::npos, file, ": ", part);
  };
  check_page("benchmarks.md", {"kernels-softmax.json", "step-linear-simd.json",
                               "[other kernels](benchmarks/" + machine + "/kernels.md), [training steps]"});
  check_page("benchmarks/" + machine + "/kernels.md", {"## softmax_backward"});
  check_page("benchmarks/" + machine + "/steps.md", {"| byte_linear_forward |", "linear on digits, batch 64"});
  CHECK_FALSE(std::filesystem::exists(folder.path / "pages" / "benchmarks" / machine / "products.md"));
}

TEST_CASE("bench ladder and a step in turns") {
  const TemporaryFolder folder;
  const Result ladder = run(CAIRN_BENCH,
                            {"ladder", "--sizes=16,40", "--device=cpu", "--threads=1", "--repeats=1",
                             "--seconds=0.0001", "--format=json", "--quiet"},
                            folder.path);
  REQUIRE_MESSAGE(ladder.code == 0, ladder.error);
  const json report = json::parse(ladder.out);
  CHECK(report["kind"] == "ladder");
  CHECK(report["precision"] == "fp32");
  REQUIRE(report["rows"].size() == 4);
  CHECK(report["rows"][0]["is_library"] == true);
  CHECK(report["rows"][1]["impl"] == "vanilla");
  // Standard input is closed: it greets and ends.
  const Result turns = run(CAIRN_BENCH,
                           {"step", "--turns", "--model=linear", "--recipe=full-batch", "--batch-size=32",
                            "--dataset=digits", "--device=cpu", "--threads=1"},
                           folder.path);
  REQUIRE_MESSAGE(turns.code == 0, turns.error);
  CHECK(json::parse(turns.out)["batch_size"] == 32);
}

TEST_CASE("bad flags give one line and exit code 2") {
  const TemporaryFolder folder;
  write_file(folder.path / "bad" / "machine" / "kernels.json", "{\"kind\": 3");
  const std::vector<std::pair<std::vector<std::string>, std::string>> bad = {
      {{}, "kernels, ladder, step, inference or page"},
      {{"kernels", "step"}, "one command"},
      {{"speed"}, "unknown command 'speed'"},
      {{"kernels", "--only=soft-max"}, "softmax_forward"},
      {{"kernels", "--impl=fast"}, "reference, simd, eigen, vanilla"},
      {{"kernels", "--device=tpu"}, "cpu or cuda"},
      {{"kernels", "--repeats=0"}, "--repeats"},
      {{"kernels", "--repeats=many"}, "repeats"},
      {{"kernels", "--seconds=nan"}, "--seconds"},
      {{"kernels", "--threads=-1"}, "--threads"},
      {{"kernels", "--threads=100000"}, "--threads"},
      {{"kernels", "--format=xml"}, "markdown"},
      {{"kernels", "--colour"}, "unknown argument"},
      {{"ladder"}, "--networks"},
      {{"ladder", "--sizes=4,x"}, "--sizes"},
      {{"ladder", "--sizes=8", "--precision=fp8"}, "bf16"},
      {{"ladder", "--sizes=8", "--impl=fast"}, "fast"},
      {{"step", "--turns", "--model=dnn", "--dataset=digits", "--device=cpu", "--recipe=quick"}, "full-batch"},
      {{"step", "--model=vgg"}, "dnn"},
      {{"step", "--impl=fast"}, "simd"},
      {{"step", "--dataset=nist"}, "digits"},
      {{"step", "--dataset=digits", "--batch-size=-7"}, "--batch-size"},
      {{"page", "--results=bad"}, "--out docs/"},
      {{"page", "--results=nowhere", "--out=pages"}, "nowhere"},
      {{"page", "--results=bad", "--out=pages"}, "kernels.json"},
  };
  for (const auto& one : bad) {
    const Result result = run(CAIRN_BENCH, one.first, folder.path);
    const std::string& part = one.second;
    CHECK_MESSAGE(result.code == 2, part, ": ", result.error);
    CHECK_MESSAGE(line_count(result.error) == 1, result.error);
    CHECK_MESSAGE(result.error.find(part) != std::string::npos, result.error);
    CHECK(result.out == "");
  }
}

}  // namespace cairn::testing
