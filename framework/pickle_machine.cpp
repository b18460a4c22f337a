// Python's machine for pickles has a stack, marks on it and a memo; an opcode takes values from there and puts others
// there. Opcodes have the names that pickletools gives them. What a pickle claims (lengths, places in the memo) is held
// against what has been read of it before memory is taken.
#include "framework/pickle_machine.h"

#include <bit>
#include <charconv>
#include <optional>

#include "framework/error.h"
#include "framework/file.h"
#include "framework/pickle_text.h"

namespace cairn {
namespace {

constexpr uint8_t kNewestProtocol = 5;

class Machine {
 public:
  Machine(std::span<const std::byte> file, PickleStore& store)
      : file_(reinterpret_cast<const char*>(file.data()), file.size()), store_(store) {
    for (const int64_t value : {0, 0, 1}) {
      add({.kind = store_.nodes.empty() ? PickleKind::none : PickleKind::boolean});
      store_.nodes.back().integer = value;
    }
    add({.kind = PickleKind::tuple});
  }

  size_t run() {
    while (true) {
      const auto opcode = static_cast<uint8_t>(take(1)[0]);
      if (opcode == kStop) break;
      if (!push_number(opcode) && !push_characters(opcode) && !build(opcode) && !remember(opcode) && !call(opcode))
        refuse(opcode);
    }
    store_.root = pop();
    if (!stack_.empty() || !marks_.empty()) fail("ends with values left over");
    return place_;
  }

 private:
  enum Opcode : uint8_t {
    kMark = '(',
    kStop = '.',
    kPop = '0',
    kPopMark = '1',
    kDup = '2',
    kFloat = 'F',
    kInt = 'I',
    kBinInt = 'J',
    kBinInt1 = 'K',
    kLong = 'L',
    kBinInt2 = 'M',
    kNone = 'N',
    kPersId = 'P',
    kBinPersId = 'Q',
    kReduce = 'R',
    kString = 'S',
    kBinString = 'T',
    kShortBinString = 'U',
    kUnicode = 'V',
    kBinUnicode = 'X',
    kAppend = 'a',
    kBuild = 'b',
    kGlobal = 'c',
    kDict = 'd',
    kEmptyDict = '}',
    kAppends = 'e',
    kGet = 'g',
    kBinGet = 'h',
    kInst = 'i',
    kLongBinGet = 'j',
    kList = 'l',
    kEmptyList = ']',
    kObj = 'o',
    kPut = 'p',
    kBinPut = 'q',
    kLongBinPut = 'r',
    kSetItem = 's',
    kTuple = 't',
    kEmptyTuple = ')',
    kSetItems = 'u',
    kBinFloat = 'G',
    kBinBytes = 'B',
    kShortBinBytes = 'C',
    kProto = 0x80,
    kNewObj = 0x81,
    kExt1 = 0x82,
    kExt2 = 0x83,
    kExt4 = 0x84,
    kTuple1 = 0x85,
    kTuple2 = 0x86,
    kTuple3 = 0x87,
    kNewTrue = 0x88,
    kNewFalse = 0x89,
    kLong1 = 0x8a,
    kLong4 = 0x8b,
    kShortBinUnicode = 0x8c,
    kBinUnicode8 = 0x8d,
    kBinBytes8 = 0x8e,
    kEmptySet = 0x8f,
    kAddItems = 0x90,
    kFrozenSet = 0x91,
    kNewObjEx = 0x92,
    kStackGlobal = 0x93,
    kMemoize = 0x94,
    kFrame = 0x95,
    kByteArray8 = 0x96,
    kNextBuffer = 0x97,
    kReadOnlyBuffer = 0x98,
  };

  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(store_.name + ": is no pickle that can be read: " + what + ", at byte " + std::to_string(place_));
  }
  [[noreturn]] void refuse(uint8_t opcode) const;

  // The next bytes of the file.
  std::string_view take(uint64_t count) {
    if (count > file_.size() - place_) fail("it is cut short");
    const std::string_view taken = file_.substr(place_, count);
    place_ += count;
    return taken;
  }
  // Up to the end of the line, without it.
  std::string_view take_line() {
    const size_t end = file_.find('\n', place_);
    if (end == std::string_view::npos) fail("it is cut short");
    std::string_view line = take(end + 1 - place_);
    line.remove_suffix(1);
    return line;
  }
  uint64_t take_number(size_t bytes) {
    const std::string_view taken = take(bytes);
    uint64_t number = 0;
    for (size_t i = bytes; i-- > 0;) number = number << 8 | static_cast<uint8_t>(taken[i]);
    return number;
  }

  PickleRef add(const PickleNode& node) {
    if (store_.nodes.size() >= kMostPickleValues)
      fail("it has more than " + std::to_string(kMostPickleValues) + " values");
    store_.nodes.push_back(node);
    return static_cast<PickleRef>(store_.nodes.size() - 1);
  }
  void push(PickleRef ref) { stack_.push_back(ref); }
  void push(const PickleNode& node) { push(add(node)); }
  void push_integer(int64_t value);
  void push_long(std::string_view little_endian);
  void push_line(uint8_t opcode);
  void push_text(PickleKind kind, std::string_view characters);
  void push_own_text(PickleKind kind, std::string text);

  size_t bottom() const { return marks_.empty() ? 0 : marks_.back(); }
  PickleRef top() const {
    if (stack_.size() <= bottom()) fail("it takes a value that is not there");
    return stack_.back();
  }
  PickleRef pop() {
    const PickleRef ref = top();
    stack_.pop_back();
    return ref;
  }
  size_t pop_mark() {
    if (marks_.empty()) fail("it goes back to a mark that is not there");
    const size_t mark = marks_.back();
    marks_.pop_back();
    return mark;
  }
  bool is(PickleRef ref, PickleKind kind) const { return PickleValue(store_, ref).is(kind); }
  std::string_view characters(PickleRef ref, const char* what) const {
    return PickleValue(store_, ref).characters(what);
  }

  bool push_number(uint8_t opcode);
  bool push_characters(uint8_t opcode);
  bool build(uint8_t opcode);
  bool remember(uint8_t opcode);
  bool call(uint8_t opcode);

  void push_tuple(size_t first);
  void push_list(PickleKind kind, size_t first);
  void extend(PickleKind kind, size_t first);
  void put(uint64_t key);
  void get(uint64_t key);
  uint64_t take_key();
  void push_global(std::string_view module, std::string_view name);
  void reduce();
  void push_encoded(PickleRef arguments);
  void push_ordered_dict(PickleRef arguments);
  void set_state();

  std::string_view file_;
  size_t place_ = 0;
  PickleStore& store_;
  std::vector<PickleRef> stack_, memo_;
  std::vector<size_t> marks_;
  size_t remembered_ = 0;  // places of the memo in use
  size_t own_bytes_ = 0;   // of store_.texts
  size_t pairs_ = 0;       // of OrderedDict's arguments
};

void Machine::refuse(uint8_t opcode) const {
  switch (opcode) {
    case kInst:
    case kObj:
    case kNewObj:
    case kNewObjEx:
    case kExt1:
    case kExt2:
    case kExt4:
      fail("it makes objects of classes, which is refused");
    case kEmptySet:
    case kAddItems:
    case kFrozenSet:
      fail("it has sets, which are not read");
    case kNextBuffer:
    case kReadOnlyBuffer:
      fail("its arrays are kept outside of it");
    default:
      fail("the byte " + std::to_string(opcode) + " is none of its opcodes (is this a pickle?)");
  }
}

void Machine::push_integer(int64_t value) {
  if (value >= 0 && value < int64_t{kNoRef & ~kSmallInteger})
    return push(kSmallInteger | static_cast<PickleRef>(value));
  PickleNode node{.kind = PickleKind::integer};
  node.integer = value;
  push(node);
}

// Two's complement, as many bytes as it takes.
void Machine::push_long(std::string_view little_endian) {
  if (little_endian.size() > sizeof(int64_t)) fail("it has an integer of more than 64 bits");
  const bool negative = !little_endian.empty() && (little_endian.back() & 0x80) != 0;
  uint64_t value = negative ? UINT64_MAX : 0;
  for (size_t i = little_endian.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(little_endian[i]);
  push_integer(static_cast<int64_t>(value));
}

// Protocol 0's numbers.
void Machine::push_line(uint8_t opcode) {
  std::string_view line = take_line();
  if (opcode == kInt && (line == "00" || line == "01"))
    return push(line == "01" ? PickleStore::kTrue : PickleStore::kFalse);
  if (opcode == kLong && line.ends_with('L')) line.remove_suffix(1);
  PickleNode node;
  const auto read = [&](auto& value) {
    const auto [end, fault] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (fault != std::errc() || end != line.data() + line.size())
      fail(in_quotes(std::string(line)) + " is no number that it can hold");
  };
  if (opcode != kFloat) {
    int64_t value = 0;
    read(value);
    return push_integer(value);
  }
  node.kind = PickleKind::real;
  node.real = 0;
  read(node.real);
  push(node);
}

void Machine::push_text(PickleKind kind, std::string_view characters) {
  if (characters.size() > UINT32_MAX) fail("it has a text of more than 4 GiB");
  PickleNode node{.kind = kind, .number = static_cast<uint32_t>(characters.size())};
  node.characters = characters.data();
  push(node);
}

// A few bytes of the file could ask for the same long text again and again.
void Machine::push_own_text(PickleKind kind, std::string text) {
  own_bytes_ += text.size();
  if (own_bytes_ > 3 * file_.size()) fail("it writes out more text than it has");
  store_.texts.push_back(std::move(text));
  push_text(kind, store_.texts.back());
}

bool Machine::push_number(uint8_t opcode) {
  switch (opcode) {
    case kNone:
      return push(PickleStore::kNone), true;
    case kNewTrue:
      return push(PickleStore::kTrue), true;
    case kNewFalse:
      return push(PickleStore::kFalse), true;
    case kBinInt:
      return push_integer(static_cast<int32_t>(take_number(4))), true;
    case kBinInt1:
      return push_integer(static_cast<int64_t>(take_number(1))), true;
    case kBinInt2:
      return push_integer(static_cast<int64_t>(take_number(2))), true;
    case kLong1:
      return push_long(take(take_number(1))), true;
    case kLong4:
      return push_long(take(take_number(4))), true;
    case kInt:
    case kLong:
    case kFloat:
      return push_line(opcode), true;
    case kBinFloat: {
      PickleNode node{.kind = PickleKind::real};
      node.real = std::bit_cast<double>(__builtin_bswap64(take_number(8)));
      return push(node), true;
    }
    default:
      return false;
  }
}

bool Machine::push_characters(uint8_t opcode) {
  switch (opcode) {
    case kShortBinString:
    case kShortBinBytes:
      return push_text(PickleKind::bytes, take(take_number(1))), true;
    case kBinString:
    case kBinBytes:
      return push_text(PickleKind::bytes, take(take_number(4))), true;
    case kBinBytes8:
    case kByteArray8:
      return push_text(PickleKind::bytes, take(take_number(8))), true;
    case kShortBinUnicode:
      return push_text(PickleKind::text, take(take_number(1))), true;
    case kBinUnicode:
      return push_text(PickleKind::text, take(take_number(4))), true;
    case kBinUnicode8:
      return push_text(PickleKind::text, take(take_number(8))), true;
    case kString:
    case kUnicode: {
      const std::string_view line = take_line();
      std::optional<std::string> text = opcode == kString ? unquote_python(line) : unescape_unicode(line);
      if (!text) fail(in_quotes(std::string(line)) + " is no text as Python writes it");
      return push_own_text(opcode == kString ? PickleKind::bytes : PickleKind::text, *std::move(text)), true;
    }
    default:
      return false;
  }
}

// A tuple of the stack's values from here on.
void Machine::push_tuple(size_t first) {
  const size_t count = stack_.size() - first;
  if (count == 0) return push(PickleStore::kEmptyTuple);
  PickleNode node{.kind = PickleKind::tuple, .number = static_cast<uint32_t>(count)};
  node.first = store_.elements.size();
  store_.elements.insert(store_.elements.end(), stack_.begin() + static_cast<std::ptrdiff_t>(first), stack_.end());
  stack_.resize(first);
  push(node);
}

void Machine::push_list(PickleKind kind, size_t first) {
  stack_.insert(stack_.begin() + static_cast<std::ptrdiff_t>(first), add({.kind = kind, .number = kNoRef}));
  extend(kind, first + 1);
}

// Moves the stack's values from here on to the list or dict below them.
void Machine::extend(PickleKind kind, size_t first) {
  if (first < bottom() + 1 || first > stack_.size()) fail("it takes a value that is not there");
  const PickleRef ref = stack_[first - 1];
  if (!is(ref, kind)) PickleValue(store_, ref).wrong_kind("what values are added to", name_of(kind));
  if (kind == PickleKind::dict && (stack_.size() - first) % 2 != 0) fail("a key in it has no value");
  if (first == stack_.size()) return;
  PickleNode& node = store_.nodes[ref];
  if (node.number == kNoRef) {
    node.number = static_cast<uint32_t>(store_.lists.size());
    store_.lists.emplace_back();
  }
  std::vector<PickleRef>& list = store_.lists[node.number];
  list.insert(list.end(), stack_.begin() + static_cast<std::ptrdiff_t>(first), stack_.end());
  stack_.resize(first);
}

bool Machine::build(uint8_t opcode) {
  const auto last = [&](size_t count) {
    if (stack_.size() < bottom() + count) fail("it takes a value that is not there");
    return stack_.size() - count;
  };
  switch (opcode) {
    case kMark:
      return marks_.push_back(stack_.size()), true;
    case kEmptyTuple:
      return push(PickleStore::kEmptyTuple), true;
    case kTuple1:
      return push_tuple(last(1)), true;
    case kTuple2:
      return push_tuple(last(2)), true;
    case kTuple3:
      return push_tuple(last(3)), true;
    case kTuple:
      return push_tuple(pop_mark()), true;
    case kEmptyList:
      return push_list(PickleKind::list, stack_.size()), true;
    case kEmptyDict:
      return push_list(PickleKind::dict, stack_.size()), true;
    case kList:
      return push_list(PickleKind::list, pop_mark()), true;
    case kDict:
      return push_list(PickleKind::dict, pop_mark()), true;
    case kAppend:
      return extend(PickleKind::list, last(1)), true;
    case kAppends:
      return extend(PickleKind::list, pop_mark()), true;
    case kSetItem:
      return extend(PickleKind::dict, last(2)), true;
    case kSetItems:
      return extend(PickleKind::dict, pop_mark()), true;
    default:
      return false;
  }
}

void Machine::put(uint64_t key) {
  // Whoever writes pickles counts from 0 or 1.
  if (key > place_) fail("it remembers a value under a number that is out of reach");
  if (memo_.size() <= key) memo_.resize(key + 1, kNoRef);
  if (memo_[key] == kNoRef) ++remembered_;
  memo_[key] = top();
}

void Machine::get(uint64_t key) {
  if (key >= memo_.size() || memo_[key] == kNoRef) fail("it asks for a value that it has not remembered");
  push(memo_[key]);
}

// Protocol 0's: a line of digits.
uint64_t Machine::take_key() {
  const std::string_view line = take_line();
  uint64_t key = 0;
  const auto [end, fault] = std::from_chars(line.data(), line.data() + line.size(), key);
  if (fault != std::errc() || end != line.data() + line.size()) fail(in_quotes(std::string(line)) + " is no number");
  return key;
}

// The memo, the stack, and what is about the pickle itself.
bool Machine::remember(uint8_t opcode) {
  switch (opcode) {
    case kPut:
      return put(take_key()), true;
    case kBinPut:
      return put(take_number(1)), true;
    case kLongBinPut:
      return put(take_number(4)), true;
    case kMemoize:
      return put(remembered_), true;
    case kGet:
      return get(take_key()), true;
    case kBinGet:
      return get(take_number(1)), true;
    case kLongBinGet:
      return get(take_number(4)), true;
    case kDup:
      return push(top()), true;
    case kPop:  // of a mark, where nothing is above it
      if (!marks_.empty() && stack_.size() == marks_.back()) return pop_mark(), true;
      return pop(), true;
    case kPopMark:
      return stack_.resize(pop_mark()), true;
    case kProto:
      if (const uint64_t protocol = take_number(1); protocol > kNewestProtocol)
        fail("it has protocol " + std::to_string(protocol) + ", where those up to " + std::to_string(kNewestProtocol) +
             " are read");
      return true;
    case kFrame:
      if (take_number(8) > file_.size() - place_) fail("it is cut short");
      return true;
    default:
      return false;
  }
}

void Machine::push_global(std::string_view module, std::string_view name) {
  const std::span<const PickleName> names = pickle_names();
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i].module == module && names[i].name == name)
      return push({.kind = PickleKind::global, .number = static_cast<uint32_t>(i)});
  throw DataError(store_.name + ": names " + in_quotes(std::string(module) + "." + std::string(name)) +
                  ", which no pickle of numbers needs; such files are refused, and nothing of it was run");
}

// Text to bytes, as Python 3 writes bytes for Python 2.
void Machine::push_encoded(PickleRef arguments) {
  const PickleValue all(store_, arguments);
  const std::string_view encoding = all.element(1, "_codecs.encode's arguments").characters("an encoding");
  if (encoding != "latin1" && encoding != "latin-1")
    fail("it has the encoding " + in_quotes(std::string(encoding)) + ", where latin1 is read");
  std::optional<std::string> text = latin1(all.element(0, "_codecs.encode's arguments").characters("what is encoded"));
  if (!text) fail("it has characters that latin1 has not");
  push_own_text(PickleKind::bytes, *std::move(text));
}

// Empty, or of a list of pairs as Python 2 has it.
void Machine::push_ordered_dict(PickleRef arguments) {
  const size_t first = stack_.size();
  const PickleValue all(store_, arguments);
  if (all.size("OrderedDict's arguments") > 0) {
    const PickleValue pairs = all.element(0, "OrderedDict's arguments");
    pairs_ += pairs.size("OrderedDict's pairs");
    if (pairs_ > file_.size()) fail("it takes the same list apart again and again");
    for (size_t i = 0; i < pairs.size("OrderedDict's pairs"); ++i)
      for (size_t side = 0; side < 2; ++side)
        push(pairs.element(i, "OrderedDict's pairs").element(side, "a pair").place());
  }
  push_list(PickleKind::dict, first);
}

void Machine::reduce() {
  const PickleRef arguments = pop(), callee = pop();
  if (!is(callee, PickleKind::global)) PickleValue(store_, callee).wrong_kind("what it calls", "a name");
  if (!is(arguments, PickleKind::tuple)) PickleValue(store_, arguments).wrong_kind("arguments", "a tuple");
  const PickleName& name = pickle_names()[store_.nodes[callee].number];
  if (!name.callable) fail(std::string("it calls ") + name.full_name + ", which is no function");
  switch (name.global) {
    case PickleGlobal::encode:
      return push_encoded(arguments);
    case PickleGlobal::ordered_dict:
      return push_ordered_dict(arguments);
    case PickleGlobal::empty_bytes:
      if (arguments != PickleStore::kEmptyTuple) fail("it calls bytes with arguments");
      return push_text(PickleKind::bytes, {});
    default:
      break;
  }
  PickleNode node{.kind = PickleKind::call};
  node.first = store_.elements.size();
  for (const PickleRef part : {callee, arguments, PickleStore::kNone}) store_.elements.push_back(part);
  push(node);
}

// What a call's result is given; a dict's attributes do not matter.
void Machine::set_state() {
  const PickleRef state = pop(), target = top();
  if (is(target, PickleKind::dict)) return;
  if (!is(target, PickleKind::call)) PickleValue(store_, target).wrong_kind("what is given a state", "a call");
  PickleRef& place = store_.elements[store_.nodes[target].first + 2];
  if (place != PickleStore::kNone) fail("it gives an array two states");
  place = state;
}

bool Machine::call(uint8_t opcode) {
  switch (opcode) {
    case kGlobal: {
      const std::string_view module = take_line();
      return push_global(module, take_line()), true;
    }
    case kStackGlobal: {
      const PickleRef name = pop(), module = pop();
      return push_global(characters(module, "a module"), characters(name, "a name")), true;
    }
    case kReduce:
      return reduce(), true;
    case kBuild:
      return set_state(), true;
    case kPersId:
      push_text(PickleKind::text, take_line());
      return push({.kind = PickleKind::outside, .number = pop()}), true;
    case kBinPersId:
      return push({.kind = PickleKind::outside, .number = pop()}), true;
    default:
      return false;
  }
}

}  // namespace

size_t read_pickle(std::span<const std::byte> file, PickleStore& store) {
  const size_t end = Machine(file, store).run();
  check_nesting(store);
  return end;
}

}  // namespace cairn
