// In which order an epoch visits the images, and how it falls into batches. All of it is a pure function of its
// arguments, so that another implementation can be given the same batches. Not here: gathering and normalising pixels,
// which a kernel does on the device.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "datasets/dataset.h"

namespace cairn::datasets {

// Images in a whole batch: `batch_size`, or all of them where it is 0 (full batch). UsageError: negative.
int64_t full_batch_size(int64_t count, int64_t batch_size);

// Steps of one epoch, the last and smaller batch included unless `drop_last`. UsageError: negative batch size, or no
// whole batch to be had with drop_last.
int64_t steps_per_epoch(int64_t count, int64_t batch_size, bool drop_last);

// Images in an epoch's last batch where that is smaller than the others; 0 where there is no such batch.
int64_t partial_batch_size(int64_t count, int64_t batch_size, bool drop_last);

// A permutation of 0 .. order.size() - 1: Fisher and Yates' shuffle (Durstenfeld's form: for i = n - 1 .. 1 swap i with
// a draw from 0 .. i). Step s of the Philox stream (kShuffle, 0) is epoch s.
void shuffle_epoch(uint64_t seed, uint32_t epoch, std::span<int32_t> order);

// 0 .. count - 1, shuffled or as it is stored.
std::vector<int32_t> epoch_order(int64_t count, uint64_t seed, uint32_t epoch, bool shuffled);

struct Split {
  std::vector<int32_t> train, validation;
};
// A random split, the same for a seed whatever else the seed is used for (stream (kShuffle, 1)): of a permutation, the
// last `validation_count`. UsageError: none left for training.
Split split_indices(int64_t count, int64_t validation_count, uint64_t seed);

// The chosen images and labels, copied in the order of `indices`.
ImageSet subset(const ImageSet& set, std::span<const int32_t> indices);

}  // namespace cairn::datasets
