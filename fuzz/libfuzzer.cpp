// libFuzzer's entry: a refusal is what a parser is for; any other exception ends the program, and so is a finding.
#include "framework/error.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    cairn::fuzz::run({data, size});
  } catch (const cairn::Error&) {
  }
  return 0;
}
