#include "tests/framework/support.h"

#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "kernels/philox.h"
#include "kernels/registry.h"

namespace cairn::test {

const std::shared_ptr<Device>& reference() {
  static const std::shared_ptr<Device> device = Device::open({.implementation = "reference", .where = "cpu"});
  return device;
}

namespace {

std::vector<std::shared_ptr<Device>>& opened_devices() {
  static std::vector<std::shared_ptr<Device>> all = [] {
    std::vector<std::shared_ptr<Device>> opened;
    for (const Backend* backend : compiled_backends())
      if (backend->device_count() > 0)
        opened.push_back(
            Device::open({.implementation = backend->name, .where = name_of(backend->where), .threads = 2}));
    return opened;
  }();
  return all;
}

}  // namespace

const std::vector<std::shared_ptr<Device>>& devices() {
  return opened_devices();
}

void close_devices() {
  opened_devices().clear();
}

std::vector<double> random_values(int64_t count, uint64_t seed, double low, double high) {
  std::vector<double> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(low + (high - low) * philox::uniform_at(seed, 0, 0, i));
  return values;
}

Tensor random_tensor(const std::shared_ptr<Device>& device, Shape shape, uint64_t seed, DType dtype, double low,
                     double high) {
  return tensor_of(device, shape, dtype, random_values(shape.count(), seed, low, high));
}

Tensor tensor_of(const std::shared_ptr<Device>& device, Shape shape, DType dtype, const std::vector<double>& values) {
  if (dtype == DType::f64) return Tensor::from_host<double>(device, shape, values);
  const std::vector<float> narrow(values.begin(), values.end());
  return Tensor::from_host<float>(device, shape, narrow);
}

Tensor labels_of(const std::shared_ptr<Device>& device, const std::vector<int32_t>& labels) {
  return Tensor::from_host<int32_t>(device, {static_cast<int64_t>(labels.size())}, labels);
}

std::vector<double> values_of(const Tensor& tensor) {
  if (tensor.dtype() == DType::f64) return tensor.to_host<double>();
  const std::vector<float> narrow = tensor.to_host<float>();
  return {narrow.begin(), narrow.end()};
}

double relative_error(const std::vector<double>& actual, const std::vector<double>& expected, double floor) {
  if (actual.size() != expected.size()) return std::numeric_limits<double>::quiet_NaN();
  double largest = floor, error = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double difference = std::abs(actual[i] - expected[i]);
    if (std::isnan(difference)) return difference;
    largest = std::max(largest, std::abs(expected[i]));
    error = std::max(error, difference);
  }
  return error / largest;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "cairn-test-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder: " + name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<std::string> TemporaryFolder::entries() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path_))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace cairn::test
