#include "comparisons/accuracy.h"

#include <algorithm>
#include <cmath>

namespace cairn::comparisons {
namespace {

// For 1, 2, ... degrees of freedom; the last one, which is a little wide, also for more.
constexpr double kQuantiles[] = {63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169,
                                 3.106,  3.055, 3.012, 2.977, 2.947, 2.921, 2.898, 2.878, 2.861, 2.845};

// Nothing where that epoch was not recorded.
std::optional<double> after(int64_t epoch, const std::vector<double>& accuracies) {
  if (epoch > static_cast<int64_t>(accuracies.size())) return {};
  return accuracies[static_cast<size_t>(epoch - 1)];
}

std::vector<double> accuracies_of(const ReferenceRun& run) {
  std::vector<double> accuracies;
  for (const ReferenceEpoch& epoch : run.epochs) accuracies.push_back(epoch.accuracy);
  return accuracies;
}

}  // namespace

double t_quantile(size_t freedom) {
  return kQuantiles[std::clamp<size_t>(freedom, 1, std::size(kQuantiles)) - 1];
}

std::optional<Spread> spread_of(const std::vector<double>& accuracies) {
  if (accuracies.size() < kLeastDraws) return {};
  const auto count = static_cast<double>(accuracies.size());
  Spread spread;
  spread.count = accuracies.size();
  for (const double accuracy : accuracies) spread.mean += accuracy / count;
  double squares = 0;
  for (const double accuracy : accuracies) squares += (accuracy - spread.mean) * (accuracy - spread.mean);
  spread.deviation = std::sqrt(squares / (count - 1));
  const double width = t_quantile(accuracies.size() - 1) * spread.deviation * std::sqrt(1 + 1 / count);
  spread.low = std::max(0.0, spread.mean - width);
  spread.high = std::min(1.0, spread.mean + width);
  return spread;
}

double AccuracyCheck::difference() const {
  return std::fabs(ours - recorded);
}

bool AccuracyCheck::within_limit() const {
  return difference() <= kAccuracy + 1e-12;
}

Verdict AccuracyCheck::verdict() const {
  if (within_limit()) return Verdict::within;
  const bool own = (twins && twins->has(ours)) || (seeds && seeds->has(ours));
  return rounding_grows && own ? Verdict::as_pytorch_itself : Verdict::beyond;
}

std::string AccuracyCheck::verdict_text() const {
  if (within_limit()) return "within";
  if (!rounding_grows) return "NOT WITHIN";
  if (twins && twins->has(ours)) return "within what rounding does";
  if (!seeds) return "NOT WITHIN";
  return seeds->has(ours) ? "within what seeds do" : "BEYOND WHAT SEEDS DO";
}

AccuracyCheck check_accuracy(const ReferenceCase& reference, int64_t epoch, double ours, double recorded) {
  std::map<uint64_t, double> by_seed;
  std::vector<double> twins;
  const auto gather = [&](const ReferenceRun& run) {
    const std::optional<double> own = after(epoch, accuracies_of(run));
    if (own) by_seed.try_emplace(reference.seed, *own);
    if (own) twins.push_back(*own);
    for (const auto& [name, twin] : run.twins)
      if (const std::optional<double> accuracy = after(epoch, twin)) twins.push_back(*accuracy);
    for (const auto& [seed, other] : run.seeds)
      if (const std::optional<double> accuracy = after(epoch, other)) by_seed.try_emplace(seed, *accuracy);
  };
  for (const bool of_parity : {true, false})
    for (const ReferenceRun& run : reference.runs)
      if ((run.key == reference.parity_run) == of_parity) gather(run);
  std::vector<double> seeds;
  for (const auto& [seed, accuracy] : by_seed) seeds.push_back(accuracy);
  const bool grows =
      std::ranges::any_of(reference.own_deviation, [](double loss) { return loss > kHundredLosses / 10; }) ||
      std::ranges::any_of(twins, [&](double twin) { return std::fabs(twin - recorded) > kAccuracy / 10 + 1e-12; });
  return {epoch, ours, recorded, seeds.size(), twins.size(), grows, spread_of(seeds), spread_of(twins)};
}

}  // namespace cairn::comparisons
