// Arrays as numpy writes them: in pickles, and in .npy files, which lie in .npz archives. Arrays of numbers, and of
// objects as far as these are what a pickle may hold. Not here: pickles (framework/pickle.h), archives (archive.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datasets/bytes.h"
#include "framework/pickle.h"
#include "framework/safetensors.h"

namespace cairn::datasets {

struct NumpyArray {
  char kind = 'u';  // as numpy has it: b truth, u and i integers, f real numbers, O objects
  size_t element_bytes = 1;
  bool big_endian = false;
  bool columns_first = false;  // Fortran's order
  std::vector<int64_t> shape;
  std::span<const uint8_t> bytes;      // where the file or its unpacked member has them
  std::optional<PickleValue> objects;  // a list, in place of bytes

  int64_t count() const;
};

// Out of a pickle; `what` names it in errors. DataError: no array, of a type that is not read, or its bytes are no
// whole array of its shape.
NumpyArray numpy_array(const PickleValue& value, const std::string& what);

// A .npy file, as long as its bytes are there.
class NpyFile {
 public:
  // DataError: as above, or no .npy file.
  NpyFile(std::span<const uint8_t> file, const std::string& name);
  const NumpyArray& array() const { return array_; }

 private:
  std::optional<Pickle> pickle_;  // where the elements are objects
  NumpyArray array_;
};

// A .npy file of a tensor of numbers, format version 1.0.
Bytes encode_npy(const HostTensor& tensor);

// The integers of an array of one dimension, of any type that holds them, or of a list. `where` begins the error texts.
// DataError: something else.
std::vector<int64_t> integers(const NumpyArray& array, const std::string& where);
std::vector<int64_t> integers(const PickleValue& value, const std::string& what);

}  // namespace cairn::datasets
