// The generated data set: the same bytes everywhere, different where they must differ, and learnable.
#include "datasets/digits.h"

#include <array>
#include <cmath>
#include <limits>

#include "datasets/registry.h"
#include "datasets/sha256.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {
namespace {

constexpr size_t kPixels = kDigitSide * kDigitSide;

// The fraction of test images that lie nearest to the mean image of their own class.
double nearest_mean_accuracy(const Dataset& dataset) {
  std::vector<std::array<double, kPixels>> means(10);
  const std::vector<int> counts = histogram(byte_labels(dataset.train));
  for (size_t i = 0; i < labels(dataset.train).size(); ++i) {
    const int32_t label = labels(dataset.train)[i];
    for (size_t p = 0; p < kPixels; ++p)
      means[static_cast<size_t>(label)][p] +=
          dataset.train.column("image").bytes[i * kPixels + p] / double(counts[static_cast<size_t>(label)]);
  }
  int right = 0;
  for (size_t i = 0; i < labels(dataset.test).size(); ++i) {
    double least = std::numeric_limits<double>::max();
    size_t nearest = 0;
    for (size_t digit = 0; digit < 10; ++digit) {
      double distance = 0;
      for (size_t p = 0; p < kPixels; ++p) {
        const double difference = dataset.test.column("image").bytes[i * kPixels + p] - means[digit][p];
        distance += difference * difference;
      }
      if (distance < least) {
        least = distance;
        nearest = digit;
      }
    }
    right += static_cast<int32_t>(nearest) == labels(dataset.test)[i];
  }
  return right / double(labels(dataset.test).size());
}

}  // namespace

TEST_CASE("digits are the same bytes on every machine and compiler") {
  const Dataset dataset = generate_digits(0, 2000, 500);
  CHECK(sha256(dataset.train.column("image").bytes) ==
        "cab46c2aa196d84d3402c91d97d690363f80cff40a21927ba47c3c2545b6c13d");
  CHECK(sha256(byte_labels(dataset.train)) == "bc0ebe4853a1e461dd96a55b40edb87f6ce026effccb30153566d925096720a7");
  CHECK(sha256(dataset.test.column("image").bytes) ==
        "776703e46994bcbc51f823b388cf8eda946c0ad8f1fa3c853471621ba257ded5");
}

TEST_CASE("a digit depends on seed, split and index, and on nothing else") {
  const Dataset few = generate_digits(3, 50, 20), more = generate_digits(3, 130, 20);
  CHECK(std::equal(images(few.train).begin(), images(few.train).end(), images(more.train).begin()));
  CHECK(few.test.column("image").bytes == more.test.column("image").bytes);
  CHECK(!std::equal(images(few.test).begin(), images(few.test).end(), images(few.train).begin()));
  CHECK(generate_digits(4, 50, 20).train.column("image").bytes != few.train.column("image").bytes);
  Bytes pixels(kPixels);
  CHECK(draw_digit(3, DigitsSplit::kTrain, 49, pixels) == labels(few.train)[49]);
  CHECK(std::equal(pixels.begin(), pixels.end(), images(few.train).begin() + 49 * kPixels));
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
  CHECK(dataset.train.column("image").bytes.size() == kDigitsTrainCount * kPixels);
  CHECK(image_shape(dataset.train) == Shape{1, 28, 28});
  for (const int count : histogram(byte_labels(dataset.train))) CHECK(std::abs(count - 2000) < 200);

  const auto [mean, deviation] = mean_and_deviation(dataset.train.column("image").bytes);
  CHECK(std::abs(mean - dataset.mean.at(0)) < 1e-6);
  CHECK(std::abs(deviation - dataset.std.at(0)) < 1e-6);
}

TEST_CASE("the statistics that are known without drawing are those of what is drawn") {
  const Dataset dataset = generate_digits(0);
  CHECK(find_dataset("digits").pixels.mean == dataset.mean);
  CHECK(find_dataset("digits").pixels.std == dataset.std);
  CHECK_THROWS_AS(find_dataset("letters"), UsageError);
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
    for (size_t p = 0; p < kPixels; ++p) inked += dataset.train.column("image").bytes[i * kPixels + p] > 100;
    CAPTURE(i);
    CHECK(inked > 8);
    CHECK(inked < 400);
  }
}

}  // namespace cairn::datasets
