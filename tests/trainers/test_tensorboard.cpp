// TensorBoard's event files: bytes of a record, what is in the events of an epoch and of a run that was continued, a
// disk that is full, and TensorBoard's own reader. Not here: --tensorboard from the command line (tests/apps).
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "framework/error.h"
#include "tests/python.h"
#include "tests/trainers/support.h"
#include "trainers/run.h"
#include "trainers/run_folder.h"
#include "trainers/tensorboard.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;

std::string file_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

uint64_t little_endian(std::string_view bytes, size_t count) {
  REQUIRE(bytes.size() >= count);
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= uint64_t{static_cast<uint8_t>(bytes[i])} << 8 * i;
  return value;
}

// A protobuf message by field number: numbers as they are on the wire, texts and messages as bytes.
struct Fields {
  std::multimap<int, uint64_t> numbers;
  std::multimap<int, std::string> texts;

  explicit Fields(std::string_view bytes) {
    const auto varint = [&] {
      uint64_t value = 0;
      for (int shift = 0;; shift += 7) {
        REQUIRE_FALSE(bytes.empty());
        const auto byte = static_cast<uint8_t>(bytes[0]);
        bytes.remove_prefix(1);
        value |= uint64_t{byte & 0x7Fu} << shift;
        if (byte < 0x80) return value;
      }
    };
    while (!bytes.empty()) {
      const uint64_t key = varint();
      const int field = static_cast<int>(key >> 3);
      const size_t width = (key & 7) == 1 ? 8 : (key & 7) == 5 ? 4 : 0;
      if (width > 0) {
        numbers.emplace(field, little_endian(bytes, width));
        bytes.remove_prefix(width);
      } else if ((key & 7) == 0) {
        numbers.emplace(field, varint());
      } else {
        REQUIRE((key & 7) == 2);
        const uint64_t length = varint();
        REQUIRE(length <= bytes.size());
        texts.emplace(field, bytes.substr(0, length));
        bytes.remove_prefix(length);
      }
    }
  }
  uint64_t number(int field) const {
    REQUIRE(numbers.count(field) == 1);
    return numbers.find(field)->second;
  }
  double real(int field) const { return std::bit_cast<double>(number(field)); }
  std::string text(int field) const {
    REQUIRE(texts.count(field) == 1);
    return texts.find(field)->second;
  }
  std::vector<double> reals(int field) const {
    const std::string packed = text(field);
    std::vector<double> values;
    for (size_t i = 0; i < packed.size(); i += 8)
      values.push_back(std::bit_cast<double>(little_endian(std::string_view(packed).substr(i), 8)));
    return values;
  }
};

// The payloads of a file's records; a last one that is cut short ends the list.
std::vector<std::string> payloads(const fs::path& path) {
  std::string bytes = file_text(path);
  std::vector<std::string> found;
  for (std::string_view rest = bytes; rest.size() >= 12;) {
    const uint64_t length = little_endian(rest, 8);
    if (rest.size() < 16 + length) break;
    const std::string payload(rest.substr(12, length));
    CHECK(rest.substr(0, 16 + length) == record_of(payload));
    found.push_back(payload);
    rest.remove_prefix(16 + length);
  }
  return found;
}

// What a reader keeps of a folder: files by name, values by tag and step, those from a START's step on dropped there.
struct Board {
  std::map<std::string, std::vector<std::pair<int64_t, float>>> scalars;
  std::map<std::string, std::vector<std::pair<int64_t, std::string>>> histograms;
  std::vector<int64_t> starts;
  std::vector<double> wall_times;
  std::vector<fs::path> files;

  explicit Board(const fs::path& folder) {
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().filename().string().rfind("events.out.tfevents.", 0) == 0) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      const std::vector<std::string> events = payloads(file);
      REQUIRE(events.size() >= 2);
      CHECK(Fields(events[0]).text(3) == "brain.Event:2");
      CHECK(Fields(Fields(events[1]).text(7)).number(1) == 1);
      for (size_t i = 1; i < events.size(); ++i) add(Fields(events[i]));
    }
  }

  void add(const Fields& event) {
    const auto step = static_cast<int64_t>(event.number(2));
    wall_times.push_back(event.real(1));
    if (event.texts.count(7)) {
      starts.push_back(step);
      for (auto& [tag, values] : scalars) std::erase_if(values, [&](const auto& value) { return value.first >= step; });
      for (auto& [tag, values] : histograms)
        std::erase_if(values, [&](const auto& value) { return value.first >= step; });
      return;
    }
    const Fields summary(event.text(5));
    for (const auto& [field, bytes] : summary.texts) {
      REQUIRE(field == 1);
      const Fields value(bytes);
      if (value.texts.count(5))
        histograms[value.text(1)].emplace_back(step, value.text(5));
      else
        scalars[value.text(1)].emplace_back(step, std::bit_cast<float>(static_cast<uint32_t>(value.number(2))));
    }
  }

  std::vector<int64_t> steps(const std::string& tag) const {
    std::vector<int64_t> list;
    if (scalars.count(tag))
      for (const auto& [step, value] : scalars.at(tag)) list.push_back(step);
    return list;
  }
};

std::vector<int64_t> first_steps(int64_t count) {
  std::vector<int64_t> steps(static_cast<size_t>(count));
  std::iota(steps.begin(), steps.end(), 1);
  return steps;
}

RunConfig drawn_run(const fs::path& out, int64_t epochs) {
  RunConfig config = short_run(out, epochs);
  config.tensorboard = true;
  return config;
}

// The curves are those of a run that nothing interrupted, speed apart.
void check_same_curves(const Board& board, const Board& expected) {
  for (const auto& each : expected.scalars) {
    const auto& tag = each.first;
    const auto& values = each.second;
    CAPTURE(tag);
    REQUIRE(board.scalars.count(tag) == 1);
    if (tag == "train/images_per_second")
      CHECK(board.steps(tag) == expected.steps(tag));
    else
      CHECK(board.scalars.at(tag) == values);
  }
  CHECK(board.histograms == expected.histograms);
}

// A network of one weight and one bias.
class Line : public Module {
 public:
  explicit Line(const std::vector<float>& weights) {
    DeviceOptions options;
    options.implementation = "reference";
    const auto count = static_cast<int64_t>(weights.size());
    register_parameter("weight", Tensor::from_host<float>(Device::open(options), {count}, weights));
  }
  Tensor forward(const Tensor& x) override { return x; }
  Shape summarize(const Shape& sample, const std::string&, std::vector<LayerSummary>&) const override { return sample; }
};

}  // namespace

TEST_CASE("tensorboard: the checksum is CRC-32C") {
  std::string up(32, '\0'), down(32, '\0');  // RFC 3720, appendix B.4
  std::iota(up.begin(), up.end(), '\0');
  std::reverse_copy(up.begin(), up.end(), down.begin());
  CHECK(crc32c("") == 0);
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
  CHECK(crc32c(up) == 0x46DD794E);
  CHECK(crc32c(down) == 0x113FDB5C);
  CHECK(crc32c("123456789") == 0xE3069283);
}

TEST_CASE("tensorboard: a record is framed as TFRecord's are") {
  // The first record of a file that TensorBoard 2.21's own writer made at time 1.5: 24 bytes with the version.
  const std::string payload(
      "\x09\0\0\0\0\0\0\xF8\x3F\x1A\x0D"
      "brain.Event:2",
      24);
  const std::string expected = std::string("\x18\0\0\0\0\0\0\0\xA3\x7F\x4B\x22", 12) + payload + "*(dl";
  CHECK(record_of(payload) == expected);
  CHECK(record_of("").size() == 16);
}

TEST_CASE("tensorboard: an epoch's events hold its numbers and the weights") {
  const TemporaryFolder folder;
  fs::create_directories(folder.path);
  EpochResult epoch;
  epoch.epoch = 3;
  epoch.steps = 302;
  epoch.train_loss = 0.375;
  epoch.learning_rate = 0.125;
  epoch.train_seconds = 10;
  epoch.images_per_second = 4096;
  const std::vector<float> losses = {0.5f, 0.25f};
  TensorBoardLog log(folder.path);
  CHECK_FALSE(fs::exists(log.path()));
  log.append(epoch, losses, Evaluation{0.75, 0.5, 5, 10, 0.9}, Line({-1, -1, 0.5f, 2}));
  epoch.epoch = 4;
  epoch.steps = 303;
  epoch.interrupted = true;
  log.append(epoch, std::vector<float>{0.125f}, {}, Line({0}));

  const Board board(folder.path);
  using Values = std::vector<std::pair<int64_t, float>>;
  CHECK(board.starts == std::vector<int64_t>{301});
  CHECK(board.scalars.at("train/loss") == Values{{301, 0.5f}, {302, 0.25f}, {303, 0.125f}});
  CHECK(board.scalars.at("train/epoch_loss") == Values{{302, 0.375f}});
  CHECK(board.scalars.at("train/learning_rate") == Values{{302, 0.125f}});
  CHECK(board.scalars.at("train/images_per_second") == Values{{302, 4096.0f}});
  CHECK(board.scalars.at("test/loss") == Values{{302, 0.75f}});
  CHECK(board.scalars.at("test/accuracy") == Values{{302, 0.5f}});
  CHECK(board.scalars.at("test/top5_accuracy") == Values{{302, 0.9f}});
  CHECK(board.scalars.size() == 7);
  // START, step 301, step 302, the epoch, step 303: the steps share the epoch's ten seconds.
  REQUIRE(board.wall_times.size() == 5);
  CHECK(board.wall_times[1] - board.wall_times[0] == doctest::Approx(5));
  CHECK(board.wall_times[2] - board.wall_times[1] == doctest::Approx(5));
  CHECK(board.wall_times[3] == board.wall_times[2]);

  REQUIRE(board.histograms.size() == 1);
  const Fields histogram(board.histograms.at("weights/weight")[0].second);
  CHECK(histogram.real(1) == -1);
  CHECK(histogram.real(2) == 2);
  CHECK(histogram.real(3) == 4);
  CHECK(histogram.real(4) == 0.5);
  CHECK(histogram.real(5) == 6.25);
  const std::vector<double> limits = histogram.reals(6), counts = histogram.reals(7);
  REQUIRE(limits.size() == 30);
  REQUIRE(counts.size() == 30);
  CHECK(std::is_sorted(limits.begin(), limits.end()));
  CHECK(limits[0] == doctest::Approx(-0.9));
  CHECK(limits[29] == 2);
  CHECK(counts[0] == 2);
  CHECK(counts[15] == 1);  // 0.5 lies in [0.5, 0.6)
  CHECK(counts[29] == 1);
  CHECK(std::accumulate(counts.begin(), counts.end(), 0.0) == 4);
}

TEST_CASE("tensorboard: weights that are all the same are one bucket, and none are drawn that are no numbers") {
  const auto drawn = [](const std::vector<float>& weights) {
    const TemporaryFolder folder;
    fs::create_directories(folder.path);
    TensorBoardLog(folder.path).append({}, {}, Evaluation{}, Line(weights));
    return Board(folder.path).histograms;
  };
  const auto same = drawn({3, 3, 3});
  REQUIRE(same.size() == 1);
  const Fields histogram(same.at("weights/weight")[0].second);
  CHECK(histogram.reals(6) == std::vector<double>{3});
  CHECK(histogram.reals(7) == std::vector<double>{3});
  CHECK(drawn({1, std::numeric_limits<float>::quiet_NaN()}).empty());
  CHECK(drawn({1, std::numeric_limits<float>::infinity()}).empty());
}

TEST_CASE("tensorboard: each file's name comes after those that are there, whatever the clock says") {
  const TemporaryFolder folder;
  fs::create_directories(folder.path);
  std::vector<fs::path> names;
  for (int i = 0; i < 3; ++i) {
    names.push_back(TensorBoardLog(folder.path).path());
    std::ofstream(names.back()) << "";
  }
  CHECK(names[0] < names[1]);
  CHECK(names[1] < names[2]);
  std::ofstream(folder.path / "events.out.tfevents.9000000000.host") << "";
  CHECK(TensorBoardLog(folder.path).path() == folder.path / "events.out.tfevents.9000000001.cairn");
}

TEST_CASE("tensorboard: a run that is continued after an older checkpoint tells each step once") {
  const TemporaryFolder folder;
  RunOptions options;
  options.quiet = true;
  run_training(drawn_run(folder.path / "whole", 4), options);
  const Board whole(folder.path / "whole");
  CHECK(whole.files.size() == 1);
  CHECK(whole.steps("train/loss") == first_steps(160));
  CHECK(whole.steps("test/accuracy") == std::vector<int64_t>{40, 80, 120, 160});
  CHECK(whole.histograms.size() == 2);
  std::ifstream metrics(folder.path / "whole" / "metrics.jsonl");
  for (std::string line; std::getline(metrics, line);) {
    const nlohmann::json entry = nlohmann::json::parse(line);
    const size_t index = entry["epoch"].get<size_t>() - 1;
    for (const auto& [tag, name] : {std::pair("train/epoch_loss", "train_loss"),
                                    {"train/learning_rate", "lr"},
                                    {"train/images_per_second", "images_per_second"},
                                    {"test/loss", "test_loss"},
                                    {"test/accuracy", "test_accuracy"}})
      CHECK(whole.scalars.at(tag)[index].second == static_cast<float>(entry[name].get<double>()));
  }

  // Killed after the fourth epoch's events, half a record behind them, when the last checkpoint was the second epoch's.
  const fs::path cut = folder.path / "cut", checkpoint = cut / "checkpoint.safetensors";
  run_training(drawn_run(cut, 2), options);
  fs::copy_file(checkpoint, folder.path / "old");
  options.resume = cut.string();
  run_training(drawn_run("", 4), options);
  const fs::path last = Board(cut).files.back();
  std::ofstream(last, std::ios::app | std::ios::binary) << record_of("never told").substr(0, 20);
  fs::copy_file(folder.path / "old", checkpoint, fs::copy_options::overwrite_existing);
  run_training(drawn_run("", 4), options);
  const Board continued(cut);
  CHECK(continued.starts == std::vector<int64_t>{1, 81, 81});
  check_same_curves(continued, whole);

  const size_t files = continued.files.size();
  run_training(drawn_run("", 4), options);  // nothing is left to do
  CHECK(Board(cut).files.size() == files);
}

TEST_CASE("tensorboard: a run that is continued in the middle of an epoch tells the whole epoch") {
  const TemporaryFolder folder;
  RunOptions options;
  options.quiet = true;
  run_training(drawn_run(folder.path / "whole", 2), options);
  RunConfig config = drawn_run(folder.path / "cut", 2);
  config.save_steps = 20;
  {
    std::atomic<bool> stop{false};
    const std::shared_ptr<Device> device = Device::open(config.device);
    Trainer trainer = make_trainer(config, load("digits", 20000, 2000));
    const RunFolder run = RunFolder::create(config.out, config);
    TensorBoardLog log(config.out);
    Trainer::Hooks hooks;
    hooks.save_interval = 20;
    hooks.save = [&] {
      run.save_checkpoint(trainer, {});
      stop = trainer.steps_done() == 60;
    };
    const EpochResult first = trainer.run_epoch(hooks, stop);
    log.append(first, trainer.losses(), trainer.evaluate(), trainer.model());
    const EpochResult second = trainer.run_epoch(hooks, stop);
    CHECK(second.interrupted);
    log.append(second, trainer.losses(), {}, trainer.model());
  }
  CHECK(Board(config.out).steps("train/loss") == first_steps(60));
  options.resume = config.out;
  run_training(config, options);
  const Board continued(config.out);
  CHECK(continued.starts == std::vector<int64_t>{1, 41});
  const Board whole(folder.path / "whole");
  CHECK(continued.scalars.at("train/loss") == whole.scalars.at("train/loss"));
  CHECK(continued.scalars.at("train/epoch_loss") == whole.scalars.at("train/epoch_loss"));
}

TEST_CASE("tensorboard: a full disk costs the epoch that it happens in and no other") {
  const TemporaryFolder folder;
  fs::create_directories(folder.path);
  TensorBoardLog log(folder.path);
  const Line model({1});
  EpochResult epoch;
  epoch.steps = 2;
  log.append(epoch, std::vector<float>{1, 2}, {}, model);
  const std::string good = file_text(log.path());

  struct rlimit
      before;  // a limit on the size of files stands for the disk: the write stops in the middle in the same way
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small { good.size() + 30, before.rlim_max };
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  epoch.steps = 4;
  std::string message;
  try {
    log.append(epoch, std::vector<float>{3, 4}, {}, model);
  } catch (const IoError& error) {
    message = error.what();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, handler);
  CHECK(message == log.path().string() + ": cannot be written: File too large");
  CHECK(file_text(log.path()) == good);

  epoch.steps = 6;
  log.append(epoch, std::vector<float>{5, 6}, {}, model);
  CHECK(Board(folder.path).steps("train/loss") == std::vector<int64_t>{1, 2, 5, 6});
}

TEST_CASE("Python's TensorBoard reads a run that was killed and continued, with the values of metrics.jsonl") {
  if (!has_python_with("tensorboard")) return;
  const TemporaryFolder folder;
  RunOptions options;
  options.quiet = true;
  run_training(drawn_run(folder.path, 2), options);
  const fs::path checkpoint = folder.path / "checkpoint.safetensors", old = folder.path / "old";
  fs::copy_file(checkpoint, old);
  options.resume = folder.path.string();
  run_training(drawn_run("", 3), options);
  std::ofstream(Board(folder.path).files.back(), std::ios::app | std::ios::binary) << record_of("cut").substr(0, 9);
  fs::rename(old, checkpoint);
  run_training(drawn_run("", 5), options);
  CHECK(run_python(fs::path(CAIRN_SOURCE_DIR) / "tests/trainers" / "read_events.py", ".", folder.path));
}

}  // namespace cairn::testing
