// What the kernel tests share: one call's arrays with guard zones around them, the run of one case on an implementation
// and on the oracle, and the list of what is to be tested. Not here: any primitive's cases (test_*.cpp).
//
// A case is one lambda that places its arrays and makes the call. It is run
//   - on `reference` in double, whose outputs are what is expected;
//   - on the implementation under test, on 1 thread, on 2 threads and on 2 threads again (on a GPU: twice), whose
//     outputs must lie within the tolerance and be the same bytes every time.
// Outputs start as nan, guard zones of 256 bytes lie before and after each array, and every byte that is not the
// call's to write (guards, inputs, gaps between rows) is compared with what it was.
#pragma once

#include <deque>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "kernels/backend.h"
#include "tests/sweep.h"

namespace cairn::test {

// ---- what is tested ------------------------------------------------------------------------------------------

// One implementation with one choice of rung.
struct Subject {
  const Backend* backend;  // lives to the end of the program, as streams do
  std::string kernels;     // as in StreamOptions, "" for the defaults
  Precision precision = Precision::fp32;
  double input_rounding = 0;   // relative rounding of a matrix product's inputs that the rung is allowed: TF32's 2^-11
  bool same_bits = true;       // at each run; a rung that does not promise it says so in its idea
  bool on_any_threads = true;  // the same bits too; an implementation that does not promise it says so in its summary

  std::string name() const;  // such as "vanilla/cpu gemm=3"
};

// Restricts the whole run to one implementation; text: "name/where". Throws for one that this build does not have.
const Backend& select_implementation(const std::string& text);

// The implementations with a device that have the primitive, once with the defaults and once for each rung that
// they list. A null entry must be covered by the implementation's fallback: checked here.
const std::vector<Subject>& subjects(const char* primitive);

// Whether the subject's device has what an idea that begins so needs (kernels/rungs.h).
bool device_of_subject_has(const Subject& subject, const char* needs);

// All implementations of the run that have a device.
std::vector<const Backend*> implementations();

std::string place_of(const Backend& backend);  // such as "vanilla/cpu"

// The implementations that ctest runs this program over, such as "reference/cpu vanilla/cpu".
const char* tested_places();

// ---- one call ------------------------------------------------------------------------------------------------

// |actual - expected| <= absolute + relative * |expected| + each[i]. The default asks for equality, an infinite
// absolute one for nothing but the same bytes at each run: what an implementation keeps for itself.
struct Tolerance {
  double absolute = 0;
  double relative = 0;
  std::vector<double> each = {};  // one per element, or empty
};

// A matrix with gaps between its rows when leading > columns.
struct Layout {
  Layout(int64_t count) : rows(1), columns(count), leading(count) {}
  Layout(int64_t rows, int64_t columns) : rows(rows), columns(columns), leading(columns) {}
  Layout(int64_t rows, int64_t columns, int64_t leading) : rows(rows), columns(columns), leading(leading) {}
  int64_t count() const { return rows * columns; }
  int64_t span() const { return rows == 0 || columns == 0 ? 0 : (rows - 1) * leading + columns; }
  int64_t rows, columns, leading;
};

template <class V>
inline constexpr DType dtype_of = DType::f64;
template <>
inline constexpr DType dtype_of<float> = DType::f32;
template <>
inline constexpr DType dtype_of<uint8_t> = DType::u8;
template <>
inline constexpr DType dtype_of<int32_t> = DType::i32;
template <>
inline constexpr DType dtype_of<int64_t> = DType::i64;

using Values = std::vector<double>;  // what an array of any type holds, row by row

// The arrays of one call on one device, and the call itself.
class Call {
 public:
  // real: the type of the arrays whose type the primitive leaves open. offset: elements by which every array is moved
  // off its 256-byte alignment.
  Call(const Backend& backend, Stream* stream, DType real, int64_t offset, double input_rounding = 0);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  DType real() const { return real_; }
  double input_rounding() const { return input_rounding_; }  // as in Subject

  const void* input(const char* name, Layout layout, const Values& values);
  // Without initial values the array starts as nan.
  void* output(const char* name, Layout layout, const Tolerance& tolerance, const Values& initial = {});
  template <class V>
  const V* typed_input(const char* name, const Values& values) {
    const auto count = static_cast<int64_t>(values.size());
    return static_cast<const V*>(place(name, false, dtype_of<V>, Layout(count), values, {}));
  }
  template <class V>
  V* typed_output(const char* name, Layout layout, const Tolerance& tolerance, const Values& initial = {}) {
    return static_cast<V*>(place(name, true, dtype_of<V>, layout, initial, tolerance));
  }
  // Keeps a host array alive as long as the call.
  const OptimizerTensor* keep(std::vector<OptimizerTensor> tensors);

  template <class Args>
  Status invoke(Primitive<Args> Backend::*entry, const Args& args) {
    return (backend_.*entry)(stream_, &args);
  }

  // Elements of `reserve`, as many as the implementation wants.
  int64_t gru_reserve(const GruShape& shape);
  // A convolution's weights as the implementation prepares them; null where it takes them as they are. Throws where
  // more was written than was asked for.
  const void* prepared(const Conv2dShape& shape, const void* weight);

  // Reads everything back; what was written outside the outputs goes to faults.
  void finish(std::vector<std::string>& faults);

  struct Array {
    std::string name;
    bool is_output;
    DType dtype;
    Layout layout;
    Tolerance tolerance;
    size_t data_offset;                // bytes from the allocation to the first element
    std::vector<unsigned char> image;  // the allocation as it was before the call, after finish() as it is
    void* allocation;
    Values values() const;  // of the image
  };
  std::vector<const Array*> outputs() const;

 private:
  void* place(const char* name, bool is_output, DType dtype, Layout layout, const Values& values,
              const Tolerance& tolerance);

  const Backend& backend_;
  Stream* stream_;
  DType real_;
  int64_t offset_;
  double input_rounding_;
  std::deque<Array> arrays_;
  std::deque<std::vector<OptimizerTensor>> kept_;
  std::vector<void*> prepared_;
};

// ---- one case ------------------------------------------------------------------------------------------------

struct Case {
  const char* primitive;
  std::string shape;  // for messages
  DType real = DType::f32;
  int64_t offset = 0;
  std::function<Status(Call&)> run;
  std::vector<Values> expected = {};  // of the outputs in their order; empty: what `reference` computes
  DType oracle_real = DType::f64;     // the type in which `reference` computes it
};

// The outputs of `reference`, where the case does not say itself what is expected.
std::vector<Values> expected_of(const Case& c);

// Closes all streams that cases have opened. Before main returns: what comes after may find that CUDA's and cuDNN's
// libraries are gone.
void close_streams();

// One line for each thing that is wrong.
std::vector<std::string> faults_of(const Subject& subject, const Case& c, const std::vector<Values>& expected);

// Runs the case on every subject that has its type, and reports the faults to doctest.
void check(const Case& c);

// What an implementation says no with, or "" where it runs the call. kernels: as in StreamOptions. precision: the
// subject's. Throws where it fails without a text, or with more than a line.
std::string refusal(const Subject& subject, const std::string& kernels, const std::function<Status(Call&)>& run);

inline constexpr DType kReals[] = {DType::f32, DType::f64};
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// ---- sizes, values and error bounds --------------------------------------------------------------------------

// 0, 1 and around every tile edge; a few of them when CAIRN_TEST_SWEEP=small (for the race-checked build).
using testing::small_sweep;
std::vector<int64_t> edge_sizes();
std::vector<int64_t> vector_sizes();                      // the same and some larger odd ones
std::vector<std::pair<int64_t, int64_t>> matrix_sizes();  // rows, columns: edges each way, non-square, larger odd
std::string shape_text(std::initializer_list<std::pair<const char*, int64_t>> parts);

// Deterministic values, all exact in float: in [low, high], and whole numbers in [low, high]. With whole numbers sums
// and products are exact in any order, so that results must be equal, not close.
const Values& reals(int64_t count, uint32_t stream, double low = -1, double high = 1);
const Values& integers(int64_t count, uint32_t stream, int low = -8, int high = 8);

Values relu_output(int64_t count, uint32_t stream);  // reals, the negative ones 0

double unit(DType real);  // unit roundoff: 2^-24 or 2^-53
double tiny(DType real);  // 4 times the smallest normal number: exponentials below it may be flushed to zero

// How far a floating-point sum may be off: the rounding errors of its terms behave as independent random numbers, so
// the total error grows with sqrt(terms), not with terms (Higham & Mary, "A new approach to probabilistic rounding
// error analysis", 2019; lambda = 4 there makes a false alarm less likely than 1 in 1000 were all errors at their
// worst, which they are not). magnitude: the sum of the terms' absolute values.
double sum_bound(int64_t terms, double magnitude, DType real);

// One rounding of f(a, b) and one of the addition, each of a value no larger than 2 * largest.
Tolerance two_roundings(DType real, double largest);

}  // namespace cairn::test
