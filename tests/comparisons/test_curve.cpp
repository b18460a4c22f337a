// Curves out of run folders: what interruptions leave, results that are none, a disk without room.
#include <doctest/doctest.h>

#include <sys/resource.h>
#include <csignal>

#include "comparisons/curve.h"
#include "comparisons/files.h"
#include "framework/error.h"
#include "tests/apps/command.h"

namespace cairn::comparisons {

using cairn::testing::TemporaryFolder;

TEST_CASE("a curve's time holds the epochs that were interrupted, and its points are those that were evaluated") {
  const TemporaryFolder folder;
  cairn::testing::write_file(
      folder.path / "metrics.jsonl",
      "{\"epoch\":1,\"steps\":10,\"train_seconds\":2.0,\"train_loss\":1.5}\n"
      "{\"epoch\":2,\"steps\":20,\"train_seconds\":0.5,\"train_loss\":1.0,\"test_accuracy\":0.5}\n"
      "{\"epoch\":3,\"steps\":30,\"train_seconds\":2.0,\"train_loss\":0.8}\n"
      "{\"epoch\":4,\"steps\":40,\"train_seconds\":2.0,\"train_loss\":0.7,\"test_accuracy\":0.75}\n"
      "{\"epoch\":5,\"st");
  CHECK(read_points(folder.path).size() == 2);
  CHECK(read_points(folder.path)[1].seconds == doctest::Approx(6.5));
  // Twice within the second epoch, once at the end of the third.
  cairn::testing::write_file(folder.path / "interruptions.jsonl",
                             "{\"steps\":13,\"seconds\":0.75,\"test_accuracy\":0.4}\n"
                             "{\"steps\":17,\"seconds\":0.5,\"test_accuracy\":0.45}\n"
                             "{\"steps\":30,\"seconds\":0.0,\"test_accuracy\":0.625}\n");
  const std::vector<CurvePoint> points = read_points(folder.path);
  REQUIRE(points.size() == 3);
  CHECK(points[0].epoch == 2);
  CHECK(points[0].seconds == doctest::Approx(3.75));
  CHECK(points[1].epoch == 3);
  CHECK(points[1].accuracy == 0.625);
  CHECK(points[1].seconds == doctest::Approx(5.75));
  CHECK(points[2].steps == 40);
  CHECK(points[2].seconds == doctest::Approx(7.75));
  CHECK(points[2].train_loss == 0.7);
}

TEST_CASE("a result that is none is told by file and reason") {
  const TemporaryFolder folder;
  CHECK_FALSE(finished_result(folder.path));
  const std::string file = folder.path / "result.json";
  cairn::testing::write_file(file, "[1]");
  CHECK_THROWS_WITH_AS(finished_result(folder.path), (file + ": is not a JSON object").c_str(), DataError);
  nlohmann::json result = {{"seed", 1},
                           {"steps", 10},
                           {"test_accuracy", 0.5},
                           {"batch_size", 0},
                           {"cores", 2},
                           {"threads", 2},
                           {"points", nlohmann::json::array()}};
  result["points"].push_back({{"epoch", 1}, {"steps", 10}, {"seconds", 1.5}, {"accuracy", 0.5}});
  for (const char* name : {"model", "recipe", "dataset", "impl", "device", "precision", "machine", "compiler",
                           "version", "commit", "date"})
    result[name] = name;
  const auto refused = [&](const std::string& field) {
    write_result(folder.path, result);
    CHECK_THROWS_WITH_AS(finished_result(folder.path),
                         (file + ": has no '" + field + "' as it should; remove the folder to train again").c_str(),
                         DataError);
  };
  refused("train_loss");
  result["points"][0]["train_loss"] = 2;
  result["points"][0]["train_accuracy"] = "high";
  refused("train_accuracy");
  result["points"][0]["train_accuracy"] = 0.5;
  result["impl"] = 3;
  refused("impl");
  result["impl"] = "simd";
  result["test"] = nlohmann::json::array();
  refused("batch_size");
  result.erase("test");
  write_result(folder.path, result);
  CHECK(finished_result(folder.path)->at("impl") == "simd");
}

TEST_CASE("room on the disk is proven and given back") {
  const TemporaryFolder folder;
  check_room(folder.path, 1 << 20);
  CHECK(std::filesystem::is_empty(folder.path));
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit narrow = before;
  narrow.rlim_cur = 1 << 16;
  setrlimit(RLIMIT_FSIZE, &narrow);
  std::string text;
  try {
    check_room(folder.path, 3 << 20);
  } catch (const RunError& error) {
    text = error.what();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK(text == folder.path.string() +
                    ": the next training needs 3.0 MiB: File too large; what is finished stays, and "
                    "the same call goes on from there");
  CHECK(std::filesystem::is_empty(folder.path));
}

}  // namespace cairn::comparisons
