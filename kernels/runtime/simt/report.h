// The texts of the executor's errors: one line, kernel first. Not here: when something is an error.
#pragma once

#include <string>

#include "kernels/runtime/simt/vocabulary.h"

namespace cairn::simt {

struct Worker;

// Index of a thread in its block, and back.
inline uint3 thread_at(const dim3& block, unsigned linear) {
  return {linear % block.x, linear / block.x % block.y, linear / (block.x * block.y)};
}

std::string text_of(const uint3& index);         // "(1,0,0)"
std::string place(const char* file, int line);   // "gemm.cu:41"
std::string file_name(const std::string& path);  // without its folders

// "n threads, first (x,y,z), wait at ... ; ...": where the threads of the block are.
std::string describe_threads(const Worker& worker);

// The thread's index in its own block: "(1,0,0)".
std::string thread_text(const Worker& worker, unsigned linear_thread);

// "kernel gemm, block (0,0,0), thread (1,0,0): "
std::string prefix(const Worker& worker, unsigned linear_thread);

// Throws an Error of the running kernel thread: prefix and text.
[[noreturn]] void fail(Worker& worker, const std::string& text);

}  // namespace cairn::simt
