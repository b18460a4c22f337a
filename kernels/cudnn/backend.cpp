// The manifest of the cudnn implementation: NVIDIA's libraries where they have the primitive, vanilla for the rest.
#include "kernels/cudnn/backend.h"

#include <stdexcept>

#include "kernels/cudnn/primitives.h"

namespace cairn::cudnn {
namespace {

const Backend* vanilla = nullptr;

// An entry of a primitive that NVIDIA's library has in part: the calls that `function` refuses are vanilla's.
template <auto function, auto member>
struct InPart;
template <class Args, bool (*function)(Stream&, const Args&), Primitive<Args> Backend::*member>
struct InPart<function, member> {
  static Status call(cairn::Stream* stream, const Args* args) {
    bool done = false;
    const Status status = cuda::guard([&] {
      cuda::unwrap(stream).activate();
      done = function(static_cast<Stream&>(cuda::unwrap(stream)), *args);
    });
    return status != 0 || done ? status : (vanilla->*member)(stream, args);
  }
};
template <auto function, auto member>
constexpr auto in_part = &InPart<function, member>::call;

Status reserve_count(cairn::Stream* stream, const GruShape* shape, int64_t* count) {
  *count = gru_reserve_count(*shape);
  return cuda::guard([&] {
    cuda::unwrap(stream).activate();
    gru_reserve(static_cast<Stream&>(cuda::unwrap(stream)), *shape, *count);
  });
}

}  // namespace

void add_by_vanilla(Stream& stream, const BinaryArgs& args) {
  if (vanilla->add(cuda::wrap(&stream), &args) != 0) throw std::runtime_error(vanilla->last_error());
}

const Backend& backend(const Backend& others) {
  using cuda::entry;
  vanilla = &others;
  static const Backend instance = cuda::with_services({
      .name = "cudnn",
      .falls_back = "vanilla",
      .supports_f64 = 0,
      .summary = "cuBLASLt and cuDNN: matrix products, convolutions, softmax, recurrent units; pools and normalisation "
                 "in part",
      .open_stream = cuda::open_stream<Stream>,
      .variants = variants,
      .gru_reserve = reserve_count,
      .gemm = entry<gemm>,
      .conv2d_forward = entry<conv2d_forward>,
      .conv2d_backward_data = entry<conv2d_backward_data>,
      .conv2d_backward_filter = entry<conv2d_backward_filter>,
      .max_pool_forward = in_part<max_pool_forward, &Backend::max_pool_forward>,
      .average_pool_forward = in_part<average_pool_forward, &Backend::average_pool_forward>,
      .average_pool_backward = in_part<average_pool_backward, &Backend::average_pool_backward>,
      .batch_norm_forward = in_part<batch_norm_forward, &Backend::batch_norm_forward>,
      .batch_norm_backward = in_part<batch_norm_backward, &Backend::batch_norm_backward>,
      .local_response_norm_forward = in_part<local_response_norm_forward, &Backend::local_response_norm_forward>,
      .softmax_forward = entry<softmax_forward>,
      .softmax_backward = entry<softmax_backward>,
      .gru_forward = in_part<gru_forward, &Backend::gru_forward>,
      .gru_backward = in_part<gru_backward, &Backend::gru_backward>,
  });
  return instance;
}

}  // namespace cairn::cudnn
