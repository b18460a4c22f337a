#include "framework/pickle_store.h"

#include <algorithm>

#include "framework/error.h"

namespace cairn {

std::span<const PickleRef> PickleStore::children(const PickleNode& node) const {
  switch (node.kind) {
    case PickleKind::list:
    case PickleKind::dict:
      if (node.number == kNoRef) return {};
      return lists[node.number];
    case PickleKind::tuple:
      return std::span(elements).subspan(node.first, node.number);
    case PickleKind::call:
      return std::span(elements).subspan(node.first, 3);
    case PickleKind::outside:
      return {&node.number, 1};
    default:
      return {};
  }
}

// Depth first, with a stack of its own. heights: 0 not seen yet, kInside on the way there, else how many levels it has.
void check_nesting(const PickleStore& store) {
  constexpr uint8_t kInside = 255;
  static_assert(kPickleDepth < kInside);
  struct Step {
    PickleRef ref;
    size_t next = 0;
    uint8_t highest = 0;  // of its values so far
  };
  const auto too_deep = [&] {
    return DataError(store.name + ": is no pickle that can be read: its values are nested more than " +
                     std::to_string(kPickleDepth) + " deep");
  };
  std::vector<uint8_t> heights(store.nodes.size());
  std::vector<Step> way;
  // Returns the height where it is known at once.
  const auto enter = [&](PickleRef ref) -> uint8_t {
    if ((ref & kSmallInteger) != 0) return 1;
    if (heights[ref] == kInside)
      throw DataError(store.name + ": is no pickle that can be read: a value in it holds itself");
    if (heights[ref] == 0 && store.children(store.nodes[ref]).empty()) heights[ref] = 1;
    if (heights[ref] != 0) return heights[ref];
    if (way.size() >= kPickleDepth) throw too_deep();
    heights[ref] = kInside;
    way.push_back({ref});
    return 0;
  };
  enter(store.root);
  while (!way.empty()) {
    const std::span<const PickleRef> children = store.children(store.nodes[way.back().ref]);
    const size_t level = way.size() - 1;
    if (way[level].next < children.size()) {
      const uint8_t height = enter(children[way[level].next++]);
      way[level].highest = std::max(way[level].highest, height);
      continue;
    }
    const auto height = static_cast<uint8_t>(way[level].highest + 1);
    if (height > kPickleDepth) throw too_deep();
    heights[way[level].ref] = height;
    way.pop_back();
    if (!way.empty()) way.back().highest = std::max(way.back().highest, height);
  }
}

}  // namespace cairn
