#include "comparisons/parity_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "benchmarks/machine.h"
#include "comparisons/files.h"
#include "comparisons/page.h"
#include "models/model.h"

namespace cairn::comparisons {
namespace {

namespace fs = std::filesystem;

std::string scientific(double value) {
  return fmt::format("{:.1e}", value);
}

std::string text_of(Verdict verdict) {
  return verdict == Verdict::within ? "within" : verdict == Verdict::beyond ? "NOT WITHIN" : "as PyTorch itself";
}

std::string text_of(bool within) {
  return text_of(within ? Verdict::within : Verdict::beyond);
}

double largest(const std::vector<double>& values, size_t count) {
  return *std::max_element(values.begin(),
                           values.begin() + static_cast<std::ptrdiff_t>(std::min(count, values.size())));
}

std::string form_text(const ReferenceTime& time) {
  return time.form + (time.data == "loader" ? ", DataLoader" : ", resident data");
}

std::string ratio_text(const ParityResult& result, const ReferenceTime& time) {
  const std::optional<double> ratio = result.ratio(time);
  return ratio ? fmt::format("{:.2f} x", *ratio) : "";
}

// The recorded time of that form with resident data, if there is one.
const ReferenceTime* find_time(const ParityResult& result, const char* form) {
  if (!result.timed) return nullptr;
  for (const ReferenceTime& time : result.timed->times)
    if (time.form == form && time.data == "resident" && time.failure.empty()) return &time;
  return nullptr;
}

void add_loss_rows(const ParityResult& result, benchmarks::Table& table) {
  const auto count = static_cast<int64_t>(result.losses.size());
  for (const int64_t step : std::set{int64_t{1}, std::min<int64_t>(count, 10), count}) {
    const double ours = result.losses[static_cast<size_t>(step - 1)];
    const double theirs = result.reference.losses[static_cast<size_t>(step - 1)];
    table.rows.push_back({fmt::format("loss at step {}", step), fmt::format("{:.7g}", theirs),
                          fmt::format("{:.7g}", ours), scientific(std::abs(ours - theirs) / theirs), "", ""});
  }
  const auto add = [&](const ParityResult::Losses& losses, int64_t steps, double limit) {
    table.rows.push_back({fmt::format("worst of losses 1 to {}, at step {}", steps, losses.worst), "", "",
                          scientific(losses.deviation), scientific(limit), text_of(losses.verdict())});
    if (losses.left > 0)
      table.rows.push_back(
          {fmt::format("  beyond the limit from step {}; PyTorch's own beyond a tenth of it from {}", losses.left,
                       losses.own_left > 0 ? fmt::format("step {}", losses.own_left) : "no step"),
           "", "", "", "", ""});
  };
  add(result.first, std::min<int64_t>(count, 10), result.limits().ten_losses);
  if (count > 10) add(result.all, count, result.limits().hundred_losses);
  const std::vector<double>& own = result.reference.own_deviation;
  if (largest(own, own.size()) > 0)
    table.rows.push_back({"PyTorch from itself, rounded otherwise: worst of 1 to 10, of 1 to 100", "", "",
                          scientific(largest(own, 10)) + ", " + scientific(largest(own, own.size())), "", ""});
}

// What an accuracy beyond the limit is judged by.
void add_spread_rows(const AccuracyCheck& epoch, benchmarks::Table& table) {
  if (!epoch.rounding_grows) {
    table.rows.push_back({"  PyTorch's own does not change by rounding: chance has no say", "", "", "", "", ""});
    return;
  }
  const auto add = [&](const char* what, size_t recorded, const std::optional<Spread>& spread) {
    if (!spread)
      table.rows.push_back(
          {fmt::format("  PyTorch's {}: {}, too few of {}", what, recorded, kLeastDraws), "", "", "", "", ""});
    else
      table.rows.push_back({fmt::format("  PyTorch's {}: {}, and where one more lies", what, recorded),
                            fmt::format("{:.2f} +- {:.2f} %", 100 * spread->mean, 100 * spread->deviation), "", "",
                            fmt::format("{:.2f} to {:.2f} %", 100 * spread->low, 100 * spread->high), ""});
  };
  add("trainings of this seed", epoch.twins_recorded, epoch.twins);
  add("seeds", epoch.seeds_recorded, epoch.seeds);
}

// Plots of one comparison.
struct Drawings {
  std::vector<Plot> plots;
  BarChart times;
};

std::string file_name(const ParityResult& result) {
  return fmt::format("{}-{}-{}-{}", result.reference.model, result.reference.recipe, result.reference.dataset,
                     result.implementation);
}

Drawings draw(const ParityResult& result) {
  const std::string name = file_name(result);
  const std::string title = result.reference.label() + ", " + result.device;
  Drawings drawings;
  Plot losses{name + "-loss", title + ": loss", "steps", "loss of the batch", false, {}};
  Series ours{result.implementation, {}, false}, theirs{"PyTorch " + result.reference.torch, {}, true};
  for (size_t i = 0; i < result.losses.size(); ++i) {
    ours.points.push_back({static_cast<double>(i + 1), result.losses[i]});
    theirs.points.push_back({static_cast<double>(i + 1), result.reference.losses[i]});
  }
  losses.series = {ours, theirs};
  drawings.plots.push_back(losses);
  if (!result.epochs.empty()) {
    Plot accuracy{name + "-accuracy",
                  title + ": accuracy",
                  "epochs",
                  std::string("% of the test ") + examples_of(find_model(result.reference.model)),
                  false,
                  {}};
    ours.points.clear();
    theirs.points.clear();
    for (const AccuracyCheck& epoch : result.epochs) {
      const auto number = static_cast<double>(epoch.epoch);
      ours.points.push_back({number, 100 * epoch.ours});
      theirs.points.push_back({number, 100 * epoch.recorded});
    }
    accuracy.series = {ours, theirs};
    drawings.plots.push_back(accuracy);
  }
  drawings.times = {name + "-time", title + ": time of a step", "ms", {}};
  if (result.step_seconds > 0) drawings.times.bars.push_back({result.device, 1e3 * result.step_seconds, false});
  if (result.timed)
    for (const ReferenceTime& time : result.timed->times)
      if (time.failure.empty()) drawings.times.bars.push_back({"PyTorch " + form_text(time), time.step_ms, true});
  return drawings;
}

std::vector<std::string> notes(const std::vector<ParityResult>& results) {
  std::vector<std::string> lines;
  for (const ParityResult& result : results)
    if (const std::string line = times_note(result); std::ranges::find(lines, line) == lines.end())
      lines.push_back(line);
  return lines;
}

void add_summary(Page& page, const std::vector<ParityResult>& results) {
  const benchmarks::Machine machine = benchmarks::this_machine();
  const bool in_float = results.empty() || results[0].real == DType::f32;
  const ParityLimits& limits = in_float ? kFloatLimits : kDoubleLimits;
  page.paragraph(
      fmt::format("From the same weights, on the same batches, with the same dropout masks, in {}. Limits: the first "
                  "ten losses within {:g} relative, one hundred within {:g}, gradients of the first step within {:g} "
                  "of the tensor's norm",
                  in_float ? "float32" : "double precision, which leaves nothing to rounding", limits.ten_losses,
                  limits.hundred_losses, limits.first_gradients) +
      (in_float
           ? fmt::format(", accuracy after each epoch within {:g} points. `as PyTorch itself`: rounding grows beyond "
                         "the limit, in PyTorch's own training too (in double precision, with each batch in the "
                         "opposite order, with initial weights moved by a unit of their last place, or by another "
                         "version of PyTorch), and there no later; or the accuracy of the one seed that is trained "
                         "here is one that PyTorch has by rounding or by another seed (99 % prediction interval).",
                         100 * kAccuracy)
           : "."));
  page.paragraph(fmt::format("Here: {}; Cairn {} at commit {}, {}; {}.", machine.title(), machine.version,
                             machine.commit, machine.compiler, machine.date));
  page.list(notes(results));
  page.table("All comparisons: the worst deviation of each kind, and milliseconds a step with resident data",
             summary_table(results));
}

}  // namespace

std::string times_note(const ParityResult& result) {
  if (!result.timed) return "No time of PyTorch is recorded here, so none is compared.";
  const ReferenceRun& run = *result.timed;
  const std::string what =
      fmt::format("PyTorch {}, {} ({}), {} threads, recorded {}", run.torch,
                  run.device == "cuda" ? run.gpu : run.processor, run.machine, run.threads, run.date);
  if (!result.same_machine)
    return fmt::format("{}: not known to be this machine ({}), so no ratio of times is claimed.", what,
                       benchmarks::this_machine().folder);
  if (run.threads != result.threads)
    return fmt::format("{}: this machine, but {} threads here, so no ratio of times is claimed (--threads {}).", what,
                       result.threads, run.threads);
  return what + ": this machine, at another hour; the ratio is PyTorch's time over Cairn's.";
}

benchmarks::Table parity_table(const ParityResult& result) {
  benchmarks::Table table{{"", "PyTorch " + result.reference.torch, result.implementation, "deviation", "limit", ""},
                          {false, true, true, true, true, false},
                          {}};
  add_loss_rows(result, table);
  for (const auto& [step, gradient] : result.gradients)
    table.rows.push_back({fmt::format("gradients at step {}, worst: {}", step, gradient.name),
                          fmt::format("{:.7g}", gradient.expected_norm), fmt::format("{:.7g}", gradient.norm),
                          scientific(gradient.deviation), step == 1 ? scientific(result.limits().first_gradients) : "",
                          step == 1 ? text_of(gradient.deviation <= result.limits().first_gradients) : ""});
  for (const AccuracyCheck& epoch : result.epochs) {
    table.rows.push_back({fmt::format("accuracy after epoch {}", epoch.epoch), percent_text(epoch.recorded),
                          percent_text(epoch.ours), fmt::format("{:.2f} points", 100 * epoch.difference()),
                          fmt::format("{:g} points", 100 * kAccuracy), epoch.verdict_text()});
    if (!epoch.within_limit()) add_spread_rows(epoch, table);
  }
  const auto time_text = [](double step_ms, double epoch_seconds) {
    return fmt::format("{} ms, {} s", benchmarks::number(step_ms), benchmarks::number(epoch_seconds));
  };
  const std::string ours = result.step_seconds > 0 ? time_text(1e3 * result.step_seconds, result.epoch_seconds) : "";
  if (result.timed)
    for (const ReferenceTime& time : result.timed->times)
      table.rows.push_back({"a step, an epoch; PyTorch " + form_text(time),
                            time.failure.empty() ? time_text(time.step_ms, time.epoch_seconds) : "failed", ours,
                            ratio_text(result, time), "", ""});
  else if (!ours.empty())
    table.rows.push_back({"a step, an epoch", "", ours, "", "", ""});
  return table;
}

benchmarks::Table summary_table(const std::vector<ParityResult>& results) {
  benchmarks::Table table{
      {"model", "recipe", "data set", "by", "losses 1-10", "losses 1-100", "PyTorch from itself", "gradients, step 1",
       "accuracy", "of epochs", "ms a step", "PyTorch eager", "compiled", "ratio to the faster", ""},
      {false, false, false, false, true, true, true, true, true, true, true, true, true, true, false},
      {}};
  for (const ParityResult& result : results) {
    const ReferenceCase& reference = result.reference;
    const ReferenceTime *eager = find_time(result, "eager"), *compiled = find_time(result, "compiled");
    const ReferenceTime* faster = !compiled || (eager && eager->step_ms < compiled->step_ms) ? eager : compiled;
    const auto gradient = result.gradients.find(1);
    const auto time = [](const ReferenceTime* each) { return each ? benchmarks::number(each->step_ms) : ""; };
    table.rows.push_back({reference.model, reference.recipe, reference.dataset, result.device,
                          scientific(result.first.deviation), scientific(result.all.deviation),
                          scientific(largest(reference.own_deviation, reference.own_deviation.size())),
                          gradient == result.gradients.end() ? "" : scientific(gradient->second.deviation),
                          result.epochs.empty() ? "" : fmt::format("{:.2f} points", 100 * result.accuracy_deviation()),
                          result.epochs.empty() ? "" : std::to_string(result.epochs.size()),
                          result.step_seconds > 0 ? benchmarks::number(1e3 * result.step_seconds) : "", time(eager),
                          time(compiled), faster ? ratio_text(result, *faster) : "", text_of(result.verdict())});
  }
  return table;
}

void write_parity_report(const std::vector<ParityResult>& results, const fs::path& folder) {
  std::error_code ignored;  // the first file that is written there says what is wrong
  fs::create_directories(folder / kPlotFolder, ignored);
  Page whole("Cairn beside PyTorch"), summary("Cairn beside PyTorch");
  for (Page* page : {&whole, &summary}) add_summary(*page, results);
  std::map<std::string, Page> networks;
  for (const ParityResult& result : results) {
    const std::string& model = result.reference.model;
    Page& network = networks.try_emplace(model, model + " beside PyTorch").first->second;
    const Drawings drawings = draw(result);
    for (const Plot& plot : drawings.plots) write_text(folder / kPlotFolder / (plot.name + ".svg"), svg(plot));
    write_text(folder / kPlotFolder / (drawings.times.name + ".svg"), svg(drawings.times));
    for (Page* page : {&whole, &network}) {
      page->heading(result.reference.label() + ", " + result.device);
      page->table(times_note(result), parity_table(result));
      for (const Plot& plot : drawings.plots) page->plot(plot);
      page->plot(drawings.times);
    }
  }
  std::vector<std::string> links;
  for (const auto& [model, page] : networks) {
    write_text(folder / (model + ".md"), page.markdown());
    links.push_back(fmt::format("[{0}]({0}.md)", model));
  }
  summary.list(links);
  write_text(folder / "report.md", summary.markdown());
  write_text(folder / "report.html", whole.html());
}

}  // namespace cairn::comparisons
