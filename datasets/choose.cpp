#include "datasets/choose.h"

#include <fmt/format.h>

#include <algorithm>

#include "datasets/photos.h"
#include "framework/message.h"

namespace cairn::datasets {
namespace {

// What examples are: images of this shape, or texts, which have none.
bool is_text(const Shape& image) {
  return image.rank() == 0;
}

std::string kind_of(const Shape& image) {
  return is_text(image) ? "texts" : "images of " + image.text();
}

Shape example_shape(const Split& split) {
  return split.texts ? Shape() : image_shape(split);
}

// What the network is given of a stored image.
Shape seen(const NetworkInput& input, const Shape& image) {
  return input.crop > 0 ? Shape{image[0], input.crop, input.crop} : image;
}

bool holds_window(const Shape& image, int64_t crop, int64_t pad) {
  return std::min(image[1], image[2]) + 2 * pad >= crop;
}

bool takes(const NetworkInput& input, const Shape& image, int classes) {
  if (input.classes != 0 && classes != 0 && classes != input.classes) return false;
  if (is_text(image) || is_text(input.image)) return is_text(image) && is_text(input.image);
  return holds_window(image, input.crop, input.pad) && seen(input, image) == input.image;
}

Shape own_image(const DatasetInfo& info, const NetworkInput& input) {
  return info.photos ? photo_form(input).image : info.image;
}

// Whether images of this shape become photos for the network.
bool is_scaled(const NetworkInput& input, const Shape& image) {
  return input.photo_side > 0 && image.rank() == 3 && image[0] == input.image[0] && image != photo_form(input).image;
}

Shape image_of(const DatasetInfo& info, const NetworkInput& input) {
  return is_scaled(input, info.image) ? photo_form(input).image : own_image(info, input);
}

std::string wanted(const NetworkInput& input) {
  const std::string classes = input.classes > 0 ? fmt::format(" in {} classes", input.classes) : "";
  return fmt::format("model {} takes {}{}", input.network, kind_of(input.image), classes);
}

// The first one of the table, published or generated, whose classes are known; null: none.
const DatasetInfo* first_fitting(const NetworkInput& input, bool generated) {
  const std::span<const DatasetInfo> all = known_datasets();
  const auto found = std::ranges::find_if(all, [&](const DatasetInfo& info) {
    return info.classes() > 0 && takes(input, own_image(info, input), info.classes()) &&
           (info.source == nullptr) == generated;
  });
  return found == all.end() ? nullptr : &*found;
}

void check_fit(const NetworkInput& input, const std::string& name, const Shape& image, int classes) {
  if (takes(input, image, classes)) return;
  const bool images = !is_text(image) && !is_text(input.image);
  if (images) check_window(name, image, input.crop, input.pad);
  const std::string window = images && input.crop > 0 ? ", by --crop " + seen(input, image).text() : "";
  const std::string in = input.classes > 0 && classes > 0 ? fmt::format(" in {}", classes) : "";
  throw UsageError(fmt::format("{}; data set {} has {}{}{}", wanted(input), name,
                               images ? image.text() : kind_of(image), window, in));
}

}  // namespace

void check_window(const std::string& name, const Shape& image, int64_t crop, int64_t pad) {
  if (!holds_window(image, crop, pad))
    throw UsageError(fmt::format("--crop {0}: no window of {0}x{0} lies in the images of {1}, {2}, with --pad {3}",
                                 crop, name, image.text(), pad));
}

PhotoForm photo_form(const NetworkInput& input) {
  if (input.image.rank() != 3) return {};
  const int64_t side = std::max(input.image[1], input.image[2]);
  const int64_t shorter = input.photo_side > 0 ? input.photo_side : (8 * side + 3) / 7;  // 256 of 224, 342 of 299
  return {input.crop > 0 ? Shape{3, shorter, shorter} : Shape{3, input.image[1], input.image[2]}, shorter};
}

std::string choose_name(const std::string& asked, const NetworkInput& input) {
  if (!asked.empty()) return find_dataset(asked).name;
  for (const bool generated : {false, true})
    if (const DatasetInfo* info = first_fitting(input, generated)) return info->name;
  throw UsageError(fmt::format("{}, which no data set here has: {}", wanted(input), dataset_names()));
}

Dataset choose_dataset(const std::string& asked, const NetworkInput& input, const std::filesystem::path& data_dir,
                       const LoadOptions& options) {
  const DatasetInfo& info = find_dataset(choose_name(asked, input));
  // Before anything is downloaded. Without a hash, other images may lie under its name.
  if (options.check_hash) check_fit(input, info.name, image_of(info, input), info.classes());
  LoadOptions with_form = options;
  with_form.photos = photo_form(input);
  try {
    Dataset dataset = load_dataset(info.name, data_dir, with_form);
    scale_to_fit(input, dataset);
    check_fit(input, dataset);
    return dataset;
  } catch (const MissingDataError& missing) {
    const DatasetInfo* const generated = first_fitting(input, true);
    if (!asked.empty() || generated == nullptr) throw;
    if (!options.quiet)
      say(fmt::format("{}\nusing the generated data set '{}' instead", missing.what(), generated->name));
    return load_dataset(generated->name, data_dir, with_form);
  }
}

void scale_to_fit(const NetworkInput& input, Dataset& dataset) {
  if (is_scaled(input, example_shape(dataset.train))) scale_images(dataset, photo_form(input));
}

bool fits(const NetworkInput& input, const Dataset& dataset) {
  return takes(input, example_shape(dataset.train), dataset.classes);
}

void check_fit(const NetworkInput& input, const Dataset& dataset) {
  check_fit(input, dataset.name, example_shape(dataset.train), dataset.classes);
}

}  // namespace cairn::datasets
