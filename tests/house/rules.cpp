#include "tests/house/rules.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "tests/house/families.h"

namespace cairn::house {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaximumLines = 600;
constexpr size_t kMaximumFunctionLines = 60;
constexpr const char* kExcuse = "Long because";

// What each folder may include from, itself apart. "kernels" is the seam: the headers that lie directly in kernels/.
// Folders that are not listed (tests, fuzz) may include everything.
const std::map<std::string, std::set<std::string>> kArrows = {
    {"apps", {"comparisons", "benchmarks", "trainers", "models", "datasets", "framework", "kernels"}},
    {"comparisons", {"benchmarks", "trainers", "models", "datasets", "framework", "kernels"}},
    {"benchmarks", {"trainers", "models", "datasets", "framework", "kernels", "kernels/runtime/cpu"}},
    {"trainers", {"models", "datasets", "framework", "kernels"}},
    {"models", {"framework", "kernels"}},
    {"datasets", {"framework", "kernels"}},
    {"framework", {"kernels"}},
    {"kernels", {}},
    {"kernels/runtime/cpu", {"kernels"}},
    {"kernels/runtime/cuda", {"kernels"}},
    {"kernels/runtime/simt", {"kernels", "kernels/runtime/cpu", "kernels/runtime/cuda"}},
    {"kernels/reference", {"kernels", "kernels/runtime/cpu"}},
    {"kernels/simd", {"kernels", "kernels/runtime/cpu"}},
    {"kernels/eigen", {"kernels", "kernels/runtime/cpu"}},
    {"kernels/vanilla", {"kernels", "kernels/runtime/cpu", "kernels/runtime/cuda", "kernels/runtime/simt"}},
    {"kernels/cudnn", {"kernels", "kernels/runtime/cuda"}},
    {"kernels/torch", {"kernels"}},
};

// The folders that talk to CUDA. Everything above the seam must compile on a machine that has never heard of it.
const std::set<std::string> kCudaFolders = {"kernels/runtime/cuda", "kernels/cudnn", "kernels/vanilla",
                                            "kernels/runtime/simt"};

bool starts_with(const std::string& text, const std::string& start) {
  return text.rfind(start, 0) == 0;
}

bool is_cuda_header(const std::string& name) {
  for (const char* start : {"cuda", "cublas", "cudnn", "curand", "cooperative_groups", "mma.h", "nv", "device_launch",
                            "vector_types.h", "crt/"})
    if (starts_with(name, start)) return true;
  return false;
}

// "kernels/vanilla" for kernels/vanilla/gemm/1_naive.cu, "kernels/runtime/cpu" for kernels/runtime/cpu/stream.h,
// "kernels" for kernels/backend.h, "framework" for all below it.
std::string folder_of(const std::string& path) {
  const size_t first = path.find('/');
  if (first == std::string::npos) return "";
  const std::string top = path.substr(0, first);
  if (top != "kernels") return top;
  const size_t start = starts_with(path, "kernels/runtime/") ? std::string("kernels/runtime/").size() : first + 1;
  const size_t end = path.find('/', start);
  return end == std::string::npos ? top : path.substr(0, end);
}

// The lines of a page, emptied where they are code, and without what stands between backquotes.
std::vector<std::string> without_code(const std::vector<std::string>& lines) {
  std::vector<std::string> text(lines.size());
  bool in_block = false, in_quotes = false;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (starts_with(lines[i], "```")) in_block = !in_block;
    if (lines[i].empty()) in_quotes = false;
    if (in_block || starts_with(lines[i], "```") || starts_with(lines[i], "    ")) continue;
    for (const char c : lines[i]) {
      if (c == '`') in_quotes = !in_quotes;
      if (!in_quotes) text[i] += c;
    }
  }
  return text;
}

// A page's headings as links name them: small letters, hyphens for blanks, no other signs.
std::set<std::string> headings(const fs::path& page) {
  std::set<std::string> names;
  std::ifstream file(page);
  for (std::string line; std::getline(file, line);) {
    const size_t start = line.find_first_not_of('#');
    if (start == 0 || start == std::string::npos || line[start] != ' ') continue;
    std::string name;
    for (const char c : line.substr(start + 1)) {
      if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_') name += std::tolower(c);
      if (c == ' ') name += '-';
    }
    names.insert(name);
  }
  return names;
}

// Tests hold no such names; the header of a safetensors file refuses them.
bool may_dump_json(const std::string& path) {
  return starts_with(path, "tests/") || path == "framework/json_text.cpp" || path == "framework/safetensors.cpp";
}

class Inspector {
 public:
  explicit Inspector(fs::path root) : root_(std::move(root)) {}

  void inspect_file(const std::string& path) {
    ++report_.files;
    path_ = path;
    std::ifstream file(root_ / path, std::ios::binary);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    if (lines.size() > kMaximumLines)
      complain(kMaximumLines + 1, "the file has " + std::to_string(lines.size()) + " lines; split it, " +
                                      std::to_string(kMaximumLines) + " is the most");
    const std::string extension = fs::path(path).extension().string();
    const bool is_code = extension == ".h" || extension == ".cpp" || extension == ".cu";
    if (extension == ".h" && (lines.empty() || !starts_with(lines[0], "//")))
      complain(1, "a header starts with a comment that says what lives there and what does not");
    if (extension == ".h" && std::find(lines.begin(), lines.end(), "#pragma once") == lines.end())
      complain(1, "a header needs #pragma once");
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::string& line = lines[i];
      if (line.find('\t') != std::string::npos) complain(i + 1, "tab");
      if (!line.empty() && (line.back() == ' ' || line.back() == '\r')) complain(i + 1, "trailing white space");
      if (is_code) inspect_include(i + 1, line);
      if (is_code) inspect_comment(i + 1, line);
      if (is_code && !may_dump_json(path) && line.find(".dump(") != std::string::npos)
        complain(i + 1, "JSON throws for texts that are not UTF-8, as names of files may be; use dump_json");
    }
    if (is_code && !starts_with(path, "tests/")) inspect_functions(lines);
    if (extension == ".md") inspect_links(lines);
  }

  Report report() const { return report_; }

 private:
  void complain(size_t line, const std::string& what) {
    report_.violations.push_back(path_ + ":" + std::to_string(line) + ": " + what);
  }

  // Functions as clang-format leaves them: a signature that begins in the margin, and a brace in the margin at the end.
  // A comment right above one may say why it is longer.
  void inspect_functions(const std::vector<std::string>& lines) {
    static const std::regex kOther(
        R"(^(namespace|struct|class|enum|union|using|static_assert|extern "C"|TEST_CASE|#).*)");
    size_t start = 0, signature = 0;
    bool excused = false, said = false;
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::string& line = lines[i];
      if (starts_with(line, "//")) said |= line.find(kExcuse) != std::string::npos;
      if (line.empty()) said = false;
      const bool margin = !line.empty() && std::isalpha(static_cast<unsigned char>(line[0]));
      if (start == 0 && margin)
        signature = std::regex_match(line, kOther) || line.find('(') == std::string::npos ? 0 : i + 1;
      if (start == 0 && signature > 0 && !line.empty() && line.back() == ';') signature = 0;
      if (start == 0 && signature > 0 && !line.empty() && line.back() == '{') {
        start = i + 1;
        excused = said;
      } else if (start > 0 && line == "}") {
        const size_t length = i - start;
        if (length > kMaximumFunctionLines && !excused)
          complain(signature, "the function has " + std::to_string(length) + " lines; " +
                                  std::to_string(kMaximumFunctionLines) +
                                  " are the most, unless a comment above says \"" + kExcuse + "\"");
        start = signature = 0;
      }
    }
  }

  void inspect_include(size_t line, const std::string& text) {
    const size_t hash = text.find_first_not_of(' ');
    if (hash == std::string::npos || text[hash] != '#') return;
    const size_t word = text.find_first_not_of(' ', hash + 1);
    if (word == std::string::npos || text.compare(word, 7, "include") != 0) return;
    const size_t open = text.find_first_of("\"<", word);
    if (open == std::string::npos) return;
    const size_t close = text.find_first_of("\">", open + 1);
    const std::string name = text.substr(open + 1, close - open - 1);
    const std::string from = folder_of(path_);
    if (text[open] == '<') {
      if (kArrows.count(from) && !kCudaFolders.count(from) && is_cuda_header(name))
        complain(line, "includes the CUDA header " + name + "; " + from + " must build without CUDA");
      return;
    }
    if (!fs::exists(root_ / name))
      return complain(line, "includes " + name + ", which is no path from the root of the repository");
    const auto arrows = kArrows.find(from);
    if (arrows == kArrows.end()) {
      if (starts_with(from, "kernels/"))
        complain(line,
                 from + " is an implementation that tests/house/rules.cpp does not know; add what it may include");
      return;
    }
    const std::string to = folder_of(name);
    if (to == from || arrows->second.count(to)) return;
    // The registry lists the implementations and so is the one file that looks down into them.
    if (path_ == "kernels/registry.cpp" && fs::path(name).filename() == "backend.h") return;
    // A plugin's error texts go where those of the implementations at the same place go.
    if (path_ == "kernels/plugins.cpp" &&
        (name == "kernels/runtime/cpu/stream.h" || name == "kernels/runtime/cuda/stream.h"))
      return;
    complain(line, "includes " + name + ", but arrows point down only: " + from + " may not use " + to);
  }

  // A comment cites files of code by their path from its own folder or from one above it: a bare name is a neighbour's.
  // What stands in quotation marks is an example.
  void inspect_comment(size_t line, const std::string& text) {
    static const std::regex kComment("(?:^|\\s)// (.*)"), kFile("(?:^|[^\\w./*\"-])((?:\\w+/)*\\w+\\.(?:h|cpp|cu))\\b");
    std::smatch comment;
    if (!std::regex_search(text, comment, kComment)) return;
    if (std::count(text.begin(), text.begin() + comment.position(), '"') % 2) return;  // of a string
    const std::string words = comment[1];
    for (std::sregex_iterator found(words.begin(), words.end(), kFile), end; found != end; ++found) {
      const std::string file = (*found)[1];
      fs::path folder = fs::path(path_).parent_path();
      while (!folder.empty() && !fs::exists(root_ / folder / file)) folder = folder.parent_path();
      if (!fs::exists(root_ / folder / file))
        complain(line, "the comment cites " + file + ", which is neither in this folder nor in one above it");
    }
  }

  // Links to files of this tree, and to headings of pages; those to elsewhere are not asked.
  void inspect_links(const std::vector<std::string>& lines) {
    const std::vector<std::string> text = without_code(lines);
    for (size_t i = 0; i < text.size(); ++i) {
      for (size_t open = 0; (open = text[i].find("](", open)) != std::string::npos; ++open) {
        const std::string target = text[i].substr(open + 2, text[i].find(')', open) - open - 2);
        if (target.find(':') != std::string::npos) continue;
        const size_t hash = std::min(target.find('#'), target.size());
        const std::string file = target.substr(0, hash);
        const fs::path page = file.empty() ? fs::path(path_) : fs::path(path_).parent_path() / file;
        if (!fs::exists(root_ / page))
          complain(i + 1, "links to " + target + ", and there is no such file");
        else if (hash < target.size() && !headings(root_ / page).count(target.substr(hash + 1)))
          complain(i + 1, "links to " + target + ", and the page has no such heading");
      }
    }
  }

  fs::path root_;
  std::string path_;
  Report report_;
};

bool is_text(const fs::path& path) {
  static const std::set<std::string> kExtensions = {".h", ".cpp", ".cu", ".cmake", ".md", ".py", ".sh", ".txt"};
  return kExtensions.count(path.extension().string()) != 0;
}

// Hidden folders, builds, data and runs are not the project's own.
bool is_foreign(const fs::path& folder) {
  const std::string name = folder.filename().string();
  return (starts_with(name, ".") && name != ".ci") || starts_with(name, "build") || name == "runs" || name == "data";
}

}  // namespace

Report inspect(const fs::path& root) {
  std::vector<std::string> paths;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry->is_directory() && is_foreign(entry->path()))
      entry.disable_recursion_pending();
    else if (entry->is_regular_file() && is_text(entry->path()))
      paths.push_back(entry->path().lexically_relative(root).generic_string());
  }
  std::sort(paths.begin(), paths.end());
  Inspector inspector(root);
  for (const std::string& path : paths) inspector.inspect_file(path);
  Report report = inspector.report();
  for (const std::string& violation : misplaced_primitives(root, paths)) report.violations.push_back(violation);
  return report;
}

}  // namespace cairn::house
