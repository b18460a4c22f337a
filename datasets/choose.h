// The one place that says which data set a network gets: the one that was asked for, else the published one that fits
// it, else the generated one. Not here: reading them (registry.h).
#pragma once

#include "datasets/registry.h"

namespace cairn::datasets {

// What a network takes, and how errors call it.
struct NetworkInput {
  std::string network;
  Shape image;                // channels, height, width; rank 0: it takes texts
  int classes = 0;            // 0: it does not tell classes apart
  int64_t crop = 0, pad = 0;  // a square window of that side is taken of the image with such a border; 0: whole images
  int64_t photo_side = 0;     // the shorter side that photos are scaled to; 0: 256 for an image of 224, others likewise
};

// What photos become for this network: its image, or, where it sees windows, a square as large as the shorter side.
PhotoForm photo_form(const NetworkInput& input);

// The name of the data set that `asked`, or the lack of it, stands for: the first published one of the table that fits.
// UsageError: unknown, or none fits.
std::string choose_name(const std::string& asked, const NetworkInput& input);

// Loads what was asked for, scaled to fit. `asked` empty: what choose_name names, or, where that is missing, the
// generated one that fits; that it is so is a line on stderr unless options.quiet. Dataset::name says which it is.
// Photos become what photo_form says. Errors: those of load_dataset and check_fit.
Dataset choose_dataset(const std::string& asked, const NetworkInput& input, const std::filesystem::path& data_dir,
                       const LoadOptions& options);

// UsageError: a square window of side `crop` does not lie in these images of `name` with a border of `pad` pixels.
void check_window(const std::string& name, const Shape& image, int64_t crop, int64_t pad);

// Images of three channels that a network of photos is to see, and that are not as large as it takes them, are scaled
// as photos are.
void scale_to_fit(const NetworkInput& input, Dataset& dataset);

bool fits(const NetworkInput& input, const Dataset& dataset);
// UsageError: the network takes other images, or texts, or tells another number of classes apart.
void check_fit(const NetworkInput& input, const Dataset& dataset);

}  // namespace cairn::datasets
