// Epoch orders, batch arithmetic, splits. Golden values come from a separate implementation in Python of what
// datasets/order.h and datasets/order.cpp say.
#include "datasets/order.h"

#include <algorithm>
#include <array>
#include <set>

#include "framework/error.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {
namespace {

uint64_t fingerprint(std::span<const int32_t> values) {  // FNV-1a over whole values
  uint64_t hash = 14695981039346656037u;
  for (const int32_t value : values) hash = (hash ^ static_cast<uint64_t>(value)) * 1099511628211u;
  return hash;
}

bool is_permutation_of_range(std::vector<int32_t> values) {
  std::sort(values.begin(), values.end());
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] != static_cast<int32_t>(i)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a shuffle is a permutation, of any size") {
  for (const int64_t count : {1, 2, 3, 4, 5, 31, 64, 1000, 60000}) {
    CAPTURE(count);
    CHECK(is_permutation_of_range(epoch_order(count, 1, 0, true)));
  }
  CHECK(epoch_order(0, 1, 0, true).empty());
  CHECK(epoch_order(5, 1, 0, false) == std::vector<int32_t>{0, 1, 2, 3, 4});
}

TEST_CASE("a shuffle depends on seed and epoch, and on nothing else") {
  std::set<uint64_t> seen;
  for (const uint64_t seed : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32}) {
    for (const uint32_t epoch : {0u, 1u, 2u}) {
      const std::vector<int32_t> order = epoch_order(1000, seed, epoch, true);
      CHECK(order == epoch_order(1000, seed, epoch, true));
      seen.insert(fingerprint(order));
    }
  }
  CHECK(seen.size() == 9);
}

TEST_CASE("golden shuffles") {
  CHECK(epoch_order(10, 42, 0, true) == std::vector<int32_t>{9, 8, 4, 6, 7, 5, 1, 3, 2, 0});
  CHECK(epoch_order(10, 42, 1, true) == std::vector<int32_t>{1, 5, 4, 0, 9, 6, 8, 3, 2, 7});
  CHECK(epoch_order(10, uint64_t{1} << 40 | 7, 3, true) == std::vector<int32_t>{4, 5, 6, 7, 9, 8, 1, 3, 2, 0});
  const std::vector<int32_t> order = epoch_order(60000, 42, 0, true);
  CHECK(std::vector<int32_t>(order.begin(), order.begin() + 5) ==
        std::vector<int32_t>{20323, 45028, 53332, 17616, 2241});
  CHECK(fingerprint(order) == 0x2d176ff6042936bu);
  CHECK(fingerprint(epoch_order(60000, 46, 0, true)) == 0x68a80b5d93ca8da7u);  // with a word that is rejected
}

TEST_CASE("all orders of four are equally likely") {
  std::array<int, 256> counts{};
  constexpr int kTrials = 24'000;
  for (uint32_t epoch = 0; epoch < kTrials; ++epoch) {
    const std::vector<int32_t> order = epoch_order(4, 5, epoch, true);
    ++counts[static_cast<size_t>(order[0] + 4 * order[1] + 16 * order[2] + 64 * order[3])];
  }
  double chi_squared = 0;
  int orders = 0;
  for (const int count : counts) {
    if (count == 0) continue;
    ++orders;
    chi_squared += (count - 1000.0) * (count - 1000.0) / 1000.0;
  }
  CHECK(orders == 24);
  CHECK(chi_squared < 49.7);  // 23 degrees of freedom: exceeded by one seed in a thousand
}

TEST_CASE("steps of an epoch") {
  CHECK(whole_batch_size(60000, 0) == 60000);
  CHECK(steps_per_epoch(60000, 0, false) == 1);
  CHECK(steps_per_epoch(60000, 0, true) == 1);
  CHECK(steps_per_epoch(60000, 64, true) == 937);
  CHECK(steps_per_epoch(60000, 64, false) == 938);
  CHECK(steps_per_epoch(64, 64, false) == 1);
  CHECK(steps_per_epoch(3, 64, false) == 1);
  CHECK(partial_batch_size(60000, 64, false) == 32);
  CHECK(partial_batch_size(60000, 64, true) == 0);
  CHECK(partial_batch_size(60000, 0, false) == 0);
  CHECK(partial_batch_size(60000, 60000, false) == 0);
  CHECK(partial_batch_size(3, 64, false) == 3);
  check_error<UsageError>([] { steps_per_epoch(10, -1, false); }, {"batch size -1 is negative"});
  check_error<UsageError>([] { partial_batch_size(10, -1, false); }, {"batch size -1 is negative"});
  check_error<UsageError>([] { steps_per_epoch(10, 11, true); }, {"batch size 11 is larger than the 10 images"});
  check_error<UsageError>([] { steps_per_epoch(0, 1, false); }, {"without images"});
}

TEST_CASE("a split is a partition and stays the same") {
  const SplitIndices split = split_indices(60000, 10000, 42);
  CHECK(split.train.size() == 50000);
  CHECK(split.validation.size() == 10000);
  CHECK(std::vector<int32_t>(split.train.begin(), split.train.begin() + 3) == std::vector<int32_t>{30655, 8836, 39050});
  CHECK(std::vector<int32_t>(split.validation.begin(), split.validation.begin() + 3) ==
        std::vector<int32_t>{48475, 5783, 22170});
  std::vector<int32_t> all = split.train;
  all.insert(all.end(), split.validation.begin(), split.validation.end());
  CHECK(is_permutation_of_range(all));
  CHECK(split_indices(10, 0, 1).validation.empty());
  check_error<UsageError>([] { split_indices(10, 10, 1); }, {"10 of 10 images cannot be set aside"});
  check_error<UsageError>([] { split_indices(10, -1, 1); }, {"-1 of 10"});
}

TEST_CASE("ranks share an epoch, batch by batch") {
  const std::vector<int32_t> order = epoch_order(14, 3, 0, true);
  const int ranks = 3;
  constexpr size_t kBatch = 2;  // of a rank
  for (size_t step = 0; step < 2; ++step) {
    std::vector<int32_t> together, alone(order.begin() + static_cast<ptrdiff_t>(step * kBatch * ranks),
                                         order.begin() + static_cast<ptrdiff_t>((step + 1) * kBatch * ranks));
    for (int rank = 0; rank < ranks; ++rank) {
      const std::vector<int32_t> share = rank_share(order, rank, ranks);
      CHECK(share.size() == (rank < 2 ? 5 : 4));
      together.insert(together.end(), share.begin() + static_cast<ptrdiff_t>(step * kBatch),
                      share.begin() + static_cast<ptrdiff_t>((step + 1) * kBatch));
    }
    std::ranges::sort(together);
    std::ranges::sort(alone);
    CHECK(together == alone);
  }
  CHECK(rank_share(order, 0, 1) == order);
  check_error<UsageError>([&] { rank_share(order, 3, 3); }, {"there is no rank 3 of 3"});
  check_error<UsageError>([&] { rank_share(order, -1, 3); }, {"there is no rank -1 of 3"});
  check_error<UsageError>([&] { rank_share(order, 0, 0); }, {"there is no rank 0 of 0"});
}

TEST_CASE("a subset copies every column in the order asked for") {
  Split split = image_split({1, 1, 2}, {10, 11, 20, 21, 30, 31}, std::vector<int32_t>{1, 2, 300});
  split.columns.push_back({"tokens", DType::u8, {3}, {1, 1, 1, 2, 2, 2, 3, 3, 3}});
  const std::array<int32_t, 3> indices{2, 0, 2};
  const Split chosen = subset(split, indices);
  CHECK(chosen.count == 3);
  CHECK(image_shape(chosen) == Shape{1, 1, 2});
  CHECK(chosen.column("image").bytes == Bytes{30, 31, 10, 11, 30, 31});
  CHECK(std::ranges::equal(labels(chosen), std::array{300, 1, 300}));
  CHECK(chosen.column("tokens").bytes == Bytes{3, 3, 3, 1, 1, 1, 3, 3, 3});
  const std::array<int32_t, 1> outside{3};
  check_error<UsageError>([&] { subset(split, outside); }, {"example 3 was asked for, of 3"});
}

}  // namespace cairn::datasets
