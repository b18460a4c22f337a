// Downsampled ImageNet, 32 x 32, as published for Python: ten files for training and one for validation, which is
// tested on, as pickles or as .npz archives. (P. Chrabaszcz, I. Loshchilov, F. Hutter, "A Downsampled Variant of
// ImageNet as an Alternative to the CIFAR datasets", 2017.) Not here: what is in such a file (pixel_batch.h).
#pragma once

#include "datasets/pixel_batch.h"
#include "datasets/registry.h"

namespace cairn::datasets {

// Classes are numbered from 1 in the files, in the order of ILSVRC's own list.
PixelBatchFormat imagenet32_format();

// train_data_batch_1 to 10 and val_data, each as it is or as .npz, are looked for in <data_dir>/imagenet32, in the
// folders of the published archives (Imagenet32_train, Imagenet32_val, with _npz or without) there or in <data_dir>,
// and in <data_dir>. With check_hash all must be there and have the published numbers of images; without it at least
// one for training, and val_data, of any size. Images may stay in the files where these have them as they are.
DatasetInfo imagenet32_info();

}  // namespace cairn::datasets
