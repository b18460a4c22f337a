// Which machine and which build a figure belongs to. A machine is what its processor says it is (vendor, family, model,
// stepping, instruction sets): a name such as "AMD EPYC" is that of several generations.
// comparisons/references/machine.py names machines the same way. Not here: what the machine can do (ceilings.h).
#pragma once

#include <cstddef>
#include <string>

namespace cairn::benchmarks {

struct Processor {
  std::string key;   // amd-25-17-1-avx512, arm-d0c-r3p1-asimd; `unknown` in the place of what is not told
  std::string name;  // as it is sold; the key where there is none
  int count = 0;     // of processors; 0 where none is told
};

// Of the text of a /proc/cpuinfo. Processors that differ are all in the key. A line that does not end is left out: it
// may be cut short.
Processor identify_processor(const std::string& cpuinfo);

struct Machine {
  std::string name;    // the processor's
  std::string folder;  // its key and the cores, which is a folder's name: amd-25-17-1-avx512-2-cores
  int cores = 0;
  size_t cache_bytes = 0;  // last level
  std::string compiler;
  std::string version;  // Cairn's
  std::string commit;   // at the time of the build; "-dirty" appended if the sources differed from it; or "unknown"
  std::string date;     // today, UTC

  // Whether a figure of that machine is this one's. Never where something is unknown, there or here.
  bool is(const std::string& recorded) const;
  std::string title() const { return name + " (" + folder + ")"; }
};

Machine this_machine();

// Machine::commit; the build writes it (commit.cmake).
extern const char* const kCommit;

// Of the CPU; 32 MiB where the system does not say.
size_t last_level_cache_bytes();

}  // namespace cairn::benchmarks
