#include "trainers/features.h"

#include <algorithm>
#include <cstring>

#include "datasets/held_folder.h"
#include "kernels/philox.h"
#include "models/transfer.h"
#include "trainers/evaluation.h"
#include "trainers/stopwatch.h"

namespace cairn {

FeatureMaker::FeatureMaker(const std::shared_ptr<Device>& device, const ModelInfo& info, const Module& network) {
  Initializer none = Initializer::none();
  const std::shared_ptr<Module> copy = info.build(device, none, DType::f32);
  const std::vector<NamedTensor> from = network.state(), to = copy->state();
  for (size_t i = 0; i < to.size(); ++i)
    device->copy_on_device(to[i].tensor.data(), from[i].tensor.data(),
                           bytes_of(to[i].tensor.shape(), to[i].tensor.dtype()));
  backbone_ = split_network(*copy, info).backbone;
  backbone_->fold();
}

Features FeatureMaker::of(const DeviceSplit& split, const SampleInput& input, int64_t batch_size,
                          const std::atomic<bool>& stop) const {
  const Stopwatch watch;
  Features result;
  if (split.count == 0) return result;
  const double waited = split.streamed ? split.streamed->waited_seconds() : 0;
  if (batch_size == 0) batch_size = evaluation_rows(*backbone_, input.plain(split.samples(0, 1)).shape());
  visit_batches(*backbone_, split, input, batch_size, [&](const Tensor& batch, int64_t begin, int64_t end) {
    if (stop) throw datasets::InterruptedError("interrupted while features were computed");
    const std::shared_ptr<Device>& device = batch.device();
    if (!result.rows.defined())
      result.rows = Tensor::empty(device, {split.count, batch.shape()[1]}, batch.dtype(), "features");
    device->copy_on_device(result.rows.rows(begin, end).data(), batch.data(), bytes_of(batch.shape(), batch.dtype()));
  });
  result.rows.device()->synchronize();
  result.seconds = watch.seconds();
  if (split.streamed) result.waiting_seconds = split.streamed->waited_seconds() - waited;
  return result;
}

datasets::Split random_images(const Shape& image, int64_t count) {
  constexpr size_t kBlock = sizeof(philox::Block);
  datasets::Bytes bytes(static_cast<size_t>(image.count() * count));
  for (size_t i = 0; i < bytes.size(); i += kBlock) {
    const philox::Block block = philox::draw(0, 0, 0, i / kBlock);
    std::memcpy(bytes.data() + i, block.word, std::min(kBlock, bytes.size() - i));
  }
  return datasets::image_split(image, std::move(bytes));
}

}  // namespace cairn
