#include "benchmarks/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "benchmarks/report.h"
#include "framework/error.h"

namespace cairn::benchmarks {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kOpening = R"(# Benchmarks

Written by `bench` out of the results under `benchmarks/results`, never by hand, with

    ./build/cpu/bin/bench page --out docs/

To be measured and made again at every release, on an idle machine:

    ./build/cpu/bin/bench kernels --format json --out benchmarks/results/
    ./build/cpu/bin/bench step --model dnn --impl simd --format json --out benchmarks/results/

with `--model` and `--impl` once for each that is to stand here. What has run on a GPU: [gpu.md](gpu.md).

A machine is named by what its processor says it is, since a name such as "AMD EPYC" is that of several generations: vendor,
family, model, stepping and the widest instruction set, then the number of cores (`amd-25-17-1-avx512-2-cores`); on Arm implementer,
part and revision (`arm-d0c-r3p1-asimd-64-cores`). `unknown` stands for what was not recorded.

## How it is measured

A kernel's result is first compared with `reference` in double (in float where a primitive knows only float); what is wrong is not timed.
Values are in about [-1, 1]; a result may be off by at most its tolerance, which the JSON holds (four roundings a term of a sum, eight in a
convolution, which may be computed by transforms, a few for other operations, 0 where nothing is rounded), times its size where that is
more than 1.

Then the call is timed with a **cold cache**: it goes round over so many sets of arrays that twice the last-level cache has been touched
before a set's turn comes again, so every operand comes from memory. In training most operands are still in a cache: `--warm` calls with
the same arrays every time, and the split of a step, below, is timed in place. Times are medians of samples of one or more calls; the
spread is the distance between the quartiles over the median. On a GPU a round of calls is captured and replayed, so that what the host
takes to launch a kernel is not in the clock.

*Of library* is the library's time over this one's: on a CPU the `eigen` implementation, where it has the primitive, on a GPU
`cudnn` (cuBLASLt, cuDNN). Results of 0.1.0 name what they were held against: Eigen's product for `gemm`, elsewhere `simd`. *Of ceiling* is the least time that the machine's measured
ceilings allow, for the FLOPs or for the bytes, whichever takes longer, over the time taken. The ceilings are measured in the same run: on
a CPU independent chains of vector multiply-adds in registers, and the fastest of reading, copying and adding arrays of four times the
last-level cache, the best of five tries each.

*Limit* is computed: `arithmetic` or `memory` where that ceiling explains half of the time or more, `launch` where a call on one element
takes that long, and otherwise `instructions`: neither ceiling, but instructions that the count leaves out, and latency. The sentence
under each heading says what lies behind it. Products and convolutions have tables of their own form (with the whole ladder at two
sizes only, and without `reference`; the JSON has all); elsewhere a cell holds the time, GB/s, of ceiling, and limit of one
implementation. More than the whole ceiling is reached where a transform (Winograd's) saves multiplications.

`bench ladder` times products and convolutions alone, against the library on the same device: squares of any size, whose results are
checked at sampled rows and columns in double and elsewhere against the library's, and every layer of every network, each direction.
`scripts/gpu_check` ([docs/gpu.md](gpu.md)) asks it for its figures.

A multiply-add is two FLOPs, an elementary function one. Bytes are each array once, read or written, and twice if both.

The floor of a step is the time of its FLOPs at the measured peak or of its bytes, whichever is longer; the bytes at the bandwidth that is
measured within as many bytes as the step's own arrays take, because those stay in the caches if they fit. *Not replayed* is the trainer's
first step, which checks shapes and records gradients; from the third on it replays.
)";

json read_result(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  try {
    json result = json::parse(text.str());
    if (result.at("kind") != "kernels" && result.at("kind") != "step") throw DataError("");
    return result;
  } catch (const std::exception&) {
    throw DataError(path.string() + " is no result of bench kernels or bench step");
  }
}

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder, failure)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

using Results = std::vector<std::pair<std::string, json>>;  // file name and contents

// What counts FLOPs stands at length, with ladders; the rest with the implementations side by side.
bool is_product(const std::string& primitive) {
  return primitive == "gemm" || primitive.starts_with("byte_linear") ||
         (primitive.starts_with("conv2d") && primitive != "conv2d_backward_bias");
}

// A ladder stands whole at two sizes, and without the oracle; at the other sizes there is what an implementation
// chooses.
bool is_shown(const json& row) {
  if (!is_product(row["primitive"])) return row["rung"] == 0;
  if (row["impl"] == "reference") return row["primitive"].get<std::string>().starts_with("byte_linear");
  const std::string use = row["use"];
  for (const char* whole : {"square", "dnn fc1", "lenet-caffe conv2", "cnn conv1"})
    if (use.starts_with(whole)) return true;
  return row["rung"] == 0;
}

std::string primitive_section(const json& rows, const char* primitive) {
  const Table table = is_product(primitive) ? kernels_table(rows, primitive) : compact_table(rows, primitive);
  if (table.rows.empty()) return "";
  std::string out = fmt::format("\n## {}\n\n", primitive);
  if (const PrimitiveNote* note = find_note(primitive)) out += fmt::format("{}.\n{}\n\n", note->count, note->limit);
  return out + markdown(table);
}

// The rows of all results of kernels.
json kernel_rows(const Results& results) {
  json rows = json::array();
  for (const auto& [file, result] : results)
    if (result["kind"] == "kernels") rows.insert(rows.end(), result["rows"].begin(), result["rows"].end());
  // What one call takes, over implementations that were measured apart, stands together; a library that was measured
  // with each of them, once.
  json merged = json::array();
  for (const json& row : rows) {
    if (!is_shown(row)) continue;
    const auto same_call = [&](const json& other) {
      return other["primitive"] == row["primitive"] && other["use"] == row["use"] && other["shape"] == row["shape"];
    };
    size_t place = merged.size();
    bool known = false;
    for (size_t i = 0; i < merged.size(); ++i) {
      if (!same_call(merged[i])) continue;
      place = i + 1;
      known = known || (merged[i]["impl"] == row["impl"] && merged[i]["device"] == row["device"] &&
                        merged[i]["rung"] == row["rung"]);
    }
    if (!known) merged.insert(merged.begin() + static_cast<std::ptrdiff_t>(place), row);
  }
  return merged;
}

// One machine's pages below its folder; nothing where nothing of the kind was measured.
std::string kernels_page(const std::string& machine, const json& rows, bool products) {
  std::string out;
  for (const char* primitive : kPrimitives)
    if (is_product(primitive) == products) out += primitive_section(rows, primitive);
  if (out.empty()) return "";
  return fmt::format("# {} on {}\n\n[How it was measured](../../benchmarks.md#how-it-is-measured).\n{}",
                     products ? "Products and convolutions" : "Other kernels", machine, out);
}

std::string steps_page(const std::string& machine, const Results& results) {
  std::string out;
  for (const auto& [file, result] : results)
    if (result["kind"] == "step") out += "\n" + step_summary(result) + "\n" + markdown(step_table(result));
  if (out.empty()) return "";
  return fmt::format(
      "# Training steps on {}\n\n[How it was measured](../../benchmarks.md#how-it-is-measured). Launches in the step's "
      "order; time and share are of all launches of a row.\n{}",
      machine, out);
}

// Writes the machine's pages behind the first, which links them.
void add_machine(const std::string& machine, const Results& results, std::vector<ResultsPage>& pages) {
  pages[0].text += fmt::format("\n## {}\n\n", machine);
  const json rows = kernel_rows(results);
  const struct {
    const char *file, *title;
    std::string text;
  } all[] = {{"products.md", "products and convolutions", kernels_page(machine, rows, true)},
             {"kernels.md", "other kernels", kernels_page(machine, rows, false)},
             {"steps.md", "training steps", steps_page(machine, results)}};
  std::string links;
  for (const auto& page : all) {
    if (page.text.empty()) continue;
    const fs::path path = fs::path("benchmarks") / machine / page.file;
    links += fmt::format("{}[{}]({})", links.empty() ? "" : ", ", page.title, path.string());
    pages.push_back({path, page.text});
  }
  pages[0].text += fmt::format("Figures: {}. Measured:\n\n", links);
  for (const auto& [file, result] : results)
    pages[0].text += fmt::format("- `{}`: {}; {}\n", file, identity(result), ceilings_text(result));
}

}  // namespace

std::vector<ResultsPage> results_pages(const fs::path& results) {
  std::vector<ResultsPage> pages = {{"benchmarks.md", kOpening}};
  for (const fs::path& machine : sorted_entries(results)) {
    if (!fs::is_directory(machine)) continue;
    Results contents;
    for (const fs::path& path : sorted_entries(machine))
      // scripts/gpu_check's are its own, with a page of their own beside them.
      if (path.extension() == ".json" && !path.filename().string().starts_with("gpu_check"))
        contents.emplace_back(path.filename().string(), read_result(path));
    if (!contents.empty()) add_machine(machine.filename().string(), contents, pages);
  }
  if (pages.size() == 1)
    throw UsageError("no results under " + results.string() + ": run bench kernels --format json --out FOLDER/");
  return pages;
}

}  // namespace cairn::benchmarks
