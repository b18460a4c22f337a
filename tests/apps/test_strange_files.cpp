// Files that are not ours, names that are not UTF-8, file systems that lack locks and the flushing of folders.
#include <doctest/doctest.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/apps/command.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kOneEpoch = {"--model", "linear",   "--dataset", "digits",       "--impl",
                                            "simd",    "--epochs", "1",         "--batch-size", "500"};

// A name that is Latin-1, with a byte that is no character anywhere, and a percent sign.
const std::string kLatin =
    "Gr\xFC\xDF"
    "e 5%\xFF";
const std::string kLatinInJson = "bytes:Gr%FC%DFe 5%25%FF";

// Runs a program where flock and fsync of a folder fail with that error.
Result run_without_locks(int error, const std::string& program, const std::vector<std::string>& arguments,
                         const fs::path& folder) {
  const std::vector<std::string> words = {"ASAN_OPTIONS=verify_asan_link_order=0",
                                          std::string("LD_PRELOAD=") + CAIRN_NO_LOCKS,
                                          "CAIRN_TEST_ERRNO=" + std::to_string(error), program};
  return run("/usr/bin/env", with(words, arguments), folder);
}

}  // namespace

TEST_CASE("in a folder that is there already, what others have put into it stays") {
  const TemporaryFolder folder;
  const std::vector<std::string> strangers = {"notes.tmp-old",           "thesis.tmp-1-2",
                                              "model.safetensors.tmp-",  "model.safetensors.tmp-mine",
                                              "old-config.json.tmp-1-2", "config.json.tmp-1-2.txt"};
  for (const std::string& name : strangers) write_file(folder.path / "r" / name, name);
  fs::create_directories(folder.path / "r/folder.tmp-3-4");
  write_file(folder.path / "r/config.json.tmp-4194304-1", "half");
  const auto all_there = [&] {
    for (const std::string& name : strangers) CHECK_MESSAGE(read_file(folder.path / "r" / name) == name, name);
    CHECK(fs::exists(folder.path / "r/folder.tmp-3-4"));
    CHECK_FALSE(fs::exists(folder.path / "r/config.json.tmp-4194304-1"));  // of a run that was killed here
    CHECK_FALSE(fs::exists(folder.path / "r/checkpoint.safetensors.tmp-4194304-2"));
  };
  REQUIRE(run(CAIRN_TRAIN, with(kOneEpoch, {"--out", "r"}), folder.path).code == 0);
  all_there();
  write_file(folder.path / "r/checkpoint.safetensors.tmp-4194304-2", "half");
  REQUIRE(run(CAIRN_TRAIN, {"--resume", "r", "--epochs", "2"}, folder.path).code == 0);
  all_there();
}

TEST_CASE("names that are not UTF-8: of run folders, in results, and in the settings of a run") {
  const TemporaryFolder folder;
  const std::string out = kLatin + "/r";
  const Result first = run(CAIRN_TRAIN, with(kOneEpoch, {"--out", out, "--json", "--data-dir", kLatin}), folder.path);
  REQUIRE_MESSAGE(first.code == 0, first.error);
  CHECK(last_line(first.out)["run_dir"] == kLatinInJson + "/r");
  CHECK(nlohmann::json::parse(read_file(folder.path / out / "config.json"))["data-dir"] == kLatinInJson);
  const Result longer = run(CAIRN_TRAIN, {"--resume", out, "--epochs", "2", "--quiet"}, folder.path);
  REQUIRE_MESSAGE(longer.code == 0, longer.error);
  CHECK(contains(longer.out, out));
  const Result again = run(CAIRN_TRAIN, {"--config", out + "/config.json", "--json", "--out", "b"}, folder.path);
  REQUIRE_MESSAGE(again.code == 0, again.error);
  CHECK(nlohmann::json::parse(read_file(folder.path / "b/config.json"))["data-dir"] == kLatinInJson);
  CHECK(read_file(folder.path / "b/model.safetensors") == read_file(folder.path / out / "model.safetensors"));
}

TEST_CASE("names that are not UTF-8: of data folders, weights and pictures") {
  const TemporaryFolder folder;
  const std::string drawn = kLatin + "/digits", data = "data\xE9";
  const Result fetched = run(CAIRN_FETCH, {"digits", "--data-dir", kLatin}, folder.path);
  REQUIRE_MESSAGE(fetched.code == 0, fetched.error);
  CHECK(contains(fetched.out, drawn));
  fs::create_directories(folder.path / data);
  fs::rename(folder.path / drawn, folder.path / data / "mnist");
  const std::vector<std::string> words = {"--model",  "linear", "--impl",       "simd", "--check-hash", "false",
                                          "--epochs", "1",      "--batch-size", "500",  "--quiet"};
  const std::vector<std::string> by_name = with(words, {"--data-dir", data, "--out", "a"});
  const Result named = run(CAIRN_TRAIN, by_name, folder.path);
  REQUIRE_MESSAGE(named.code == 0, named.error);
  CHECK(run(CAIRN_TRAIN, with(words, {"--out", "b"}), folder.path, data).code == 0);  // as $CAIRN_DATA
  const Result again = run(CAIRN_TRAIN, {"--config", "a/config.json", "--out", "c", "--quiet"}, folder.path);
  REQUIRE_MESSAGE(again.code == 0, again.error);
  for (const char* other : {"b", "c"})
    CHECK(read_file(folder.path / other / "model.safetensors") == read_file(folder.path / "a/model.safetensors"));

  fs::rename(folder.path / "a", folder.path / kLatin / "a");
  const std::string picture = "drei\xFF.png";
  const Result tested = run(CAIRN_PREDICT,
                            {"--weights", kLatin + "/a", "--dataset", "mnist", "--check-hash", "false", "--data-dir",
                             data, "--impl", "simd", "--json", "--quiet", "--mistakes", picture},
                            folder.path);
  REQUIRE_MESSAGE(tested.code == 0, tested.error);
  const Result shown =
      run(CAIRN_PREDICT, {"--weights", kLatin + "/a/model.safetensors", "--impl", "simd", "--json", "--quiet", picture},
          folder.path);
  CHECK(last_line(tested.out).contains("test_accuracy"));
  if (shown.code == 0) CHECK(last_line(shown.out)["predictions"][0]["file"] == "bytes:drei%FF.png");
  CHECK_MESSAGE((shown.code == 0 || contains(shown.error, picture)), shown.error);  // a page of digits is no digit
}

TEST_CASE("a file system without locks and without flushing of folders: it is said once, and the run goes on") {
  for (const int error : {ENOLCK, ENOTSUP, ENOSYS, EINVAL}) {
    CAPTURE(error);
    const TemporaryFolder folder;
    const Result first = run_without_locks(error, CAIRN_TRAIN, with(kOneEpoch, {"--out", "r", "--quiet"}), folder.path);
    CHECK_MESSAGE(first.code == 0, first.error);
    CHECK_MESSAGE(line_count(first.error) == 2, first.error);
    CHECK_MESSAGE(contains(first.error, "r: its file system has no locks ("), first.error);
    CHECK_MESSAGE(contains(first.error, "r: its file system cannot flush this to disk ("), first.error);
    // Without a lock it may be another process's, which is just writing it.
    write_file(folder.path / "r/checkpoint.safetensors.tmp-4194304-2", "half");
    const Result resumed =
        run_without_locks(error, CAIRN_TRAIN, {"--resume", "r", "--epochs", "2", "--quiet"}, folder.path);
    CHECK_MESSAGE(resumed.code == 0, resumed.error);
    CHECK(fs::exists(folder.path / "r/checkpoint.safetensors.tmp-4194304-2"));
    const Result fetched = run_without_locks(error, CAIRN_FETCH, {"digits", "--data-dir", "data"}, folder.path);
    CHECK_MESSAGE(fetched.code == 0, fetched.error);
    CHECK_MESSAGE(line_count(fetched.error) == 1, fetched.error);
  }
  const TemporaryFolder folder;
  const Result broken = run_without_locks(EIO, CAIRN_TRAIN, with(kOneEpoch, {"--out", "r", "--quiet"}), folder.path);
  CHECK(broken.code == 2);  // no lack of means: something is wrong
  CHECK_MESSAGE(broken.error == "train: r: cannot be locked: Input/output error\n", broken.error);
}

}  // namespace cairn::testing
