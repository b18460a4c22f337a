// Python's pickles, read and never run. A pickle is a program: it may call what it names. Here a call is only noted
// down as a value, with its arguments, and the names are those of a short list: what numpy and PyTorch write. Whoever
// wants an array out of such a call takes the arguments apart (datasets/numpy.h). Protocols 0 to 5
// (https://docs.python.org/3/library/pickletools.html). Not here: files with pickles in them, such as .npz.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cairn {

enum class PickleKind : uint8_t {
  none,
  boolean,
  integer,  // of 64 bits
  real,
  text,
  bytes,  // also what Python 2 calls a string
  list,
  tuple,
  dict,
  global,   // a function or class of the list
  call,     // of such a function, not made
  outside,  // something that is kept elsewhere and named here: a tensor's numbers in a .pth
};

enum class PickleGlobal : uint8_t {
  numpy_reconstruct,
  numpy_from_buffer,
  numpy_array,
  numpy_dtype,
  encode,
  empty_bytes,
  ordered_dict,
  torch_tensor,
  torch_parameter,
  torch_storage,  // of one type: name() says which
};

struct PickleStore;

// One value, as long as its Pickle lives. `what` names it in a DataError, which is thrown where it is of another kind.
class PickleValue {
 public:
  PickleValue(const PickleStore& store, uint32_t place) : store_(&store), place_(place) {}

  PickleKind kind() const;
  bool is(PickleKind wanted) const { return kind() == wanted; }
  bool boolean(const char* what) const;
  int64_t integer(const char* what) const;
  double real(const char* what) const;
  // Text or bytes; a view of the file where its bytes stand there as they are.
  std::string_view characters(const char* what) const;

  // Of lists and tuples, and of what is outside (one).
  size_t size(const char* what) const;
  PickleValue element(size_t i, const char* what) const;  // DataError also: there are fewer
  // Of dicts, by a key that is text or bytes. The last one counts, as in Python.
  std::optional<PickleValue> find(std::string_view key, const char* what) const;
  // Of dicts: their pairs in the order in which they were written. i must be less than pairs().
  size_t pairs(const char* what) const;
  PickleValue key(size_t i, const char* what) const;
  PickleValue value(size_t i, const char* what) const;

  PickleGlobal global(const char* what) const;
  std::string_view global_name(const char* what) const;  // "torch.FloatStorage"
  PickleValue callee(const char* what) const;            // of a call: a global
  PickleValue arguments(const char* what) const;         // a tuple
  PickleValue state(const char* what) const;             // what the result was given afterwards, or none

  uint32_t place() const { return place_; }  // in the store
  const std::string& file() const;           // what errors call it
  [[noreturn]] void wrong_kind(const char* what, const char* wanted) const;

 private:
  PickleStore const* store_;
  uint32_t place_;
};

// The values of one pickle. Memory besides the file's: at most kPickleFactor bytes for each of its bytes. No value
// holds itself, none is nested deeper than kPickleDepth. DataError, in one line: a name that is not on the list, an
// opcode that makes objects, a newer protocol, cut short, bytes after the end, and what breaks the above.
class Pickle {
 public:
  // `file` must outlive this; `name` stands for it in error texts. used: how many bytes it took, where others may
  // follow.
  Pickle(std::span<const std::byte> file, std::string name, size_t* used = nullptr);
  ~Pickle();
  Pickle(Pickle&&) noexcept;

  PickleValue root() const;

 private:
  std::unique_ptr<PickleStore> store_;
};

inline constexpr size_t kPickleFactor = 64, kPickleDepth = 100;
inline constexpr size_t kMostPickleValues = size_t{1} << 24;  // small integers not counted

const char* name_of(PickleKind kind);

}  // namespace cairn
