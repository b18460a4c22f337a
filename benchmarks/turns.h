// A training step that is timed in turns with another program's: whoever starts this process says when, so that both
// see the same clocks. Not here: the other side (benchmarks/pytorch/turns.py), who asks (benchmarks/gpu,
// benchmarks/versus_pytorch.py).
#pragma once

#include <iosfwd>

#include "benchmarks/step.h"

namespace cairn::benchmarks {

// Sets the step up, or, where `inference` is set, a batch's forward pass (inference.h), runs it until it is replayed,
// and writes a line of JSON: batch_size, dataset, implementation, device and description. Each line of `requests`, a
// number of seconds, is answered by another: step_seconds, the median over pieces of the turn, its spread, and the
// pieces. Ends with `requests`. Throws UsageError for a line that is no number.
void serve_turns(const StepOptions& options, std::istream& requests, std::ostream& answers);

}  // namespace cairn::benchmarks
