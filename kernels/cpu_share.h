// How many CPUs this process may use. Not here: threads (runtime/cpu/thread_pool.h).
#pragma once

#include <string>

namespace cairn {

struct CpuShare {
  int affinity = 1;  // CPUs that the scheduler may put the process on
  double quota = 0;  // CPUs' worth of time that its control groups grant it, such as 1.5; 0 = no limit

  // The threads that can all be busy, at least 1. A quota is rounded down: a team is cut into equal parts and its
  // threads wait actively, so one thread too many spends the quota early, and then the whole team stands still until
  // the next period.
  int cpus() const;

  // "2 CPUs by its affinity", "1.5 CPUs by its control group's quota": what decides cpus().
  std::string text() const;
};

// Of this process, now.
CpuShare cpu_share();

// The least quota on the way up from the process' control groups, of version 1 and 2; 0 = no limit. What cannot be read
// sets no limit. `root` stands before every path; tests make a tree of their own there.
double control_group_quota(const std::string& root = "");

}  // namespace cairn
