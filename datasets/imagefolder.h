// Photos in folders, one a class, as people keep their own and as ImageNet's are unpacked: <place>/train/<class>/ and
// <place>/val/<class>/, which is tested on. Photos stay in their files. Not here: decoding them (photos.h).
#pragma once

#include "datasets/registry.h"

namespace cairn::datasets {

// The place is <data_dir>/imagefolder or <data_dir>. Classes are the folders' names, sorted; where all of them are
// numbers of ImageNet's synsets, the classes are the 1000, in the order of these numbers. Files that are no .jpg, .jpeg
// or .png, and folders in the classes', are left out, and a line says how many.
DatasetInfo imagefolder_info();

// The place is <data_dir>/imagenet or <data_dir>; every folder is a synset's. With check_hash there must be as many
// photos as were published.
DatasetInfo imagenet_info();

}  // namespace cairn::datasets
