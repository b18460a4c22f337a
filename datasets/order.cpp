#include "datasets/order.h"

#include <fmt/format.h>

#include <numeric>

#include "datasets/stream.h"
#include "framework/random.h"
#include "kernels/philox.h"

namespace cairn::datasets {
namespace {

enum ShuffleId : uint32_t { kEpochShuffle = 0, kSplitShuffle = 1 };

// Swaps for i = n - 1 .. 1. Number i takes word i % 4 of Philox group i / 4, so one block serves four numbers. Bounded
// integers by Lemire's multiplication ("Fast random integer generation in an interval", 2019), which is exactly
// uniform: the few words that it must reject (one in 70,000 for MNIST) are drawn again from group i / 4 + 2^32 *
// attempt.
void shuffle(uint64_t seed, uint32_t stream, uint32_t step, std::span<int32_t> values) {
  philox::Block block{};
  size_t block_group = ~size_t{0};
  for (size_t i = values.size(); i-- > 1;) {
    if (i / 4 != block_group) {
      block_group = i / 4;
      block = philox::draw(seed, stream, step, block_group);
    }
    const uint32_t range = static_cast<uint32_t>(i) + 1;
    uint64_t product = uint64_t{block.word[i % 4]} * range;
    if (static_cast<uint32_t>(product) < range) {
      const uint32_t threshold = (0u - range) % range;  // 2^32 mod range
      for (uint64_t attempt = 1; static_cast<uint32_t>(product) < threshold; ++attempt) {
        product = uint64_t{philox::draw(seed, stream, step, i / 4 + (attempt << 32)).word[i % 4]} * range;
      }
    }
    std::swap(values[i], values[product >> 32]);
  }
}

}  // namespace

int64_t whole_batch_size(int64_t count, int64_t batch_size) {
  if (batch_size < 0) throw UsageError(fmt::format("batch size {} is negative (0 means the full batch)", batch_size));
  return batch_size == 0 ? count : batch_size;
}

int64_t steps_per_epoch(int64_t count, int64_t batch_size, bool drop_last) {
  const int64_t batch = whole_batch_size(count, batch_size);
  if (count <= 0) throw UsageError("a data set without images cannot be trained on");
  if (drop_last && batch > count) {
    throw UsageError(
        fmt::format("batch size {} is larger than the {} images, and incomplete batches are dropped", batch, count));
  }
  return drop_last ? count / batch : (count + batch - 1) / batch;
}

int64_t partial_batch_size(int64_t count, int64_t batch_size, bool drop_last) {
  const int64_t batch = whole_batch_size(count, batch_size);
  return drop_last || count <= 0 ? 0 : count % batch;
}

void shuffle_epoch(uint64_t seed, uint32_t epoch, std::span<int32_t> order) {
  std::iota(order.begin(), order.end(), 0);
  shuffle(seed, make_stream(RandomPurpose::kShuffle, kEpochShuffle), epoch, order);
}

std::vector<int32_t> epoch_order(int64_t count, uint64_t seed, uint32_t epoch, bool shuffled) {
  std::vector<int32_t> order(static_cast<size_t>(count));
  if (shuffled) {
    shuffle_epoch(seed, epoch, order);
  } else {
    std::iota(order.begin(), order.end(), 0);
  }
  return order;
}

SplitIndices split_indices(int64_t count, int64_t validation_count, uint64_t seed) {
  if (validation_count < 0 || validation_count >= count) {
    throw UsageError(fmt::format("{} of {} images cannot be set aside for validation", validation_count, count));
  }
  std::vector<int32_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  shuffle(seed, make_stream(RandomPurpose::kShuffle, kSplitShuffle), 0, order);
  const auto boundary = order.end() - validation_count;
  return {{order.begin(), boundary}, {boundary, order.end()}};
}

std::vector<int32_t> rank_share(std::span<const int32_t> order, int rank, int ranks) {
  if (ranks < 1 || rank < 0 || rank >= ranks) throw UsageError(fmt::format("there is no rank {} of {}", rank, ranks));
  std::vector<int32_t> share;
  for (size_t i = static_cast<size_t>(rank); i < order.size(); i += static_cast<size_t>(ranks))
    share.push_back(order[i]);
  return share;
}

Split subset(const Split& split, std::span<const int32_t> indices) {
  for (const int32_t index : indices) {
    if (index < 0 || index >= split.count)
      throw UsageError(fmt::format("example {} was asked for, of {}", index, split.count));
  }
  Split chosen{static_cast<int64_t>(indices.size()), {}};
  for (const Column& column : split.columns) {
    chosen.columns.push_back({column.name, column.dtype, column.row_shape, {}});
    Column& copy = chosen.columns.back();
    if (column.source) {
      copy.source = chosen_rows(column.source, {indices.begin(), indices.end()});
    } else {
      copy.bytes.resize(indices.size() * column.row_bytes());
      read_rows(column, indices, reinterpret_cast<std::byte*>(copy.bytes.data()));
    }
  }
  if (split.texts) {
    chosen.texts.emplace();
    for (const int32_t index : indices) chosen.texts->add(split.texts->text(index));
  }
  return chosen;
}

Split repeated(const Split& split, int64_t count) {
  if (split.count == 0 && count > 0) throw UsageError("there are no images to be taken again");
  std::vector<int32_t> indices(static_cast<size_t>(count));
  for (size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<int32_t>(static_cast<int64_t>(i) % split.count);
  return subset(split, indices);
}

}  // namespace cairn::datasets
