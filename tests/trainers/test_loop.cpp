// The loop alone, with a step that is no network's: which rows it is given, that it is replayed, what is noted of it.
#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "datasets/order.h"
#include "framework/ops/loss.h"
#include "tests/trainers/support.h"
#include "trainers/loop.h"

namespace cairn::testing {
namespace {

// A loop whose loss is the mean of a column's values in the batch.
struct MeanLoop {
  MeanLoop(const std::string& implementation, std::vector<float> given, const Recipe& recipe)
      : device(open(implementation)),
        values(std::move(given)),
        column(Tensor::from_host<float>(device, {static_cast<int64_t>(values.size())}, values)),
        loop(device, column.count(), recipe, 7) {
    loop.set_step([this](const Batch& batch) {
      ++steps_as_written;
      Tensor chosen = Tensor::empty(device, {batch.rows});
      device->call(&Backend::gather_rows, GatherRowsArgs{.from = DType::f32,
                                                         .to = DType::f32,
                                                         .rows = batch.rows,
                                                         .channels = 1,
                                                         .plane = 1,
                                                         .x = column.data(),
                                                         .index = batch.index.data<int32_t>(),
                                                         .out = chosen.data()});
      return mean(chosen);
    });
  }

  // What the loop must find: the means of the epoch's batches.
  std::vector<float> expected(uint32_t epoch, int64_t batch) const {
    const std::vector<int32_t> order = datasets::epoch_order(static_cast<int64_t>(values.size()), 7, epoch, true);
    std::vector<float> means;
    for (size_t begin = 0; begin < order.size(); begin += static_cast<size_t>(batch)) {
      const size_t end = std::min(begin + static_cast<size_t>(batch), order.size());
      double sum = 0;
      for (size_t i = begin; i < end; ++i) sum += values[static_cast<size_t>(order[i])];
      means.push_back(static_cast<float>(sum / static_cast<double>(end - begin)));
    }
    return means;
  }

  std::shared_ptr<Device> device;
  std::vector<float> values;
  Tensor column;
  Loop loop;
  int steps_as_written = 0;
};

std::vector<float> count_up(size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.0f);
  return values;
}

void check_close(const std::vector<float>& seen, const std::vector<float>& expected) {
  REQUIRE(seen.size() == expected.size());
  for (size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == doctest::Approx(expected[i]).epsilon(1e-5));
}

}  // namespace

TEST_CASE("loop: every step gets its batch of the epoch's order, the short last one too, and is replayed") {
  for (const std::string& implementation : kCpuImplementations) {
    CAPTURE(implementation);
    MeanLoop mean(implementation, count_up(23), {.batch_size = 5, .epochs = 3});
    CHECK(mean.loop.steps_per_epoch() == 5);
    CHECK(mean.loop.total_steps() == 15);
    for (uint32_t epoch = 0; epoch < 3; ++epoch) {
      const EpochResult result = mean.loop.run_epoch({}, kNever);
      check_close(mean.loop.losses(), mean.expected(epoch, 5));
      CHECK(result.epoch == epoch + 1);
      CHECK(result.steps == 5 * (epoch + 1));
      CHECK(result.train_loss == doctest::Approx(12).epsilon(1e-5));  // of all 23 rows, whatever their batches
    }
    CHECK(mean.steps_as_written == 4);  // as it is and captured, for whole batches and for the short one
  }
}

TEST_CASE("loop: a number of steps, in the epoch and over its end") {
  MeanLoop mean("simd", count_up(20), {.batch_size = 5, .epochs = 9});
  CHECK(mean.loop.run_steps(3) >= 0);
  CHECK(mean.loop.steps_done() == 3);
  mean.loop.run_steps(6);
  CHECK(mean.loop.steps_done() == 9);
  std::vector<float> third = mean.expected(2, 5);
  third.resize(1);
  check_close(mean.loop.losses(), third);
  mean.loop.run_epoch({}, kNever);  // what is left of the epoch
  CHECK(mean.loop.steps_done() == 12);
  check_close(mean.loop.losses(), mean.expected(2, 5));
}

TEST_CASE("loop: it goes on from any step, and says where a loss is no number") {
  MeanLoop mean("simd", count_up(20), {.batch_size = 5, .epochs = 9});
  mean.loop.continue_at(6, {0.5f, 0.25f});
  mean.loop.run_epoch({}, kNever);
  CHECK(mean.loop.steps_done() == 8);
  CHECK(mean.loop.losses()[1] == 0.25f);
  CHECK(mean.loop.losses()[3] == doctest::Approx(mean.expected(1, 5)[3]));

  std::vector<float> values = count_up(20);
  values[static_cast<size_t>(datasets::epoch_order(20, 7, 0, true)[12])] = std::nanf("");
  MeanLoop diverging("simd", values, {.batch_size = 5, .epochs = 1});
  CHECK_THROWS_WITH_AS(diverging.loop.run_epoch({}, kNever),
                       "the loss became nan at step 3: training diverged; try a smaller --lr", DivergedError);
}

TEST_CASE("loop: a feed is told the order and asked for each batch ahead of its step") {
  struct Told : Feed {
    explicit Told(std::vector<std::string>& to) : log(to) {}
    void begin_epoch(std::span<const int32_t> order, int64_t done) override {
      log.push_back("epoch of " + std::to_string(order.size()) + " from " + std::to_string(done));
    }
    void next(int64_t rows) override { log.push_back(std::to_string(rows)); }
    std::vector<std::string>& log;
  };
  std::vector<std::string> log;
  MeanLoop mean("simd", count_up(12), {.batch_size = 5, .epochs = 2});
  Told feed(log);
  mean.loop.set_feed(feed);
  mean.loop.run_steps(1);
  mean.loop.run_epoch({}, kNever);
  CHECK(log == std::vector<std::string>{"epoch of 12 from 0", "5", "epoch of 12 from 5", "5", "2"});
}

TEST_CASE("loop: a batch size that does not suit the rows") {
  CHECK_THROWS_WITH_AS(MeanLoop("simd", count_up(4), {.batch_size = 5, .epochs = 1}),
                       "--batch-size 5 is more than the 4 training examples; 0 takes them all", UsageError);
}

}  // namespace cairn::testing
