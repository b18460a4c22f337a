#include "benchmarks/machine.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <ctime>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

namespace cairn::benchmarks {
namespace {

constexpr const char* kUnknown = "unknown";

constexpr struct {
  const char *vendor, *name;
} kVendors[] = {{"AuthenticAMD", "amd"}, {"GenuineIntel", "intel"}, {"HygonGenuine", "hygon"}, {"0x41", "arm"},
                {"0x42", "broadcom"},    {"0x43", "cavium"},        {"0x46", "fujitsu"},       {"0x48", "hisilicon"},
                {"0x4e", "nvidia"},      {"0x50", "apm"},           {"0x51", "qualcomm"},      {"0x53", "samsung"},
                {"0x61", "apple"},       {"0x6d", "microsoft"},     {"0xc0", "ampere"}};

// The first that a processor has whole names all: what float arithmetic is vectorised with.
struct InstructionSet {
  const char *name, *needed;
};
constexpr InstructionSet kX86Sets[] = {{"avx512", "avx512f avx512bw avx512cd avx512dq avx512vl"},
                                       {"avx512f", "avx512f"},
                                       {"avx2", "avx2 fma"},
                                       {"avx", "avx"},
                                       {"sse4", "sse4_2"},
                                       {"sse2", "sse2"}};
constexpr InstructionSet kArmSets[] = {{"sve2", "sve2"}, {"sve", "sve"}, {"asimd", "asimd"}, {"neon", "neon"}};

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

std::set<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

// One processor's fields.
class Fields {
 public:
  void add(const std::string& name, const std::string& value) { fields_.try_emplace(name, value); }
  std::string text(const char* name) const {
    const auto found = fields_.find(name);
    return found == fields_.end() ? "" : found->second;
  }
  // In digits of the base; in base 16 the text may start with 0x.
  std::string number(const char* name, int base = 10) const {
    const std::string value = text(name);
    const char* begin = value.data() + (base == 16 && value.starts_with("0x") ? 2 : 0);
    const char* end = value.data() + value.size();
    unsigned read = 0;
    if (const auto [stop, error] = std::from_chars(begin, end, read, base);
        begin == end || stop != end || error != std::errc())
      return kUnknown;
    char digits[16];
    return {digits, std::to_chars(digits, digits + sizeof digits, read, base).ptr};
  }
  template <size_t n>
  std::string instruction_set(const char* name, const InstructionSet (&sets)[n]) const {
    const std::set<std::string> has = words_of(text(name));
    if (has.empty()) return kUnknown;
    for (const InstructionSet& set : sets)
      if (std::ranges::includes(has, words_of(set.needed))) return set.name;
    return "scalar";
  }

 private:
  std::map<std::string, std::string> fields_;
};

std::string vendor_name(const std::string& vendor) {
  for (const auto& known : kVendors)
    if (vendor == known.vendor) return known.name;
  std::string name;
  for (const char c : vendor) {
    if (std::isalnum(static_cast<unsigned char>(c)))
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  if (name.ends_with('-')) name.pop_back();
  return name.empty() ? kUnknown : name;
}

std::string key_of(const Fields& fields) {
  if (const std::string vendor = fields.text("vendor_id"); !vendor.empty())
    return vendor_name(vendor) + "-" + fields.number("cpu family") + "-" + fields.number("model") + "-" +
           fields.number("stepping") + "-" + fields.instruction_set("flags", kX86Sets);
  if (const std::string implementer = fields.text("CPU implementer"); !implementer.empty())
    return vendor_name(implementer) + "-" + fields.number("CPU part", 16) + "-r" + fields.number("CPU variant", 16) +
           "p" + fields.number("CPU revision") + "-" + fields.instruction_set("Features", kArmSets);
  return "unknown-processor";
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

Processor identify_processor(const std::string& cpuinfo) {
  std::vector<Fields> processors;
  size_t begin = 0;
  for (size_t end; (end = cpuinfo.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = cpuinfo.substr(begin, end - begin);
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string name = trimmed(line.substr(0, colon));
    if (name == "processor") processors.emplace_back();
    if (!processors.empty()) processors.back().add(name, trimmed(line.substr(colon + 1)));
  }
  std::set<std::string> keys;
  for (const Fields& fields : processors) keys.insert(key_of(fields));
  if (keys.empty()) keys.insert(key_of({}));
  Processor result;
  for (const std::string& key : keys) result.key += (result.key.empty() ? "" : "+") + key;
  result.name = processors.empty() ? "" : processors[0].text("model name");
  if (result.name.empty()) result.name = result.key;
  result.count = static_cast<int>(processors.size());
  return result;
}

bool Machine::is(const std::string& recorded) const {
  return recorded == folder && folder.find(kUnknown) == std::string::npos;
}

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
  std::ifstream file("/proc/cpuinfo");
  const Processor processor = identify_processor({std::istreambuf_iterator<char>(file), {}});
  machine.name = processor.name;
  machine.cores = processor.count > 0 ? processor.count : static_cast<int>(std::thread::hardware_concurrency());
  machine.folder = processor.key + "-" + std::to_string(machine.cores) + "-cores";
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
