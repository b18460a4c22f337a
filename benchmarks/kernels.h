// Times every kernel: checks its result first, then calls it with a cold cache. Not here: the calls (cases.h), the
// tables (report.h).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "benchmarks/cases.h"
#include "benchmarks/ceilings.h"
#include "benchmarks/machine.h"
#include "benchmarks/timing.h"

namespace cairn::benchmarks {

class Stage;

struct KernelOptions {
  std::string implementation;  // "" = all
  std::string where;           // cpu, cuda, "" = both
  std::string only;            // parts of primitives' names, separated by commas; "" = all
  int threads = 0;             // 0 = as many as the process may use
  Sampling sampling;
  bool warm = false;        // the same arrays again and again, instead of ones that no cache holds any more
  bool small_only = false;  // only the networks' own sizes
};

// Whether `only` has a part of the primitive's name, or is empty.
bool is_wanted(const std::string& primitive, const std::string& only);

// One implementation with one rung.
struct Subject {
  const Backend* backend;
  int rung = 0;  // 0: what the implementation chooses
  std::string kernel;
  bool is_default = false;
  bool is_library = false;
  Precision precision = Precision::fp32;

  std::string kernels() const;  // as in StreamOptions
};

struct KernelRow {
  std::string primitive, shape, use, implementation, device, kernel;
  int rung = 0;
  bool is_default = false, is_library = false;
  Cost cost;
  double tolerance = 0;  // of the least exact of its outputs: see Place::Output
  Timing timing;
  double library_seconds = 0;  // of the library on the same call; 0: there is none
  std::string library;
  double floor_seconds = 0;   // what the ceilings allow
  double launch_seconds = 0;  // of a call on one element
  std::string limit;          // arithmetic, memory, launch, or instructions
  std::string wrong;          // what is wrong with the result; then it was not timed
};

struct KernelReport {
  Machine machine;
  KernelOptions options;
  Ceilings cpu, gpu;
  size_t rotation_bytes = 0;  // how many bytes of other arrays are touched before a call sees its own again
  std::string devices;        // of the implementations, with versions
  std::map<std::string, double> launch_seconds;  // of a call on one element, by implementation
  std::vector<KernelRow> rows;
};

// Whether the implementation's device has what the rung needs (kernels/rungs.h).
bool device_runs(const Backend& backend, const KernelVariant& rung);

// What competes in a primitive: each implementation with a device, the rungs of its ladder, the library.
std::vector<Subject> subjects_of(const char* primitive, const KernelOptions& options);

// The row of a subject, before anything was measured.
KernelRow begun_row(const Case& one, const Subject& subject, const Stage& stage);

// Runs one case over its subjects; what one of them cannot do is said in its row. Used by run_kernels; apart so that a
// test can plant a subject.
std::vector<KernelRow> run_case(const Case& one, const std::vector<Subject>& subjects, KernelReport& report);

// Throws UsageError for an implementation or primitive that does not exist. progress: called after each row.
KernelReport run_kernels(const KernelOptions& options, const std::function<void(const KernelRow&)>& progress);

}  // namespace cairn::benchmarks
