#include "benchmarks/report.h"

#include <fmt/format.h>

#include "trainers/run_config.h"

namespace cairn::benchmarks {
namespace {

using nlohmann::json;

json to_json(const Machine& machine) {
  return {{"name", machine.name},         {"folder", machine.folder},
          {"cores", machine.cores},       {"cache_bytes", machine.cache_bytes},
          {"compiler", machine.compiler}, {"version", machine.version},
          {"commit", machine.commit},     {"date", machine.date}};
}

json to_json(const Ceilings& ceilings) {
  if (ceilings.flops == 0) return nullptr;
  return {{"gflops", ceilings.flops / 1e9},
          {"gflops_one_thread", ceilings.flops_one_thread / 1e9},
          {"gigabytes_per_second", ceilings.bandwidth / 1e9},
          {"working_set_bytes", ceilings.working_set},
          {"working_set_gigabytes_per_second", ceilings.cache_bandwidth / 1e9},
          {"threads", ceilings.threads},
          {"how", ceilings.how}};
}

double per_second(double work, double seconds) {
  return seconds > 0 ? work / seconds / 1e9 : 0;
}

std::string rate(double value) {
  return value > 0 ? number(value) : "";
}

}  // namespace

json to_json(const KernelRow& row) {
  const double seconds = row.timing.seconds;
  json result = {{"primitive", row.primitive}, {"shape", row.shape},        {"use", row.use},
                 {"impl", row.implementation}, {"device", row.device},      {"rung", row.rung},
                 {"kernel", row.kernel},       {"default", row.is_default}, {"is_library", row.is_library},
                 {"flops", row.cost.flops},    {"bytes", row.cost.bytes},   {"tolerance", row.tolerance}};
  if (!row.wrong.empty()) {
    result["wrong"] = row.wrong;
    return result;
  }
  result.update({{"seconds", seconds},
                 {"spread", row.timing.spread},
                 {"samples", row.timing.samples},
                 {"calls_per_sample", row.timing.calls_per_sample},
                 {"gflops", per_second(row.cost.flops, seconds)},
                 {"gigabytes_per_second", per_second(row.cost.bytes, seconds)},
                 {"library", row.library},
                 {"library_seconds", row.library_seconds},
                 {"floor_seconds", row.floor_seconds},
                 {"launch_seconds", row.launch_seconds},
                 {"limit", row.limit}});
  return result;
}

json to_json(const KernelReport& report) {
  json rows = json::array();
  for (const KernelRow& row : report.rows) rows.push_back(to_json(row));
  return {{"kind", "kernels"},
          {"machine", to_json(report.machine)},
          {"devices", report.devices},
          {"threads", report.cpu.threads},
          {"precision", "fp32"},
          {"cold", !report.options.warm},
          {"rotation_bytes", report.rotation_bytes},
          {"repeats", report.options.sampling.repeats},
          {"cpu_ceilings", to_json(report.cpu)},
          {"gpu_ceilings", to_json(report.gpu)},
          {"rows", std::move(rows)}};
}

json to_json(const KernelReport& report, const LadderOptions& options) {
  json result = to_json(report);
  result["kind"] = "ladder";
  result["precision"] = name_of(options.precision);
  return result;
}

json to_json(const StepReport& report) {
  json kernels = json::array();
  for (const StepKernel& kernel : report.kernels)
    kernels.push_back({{"primitive", kernel.primitive},
                       {"shape", kernel.shape},
                       {"launches", kernel.launches},
                       {"seconds", kernel.seconds},
                       {"flops", kernel.cost.flops},
                       {"bytes", kernel.cost.bytes}});
  return {{"kind", "step"},
          {"inference", report.inference},
          {"machine", to_json(report.machine)},
          {"devices", report.description},
          {"threads", report.threads},
          {"precision", "fp32"},
          {"model", report.model},
          {"dataset", report.dataset},
          {"batch_size", report.batch_size},
          {"impl", report.implementation},
          {"device", report.device},
          {"cpu_ceilings", to_json(report.cpu)},
          {"gpu_ceilings", to_json(report.gpu)},
          {"replayed_seconds", report.replayed.seconds},
          {"replayed_spread", report.replayed.spread},
          {"replayed_samples", report.replayed.samples},
          {"steps_per_sample", report.replayed.calls_per_sample},
          {"as_written_seconds", report.as_written.seconds},
          {"as_written_spread", report.as_written.spread},
          {"as_written_samples", report.as_written.samples},
          {"launches", report.launches},
          {"split_seconds", report.split_seconds},
          {"split_is_replayed", report.split_is_replayed},
          {"arithmetic_floor_seconds", report.arithmetic_floor},
          {"memory_floor_seconds", report.memory_floor},
          {"kernels", std::move(kernels)}};
}

std::string identity(const json& report) {
  const json& machine = report["machine"];
  std::string line =
      fmt::format("{}; {} cores; Cairn {} at commit {}; {}; {}; {}", report["devices"].get<std::string>(),
                  machine["cores"].get<int>(), machine["version"].get<std::string>(),
                  machine["commit"].get<std::string>(), machine["compiler"].get<std::string>(),
                  machine["date"].get<std::string>(), report["precision"].get<std::string>());
  if (report["threads"].get<int>() > 0) line += fmt::format(", {} CPU threads", report["threads"].get<int>());
  if (report["kind"] != "step")
    line += report["cold"].get<bool>()
                ? fmt::format("; cold cache: at least {} MiB of other arrays between two calls on the same ones",
                              report["rotation_bytes"].get<int64_t>() >> 20)
                : std::string("; warm cache: the same arrays at every call");
  return line;
}

std::string ceilings_text(const json& report) {
  std::string line;
  if (const json& cpu = report["cpu_ceilings"]; !cpu.is_null()) {
    line =
        fmt::format("measured ceilings: {} GFLOP/s on {} threads ({} on one), {} GB/s to and from memory",
                    number(cpu["gflops"].get<double>()), cpu["threads"].get<int>(),
                    number(cpu["gflops_one_thread"].get<double>()), number(cpu["gigabytes_per_second"].get<double>()));
    if (cpu["working_set_bytes"].get<double>() > 0)
      line += fmt::format(", {} GB/s within {} KiB", number(cpu["working_set_gigabytes_per_second"].get<double>()),
                          number(cpu["working_set_bytes"].get<double>() / 1024));
  }
  if (const json& gpu = report["gpu_ceilings"]; !gpu.is_null())
    line += fmt::format("{}GPU: {} GFLOP/s, {} GB/s", line.empty() ? "measured ceilings: " : "; ",
                        number(gpu["gflops"].get<double>()), number(gpu["gigabytes_per_second"].get<double>()));
  return line;
}

Table kernels_table(const json& rows, const std::string& primitive) {
  Table table{
      {primitive, "shape", "implementation", "time", "spread", "GFLOP/s", "GB/s", "of library", "of ceiling", "limit"},
      {false, false, false, true, true, true, true, true, true, false},
      {}};
  std::string last;
  for (const json& row : rows) {
    if (row["primitive"] != primitive) continue;
    const std::string use = row["use"], shape = row["shape"], call = use + shape;
    std::string who = row["impl"].get<std::string>();
    if (row["device"] == "cuda") who += " on cuda";
    if (const std::string kernel = row["kernel"]; !kernel.empty()) who += ", " + kernel;
    if (row["default"].get<bool>()) who += " (default)";
    std::vector<std::string> cells = {call == last ? "" : use, call == last ? "" : shape, who};
    last = call;
    if (row.contains("wrong")) {
      cells.insert(cells.end(), {"WRONG", "", "", "", "", "", row["wrong"].get<std::string>()});
    } else {
      const double seconds = row["seconds"];
      cells.insert(cells.end(),
                   {duration(seconds), fmt::format("{:.0f} %", 100 * row["spread"].get<double>()), rate(row["gflops"]),
                    rate(row["gigabytes_per_second"]), percent(row["library_seconds"], seconds),
                    percent(row["floor_seconds"], seconds), row["limit"].get<std::string>()});
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

Table compact_table(const json& rows, const std::string& primitive) {
  Table table{{primitive, "shape"}, {false, false}, {}};
  std::vector<std::string> implementations;
  std::string last;
  for (const json& row : rows) {
    if (row["primitive"] != primitive) continue;
    const std::string who = row["impl"].get<std::string>() + (row["device"] == "cuda" ? " on cuda" : "");
    size_t column = 0;
    while (column < implementations.size() && implementations[column] != who) ++column;
    if (column == implementations.size()) {
      implementations.push_back(who);
      table.header.push_back(who);
      table.right.push_back(false);
      for (auto& cells : table.rows) cells.emplace_back();
    }
    const std::string use = row["use"], shape = row["shape"];
    if (use + shape != last) {
      table.rows.push_back({use, shape});
      table.rows.back().resize(table.header.size());
    }
    last = use + shape;
    std::string& cell = table.rows.back()[2 + column];
    cell = "WRONG";
    if (row.contains("wrong")) continue;
    const double seconds = row["seconds"];
    cell = duration(seconds);
    if (const std::string gigabytes = rate(row["gigabytes_per_second"]); !gigabytes.empty())
      cell += ", " + gigabytes + " GB/s";
    cell += ", " + percent(row["floor_seconds"], seconds) + ", " + row["limit"].get<std::string>();
  }
  return table;
}

Table step_table(const json& report) {
  Table table{{"kernel", "shape", "launches", "time", "share", "GFLOP/s", "GB/s"},
              {false, false, true, true, true, true, true},
              {}};
  const double whole = report["split_seconds"];
  for (const json& kernel : report["kernels"]) {
    const double seconds = kernel["seconds"];
    table.rows.push_back({kernel["primitive"], kernel["shape"], std::to_string(kernel["launches"].get<int64_t>()),
                          duration(seconds), percent(seconds, whole), rate(per_second(kernel["flops"], seconds)),
                          rate(per_second(kernel["bytes"], seconds))});
  }
  return table;
}

std::string step_summary(const json& report) {
  const double replayed = report["replayed_seconds"], as_written = report["as_written_seconds"];
  const double arithmetic = report["arithmetic_floor_seconds"], memory = report["memory_floor_seconds"];
  const double floor = std::max(arithmetic, memory);
  return fmt::format(
      "{} on {}, batch {}, {}: {} a {} replayed (spread {:.0f} %), {} not replayed (spread {:.0f} %), {} launches; "
      "floor {} ({}: arithmetic {}, memory {}), {} of it reached; launches timed one by one make {}{}\n",
      report["model"].get<std::string>(), report["dataset"].get<std::string>(), report["batch_size"].get<int64_t>(),
      report["impl"].get<std::string>() + " on " + report["device"].get<std::string>(), duration(replayed),
      report.value("inference", false) ? "batch" : "step", 100 * report["replayed_spread"].get<double>(),
      duration(as_written), 100 * report["as_written_spread"].get<double>(), report["launches"].get<int64_t>(),
      duration(floor), arithmetic > memory ? "arithmetic rules" : "memory rules", duration(arithmetic),
      duration(memory), percent(floor, replayed), duration(report["split_seconds"].get<double>()),
      report["split_is_replayed"].get<bool>() ? "" : ", each waited for, in steps that are not replayed");
}

std::string rendered(const json& report, bool as_markdown) {
  const auto table_text = [&](const Table& table) { return as_markdown ? markdown(table) : text(table); };
  std::string out = identity(report) + "\n" + (as_markdown ? "\n" : "") + ceilings_text(report) + "\n\n";
  if (report["kind"] == "step") return out + step_summary(report) + "\n" + table_text(step_table(report));
  std::string last;
  for (const json& row : report["rows"]) {
    const std::string primitive = row["primitive"];
    if (primitive == last) continue;
    last = primitive;
    out += table_text(kernels_table(report["rows"], primitive)) + "\n";
  }
  return out;
}

}  // namespace cairn::benchmarks
