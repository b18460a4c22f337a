#include "kernels/cpu_share.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace cairn {
namespace {

int cpus_in_affinity() {
#if defined(__linux__)
  // The kernel refuses a set smaller than its own, whose size it does not tell.
  for (size_t count = 1024; count <= size_t{1} << 20; count *= 2) {
    std::vector<cpu_set_t> set(CPU_ALLOC_SIZE(count) / sizeof(cpu_set_t));
    const size_t bytes = set.size() * sizeof(cpu_set_t);
    if (sched_getaffinity(0, bytes, set.data()) == 0) return std::max(1, CPU_COUNT_S(bytes, set.data()));
  }
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

bool has_cpu(const std::string& controllers) {
  const std::vector<std::string> names = split(controllers, ',');
  return std::find(names.begin(), names.end(), "cpu") != names.end();
}

// mountinfo writes a blank as \040, and so on.
std::string without_escapes(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && digit(i + 1) && digit(i + 2) && digit(i + 3)) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

struct Mount {
  std::string root, folder;  // the group whose folder this is, and where that lies
};

// Where the groups of version 2, or of version 1's cpu controller, are mounted: lines such as
// "31 23 0:28 /group /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw".
std::vector<Mount> mounts(const std::string& root, int version) {
  std::vector<Mount> found;
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    const std::vector<std::string> front = split(line.substr(0, dash), ' '), back = split(line.substr(dash + 3), ' ');
    if (front.size() < 5 || back.empty() || back[0] != (version == 2 ? "cgroup2" : "cgroup")) continue;
    if (version == 1 && (back.size() < 3 || !has_cpu(back[2]))) continue;
    found.push_back({without_escapes(front[3]), without_escapes(front[4])});
  }
  return found;
}

// The process' group: lines of /proc/self/cgroup are "0::/path" in version 2, "4:cpu,cpuacct:/path" in version 1.
std::string group_of(const std::string& root, int version) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (version == 2 ? line.substr(0, first) == "0" && controllers.empty() : has_cpu(controllers))
      return line.substr(second + 1);
  }
  return "";
}

double positive_number(const std::string& word) {
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  return end != word.c_str() && *end == '\0' && std::isfinite(value) && value > 0 ? value : 0;
}

// Of one group: "150000 100000" or "max 100000" in version 2, two files of microseconds in version 1, -1 for no limit.
double quota_in(const std::string& folder, int version) {
  std::string quota, period;
  if (version == 2) {
    std::ifstream(folder + "/cpu.max") >> quota >> period;
  } else {
    std::ifstream(folder + "/cpu.cfs_quota_us") >> quota;
    std::ifstream(folder + "/cpu.cfs_period_us") >> period;
  }
  const double length = positive_number(period);
  return length > 0 ? positive_number(quota) / length : 0;
}

double least(double a, double b) {
  return a > 0 && b > 0 ? std::min(a, b) : std::max(a, b);
}

// The group's path below the one that is mounted. Inside a container the group may be named as the host sees it, and
// then only the mounted one can be reached.
std::string path_below(const Mount& mount, std::string group) {
  if (mount.root != "/") {
    const bool inside =
        group.rfind(mount.root, 0) == 0 && (group.size() == mount.root.size() || group[mount.root.size()] == '/');
    group = inside ? group.substr(mount.root.size()) : "";
  }
  while (!group.empty() && group.back() == '/') group.pop_back();
  return group.rfind("/..", 0) == 0 ? "" : group;
}

}  // namespace

double control_group_quota(const std::string& root) {
  double quota = 0;
  for (const int version : {2, 1}) {
    const std::string group = group_of(root, version);
    if (group.empty()) continue;
    for (const Mount& mount : mounts(root, version)) {
      // Each group is held to the quotas of those above it too.
      for (std::string path = path_below(mount, group);; path.erase(path.rfind('/'))) {
        quota = least(quota, quota_in(root + mount.folder + path, version));
        if (path.empty() || path.rfind('/') == std::string::npos) break;
      }
    }
  }
  return quota;
}

CpuShare cpu_share() {
  return {cpus_in_affinity(), control_group_quota()};
}

int CpuShare::cpus() const {
  return quota > 0 && quota < affinity ? std::max(1, static_cast<int>(quota)) : affinity;
}

std::string CpuShare::text() const {
  char text[64];
  if (quota > 0 && quota < affinity)
    std::snprintf(text, sizeof text, "%.3g CPU%s by its control group's quota", quota, quota == 1 ? "" : "s");
  else
    std::snprintf(text, sizeof text, "%d CPU%s by its affinity", affinity, affinity == 1 ? "" : "s");
  return text;
}

}  // namespace cairn
