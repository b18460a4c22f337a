// What the framework tests share: devices, tensors with known contents, comparisons, error texts. Not here: gradcheck
// (gradcheck.h) and the ops it runs over (op_cases.h).
#pragma once

#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "framework/error.h"
#include "framework/tensor.h"

namespace cairn::test {

// The oracle, one device for all tests.
const std::shared_ptr<Device>& reference();

// A device of every implementation that has one on this machine, on two threads where it has threads.
const std::vector<std::shared_ptr<Device>>& devices();
// Before main returns: what comes after may find that CUDA's and cuDNN's libraries are gone.
void close_devices();

// Element i is a draw from [low, high) that depends on seed and i alone, exact in float: the same on every device and
// in both floating types.
std::vector<double> random_values(int64_t count, uint64_t seed, double low = -1, double high = 1);
Tensor random_tensor(const std::shared_ptr<Device>& device, Shape shape, uint64_t seed, DType dtype = DType::f32,
                     double low = -1, double high = 1);
// f32 or f64, from doubles.
Tensor tensor_of(const std::shared_ptr<Device>& device, Shape shape, DType dtype, const std::vector<double>& values);
Tensor labels_of(const std::shared_ptr<Device>& device, const std::vector<int32_t>& labels);
// f32 or f64, as doubles.
std::vector<double> values_of(const Tensor& tensor);

// The largest |actual - expected|, relative to the largest |expected| (but at least to `floor`). Nan where they differ
// in length or one has a nan.
double relative_error(const std::vector<double>& actual, const std::vector<double>& expected, double floor = 1e-6);

// The text of what body throws: "" if nothing. The type is checked too.
template <class Exception, class Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const Exception& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("of another type: ") + error.what();
  }
  return "";
}

// The text with which an op refuses its tensors.
template <class Body>
std::string refusal(const Body& body) {
  return message_of<ShapeError>(body);
}

// A folder of its own that goes away with it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  // Names of what is in it.
  std::vector<std::string> entries() const;

 private:
  std::filesystem::path path_;
};

}  // namespace cairn::test
