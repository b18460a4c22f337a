// What ctest runs this program over, one entry for each; given by CMakeLists.txt.
#include "tests/kernels/harness.h"

namespace cairn::test {

const char* tested_places() {
  return CAIRN_TESTED_PLACES;
}

}  // namespace cairn::test
