// A page as a list of headings, texts, tables and plots, and that list as Markdown and as HTML in one file. Not here:
// what stands on it (report.h).
#pragma once

#include <string>
#include <vector>

#include "benchmarks/table.h"
#include "comparisons/bars.h"
#include "comparisons/plot.h"

namespace cairn::comparisons {

inline constexpr const char* kPlotFolder = "plots";  // beside the page

std::string percent_text(double fraction);  // 0.5: "50.00 %"

class Page {
 public:
  explicit Page(const std::string& title) : title_(title) {}
  void heading(const std::string& text);
  void paragraph(const std::string& text);
  void list(const std::vector<std::string>& items);
  void table(const std::string& caption, const benchmarks::Table& table);
  // In Markdown a link to <name>.svg in kPlotFolder, in HTML the drawing itself.
  void plot(const Plot& plot);
  void plot(const BarChart& chart);

  std::string markdown() const;
  std::string html() const;

 private:
  std::string title_, markdown_, html_;
};

}  // namespace cairn::comparisons
