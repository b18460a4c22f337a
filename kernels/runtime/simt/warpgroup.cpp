#include "kernels/runtime/simt/warpgroup.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>

#include "kernels/runtime/simt/report.h"
#include "kernels/runtime/simt/scheduler.h"

namespace cairn::simt {
inline namespace host_form {
namespace {

constexpr int kPieceBytes = 16, kLinesOfPattern = 8;

// Where the byte at `address` of a tile is kept: its 16-byte piece is exchanged by the number of its line. As on the
// GPU it is the address that counts, and a tile begins at a multiple of 1024.
uintptr_t exchanged(uintptr_t address) {
  return address ^ (address / kBoxLineBytes % kLinesOfPattern * kPieceBytes);
}

void fetch(const TensorShape& shape, void* box, int position, int first_line) {
  const int element = bytes_of(shape.input), per_line = kBoxLineBytes / element;
  const auto* data = static_cast<const unsigned char*>(shape.data);
  for (int i = 0; i < shape.box_lines; ++i) {
    unsigned char line[kBoxLineBytes] = {};
    const int64_t from_line = int64_t{first_line} + i;
    const int64_t count = std::clamp<int64_t>(shape.length - position, 0, per_line);
    if (from_line < shape.lines && count > 0)
      std::memcpy(line, data + from_line * shape.stride_bytes + int64_t{position} * element,
                  static_cast<size_t>(count * element));
    const auto to = reinterpret_cast<uintptr_t>(box) + static_cast<uintptr_t>(i) * kBoxLineBytes;
    for (int piece = 0; piece < kBoxLineBytes; piece += kPieceBytes)
      std::memcpy(reinterpret_cast<void*>(exchanged(to + static_cast<uintptr_t>(piece))), line + piece, kPieceBytes);
  }
}

typedef uint32_t EightWords __attribute__((vector_size(32)));

// The floats that the tensor cores see in the 32 bytes of a line along k, in any order that is the same for all lines.
template <TensorInput input>
struct Terms {
  Fragment<8> parts[input == TensorInput::tf32 ? 1 : 2];

  explicit Terms(uintptr_t address) {
    EightWords words;
    for (unsigned piece = 0; piece < 2; ++piece)
      std::memcpy(reinterpret_cast<char*>(&words) + piece * kPieceBytes,
                  reinterpret_cast<const void*>(exchanged(address + piece * kPieceBytes)), kPieceBytes);
    if constexpr (input == TensorInput::tf32) {
      put(parts[0], words & 0xffffe000u);
    } else {
      put(parts[0], words << 16);
      put(parts[1], words & 0xffff0000u);
    }
  }
  float times(const Terms& other) const {
    Fragment<8> sums;
    sums.zero();
    for (unsigned i = 0; i < std::size(parts); ++i) sums.fma(parts[i], other.parts[i]);
    return sums.sum();
  }

 private:
  static void put(Fragment<8>& part, EightWords bits) { std::memcpy(&part, &bits, sizeof bits); }
};

template <TensorInput input>
void multiply(float* sums, uintptr_t a, uintptr_t b, bool add) {
  const unsigned thread = threadIdx.x % 128, warp = thread / 32, lane = thread % 32;
  const uintptr_t row = a + (warp * 16 + lane / 4) * kBoxLineBytes;
  const Terms<input> upper(row), lower(row + 8 * kBoxLineBytes);
  for (unsigned j = 0; j < kProductColumns / 8; ++j) {
    for (unsigned i = 0; i < 2; ++i) {
      const Terms<input> column(b + (j * 8 + lane % 4 * 2 + i) * kBoxLineBytes);
      float *upper_sum = sums + 4 * j + i, *lower_sum = upper_sum + 2;
      *upper_sum = upper.times(column) + (add ? *upper_sum : 0.0f);
      *lower_sum = lower.times(column) + (add ? *lower_sum : 0.0f);
    }
  }
}

}  // namespace

TensorMap tensor_map(const TensorShape& shape) {
  if (reinterpret_cast<uintptr_t>(shape.data) % kPieceBytes != 0 || shape.stride_bytes % kPieceBytes != 0 ||
      shape.lines <= 0 || shape.length <= 0 || shape.box_lines <= 0 || shape.box_lines > 256)
    throw Error(
        "a tensor map needs a matrix that is not empty, its address and lines at multiples of 16 bytes, and "
        "boxes of at most 256 lines");
  return {shape};
}

void TransferBarrier::initialize(unsigned arrivals) {
  arrivals_ = missing_ = arrivals;
  bytes_ = 0;
  parity_ = 0;
}

void TransferBarrier::end_phase_if_due() {
  if (missing_ != 0 || bytes_ != 0) return;
  parity_ ^= 1;
  missing_ = arrivals_;
  Worker& worker = worker_in_kernel("TransferBarrier");
  std::erase_if(worker.parked, [&](const Parked& parked) {
    if (parked.at != this) return false;
    worker.released_lanes[worker.released++] = parked.fiber;
    return true;
  });
}

void TransferBarrier::arrive() {
  Worker& worker = worker_in_kernel("TransferBarrier::arrive");
  if (missing_ == 0 || missing_ > arrivals_ || arrivals_ > kMaxBlockThreads)
    fail(worker, "a TransferBarrier that was not initialised, or more arrivals in a phase than it has");
  --missing_;
  end_phase_if_due();
}

void TransferBarrier::expect(unsigned bytes) {
  bytes_ += static_cast<int>(bytes);
  arrive();
}

// Does what the copy engine would have done by now.
void TransferBarrier::deliver() {
  Worker& worker = worker_in_kernel("TransferBarrier::wait");
  std::erase_if(worker.transfers, [&](const Transfer& transfer) {
    if (transfer.barrier != this) return false;
    transfer.fetch();
    bytes_ -= transfer.bytes;
    return true;
  });
  end_phase_if_due();
}

void TransferBarrier::wait(unsigned parity, const char* file, int line) {
  Worker& worker = worker_in_kernel("TransferBarrier::wait");
  if (parity_ != parity) return;
  deliver();
  if (parity_ != parity) return;
  Fiber* fiber = worker.running;
  if (!worker.row_split) split_row(worker, fiber);
  fiber->file = file;
  fiber->line = line;
  worker.parked.push_back({fiber, this});
  resume(worker, fiber, pick(worker));
}

void copy_box(void* to, const TensorMap& from, int position, int line, TransferBarrier& barrier) {
  Worker& worker = worker_in_kernel("copy_box");
  if (reinterpret_cast<uintptr_t>(to) % (kBoxLineBytes * kLinesOfPattern) != 0)
    fail(worker, "copy_box writes to a multiple of 1024 bytes in shared memory");
  std::memset(to, 0xff, static_cast<size_t>(from.shape.box_lines) * kBoxLineBytes);
  worker.transfers.push_back({&barrier, from.shape.box_lines * kBoxLineBytes,
                              [shape = from.shape, to, position, line] { fetch(shape, to, position, line); }});
  const auto waits_here = [&](const Parked& parked) { return parked.at == &barrier; };
  if (std::any_of(worker.parked.begin(), worker.parked.end(), waits_here)) barrier.deliver();
}

void multiply_warpgroup(TensorInput input, float* sums, const void* a, const void* b, bool add) {
  const auto at_a = reinterpret_cast<uintptr_t>(a), at_b = reinterpret_cast<uintptr_t>(b);
  if (input == TensorInput::tf32)
    multiply<TensorInput::tf32>(sums, at_a, at_b, add);
  else
    multiply<TensorInput::bf16>(sums, at_a, at_b, add);
}

}  // namespace host_form
}  // namespace cairn::simt
