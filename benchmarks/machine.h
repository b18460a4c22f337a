// Which machine and which build a figure belongs to. Not here: what the machine can do (ceilings.h).
#pragma once

#include <cstddef>
#include <string>

namespace cairn::benchmarks {

struct Machine {
  std::string name;    // the processor's
  std::string folder;  // the same as a folder's name: amd-epyc-2-cores
  int cores = 0;
  size_t cache_bytes = 0;  // last level
  std::string compiler;
  std::string version;  // Cairn's
  std::string commit;   // at the time of the build; "-dirty" appended if the sources differed from it; or "unknown"
  std::string date;     // today, UTC
};

Machine this_machine();

// Machine::commit; the build writes it (commit.cmake).
extern const char* const kCommit;

// Of the CPU; 32 MiB where the system does not say.
size_t last_level_cache_bytes();

}  // namespace cairn::benchmarks
