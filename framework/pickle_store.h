// How a pickle's values lie in memory: in a few large arrays, so that none of them owns another. What holds itself or
// is nested a million deep is then a matter of numbers, and nothing is freed by recursion. Not here: opcodes
// (pickle_machine.h).
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "framework/pickle.h"

namespace cairn {

// Where a value is: its number among the nodes, or, with the highest bit set, a small integer itself.
using PickleRef = uint32_t;
inline constexpr PickleRef kSmallInteger = PickleRef{1} << 31;
inline constexpr PickleRef kNoRef = UINT32_MAX;

struct PickleNode {
  PickleKind kind = PickleKind::none;
  // Characters and elements of a tuple: how many. Lists and dicts: which of `lists`, kNoRef while empty. Globals: the
  // place in the list of them. Outside: its name.
  uint32_t number = 0;
  union {
    int64_t integer = 0;
    double real;
    const char* characters;
    uint64_t first;  // of a tuple's elements; of a call's three: callee, arguments, state
  };
};

struct PickleStore {
  static constexpr PickleRef kNone = 0, kFalse = 1, kTrue = 2, kEmptyTuple = 3;

  std::string name;  // of the file, for errors
  std::deque<PickleNode> nodes;
  std::vector<PickleRef> elements;           // of tuples and calls
  std::deque<std::vector<PickleRef>> lists;  // a dict's keys and values take turns
  std::deque<std::string> texts;             // that do not stand in the file as they are
  PickleRef root = kNone;

  // The values that one holds.
  std::span<const PickleRef> children(const PickleNode& node) const;
};

// DataError: a value that holds itself, or is nested deeper than kPickleDepth.
void check_nesting(const PickleStore& store);

// What may be named, under which names.
struct PickleName {
  PickleGlobal global;
  const char* module;
  const char* name;
  const char* full_name;
  bool callable;
};
std::span<const PickleName> pickle_names();

}  // namespace cairn
