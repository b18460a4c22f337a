// ImageNet's 1000 classes: their numbers in WordNet ("synsets") and the first of their names there, in the two orders
// that are in use.
#pragma once

#include <string>
#include <vector>

namespace cairn::datasets {

// In the order of ILSVRC's own list, which downsampled ImageNet has: kit fox is the first.
std::vector<std::string> imagenet_class_names();

// In the order of their numbers, n01440764 to n15075141, which folders of photos and pretrained networks have: tench is
// the first.
std::vector<std::string> imagenet_synset_names();
const std::vector<std::string>& imagenet_synsets();  // the numbers

}  // namespace cairn::datasets
