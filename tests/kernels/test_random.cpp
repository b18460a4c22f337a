// Philox against its published vectors, uniform, normal and noise. Not here: dropout's masks (test_random_dropout.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "kernels/philox.h"
#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

// The draws of one entry, read back through a case that expects nothing yet.
Values drawn(const Subject& subject, Primitive<RandomArgs> Backend::*entry, RandomArgs args) {
  StreamOptions options{.ordinal = 0, .threads = 2, .precision = Precision::fp32, .kernels = subject.kernels.c_str()};
  const Backend& backend = *subject.backend;
  Stream* stream = nullptr;
  REQUIRE(backend.open_stream(&options, &stream) == 0);
  Values values;
  {
    Call call(backend, stream, args.dtype, 0);
    args.out = call.output("out", args.count, {});
    CHECK(call.invoke(entry, args) == 0);
    std::vector<std::string> faults;
    call.finish(faults);
    CHECK(faults.empty());
    values = call.outputs()[0]->values();
  }
  backend.close_stream(stream);
  return values;
}

void check_draws(const char* primitive, Primitive<RandomArgs> Backend::*entry, const Tolerance& tolerance_f32,
                 const Tolerance& tolerance_f64) {
  for (DType real : kReals) {
    for (int64_t count : vector_sizes()) {
      for (uint64_t seed : {uint64_t{0}, uint64_t{0x123456789ABCDEF0}}) {
        const auto run = [=](Call& call) {
          const RandomArgs args{.dtype = call.real(),
                                .count = count,
                                .out = call.output("out", count, real == DType::f32 ? tolerance_f32 : tolerance_f64),
                                .low = -0.7,
                                .high = 0.9,
                                .seed = seed,
                                .stream = 11};
          return call.invoke(entry, args);
        };
        check({.primitive = primitive,
               .shape = shape_text({{"count", count}, {"seed", static_cast<int64_t>(seed)}}),
               .real = real,
               .offset = count % 2,
               .run = run,
               .oracle_real = real});
      }
    }
  }
}

struct Moments {
  double mean, variance, skewness, kurtosis;
};
Moments moments_of(const Values& values) {
  const auto count = static_cast<double>(values.size());
  Moments m{};
  for (double value : values) m.mean += value / count;
  double third = 0, fourth = 0;
  for (double value : values) {
    const double d = value - m.mean;
    m.variance += d * d / count;
    third += d * d * d / count;
    fourth += d * d * d * d / count;
  }
  m.skewness = third / std::pow(m.variance, 1.5);
  m.kurtosis = fourth / (m.variance * m.variance);
  return m;
}

// Covariance of neighbours over the variance: far from 0 when words of a block are used twice.
double neighbour_correlation(const Values& values, size_t distance, const Moments& m) {
  double total = 0;
  for (size_t i = 0; i + distance < values.size(); ++i) total += (values[i] - m.mean) * (values[i + distance] - m.mean);
  return total / m.variance / static_cast<double>(values.size());
}

constexpr int64_t kSample = 40'000;  // standard error of a mean of unit variance: 0.005

}  // namespace

TEST_CASE("philox: the published vectors of Random123 for philox4x32-10") {
  const auto check_vector = [](philox::Block counter, uint32_t key0, uint32_t key1, philox::Block expected) {
    const philox::Block actual = philox::rounds(counter, key0, key1);
    for (int i = 0; i < 4; ++i) CHECK(actual.word[i] == expected.word[i]);
  };
  constexpr uint32_t kOnes = 0xFFFFFFFF;
  check_vector({{0, 0, 0, 0}}, 0, 0, {{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}});
  check_vector({{kOnes, kOnes, kOnes, kOnes}}, kOnes, kOnes, {{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}});
  check_vector({{0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}}, 0xA4093822, 0x299F31D0,
               {{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}});
}

TEST_CASE("philox: how seed, stream, step and element become counter and key") {
  const philox::Block block = philox::draw(0x299F31D0A4093822, 0x13198A2E, 0x03707344, 0x85A308D3243F6A88);
  CHECK(block.word[0] == 0xD16CFE09);
  CHECK(block.word[3] == 0x24126EA1);
  CHECK(philox::uniform(0) == 0.0f);
  CHECK(philox::uniform(0xFFFFFFFF) == 1 - 0x1p-24f);
  CHECK(philox::uniform(0x80000000) == 0.5f);
  // Element 0 of seed 0 and stream 0 is the first word of the all-zero vector.
  CHECK(philox::uniform_at(0, 0, 0, 0) == static_cast<float>(0x6627E8) * 0x1p-24f);
  CHECK(philox::uniform_at(0, 0, 0, 3) == static_cast<float>(0x9B00DB) * 0x1p-24f);
}

TEST_CASE("uniform: the same bits everywhere") {
  check_draws("uniform", &Backend::uniform, {}, {});
}

// Within one unit in the last place, of the value in float and of its largest part in double: logarithm, root and
// cosine come from different math libraries.
TEST_CASE("normal: the same value everywhere") {
  check_draws("normal", &Backend::normal, {.relative = 0x1p-23}, {.absolute = 0x1p-50});
}

TEST_CASE("add_noise: the same value everywhere") {
  for (DType real : kReals) {
    for (int64_t count : vector_sizes()) {
      for (int turn = 0; turn < 4; ++turn) {
        const bool in_place = turn % 2, cut = turn / 2;
        const auto run = [=](Call& call) {
          const Values x = reals(count, 1);
          // As with `normal`; the noise may all but cancel the value, hence the absolute part in float too.
          const Tolerance tolerance =
              real == DType::f32 ? Tolerance{.absolute = 0x1p-45, .relative = 0x1p-23} : Tolerance{.absolute = 0x1p-50};
          void* y = call.output("y", count, tolerance, in_place ? x : Values{});
          const AddNoiseArgs args{.dtype = call.real(),
                                  .count = count,
                                  .x = in_place ? y : call.input("x", count, x),
                                  .y = y,
                                  .deviation = 0.5,
                                  .low = cut ? -0.25 : -100,
                                  .high = cut ? 0.75 : 100,
                                  .seed = 0x9E3779B97F4A7C15,
                                  .layer = static_cast<uint32_t>(turn),
                                  .step = call.typed_input<int64_t>("step", {12345})};
          return call.invoke(&Backend::add_noise, args);
        };
        check({.primitive = "add_noise",
               .shape = shape_text({{"count", count}, {"turn", turn}}),
               .real = real,
               .offset = count % 2,
               .run = run,
               .oracle_real = real});
      }
    }
  }
}

// The draws are a pure function of (seed, layer, step, element), written out here from the generator, for two steps and
// two layers, so that one that is ignored shows. Without noise only the limits are left, and nan, which stays.
TEST_CASE("add_noise: the draws follow seed, layer and step") {
  for (DType real : kReals) {
    const auto check_case = [&](const char* shape, const Values& x, double deviation, double low, double high,
                                uint32_t layer, int64_t step, const Values& expected) {
      const auto count = static_cast<int64_t>(x.size());
      const auto run = [=](Call& call) {
        const AddNoiseArgs args{.dtype = call.real(),
                                .count = count,
                                .x = call.input("x", count, x),
                                .y = call.output("y", count, {.relative = 2 * unit(real)}),
                                .deviation = deviation,
                                .low = low,
                                .high = high,
                                .seed = 42,
                                .layer = layer,
                                .step = call.typed_input<int64_t>("step", {static_cast<double>(step)})};
        return call.invoke(&Backend::add_noise, args);
      };
      check({.primitive = "add_noise", .shape = shape, .real = real, .run = run, .expected = {expected}});
    };
    for (uint32_t layer : {0u, 7u})
      for (int64_t step : {0, 1}) {
        Values expected(103);
        for (size_t i = 0; i < expected.size(); ++i)
          expected[i] = 16 + philox::normal_at(42, layer, static_cast<uint32_t>(step), i);
        check_case("drawn here", Values(expected.size(), 16), 1, -100, 100, layer, step, expected);
      }
    check_case("limits", {-3, 0.5, 2, kNan, 1, -1, 0, 7, 8}, 0, -1, 2, 0, 0, {-1, 0.5, 2, kNan, 1, -1, 0, 2, 2});
  }
}

TEST_CASE("uniform: by hand") {
  for (DType real : kReals) {
    const auto run = [](Call& call) {
      const RandomArgs args{.dtype = call.real(),
                            .count = 4,
                            .out = call.output("out", 4, {}),
                            .low = 2,
                            .high = 4,
                            .seed = 0,
                            .stream = 0};
      return call.invoke(&Backend::uniform, args);
    };
    Values expected;  // the first words of the all-zero vector
    for (uint32_t word : {0x6627E8u, 0xE169C5u, 0xBC57ACu, 0x9B00DBu}) {
      const double value = 2 + 2 * (word * 0x1p-24);
      expected.push_back(real == DType::f32 ? static_cast<float>(value) : value);
    }
    check({.primitive = "uniform", .shape = "by hand", .real = real, .run = run, .expected = {expected}});
  }
}

TEST_CASE("uniform: range and moments") {
  for (const Subject& subject : subjects("uniform")) {
    INFO(subject.name());
    const Values values =
        drawn(subject, &Backend::uniform,
              {.dtype = DType::f32, .count = kSample, .out = nullptr, .low = -1, .high = 3, .seed = 5, .stream = 2});
    CHECK(*std::min_element(values.begin(), values.end()) >= -1);
    CHECK(*std::min_element(values.begin(), values.end()) < -0.99);
    CHECK(*std::max_element(values.begin(), values.end()) < 3);
    CHECK(*std::max_element(values.begin(), values.end()) > 2.99);
    const Moments m = moments_of(values);
    CHECK(std::fabs(m.mean - 1) < 5 * 0.005 * std::sqrt(4.0 / 3));
    CHECK(std::fabs(m.variance - 4.0 / 3) < 0.03);
    CHECK(std::fabs(m.kurtosis - 1.8) < 0.05);
    for (size_t distance : {1, 2, 3, 4}) CHECK(std::fabs(neighbour_correlation(values, distance, m)) < 5 * 0.005);
  }
}

TEST_CASE("normal: moments") {
  for (const Subject& subject : subjects("normal")) {
    INFO(subject.name());
    const Values values =
        drawn(subject, &Backend::normal,
              {.dtype = DType::f32, .count = kSample, .out = nullptr, .low = 2, .high = 0.5, .seed = 5, .stream = 2});
    for (double value : values) CHECK_UNARY(std::isfinite(value));
    const Moments m = moments_of(values);
    CHECK(std::fabs(m.mean - 2) < 5 * 0.005 * 0.5);
    CHECK(std::fabs(m.variance - 0.25) < 5 * 0.25 * std::sqrt(2.0 / kSample));
    CHECK(std::fabs(m.skewness) < 5 * std::sqrt(6.0 / kSample));
    CHECK(std::fabs(m.kurtosis - 3) < 5 * std::sqrt(24.0 / kSample));
    for (size_t distance : {1, 2, 3, 4}) CHECK(std::fabs(neighbour_correlation(values, distance, m)) < 5 * 0.005);
  }
}

TEST_CASE("uniform: seeds and streams differ") {
  for (const Subject& subject : subjects("uniform")) {
    INFO(subject.name());
    RandomArgs args{.dtype = DType::f32, .count = 1000, .out = nullptr, .low = 0, .high = 1, .seed = 1, .stream = 1};
    const Values first = drawn(subject, &Backend::uniform, args);
    const auto in_common = [&] {
      const Values other = drawn(subject, &Backend::uniform, args);
      int equal = 0;
      for (size_t i = 0; i < first.size(); ++i) equal += first[i] == other[i];
      return equal;
    };
    CHECK(in_common() == 1000);
    args.stream = 2;
    CHECK(in_common() < 3);
    args.stream = 1;
    args.seed = uint64_t{1} << 32 | 1;  // the upper half of the seed counts too
    CHECK(in_common() < 3);
  }
}

}  // namespace cairn::test
