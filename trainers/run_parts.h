// A run that was resumed with other settings, as parts: each has settings of its own and ends at a step. config.json
// holds the last part's settings and, as "earlier", what the parts before it had otherwise:
//   "earlier": [{"until": 626, "epochs": 2, "lr": 0.1}]
// Not here: training (run.h).
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "trainers/run_config.h"

namespace cairn {

struct RunPart {
  RunConfig config;  // without `earlier`
  int64_t end = std::numeric_limits<int64_t>::max();
};

// The parts in their order; the last has no end of its own. Throws UsageError for an `earlier` that makes no sense.
std::vector<RunPart> parts_of(const RunConfig& config);

// The part that the step after so many belongs to.
const RunPart& part_after(const std::vector<RunPart>& parts, int64_t steps);

// The run of `record`, going on with `asked` after so many steps. What both have alike, and what makes no difference
// to the results, stays a part's own. Throws UsageError, naming the flag, for what cannot change within a run;
// `folder`: the run's, for that text.
RunConfig continued(const RunConfig& record, RunConfig asked, int64_t steps, const std::string& folder);

}  // namespace cairn
