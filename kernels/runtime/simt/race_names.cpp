#include "kernels/runtime/simt/race_names.h"

#include <cxxabi.h>
#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <vector>

#include "kernels/runtime/simt/report.h"

namespace cairn::simt {
namespace {

// A loaded program or library: its file's bytes stay in memory, because symbol names point into them.
struct Object {
  std::string path;
  uintptr_t base;
  std::vector<std::pair<uintptr_t, uintptr_t>> segments;
  std::string file;
};

struct Symbols {
  std::vector<std::unique_ptr<Object>> objects;
  std::vector<SharedVariable> variables;  // by address

  Symbols();
  void read(Object& object);
};

int collect(dl_phdr_info* info, size_t, void* result) {
  auto& objects = *static_cast<std::vector<std::unique_ptr<Object>>*>(result);
  auto object = std::make_unique<Object>();
  object->path = objects.empty() ? "/proc/self/exe" : info->dlpi_name;  // the program comes first, without a name
  object->base = info->dlpi_addr;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    const uintptr_t begin = object->base + segment.p_vaddr;
    object->segments.emplace_back(begin, begin + segment.p_memsz);
  }
  objects.push_back(std::move(object));
  return 0;
}

Symbols::Symbols() {
  dl_iterate_phdr(collect, &objects);
  for (auto& object : objects) read(*object);
  std::sort(variables.begin(), variables.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
}

// Adds the object's function-local variables: their mangled names begin with _ZZ.
void Symbols::read(Object& object) {
  std::ifstream stream(object.path, std::ios::binary);
  object.file.assign(std::istreambuf_iterator<char>(stream), {});
  const std::string& file = object.file;
  const auto at = [&]<class T>(const T*, size_t offset) -> const T* {
    return offset <= file.size() && sizeof(T) <= file.size() - offset ? reinterpret_cast<const T*>(file.data() + offset)
                                                                      : nullptr;
  };
  const auto* header = at(static_cast<const ElfW(Ehdr)*>(nullptr), 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return;
  const auto section = [&](size_t i) {
    return at(static_cast<const ElfW(Shdr)*>(nullptr), header->e_shoff + i * sizeof(ElfW(Shdr)));
  };
  for (size_t i = 0; i < header->e_shnum; ++i) {
    const auto* table = section(i);
    if (!table || table->sh_type != SHT_SYMTAB) continue;
    const auto* names = section(table->sh_link);
    if (!names) continue;
    for (size_t k = 0; k < table->sh_size / sizeof(ElfW(Sym)); ++k) {
      const auto* symbol = at(static_cast<const ElfW(Sym)*>(nullptr), table->sh_offset + k * sizeof(ElfW(Sym)));
      const auto* name = symbol ? at(static_cast<const char*>(nullptr), names->sh_offset + symbol->st_name) : nullptr;
      if (!name || ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT || std::strncmp(name, "_ZZ", 3) != 0) continue;
      const uintptr_t begin = object.base + symbol->st_value;
      variables.push_back({begin, begin + symbol->st_size, name});
    }
  }
}

const Symbols& symbols() {
  static const Symbols all;
  return all;
}

}  // namespace

const SharedVariable* find_shared_variable(uintptr_t address) {
  const auto& variables = symbols().variables;
  static const SharedVariable* last = nullptr;  // accesses come in runs on one array
  if (last && address >= last->begin && address < last->end) return last;
  const auto after = std::upper_bound(variables.begin(), variables.end(), address,
                                      [](uintptr_t a, const SharedVariable& v) { return a < v.begin; });
  if (after == variables.begin() || address >= (after - 1)->end) return nullptr;
  return last = &*(after - 1);
}

std::string variable_name(const SharedVariable& variable) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(variable.symbol, nullptr, nullptr, &status), &std::free);
  const std::string full = status == 0 ? name.get() : variable.symbol;
  const size_t scope = full.rfind("::");  // "void kernel<8>(float*)::tile"
  return scope == std::string::npos ? full : full.substr(scope + 2);
}

namespace {

std::string look_up_line(const void* code) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(code) - 1;  // inside the call, not after it
  char text[64];
  std::snprintf(text, sizeof text, "code %#lx", static_cast<unsigned long>(address));
  std::string line = text;
  for (const auto& object : symbols().objects) {
    const bool inside = std::any_of(object->segments.begin(), object->segments.end(),
                                    [&](const auto& s) { return address >= s.first && address < s.second; });
    if (!inside) continue;
    char file[4096];  // what /proc/self/exe means to another process is not this program
    if (!realpath(object->path.c_str(), file)) break;
    std::snprintf(text, sizeof text, "%#lx", static_cast<unsigned long>(address - object->base));
    const std::string command = "addr2line -i -e '" + std::string(file) + "' " + text + " 2>/dev/null";
    const std::unique_ptr<FILE, decltype(&pclose)> output(popen(command.c_str(), "r"), &pclose);
    if (!output) break;
    char buffer[4096];
    while (std::fgets(buffer, sizeof buffer, output.get())) {
      std::string found = buffer;
      found = found.substr(0, found.find_first_of(" \n"));  // drops "(discriminator 2)"
      if (found.empty() || found[0] == '?') break;
      line = file_name(found);
      if (found.find("/kernels/runtime/simt/") == std::string::npos || found.find("/tests/") != std::string::npos)
        break;
    }
  }
  return line;
}

}  // namespace

std::string source_line(const void* code) {
  static std::map<const void*, std::string> known;  // starting addr2line takes long
  const auto [entry, is_new] = known.try_emplace(code);
  if (is_new) entry->second = look_up_line(code);
  return entry->second;
}

}  // namespace cairn::simt
