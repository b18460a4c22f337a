// The generated data set: the same bytes everywhere, different where they must differ, and learnable.
#include "datasets/digits.h"

#include <array>
#include <cmath>
#include <limits>

#include "datasets/dataset.h"
#include "datasets/sha256.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {
namespace {

constexpr size_t kPixels = kDigitSide * kDigitSide;

// The fraction of test images that lie nearest to the mean image of their own class.
double nearest_mean_accuracy(const Dataset& dataset) {
  std::vector<std::array<double, kPixels>> means(10);
  const std::vector<int> counts = histogram(dataset.train.labels);
  for (size_t i = 0; i < dataset.train.labels.size(); ++i) {
    const uint8_t label = dataset.train.labels[i];
    for (size_t p = 0; p < kPixels; ++p)
      means[label][p] += dataset.train.images[i * kPixels + p] / double(counts[label]);
  }
  int right = 0;
  for (size_t i = 0; i < dataset.test.labels.size(); ++i) {
    double least = std::numeric_limits<double>::max();
    size_t nearest = 0;
    for (size_t digit = 0; digit < 10; ++digit) {
      double distance = 0;
      for (size_t p = 0; p < kPixels; ++p) {
        const double difference = dataset.test.images[i * kPixels + p] - means[digit][p];
        distance += difference * difference;
      }
      if (distance < least) {
        least = distance;
        nearest = digit;
      }
    }
    right += nearest == dataset.test.labels[i];
  }
  return right / double(dataset.test.labels.size());
}

}  // namespace

TEST_CASE("digits are the same bytes on every machine and compiler") {
  const Dataset dataset = generate_digits(0, 2000, 500);
  CHECK(sha256(dataset.train.images) == "cab46c2aa196d84d3402c91d97d690363f80cff40a21927ba47c3c2545b6c13d");
  CHECK(sha256(dataset.train.labels) == "bc0ebe4853a1e461dd96a55b40edb87f6ce026effccb30153566d925096720a7");
  CHECK(sha256(dataset.test.images) == "776703e46994bcbc51f823b388cf8eda946c0ad8f1fa3c853471621ba257ded5");
}

TEST_CASE("a digit depends on seed, split and index, and on nothing else") {
  const Dataset few = generate_digits(3, 50, 20), more = generate_digits(3, 130, 20);
  CHECK(std::equal(few.train.images.begin(), few.train.images.end(), more.train.images.begin()));
  CHECK(few.test.images == more.test.images);
  CHECK(!std::equal(few.test.images.begin(), few.test.images.end(), few.train.images.begin()));
  CHECK(generate_digits(4, 50, 20).train.images != few.train.images);
  Bytes pixels(kPixels);
  CHECK(draw_digit(3, DigitsSplit::kTrain, 49, pixels) == few.train.labels[49]);
  CHECK(std::equal(pixels.begin(), pixels.end(), few.train.images.begin() + 49 * kPixels));
  check_error<ShapeError>([] { draw_digit(0, DigitsSplit::kTrain, 0, {}); }, {"0 pixels were given, not 784"});
  check_error<UsageError>([] { generate_digits(0, 0, 1); }, {"at least one image"});
}

TEST_CASE("digits is a data set like the others") {
  const Dataset dataset = load_dataset("digits");
  CHECK(dataset.name == "digits");
  CHECK(dataset.classes == 10);
  CHECK(dataset.class_names.size() == 10);
  CHECK(dataset.train.count == kDigitsTrainCount);
  CHECK(dataset.test.count == kDigitsTestCount);
  CHECK(dataset.train.images.size() == kDigitsTrainCount * kPixels);
  CHECK(dataset.train.height == 28);
  for (const int count : histogram(dataset.train.labels)) CHECK(std::abs(count - 2000) < 200);

  const auto [mean, deviation] = mean_and_deviation(dataset.train.images);
  CHECK(std::abs(mean - dataset.mean) < 1e-6);
  CHECK(std::abs(deviation - dataset.std) < 1e-6);
}

TEST_CASE("the statistics that are known without drawing are those of what is drawn") {
  const Dataset dataset = generate_digits(0);
  CHECK(pixel_statistics("digits").mean == dataset.mean);
  CHECK(pixel_statistics("digits").std == dataset.std);
  CHECK_THROWS_AS(pixel_statistics("letters"), UsageError);
}

TEST_CASE("digits can be told apart, but not by their mean images alone") {
  const double accuracy = nearest_mean_accuracy(generate_digits(1, 3000, 600));
  MESSAGE("nearest mean image: " << 100 * accuracy << " %");
  CHECK(accuracy > 0.4);
  CHECK(accuracy < 0.8);
}

TEST_CASE("ink stays on the page") {
  // Every image has ink, and most of it is dark: a digit that left the page, or a page full of noise, would show.
  const Dataset dataset = generate_digits(2, 2000, 1);
  for (size_t i = 0; i < 2000; ++i) {
    int inked = 0;
    for (size_t p = 0; p < kPixels; ++p) inked += dataset.train.images[i * kPixels + p] > 100;
    CAPTURE(i);
    CHECK(inked > 8);
    CHECK(inked < 400);
  }
}

}  // namespace cairn::datasets
