#include "benchmarks/machine.h"

#include <unistd.h>

#include <cctype>
#include <ctime>
#include <fstream>
#include <thread>

namespace cairn::benchmarks {
namespace {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const size_t colon = line.find(':');
    const size_t begin = colon == std::string::npos ? colon : line.find_first_not_of(' ', colon + 1);
    if (begin != std::string::npos) return line.substr(begin);
  }
  return "unknown processor";
}

std::string folder_name(const std::string& name, int cores) {
  std::string folder;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)))
      folder += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!folder.empty() && folder.back() != '-')
      folder += '-';
  }
  while (!folder.empty() && folder.back() == '-') folder.pop_back();
  return folder + "-" + std::to_string(cores) + "-cores";
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

}  // namespace

size_t last_level_cache_bytes() {
  // What one core can reach; sysconf adds up those of the whole processor.
  for (const char* level : {"3", "2"}) {
    std::ifstream file(std::string("/sys/devices/system/cpu/cpu0/cache/index") + level + "/size");
    size_t kibibytes = 0;
    if (file >> kibibytes && kibibytes > 0) return kibibytes << 10;
  }
#if defined(_SC_LEVEL3_CACHE_SIZE)
  for (const int level : {_SC_LEVEL3_CACHE_SIZE, _SC_LEVEL2_CACHE_SIZE})
    if (const long bytes = sysconf(level); bytes > 0) return static_cast<size_t>(bytes);
#endif
  return size_t{32} << 20;
}

Machine this_machine() {
  Machine machine;
  machine.name = processor_name();
  machine.cores = static_cast<int>(std::thread::hardware_concurrency());
  machine.folder = folder_name(machine.name, machine.cores);
  machine.cache_bytes = last_level_cache_bytes();
#if defined(__clang__)
  machine.compiler = "clang " __clang_version__;
#else
  machine.compiler = "g++ " __VERSION__;
#endif
  machine.version = CAIRN_VERSION;
  machine.commit = kCommit;
  machine.date = today();
  return machine;
}

}  // namespace cairn::benchmarks
