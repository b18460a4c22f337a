// A table as text and as Markdown, and numbers as cells. Not here: which tables there are (report.h).
#pragma once

#include <string>
#include <vector>

namespace cairn::benchmarks {

struct Table {
  std::vector<std::string> header;
  std::vector<bool> right;  // aligned to the right, by column
  std::vector<std::vector<std::string>> rows;
};

std::string text(const Table& table);
std::string markdown(const Table& table);

std::string duration(double seconds);            // 12.3 us
std::string number(double value);                // three digits: 0.123, 12.3, 1230
std::string percent(double part, double whole);  // "12 %", or "" if there is no whole

}  // namespace cairn::benchmarks
