// A kernel's short name from the compiler's text of launch<kernel>'s signature. Not here: other texts of errors.
#pragma once

#include <string>

namespace cairn::simt {

// "void launch(...) [with auto kernel = cairn::vanilla_cpu::gemm<128, 8>; ...]" -> "gemm<128, 8>"
inline std::string kernel_name(const std::string& signature) {
  const std::string marker = "kernel = ";
  const size_t start = signature.find(marker);
  if (start == std::string::npos) return signature;
  size_t begin = start + marker.size();
  if (begin < signature.size() && signature[begin] == '&') ++begin;
  // The name ends at a ';' (g++), ',' (clang) or ']' outside brackets; its scopes end at the last "::" there.
  int depth = 0;
  size_t end = begin;
  for (; end < signature.size(); ++end) {
    const char c = signature[end];
    if (depth == 0 && (c == ';' || c == ',' || c == ']')) break;
    if (c == '<' || c == '(' || c == '{') ++depth;
    if (c == '>' || c == ')' || c == '}') --depth;
    if (depth == 0 && c == ':') begin = end + 1;
  }
  return signature.substr(begin, end - begin);
}

}  // namespace cairn::simt
