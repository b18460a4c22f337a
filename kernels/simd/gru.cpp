// The gated recurrent unit through time. What x brings is one product over all steps, and so are the gradients of x and
// of the weights (kernels/gru_products.h); between them a thread takes its rows of the batch through all steps, and
// meets no other. The recurrent weights are packed once.
//
//             units: 1 vector of each gate           a tile: kRows rows of the batch and one vector of units, of which
//        k    r | z | n                              it has the sums of all three gates; so the step ends in registers
//   rows h    # | # | #
//
// A row's bits depend on no other row: a tile short of rows repeats its last one, and each row ends in the same code.
#include "kernels/gru_products.h"
#include "kernels/simd/primitives.h"
#include "kernels/simd/register_tile.h"
#include "kernels/simd/team.h"

namespace cairn::simd {
namespace {

constexpr int kRows = 4 * kRowFactor;
constexpr int kGroup = 3;  // vectors of units in a tile of the backward pass

int64_t vectors_of(int64_t hidden) {
  return ceil_div(hidden, kLanes);
}

// Floats of the packed recurrent weights, in either direction.
int64_t packed_floats(int64_t hidden) {
  return 3 * hidden * vectors_of(hidden) * kLanes;
}

// For each vector of units a panel: step k has the three gates' weights of state k.
void pack_forward(const float* weight, int64_t hidden, float* to) {
  for (int64_t v = 0; v < vectors_of(hidden); ++v)
    for (int64_t k = 0; k < hidden; ++k)
      for (int64_t gate = 0; gate < 3; ++gate)
        for (int64_t unit = v * kLanes; unit < (v + 1) * kLanes; ++unit)
          *to++ = unit < hidden ? weight[(gate * hidden + unit) * hidden + k] : 0.0f;
}

// For each group of vectors of units a panel of the weight's rows.
void pack_backward(const float* weight, int64_t hidden, float* to) {
  for (int64_t v = 0; v < vectors_of(hidden); v += kGroup) {
    const int64_t end = std::min(v + kGroup, vectors_of(hidden)) * kLanes;
    for (int64_t row = 0; row < 3 * hidden; ++row)
      for (int64_t unit = v * kLanes; unit < end; ++unit) *to++ = unit < hidden ? weight[row * hidden + unit] : 0.0f;
  }
}

// A row's gates, or their gradients, at some units.
struct Gates {
  Vector r, z, n, hn;
};
Gates load_gates(const float* from, int64_t hidden, int64_t count) {
  return {load_part(from, count), load_part(from + hidden, count), load_part(from + 2 * hidden, count),
          load_part(from + 3 * hidden, count)};
}
void store_gates(float* to, int64_t hidden, int64_t count, const Gates& gates) {
  store_part(to, gates.r, count);
  store_part(to + hidden, gates.z, count);
  store_part(to + 2 * hidden, gates.n, count);
  store_part(to + 3 * hidden, gates.hn, count);
}

// Where the states are: in `reserve`, in y where all steps' are asked for, else in two buffers that take turns.
struct States {
  GruShape shape;
  const float* first;  // batch x hidden
  float* kept;         // or null
  float* y;
  bool last_only;
  float* turns;

  const float* before(int64_t b, int64_t t) const {
    if (kept) return kept + (b * shape.time + t) * shape.hidden;
    if (t == 0) return first + b * shape.hidden;
    return last_only ? turns + (t % 2 * shape.batch + b) * shape.hidden : y + (b * shape.time + t - 1) * shape.hidden;
  }
  float* after(int64_t b, int64_t t) const {  // or null: in y alone
    if (t + 1 == shape.time) return nullptr;
    if (kept) return kept + (b * shape.time + t + 1) * shape.hidden;
    return last_only ? turns + ((t + 1) % 2 * shape.batch + b) * shape.hidden : nullptr;
  }
  float* out(int64_t b, int64_t t) const {  // or null
    if (last_only) return t + 1 == shape.time ? y + b * shape.hidden : nullptr;
    return y + (b * shape.time + t) * shape.hidden;
  }
};

class ForwardSteps {
 public:
  ForwardSteps(const States& states, const float* panels, const void* bias, float* gates)
      : states_(states), panels_(panels), bias_(floats(bias)), gates_(gates) {}

  void run(int64_t begin, int64_t end) const {
    const GruShape& s = states_.shape;
    for (int64_t t = 0; t < s.time; ++t)
      for (int64_t v = 0; v < vectors_of(s.hidden); ++v)
        for (int64_t row = begin; row < end; row += kRows) tile(t, v, row, std::min<int64_t>(kRows, end - row));
  }

 private:
  void tile(int64_t t, int64_t v, int64_t row, int64_t rows) const {
    const int64_t hidden = states_.shape.hidden;
    RowsInPlace<kRows> state;
    for (int64_t r = 0; r < kRows; ++r) state.rows[r] = states_.before(row + std::min(r, rows - 1), t);
    state.stride = 1;
    Vector sums[kRows][3] = {};
    multiply_add(sums, state, Panel<3>{panels_ + v * hidden * 3 * kLanes, 3 * kLanes}, hidden);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      if (r >= rows) return;
      finish(row + r, t, v * kLanes, sums[r][0], sums[r][1], sums[r][2]);
    }
  }

  // A function of its own, so that every row ends in the same machine code.
  [[gnu::noinline]] void finish(int64_t b, int64_t t, int64_t unit, Vector from_r, Vector from_z, Vector hn) const {
    const GruShape& s = states_.shape;
    const int64_t count = std::min<int64_t>(kLanes, s.hidden - unit);
    if (bias_) {
      from_r += load_part(bias_ + unit, count);
      from_z += load_part(bias_ + s.hidden + unit, count);
      hn += load_part(bias_ + 2 * s.hidden + unit, count);
    }
    float* place = gates_ + (b * s.time + t) * 4 * s.hidden + unit;
    const Vector r = sigmoid(load_part(place, count) + from_r);
    const Vector z = sigmoid(load_part(place + s.hidden, count) + from_z);
    const Vector n = tanh_any(load_part(place + 2 * s.hidden, count) + r * hn);
    if (states_.kept) store_gates(place, s.hidden, count, {r, z, n, hn});
    const Vector state = n + z * (load_part(states_.before(b, t) + unit, count) - n);
    if (float* after = states_.after(b, t)) store_part(after + unit, state, count);
    if (float* out = states_.out(b, t)) store_part(out + unit, state, count);
  }

  States states_;
  const float* panels_;
  const float* bias_;
  float* gates_;
};

class BackwardSteps {
 public:
  // carried: batch x hidden, the part of a state's gradient that passes by the gates. bias_sums: batch x 4 hidden,
  // zeros at first: the gates' gradients, summed over the steps.
  BackwardSteps(const GruBackwardArgs& args, const float* panels, float* carried, float* bias_sums)
      : args_(args),
        s_(args.shape),
        panels_(panels),
        gates_(floats(args.reserve)),
        states_(gates_ + 4 * s_.batch * s_.time * s_.hidden),
        carried_(carried),
        bias_sums_(bias_sums) {}

  void run(int64_t begin, int64_t end) const {
    const int64_t vectors = vectors_of(s_.hidden);
    for (int64_t t = s_.time - 1; t >= (args_.dh0 ? -1 : 0); --t) {
      int64_t v = 0;
      for (; v + kGroup <= vectors; v += kGroup) rows<kGroup>(t, v, begin, end);
      if (vectors - v == 2) rows<2>(t, v, begin, end);
      if (vectors - v == 1) rows<1>(t, v, begin, end);
    }
  }

 private:
  template <int kVectors>
  void rows(int64_t t, int64_t v, int64_t begin, int64_t end) const {
    for (int64_t row = begin; row < end; row += kRows) tile<kVectors>(t, v, row, std::min<int64_t>(kRows, end - row));
  }

  float* gates(int64_t b, int64_t t) const { return gates_ + (b * s_.time + t) * 4 * s_.hidden; }

  // What the gates of step t + 1 say of the state before it, and then the gates of step t.
  template <int kVectors>
  void tile(int64_t t, int64_t v, int64_t row, int64_t rows) const {
    Vector sums[kRows][kVectors] = {};
    if (t + 1 < s_.time) {
      RowsInPlace<kRows> next;
      for (int64_t r = 0; r < kRows; ++r) next.rows[r] = gates(row + std::min(r, rows - 1), t + 1);
      next.stride = 1;
      Panel<kVectors> weight{panels_ + 3 * s_.hidden * v * kLanes, kVectors * kLanes};
      multiply_add(sums, next, weight, 2 * s_.hidden);
      next.offset = 3 * s_.hidden;  // of n the part that came from h
      weight.data += 2 * s_.hidden * weight.stride;
      multiply_add(sums, next, weight, s_.hidden);
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      if (r >= rows) return;
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i) finish(row + r, t, (v + i) * kLanes, sums[r][i]);
    }
  }

  [[gnu::noinline]] void finish(int64_t b, int64_t t, int64_t unit, Vector dh) const {
    const int64_t hidden = s_.hidden, count = std::min<int64_t>(kLanes, hidden - unit);
    float* carried = carried_ + b * hidden + unit;
    if (t + 1 < s_.time) dh += load_part(carried, count);
    if (!args_.last_only && t >= 0) dh += load_part(floats(args_.dy) + (b * s_.time + t) * hidden + unit, count);
    if (args_.last_only && t + 1 == s_.time) dh += load_part(floats(args_.dy) + b * hidden + unit, count);
    if (t < 0) {
      float* to = floats(args_.dh0) + b * hidden + unit;
      return store_part(to, args_.accumulate_dh0 ? load_part(to, count) + dh : dh, count);
    }
    float* place = gates(b, t) + unit;
    const Gates at = load_gates(place, hidden, count);
    const Vector before = load_part(states_ + (b * s_.time + t) * hidden + unit, count);
    const Vector dn = dh * (1.0f - at.z) * (1.0f - at.n * at.n);
    const Vector dr = dn * at.hn * at.r * (1.0f - at.r), dz = dh * (before - at.n) * at.z * (1.0f - at.z);
    const Gates gradients{dr, dz, dn, dn * at.r};
    store_gates(place, hidden, count, gradients);
    store_part(carried, dh * at.z, count);
    float* sums = bias_sums_ + b * 4 * hidden + unit;
    const Gates so_far = load_gates(sums, hidden, count);
    store_gates(sums, hidden, count,
                {so_far.r + gradients.r, so_far.z + gradients.z, so_far.n + gradients.n, so_far.hn + gradients.hn});
  }

  const GruBackwardArgs& args_;
  const GruShape& s_;
  const float* panels_;
  float* gates_;
  const float* states_;
  float* carried_;
  float* bias_sums_;
};

// dbias (+)= the rows' sums, of n those of the column `n` of the four.
void bias_gradient(const GruShape& s, const float* sums, int64_t n, void* dbias, int32_t accumulate) {
  if (!dbias) return;
  float* to = floats(dbias);
  for (int64_t i = 0; i < 3 * s.hidden; ++i) {
    const int64_t column = i < 2 * s.hidden ? i : i + (n - 2) * s.hidden;
    float total = 0.0f;
    for (int64_t b = 0; b < s.batch; ++b) total += sums[b * 4 * s.hidden + column];
    to[i] = accumulate ? to[i] + total : total;
  }
}

}  // namespace

void gru_forward(Stream& stream, const GruForwardArgs& args) {
  require_f32(args.dtype, "gru_forward");
  const int64_t batch = args.shape.batch, time = args.shape.time, hidden = args.shape.hidden;
  const int64_t state_floats = batch * hidden, gate_floats = 4 * batch * time * hidden;
  if (state_floats == 0) return;
  const int64_t panel_floats = packed_floats(hidden);
  float* panels = static_cast<float*>(stream.workspace(
      static_cast<size_t>(panel_floats + 3 * state_floats + (args.reserve ? 0 : gate_floats)) * sizeof(float)));
  float* first = panels + panel_floats;
  if (args.h0)
    std::copy_n(floats(args.h0), state_floats, first);
  else
    std::fill_n(first, state_floats, 0.0f);
  if (time == 0) {
    if (args.last_only) std::copy_n(first, state_floats, floats(args.y));
    return;
  }
  float* gates = args.reserve ? floats(args.reserve) : first + 3 * state_floats;
  float* kept = args.reserve ? gates + gate_floats : nullptr;
  for (int64_t b = 0; b < batch && kept; ++b) std::copy_n(first + b * hidden, hidden, kept + b * time * hidden);
  gemm(stream, gru_input_product(args, gates));
  pack_forward(floats(args.weight_hh), hidden, panels);
  const States states{args.shape, first, kept, floats(args.y), args.last_only != 0, first + state_floats};
  const ForwardSteps steps(states, panels, args.bias_hh, gates);
  stream.pool.parallel_for(batch, kRows, [&](int64_t begin, int64_t end) { steps.run(begin, end); });
}

void gru_backward(Stream& stream, const GruBackwardArgs& args) {
  require_f32(args.dtype, "gru_backward");
  const int64_t batch = args.shape.batch, time = args.shape.time, hidden = args.shape.hidden;
  const int64_t panel_floats = packed_floats(hidden), state_floats = batch * hidden;
  float* panels =
      static_cast<float*>(stream.workspace(static_cast<size_t>(panel_floats + 5 * state_floats) * sizeof(float)));
  float* carried = panels + panel_floats;
  float* bias_sums = carried + state_floats;
  std::fill_n(bias_sums, 4 * state_floats, 0.0f);
  if (state_floats > 0) {
    pack_backward(floats(args.weight_hh), hidden, panels);
    const BackwardSteps steps(args, panels, carried, bias_sums);
    stream.pool.parallel_for(batch, kRows, [&](int64_t begin, int64_t end) { steps.run(begin, end); });
  }
  const float* gates = floats(args.reserve);
  gru_gradient_products(args, gates, gates + 4 * batch * time * hidden,
                        [&](const GemmArgs& product) { gemm(stream, product); });
  bias_gradient(args.shape, bias_sums, 2, args.dbias_ih, args.accumulate_dbias_ih);
  bias_gradient(args.shape, bias_sums, 3, args.dbias_hh, args.accumulate_dbias_hh);
}

}  // namespace cairn::simd
