#include "comparisons/page.h"

#include <fmt/format.h>

namespace cairn::comparisons {
namespace {

constexpr const char* kStyle =
    "body{font:15px/1.5 sans-serif;color:#222;max-width:960px;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;margin:.5em 0 1.5em}"
    "caption{text-align:left;font-weight:bold;padding:.3em 0}"
    "th,td{border-bottom:1px solid #ddd;padding:.25em .8em;text-align:left;vertical-align:top}"
    "td.r,th.r{text-align:right;font-variant-numeric:tabular-nums}"
    "svg{display:block;max-width:100%;height:auto;margin:1em 0}";

// Words between backquotes are code in both forms.
std::string html_text(const std::string& text) {
  std::string result;
  bool code = false;
  for (const char letter : text) {
    if (letter == '`') {
      result += code ? "</code>" : "<code>";
      code = !code;
    } else {
      result += escaped(std::string(1, letter));
    }
  }
  return result;
}

}  // namespace

std::string percent_text(double fraction) {
  return fmt::format("{:.2f} %", 100 * fraction);
}

void Page::heading(const std::string& text) {
  markdown_ += "## " + text + "\n\n";
  html_ += "<h2>" + html_text(text) + "</h2>\n";
}

void Page::paragraph(const std::string& text) {
  markdown_ += text + "\n\n";
  html_ += "<p>" + html_text(text) + "</p>\n";
}

void Page::list(const std::vector<std::string>& items) {
  html_ += "<ul>\n";
  for (const std::string& item : items) {
    markdown_ += "- " + item + "\n";
    html_ += "<li>" + html_text(item) + "</li>\n";
  }
  markdown_ += "\n";
  html_ += "</ul>\n";
}

void Page::table(const std::string& caption, const benchmarks::Table& table) {
  markdown_ += caption + "\n\n" + benchmarks::markdown(table) + "\n";
  html_ += "<table>\n<caption>" + html_text(caption) + "</caption>\n";
  const auto row = [&](const char* tag, const std::vector<std::string>& cells) {
    html_ += "<tr>";
    for (size_t i = 0; i < cells.size(); ++i)
      html_ += fmt::format("<{0}{1}>{2}</{0}>", tag, table.right[i] ? " class=\"r\"" : "", html_text(cells[i]));
    html_ += "</tr>\n";
  };
  row("th", table.header);
  for (const auto& cells : table.rows) row("td", cells);
  html_ += "</table>\n";
}

void Page::plot(const Plot& plot) {
  markdown_ += fmt::format("![{}]({}/{}.svg)\n\n", plot.title, kPlotFolder, plot.name);
  html_ += svg(plot);
}

void Page::plot(const BarChart& chart) {
  markdown_ += fmt::format("![{}]({}/{}.svg)\n\n", chart.title, kPlotFolder, chart.name);
  html_ += svg(chart);
}

std::string Page::markdown() const {
  return "# " + title_ + "\n\n" + markdown_.substr(0, markdown_.find_last_not_of('\n') + 1) + "\n";
}

std::string Page::html() const {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>" + html_text(title_) +
         "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n<h1>" + html_text(title_) + "</h1>\n" + html_ +
         "</body>\n</html>\n";
}

}  // namespace cairn::comparisons
