// Numbers that people write: in flags, in settings files, in lists. What is no number is refused in one line that names
// the flag and the value; a leading zero is no octal.
#include <doctest/doctest.h>

#include "kernels/number.h"
#include "kernels/rungs.h"
#include "tests/apps/command.h"

namespace cairn::testing {
namespace {

template <class Number>
std::string fault(const char* word) {
  Number value = 7;
  const char* const text = read_number(word, value);
  if (text) CHECK(value == 7);
  return text ? text : std::to_string(value);
}

// The flags of each program that take a number.
struct Numbers {
  const char* program;
  std::vector<std::string> before;
  std::vector<const char*> whole, real;
};

const std::vector<Numbers>& all_numbers() {
  static const std::vector<Numbers> all = {
      {CAIRN_TRAIN,
       {},
       {"--epochs", "--steps", "--batch-size", "--seed", "--eval-every", "--save-every", "--save-steps",
        "--log-interval", "--threads"},
       {"--lr", "--momentum", "--weight-decay"}},
      {CAIRN_PREDICT, {"x.png", "--weights=w"}, {"--batch-size", "--top", "--threads"}, {}},
      {CAIRN_DENOISE, {}, {"--epochs", "--batch-size", "--seed", "--threads"}, {"--lr", "--deviation"}},
      {CAIRN_BENCH, {"kernels"}, {"--threads", "--batch-size", "--repeats"}, {"--seconds"}},
      {CAIRN_COMPARE, {"--all"}, {"--steps", "--epochs", "--threads", "--seed"}, {}},
      {CAIRN_FETCH, {"digits"}, {}, {"--timeout"}}};
  return all;
}

void check_number_refused(const Result& result, const std::string& flag, const std::string& value) {
  CAPTURE(flag);
  CAPTURE(value);
  CHECK(result.code == 2);
  CHECK(result.out.empty());
  CHECK_MESSAGE(line_count(result.error) == 1, result.error);
  CHECK_MESSAGE(result.error.find(flag + ": '" + value + "' is ") != std::string::npos, result.error);
}

}  // namespace

TEST_CASE("the one reader of numbers") {
  CHECK(fault<int64_t>("064") == "64");
  CHECK(fault<int64_t>("-3") == "-3");
  CHECK(fault<uint64_t>("18446744073709551615") == "18446744073709551615");
  CHECK(fault<uint64_t>("18446744073709551616") == "is out of range");
  CHECK(fault<uint64_t>("-3") == "is not a whole number of 0 or more");
  CHECK(fault<int>("3000000000") == "is out of range");
  for (const char* word :
       {"", " ", "+5", " 5", "5 ", "0x10", "64k", "1e3", "2.5", "5.", "nan", "--5", "1_000", "1,000", "5\n"})
    CHECK_MESSAGE(fault<int64_t>(word) == "is not a whole number", word);
  CHECK(fault<double>("1e-3") == std::to_string(1e-3));
  CHECK(fault<double>("-.5") == std::to_string(-0.5));
  CHECK(fault<double>("007.50") == std::to_string(7.5));
  CHECK(fault<double>("1e999") == "is out of range");
  for (const char* word :
       {"", "+0.1", " 0.1", "0.1 ", "0x1p3", "0.1f", "1,5", "nan", "inf", "-inf", "infinity", "nan(1)", "e5", "."})
    CHECK_MESSAGE(fault<double>(word) == "is not a number", word);
}

TEST_CASE("rungs of ladders") {
  CHECK(Rungs("gemm=03,conv2d_forward=2").get("gemm", 0) == 3);
  CHECK(Rungs("gemm=03,conv2d_forward=2").get("conv2d_forward", 0) == 2);
  CHECK(Rungs("").all().empty());
  for (const char* text : {"gemm=3,", ",gemm=3", "gemm=3,,softmax_forward=1", "gemm", "gemm=", "=3", "gemm=-3",
                           "gemm=+3", "gemm=3x", "gemm=0x3", "gemm=99999999999", "gemm=3 "})
    CHECK_THROWS_AS(Rungs{text}, std::invalid_argument);
}

TEST_CASE("every flag with a number refuses what is none, by its name") {
  const TemporaryFolder folder;
  for (const Numbers& each : all_numbers()) {
    CAPTURE(each.program);
    const auto refuse = [&](const std::string& flag, const std::string& value) {
      check_number_refused(run(each.program, with(each.before, {flag + "=" + value}), folder.path), flag, value);
    };
    for (const char* flag : each.whole)
      for (const char* value : {"", "64k", "2.5"}) refuse(flag, value);
    for (const char* flag : each.real)
      for (const char* value : {"", "0x10", "inf"}) refuse(flag, value);
    const bool whole = !each.whole.empty();
    const char* const one = whole ? each.whole.back() : each.real.back();
    for (const char* value : {"+5", " 5", "5 ", "0x10", "nan", "1e999", "99999999999999999999999"})
      if (whole || std::string(value).substr(0, 2) != "99") refuse(one, value);
  }
  check_number_refused(run(CAIRN_TRAIN, {"--seed", "-5"}, folder.path), "--seed", "-5");
  check_number_refused(run(CAIRN_TRAIN, {"--batch-size", "1e3"}, folder.path), "--batch-size", "1e3");
  check_number_refused(run(CAIRN_TRAIN, {"--batch-size", "x", "--batch-size", "64"}, folder.path), "--batch-size", "x");
  check_number_refused(run(CAIRN_TRAIN, {"--shuffle="}, folder.path), "--shuffle", "");
  check_number_refused(run(CAIRN_TRAIN, {"--shuffle", "2"}, folder.path), "--shuffle", "2");
  check_number_refused(run(CAIRN_TRAIN, {"--quiet=5"}, folder.path), "--quiet", "5");
  check_number_refused(run(CAIRN_TRAIN, {"--quiet="}, folder.path), "--quiet", "");
}

TEST_CASE("a leading zero is no octal, on the command line and in a settings file") {
  const TemporaryFolder folder;
  write_file(folder.path / "text.json", R"({"batch-size": "064"})");
  write_file(folder.path / "number.json", R"({"batch-size": 64, "lr": 1e-1})");
  for (const char* flag : {"--batch-size=064", "--batch-size=0064", "--config=text.json", "--config=number.json"}) {
    const Result result =
        run(CAIRN_TRAIN, {"--model=linear", "--dataset=digits", "--impl=simd", "--dry-run", flag}, folder.path);
    CHECK_MESSAGE(result.code == 0, result.error);
    CHECK_MESSAGE(result.error.find(", batch 64, ") != std::string::npos, result.error);
  }
}

TEST_CASE("numbers of a wrong kind in a settings file") {
  const TemporaryFolder folder;
  const auto settings = [&](const std::string& text) {
    write_file(folder.path / "c.json", text);
    return run(CAIRN_TRAIN, {"--config", "c.json", "--dry-run"}, folder.path);
  };
  check_number_refused(settings(R"({"batch-size": 64.5})"), "--batch-size", "64.5");
  check_number_refused(settings(R"({"batch-size": ""})"), "--batch-size", "");
  check_number_refused(settings(R"({"batch-size": true})"), "--batch-size", "true");
  check_number_refused(settings(R"({"batch-size": "64 "})"), "--batch-size", "64 ");
  check_number_refused(settings(R"({"seed": -1})"), "--seed", "-1");
  check_number_refused(settings(R"({"seed": 99999999999999999999})"), "--seed", "1e+20");
  check_number_refused(settings(R"({"lr": "fast"})"), "--lr", "fast");
  check_number_refused(settings(R"({"tensorboard": "maybe"})"), "--tensorboard", "maybe");
  const Result null = settings(R"({"batch-size": null})");
  CHECK(null.code == 2);
  CHECK_MESSAGE(null.error == "train: --config: c.json: 'batch-size' must be a number, a text, true or false\n",
                null.error);
}

TEST_CASE("numbers in lists") {
  const TemporaryFolder folder;
  const auto refused = [&](const char* program, const std::vector<std::string>& arguments, const std::string& part) {
    const Result result = run(program, arguments, folder.path);
    CHECK(result.code == 2);
    CHECK_MESSAGE(line_count(result.error) == 1, result.error);
    CHECK_MESSAGE(result.error.find(part) != std::string::npos, result.error);
  };
  for (const char* rung : {"", "+3", "0x3", "3x", " 3", "-3", "99999999999"})
    refused(CAIRN_TRAIN, {"--impl=vanilla", "--device=cpu", "--dataset=digits", std::string("--kernel=gemm=") + rung},
            "gemm=" + std::string(rung));
  const std::vector<std::string> vanilla = {"--impl=vanilla", "--device=cpu", "--dataset=digits", "--dry-run"};
  refused(CAIRN_TRAIN, with(vanilla, {"--kernel=gemm=3,"}), "unknown kernel ''");
  CHECK(run(CAIRN_TRAIN, with(vanilla, {"--kernel=gemm=03"}), folder.path).code == 0);
  for (const char* value : {"", "+0.5", "0x1", "0.5x", "nan", "inf", " 0.5"})
    refused(CAIRN_TRAIN, {std::string("--schedule=exponential:gamma=") + value},
            "gamma must be a positive number, not '" + std::string(value) + "'");
  for (const char* value : {"", "+5", "1e3", "0x10"})
    refused(CAIRN_TRAIN, {std::string("--schedule=step:gamma=0.5,size=") + value},
            "size must be a positive whole number, not '" + std::string(value) + "'");
  for (const char* sizes : {"16,", ",16", "16,,32", "+16", "0x10", "16 ", "0"})
    refused(CAIRN_BENCH, {"ladder", std::string("--sizes=") + sizes},
            "--sizes takes numbers from 1 to 999999, separated by commas, not '" + std::string(sizes) + "'");
}

TEST_CASE("an empty value is a value, and a flag is none") {
  const TemporaryFolder folder;
  const auto error = [&](const std::vector<std::string>& arguments) {
    const Result result = run(CAIRN_COMPARE, arguments, folder.path);
    CHECK(result.code == 2);
    CHECK_MESSAGE(line_count(result.error) == 1, result.error);
    return result.error;
  };
  CHECK(error({"--live", "--model=linear", "--recipe=", "--double"}) ==
        "compare: --double belongs to a call without --live\n");
  CHECK(error({"--model=linear", "--recipe", "--double"}) == "compare: --recipe needs a value\n");
  CHECK(error({"--model=linear", "--recipe"}) == "compare: --recipe needs a value\n");
  const Result empty = run(CAIRN_TRAIN, {"--data-dir=", "--dataset=digits", "--dry-run", "--quiet"}, folder.path);
  CHECK_MESSAGE(empty.code == 0, empty.error);
}

}  // namespace cairn::testing
