// The gated recurrent unit as cuDNN is told of it: cuDNN takes every description, and reads back what was meant. Which
// shapes it has, and how the weights are cut into blocks. No GPU is needed and nothing is computed. Not here: results
// (test_gru.cpp, on a GPU).
#include <doctest/doctest.h>

#include "kernels/cudnn/gru_plan.h"

namespace cairn::cudnn {
namespace {

struct Data {
  int steps = 0, batch = 0, features = 0;
  std::vector<int> lengths;
};

Data read(cudnnRNNDataDescriptor_t descriptor, int64_t batch) {
  Data data;
  data.lengths.resize(static_cast<size_t>(batch));
  cudnnDataType_t type;
  cudnnRNNDataLayout_t layout;
  float padding = 0;
  REQUIRE(cudnnGetRNNDataDescriptor(descriptor, &type, &layout, &data.steps, &data.batch, &data.features,
                                    static_cast<int>(batch), data.lengths.data(), &padding) == CUDNN_STATUS_SUCCESS);
  CHECK(type == CUDNN_DATA_FLOAT);
  CHECK(layout == CUDNN_RNN_DATA_LAYOUT_BATCH_MAJOR_UNPACKED);
  return data;
}

// Of the unit: inputs, hidden, and the kind of its products.
struct Unit {
  int32_t inputs = 0, hidden = 0;
  cudnnMathType_t products = CUDNN_DEFAULT_MATH;
};

Unit read(cudnnRNNDescriptor_t descriptor) {
  Unit unit;
  int32_t projected = 0, layers = 0;
  cudnnRNNAlgo_t algorithm;
  cudnnRNNMode_t mode;
  cudnnRNNBiasMode_t bias;
  cudnnDirectionMode_t direction;
  cudnnRNNInputMode_t input;
  cudnnDataType_t data, products;
  cudnnDropoutDescriptor_t dropout;
  uint32_t flags = 0;
  REQUIRE(cudnnGetRNNDescriptor_v8(descriptor, &algorithm, &mode, &bias, &direction, &input, &data, &products,
                                   &unit.products, &unit.inputs, &unit.hidden, &projected, &layers, &dropout,
                                   &flags) == CUDNN_STATUS_SUCCESS);
  CHECK(mode == CUDNN_GRU);
  CHECK(bias == CUDNN_RNN_DOUBLE_BIAS);
  CHECK(direction == CUDNN_UNIDIRECTIONAL);
  CHECK(projected == unit.hidden);
  CHECK(layers == 1);
  CHECK(flags == CUDNN_RNN_PADDED_IO_ENABLED);
  return unit;
}

TEST_CASE("cuDNN takes the description of every unit and says it back") {
  for (const GruShape& shape :
       {GruShape{1, 1, 1, 1}, GruShape{3, 5, 31, 33}, GruShape{64, 150, 125, 100}, GruShape{2, 1, 100, 31}}) {
    const GruDescriptors described(shape, Precision::fp32);
    const Unit unit = read(described.unit);
    CHECK(unit.inputs == shape.inputs);
    CHECK(unit.hidden == shape.hidden);
    CHECK(unit.products == CUDNN_FMA_MATH);
    for (const bool outputs : {false, true}) {
      const Data data = read(outputs ? described.y : described.x, shape.batch);
      CHECK(data.steps == shape.time);
      CHECK(data.batch == shape.batch);
      CHECK(data.features == (outputs ? shape.hidden : shape.inputs));
      CHECK(data.lengths == std::vector<int>(static_cast<size_t>(shape.batch), static_cast<int>(shape.time)));
    }
    int dimensions = 0, sizes[3] = {}, strides[3] = {};
    cudnnDataType_t type;
    REQUIRE(cudnnGetTensorNdDescriptor(described.state, 3, &type, &dimensions, sizes, strides) == CUDNN_STATUS_SUCCESS);
    CHECK(dimensions == 3);
    CHECK(sizes[0] == 1);
    CHECK(sizes[1] == shape.batch);
    CHECK(sizes[2] == shape.hidden);
    CHECK(strides[1] == shape.hidden);
  }
  CHECK(read(GruDescriptors({1, 1, 1, 1}, Precision::tf32).unit).products == CUDNN_DEFAULT_MATH);
}

TEST_CASE("a unit of no size, in double, or with more values than cuDNN counts is left to others") {
  CHECK(has_gru(DType::f32, {64, 150, 125, 100}));
  CHECK(!has_gru(DType::f64, {64, 150, 125, 100}));
  for (const GruShape& empty : {GruShape{0, 2, 3, 4}, GruShape{2, 0, 3, 4}, GruShape{2, 3, 0, 4}, GruShape{2, 3, 4, 0}})
    CHECK(!has_gru(DType::f32, empty));
  CHECK(has_gru(DType::f32, {1, INT32_MAX, 1, 1}));
  CHECK(!has_gru(DType::f32, {1, int64_t{INT32_MAX} + 1, 1, 1}));
  CHECK(!has_gru(DType::f32, {int64_t{1} << 62, int64_t{1} << 62, 1, 1}));
  CHECK(!has_gru(DType::f32, {1 << 16, 1 << 15, 1, 1}));
  CHECK(!has_gru(DType::f32, {1, 1, 1, 1 << 15}));
}

// Every element of the four arrays lies once in cuDNN's, at the place that its gate was given.
void check_cover(const GruShape& shape, const std::array<int64_t, 6>& matrices, const std::array<int64_t, 6>& biases,
                 size_t blocks) {
  const std::vector<GruBlock> found = gru_blocks(shape, matrices, biases);
  CHECK(found.size() == blocks);
  const int64_t widths[] = {shape.inputs, shape.hidden, 1, 1};
  for (int array = 0; array < kGruArrays; ++array) {
    const int64_t gate_count = shape.hidden * widths[array];
    std::vector<int64_t> places(static_cast<size_t>(3 * gate_count), -1);
    for (const GruBlock& block : found)
      for (int64_t i = 0; block.array == array && i < block.count; ++i) {
        int64_t& place = places.at(static_cast<size_t>(block.from + i));
        CHECK(place == -1);
        place = block.place + i;
      }
    for (int64_t i = 0; i < 3 * gate_count; ++i) {
      const auto gate = static_cast<size_t>(i / gate_count + (array % 2 == 0 ? 0 : 3));
      CHECK(places[static_cast<size_t>(i)] == (array < 2 ? matrices : biases)[gate] + i % gate_count);
    }
  }
}

TEST_CASE("the weights are cut into as few blocks as lie together") {
  const GruShape shape{1, 1, 2, 3};  // gates of 6, 6, 6 and 9, 9, 9 weights and of 3 biases
  check_cover(shape, {0, 6, 12, 18, 27, 36}, {45, 48, 51, 54, 57, 60}, 4);
  check_cover(shape, {12, 6, 0, 18, 27, 36}, {45, 48, 51, 54, 57, 60}, 6);
  check_cover(shape, {0, 9, 18, 100, 115, 130}, {50, 55, 60, 65, 70, 75}, 12);
}

}  // namespace
}  // namespace cairn::cudnn
