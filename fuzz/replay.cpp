// Feeds the files of a folder to a fuzz target: the seed corpus, and whatever a fuzzer once found. Needs no fuzzer.
// usage: PROGRAM FOLDER
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "framework/error.h"
#include "fuzz/fuzz.h"

// The PNG target's mutator asks for it; nothing is mutated here.
extern "C" size_t LLVMFuzzerMutate(uint8_t*, size_t size, size_t) {
  return size;
}

int main(int count, char** arguments) {
  if (count != 2) return 2;
  int accepted = 0, refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(arguments[1])) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
    try {
      cairn::fuzz::run({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
      ++accepted;
    } catch (const cairn::Error& error) {
      ++refused;
      std::printf("%s: %s\n", entry.path().filename().c_str(), error.what());
    }
  }
  std::printf("%d accepted, %d refused\n", accepted, refused);
  return accepted > 0 && refused > 0 ? 0 : 1;  // a corpus has both kinds
}
