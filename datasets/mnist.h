// MNIST and Fashion-MNIST: which files they are, where they are looked for, and the hashes that say they are the real
// ones. Not here: the IDX format (idx.h), fetching (download.h).
#pragma once

#include "datasets/registry.h"

namespace cairn::datasets {

// Files are looked for in <data_dir>/mnist, <data_dir>/MNIST/raw (torchvision's layout) and <data_dir>, as published
// (.gz) or plain, also under unpackers' names such as train-images.idx3-ubyte; the first folder that has any of them
// counts. Missing ones are downloaded where that is allowed.
DatasetInfo mnist_info();

// The same with <data_dir>/fashion-mnist, <data_dir>/FashionMNIST/raw and <data_dir>.
DatasetInfo fashion_mnist_info();

}  // namespace cairn::datasets
