// What generated data sets are drawn with: random words for each image, and all images of a split on every thread that
// the machine has. Not here: what is drawn (digits.h, digits32.h, phrases.h).
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <future>
#include <span>
#include <vector>

#include "datasets/digits.h"
#include "framework/random.h"
#include "kernels/cpu_share.h"
#include "kernels/philox.h"

namespace cairn::datasets {

// The random words of one image or phrase, one after another: Philox stream (kDigits, id), step = index.
class Draws {
 public:
  Draws(uint64_t seed, uint32_t id, uint32_t index)
      : seed_(seed), stream_(make_stream(RandomPurpose::kDigits, id)), index_(index) {}

  uint32_t word() {
    if (next_ % 4 == 0) block_ = philox::draw(seed_, stream_, index_, next_ / 4);
    return block_.word[next_++ % 4];
  }
  uint32_t below(uint32_t limit) { return static_cast<uint32_t>(uint64_t{word()} * limit >> 32); }
  float between(float low, float high) { return low + (high - low) * philox::uniform(word()); }

 private:
  uint64_t seed_;
  uint32_t stream_, index_;
  uint64_t next_ = 0;
  philox::Block block_{};
};

// draw(index, pixels) fills one image and returns its label; it is called on several threads.
template <class Draw>
Split draw_split(const Shape& image, int64_t count, const Draw& draw) {
  const auto size = static_cast<size_t>(image.count());
  Bytes pixels(static_cast<size_t>(count) * size);
  std::vector<int32_t> labels(static_cast<size_t>(count));
  const int64_t threads = std::min(cpu_share().cpus(), 16);
  std::vector<std::future<void>> parts;
  for (int64_t part = 0; part < threads; ++part) {
    parts.push_back(std::async(std::launch::async, [&pixels, &labels, &draw, size, count, part, threads] {
      for (int64_t i = count * part / threads; i < count * (part + 1) / threads; ++i) {
        const auto index = static_cast<size_t>(i);
        labels[index] = draw(static_cast<uint32_t>(i), std::span(pixels).subspan(index * size, size));
      }
    }));
  }
  for (std::future<void>& part : parts) part.get();
  return image_split(image, std::move(pixels), labels);
}

// draw(seed, split, index, pixels); mean and deviation are measured on what was drawn.
template <class Draw>
Dataset generate(const DatasetInfo& info, uint64_t seed, int64_t train_count, int64_t test_count, const Draw& draw) {
  if (train_count <= 0 || test_count <= 0)
    throw UsageError(fmt::format("{}: at least one image of each split is needed", info.name));
  const auto split = [&](DigitsSplit which, int64_t count) {
    return draw_split(info.image, count, [&draw, seed, which](uint32_t index, std::span<uint8_t> pixels) {
      return draw(seed, which, index, pixels);
    });
  };
  Dataset dataset = described(info);
  dataset.source = fmt::format("drawn in-process from seed {}", seed);
  dataset.train = split(DigitsSplit::kTrain, train_count);
  dataset.test = split(DigitsSplit::kTest, test_count);
  PixelStatistics pixels = measure_pixels(dataset.train);
  dataset.mean = std::move(pixels.mean);
  dataset.std = std::move(pixels.std);
  return dataset;
}

}  // namespace cairn::datasets
