// The kinds of failure that reach a user, each as one line of text. Not here: exit codes (apps/ maps kinds to them).
#pragma once

#include <stdexcept>
#include <string>

namespace cairn {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// A flag, name or argument that the user can mend.
struct UsageError : Error {
  using Error::Error;
};
// A file or data set that is not what it claims to be.
struct DataError : Error {
  using Error::Error;
};
// Tensors that do not fit an operation: shapes, dtypes, devices.
struct ShapeError : Error {
  using Error::Error;
};
// The device or an implementation failed: out of memory, no GPU, a missing primitive.
struct DeviceError : Error {
  using Error::Error;
};
// An output that cannot be written.
struct IoError : Error {
  using Error::Error;
};
// Work that had begun well and could not be brought to its end: nothing that a flag would mend beforehand.
struct RunError : Error {
  using Error::Error;
};

}  // namespace cairn
