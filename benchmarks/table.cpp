#include "benchmarks/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cairn::benchmarks {

std::string text(const Table& table) {
  std::vector<size_t> widths(table.header.size(), 0);
  const auto widen = [&](const std::vector<std::string>& cells) {
    for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  };
  widen(table.header);
  for (const auto& row : table.rows) widen(row);
  std::string out;
  const auto print = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i)
      line += table.right[i] ? fmt::format("{}{:>{}}", i ? "  " : "", cells[i], widths[i])
                             : fmt::format("{}{:<{}}", i ? "  " : "", cells[i], widths[i]);
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  };
  print(table.header);
  for (const auto& row : table.rows) print(row);
  return out;
}

std::string markdown(const Table& table) {
  std::string out;
  const auto print = [&](const std::vector<std::string>& cells) {
    for (const std::string& cell : cells) out += "| " + cell + (cell.empty() ? "" : " ");
    out += "|\n";
  };
  print(table.header);
  for (const bool right : table.right) out += right ? "|---:" : "|---";
  out += "|\n";
  for (const auto& row : table.rows) print(row);
  return out;
}

std::string number(double value) {
  const double size = std::fabs(value);
  return size >= 99.95   ? fmt::format("{:.0f}", value)
         : size >= 9.995 ? fmt::format("{:.1f}", value)
                         : fmt::format("{:.2f}", value);
}

std::string duration(double seconds) {
  if (seconds <= 0) return "";
  if (seconds < 1e-6) return number(seconds * 1e9) + " ns";
  if (seconds < 1e-3) return number(seconds * 1e6) + " us";
  return seconds < 1 ? number(seconds * 1e3) + " ms" : number(seconds) + " s";
}

std::string percent(double part, double whole) {
  if (whole <= 0 || part <= 0) return "";
  const double value = 100 * part / whole;
  return value >= 9.95 ? fmt::format("{:.0f} %", value) : fmt::format("{:.1f} %", value);
}

}  // namespace cairn::benchmarks
