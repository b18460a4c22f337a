// fetch: downloads published data sets, checked against their hashes. Parses flags, prints what is where; the work is
// datasets/fetch.h's.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/app.h"
#include "apps/flags.h"
#include "datasets/download_display.h"
#include "datasets/fetch.h"
#include "datasets/pretrained.h"
#include "datasets/registry.h"
#include "framework/message.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;
using datasets::DataSource;

constexpr double kConnectSeconds = 5, kLongestSeconds = 3600;

// Of what stays on disk.
std::string contents_text(const DataSource& source) {
  const auto& files = source.members.empty() ? source.files : source.members;
  const std::string count = fmt::format("{} file{}", files.size(), files.size() == 1 ? "" : "s");
  uint64_t bytes = 0;
  for (const datasets::RemoteFile& file : files) bytes += file.bytes;
  return bytes == 0 ? count : fmt::format("{}, {}", count, datasets::size_text(bytes));
}

uint64_t download_bytes(const DataSource& source) {
  uint64_t bytes = 0;
  for (const datasets::RemoteFile& file : source.files) bytes += file.bytes;
  return bytes;
}

void print_source(const DataSource& source, const fs::path& data_dir) {
  const std::string folder = (data_dir / source.name).string();
  app::print("{}: {}\n", source.name, source.note);
  if (!source.by_hand.empty()) return app::print("  {} into {}\n", source.by_hand, folder);
  const uint64_t bytes = download_bytes(source);
  app::print("  download {}; {} in {}\n", bytes == 0 ? "of unknown size" : datasets::size_text(bytes),
             contents_text(source), folder);
  for (const std::string& mirror : datasets::choose_mirrors(source)) app::print("  from {}\n", mirror);
}

void print_list(const fs::path& data_dir) {
  for (const DataSource& source : datasets::known_sources()) print_source(source, data_dir);
  for (const DataSource& source : datasets::pretrained_sources()) print_source(source, data_dir);
  for (const datasets::DatasetInfo& drawn : datasets::known_datasets())
    if (drawn.write != nullptr)
      app::print("{}: drawn here, not downloaded, for programs that cannot draw it\n  {} files in {}\n", drawn.name,
                 drawn.file_count, (data_dir / drawn.name).string());
}

// Of everything that can be fetched.
std::string names_text() {
  std::string published, drawn;
  for (const DataSource& source : datasets::known_sources())
    if (source.by_hand.empty()) published += source.name + ", ";
  for (const datasets::DatasetInfo& info : datasets::known_datasets())
    if (info.write != nullptr) drawn += (drawn.empty() ? "" : ", ") + info.name;
  std::string weights;
  for (const DataSource& source : datasets::pretrained_sources())
    weights += (weights.empty() ? "" : ", ") + source.name;
  return published + "or all of these; " + drawn + ", drawn here, as files; weights of " + weights;
}

// The generated one of that name, or null.
const datasets::DatasetInfo* find_drawn(const std::string& name) {
  for (const datasets::DatasetInfo& info : datasets::known_datasets())
    if (info.name == name && info.write != nullptr) return &info;
  return nullptr;
}

// The published ones of these.
std::vector<DataSource> choose_sources(const std::vector<std::string>& names) {
  std::vector<DataSource> sources, all;
  for (const std::string& name : names) {
    if (name == "all") {
      for (const DataSource& source : datasets::known_sources())
        if (source.by_hand.empty()) all.push_back(source);
      return all;
    }
    if (find_drawn(name) == nullptr) sources.push_back(datasets::find_source(name));
  }
  if (names.empty()) throw UsageError("name the data sets to fetch, or all; --list shows what there is");
  return sources;
}

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(std::lround(seconds * 1000)));
}

int fetch(int argc, char** argv) {
  app::Flags flags("fetch", "Downloads published data sets and weights, and checks them against their hashes.");
  std::vector<std::string> names;
  std::string data_dir_flag;
  double timeout_seconds = 10;
  bool list = false;
  datasets::DownloadOptions options;
  flags.add_words("NAMES", names, names_text().c_str());
  flags.add("--data-dir", data_dir_flag, "where data sets are; default $CAIRN_DATA, else ./data");
  flags.add("--timeout", timeout_seconds, "seconds without data after which a mirror is left for the next one");
  flags.add_switch("--list", list, "show what is known, how large it is and where it goes; download nothing");
  flags.add_switch("--quiet", options.quiet, "print only errors and results");
  flags.set_footer(
      "CAIRN_MIRROR holds base URLs, separated by spaces, that take the place of the built-in mirrors:\n"
      "files are asked for as URL/NAME/FILE. Proxies: http_proxy, https_proxy, all_proxy, no_proxy.");
  if (!flags.parse(argc, argv)) return app::kDone;
  if (!(timeout_seconds >= 0.1 && timeout_seconds <= kLongestSeconds))
    throw UsageError(fmt::format("--timeout must be from 0.1 to {:g} seconds", kLongestSeconds));
  const fs::path data_dir = datasets::resolve_data_dir(data_dir_flag);
  if (list) {
    print_list(data_dir);
    return app::kDone;
  }

  const std::vector<DataSource> sources = choose_sources(names);
  options.stop = &app::interruption();
  options.stall_timeout = milliseconds(timeout_seconds);
  options.connect_timeout = milliseconds(std::min(timeout_seconds, kConnectSeconds));
  int code = app::kDone;
  for (const std::string& name : names)
    if (const datasets::DatasetInfo* drawn = find_drawn(name))
      app::print("{}: {} files {} {}\n", name, drawn->file_count, drawn->write(data_dir) ? "now in" : "already in",
                 (data_dir / name).string());
  for (const DataSource& source : sources) {
    try {
      const bool downloaded = fetch_source(source, data_dir, choose_mirrors(source), options);
      app::print("{}: {} {} {}\n", source.name, contents_text(source), downloaded ? "now in" : "already in",
                 (data_dir / source.name).string());
      app::flush_results();
    } catch (const datasets::MissingDataError& error) {  // the other sets may have better luck
      say(fmt::format("fetch: {}", error.what()));
      code = app::kFailed;
    }
  }
  return code;
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) {
  return cairn::app::guarded("fetch", [&] { return cairn::fetch(argc, argv); });
}
