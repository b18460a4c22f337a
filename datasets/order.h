// In which order an epoch visits the examples, how it falls into batches, and which of them a rank takes. All of it is
// a pure function of its arguments, so that another implementation can be given the same batches. Not here: gathering
// and normalising, which kernels do on the device.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "datasets/dataset.h"

namespace cairn::datasets {

// Examples in a batch that is not cut short: `batch_size`, or all of them where it is 0. UsageError: negative.
int64_t whole_batch_size(int64_t count, int64_t batch_size);

// Steps of one epoch, the last and smaller batch included unless `drop_last`. UsageError: negative batch size, or no
// whole batch to be had with drop_last.
int64_t steps_per_epoch(int64_t count, int64_t batch_size, bool drop_last);

// Examples in an epoch's last batch where that is smaller than the others; 0 where there is no such batch.
int64_t partial_batch_size(int64_t count, int64_t batch_size, bool drop_last);

// A permutation of 0 .. order.size() - 1: Fisher and Yates' shuffle (Durstenfeld's form: for i = n - 1 .. 1 swap i with
// a draw from 0 .. i). Step s of the Philox stream (kShuffle, 0) is epoch s.
void shuffle_epoch(uint64_t seed, uint32_t epoch, std::span<int32_t> order);

// 0 .. count - 1, shuffled or as it is stored.
std::vector<int32_t> epoch_order(int64_t count, uint64_t seed, uint32_t epoch, bool shuffled);

// What one of `ranks` processes takes of an epoch's order: every ranks-th, from its own number on. With the same batch
// size in each, the ranks together see in every step the examples that one process with the sum of them as its batch
// sees. Where `ranks` does not divide the order, the first ranks take one more. UsageError: no such rank.
std::vector<int32_t> rank_share(std::span<const int32_t> order, int rank, int ranks);

struct SplitIndices {
  std::vector<int32_t> train, validation;
};
// A random split, the same for a seed whatever else the seed is used for (stream (kShuffle, 1)): of a permutation, the
// last `validation_count`. UsageError: none left for training.
SplitIndices split_indices(int64_t count, int64_t validation_count, uint64_t seed);

// The chosen rows of every column, and texts, in the order of `indices`; copied, but for those that are in files.
// UsageError: there is no such row.
Split subset(const Split& split, std::span<const int32_t> indices);

// `count` rows of every column, from the first again after the last. UsageError: of a split without rows.
Split repeated(const Split& split, int64_t count);

}  // namespace cairn::datasets
