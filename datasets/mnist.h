// MNIST and Fashion-MNIST: which files they are, where they are looked for, and the hashes that say they are the real
// ones. Not here: the IDX format (idx.h), fetching (download.h).
#pragma once

#include <filesystem>

#include "datasets/dataset.h"

namespace cairn::datasets {

inline constexpr PixelStatistics kMnistPixels{0.1307f, 0.3081f}, kFashionMnistPixels{0.2860f, 0.3530f};

// Files are looked for in <data_dir>/mnist, <data_dir>/MNIST/raw (torchvision's layout) and <data_dir>, as published
// (.gz) or plain, also under unpackers' names such as train-images.idx3-ubyte; the first folder that has any of them
// counts. Missing ones are downloaded where that is allowed.
// Errors: see load_dataset.
Dataset load_mnist(const std::filesystem::path& data_dir, const LoadOptions& options);

// The same with <data_dir>/fashion-mnist, <data_dir>/FashionMNIST/raw and <data_dir>.
Dataset load_fashion_mnist(const std::filesystem::path& data_dir, const LoadOptions& options);

}  // namespace cairn::datasets
