#include "framework/pickle.h"

#include "framework/error.h"
#include "framework/file.h"
#include "framework/pickle_machine.h"

namespace cairn {
namespace {

// numpy 2 moved what it names; Python 3 renamed builtins.
constexpr PickleName kPickleNames[] = {
    {PickleGlobal::numpy_reconstruct, "numpy.core.multiarray", "_reconstruct", "numpy.reconstruct", true},
    {PickleGlobal::numpy_reconstruct, "numpy._core.multiarray", "_reconstruct", "numpy.reconstruct", true},
    {PickleGlobal::numpy_from_buffer, "numpy.core.numeric", "_frombuffer", "numpy.frombuffer", true},
    {PickleGlobal::numpy_from_buffer, "numpy._core.numeric", "_frombuffer", "numpy.frombuffer", true},
    {PickleGlobal::numpy_array, "numpy", "ndarray", "numpy.ndarray", false},
    {PickleGlobal::numpy_dtype, "numpy", "dtype", "numpy.dtype", true},
    {PickleGlobal::encode, "_codecs", "encode", "_codecs.encode", true},
    {PickleGlobal::empty_bytes, "__builtin__", "bytes", "bytes", true},
    {PickleGlobal::empty_bytes, "builtins", "bytes", "bytes", true},
    {PickleGlobal::ordered_dict, "collections", "OrderedDict", "collections.OrderedDict", true},
    {PickleGlobal::torch_tensor, "torch._utils", "_rebuild_tensor_v2", "torch.rebuild_tensor", true},
    {PickleGlobal::torch_tensor, "torch._utils", "_rebuild_tensor", "torch.rebuild_tensor", true},
    {PickleGlobal::torch_parameter, "torch._utils", "_rebuild_parameter", "torch.rebuild_parameter", true},
    {PickleGlobal::torch_storage, "torch", "FloatStorage", "torch.FloatStorage", false},
    {PickleGlobal::torch_storage, "torch", "DoubleStorage", "torch.DoubleStorage", false},
    {PickleGlobal::torch_storage, "torch", "HalfStorage", "torch.HalfStorage", false},
    {PickleGlobal::torch_storage, "torch", "BFloat16Storage", "torch.BFloat16Storage", false},
    {PickleGlobal::torch_storage, "torch", "LongStorage", "torch.LongStorage", false},
    {PickleGlobal::torch_storage, "torch", "IntStorage", "torch.IntStorage", false},
    {PickleGlobal::torch_storage, "torch", "ByteStorage", "torch.ByteStorage", false},
    {PickleGlobal::torch_storage, "torch", "BoolStorage", "torch.BoolStorage", false},
};

const PickleNode& node_of(const PickleStore& store, PickleRef place, PickleKind kind, const char* what,
                          const char* wanted) {
  const PickleValue value(store, place);
  if (!value.is(kind)) value.wrong_kind(what, wanted);
  return store.nodes[place];
}

}  // namespace

std::span<const PickleName> pickle_names() {
  return kPickleNames;
}

const char* name_of(PickleKind kind) {
  constexpr const char* kNamesOfKinds[] = {"None",   "a truth value", "an integer", "a real number",
                                           "a text", "bytes",         "a list",     "a tuple",
                                           "a dict", "a name",        "a call",     "something outside"};
  return kNamesOfKinds[static_cast<size_t>(kind)];
}

PickleKind PickleValue::kind() const {
  return (place_ & kSmallInteger) != 0 ? PickleKind::integer : store_->nodes[place_].kind;
}

const std::string& PickleValue::file() const {
  return store_->name;
}

void PickleValue::wrong_kind(const char* what, const char* wanted) const {
  throw DataError(store_->name + ": " + what + " is " + name_of(kind()) + ", where " + wanted + " belongs");
}

bool PickleValue::boolean(const char* what) const {
  return node_of(*store_, place_, PickleKind::boolean, what, "a truth value").integer != 0;
}

int64_t PickleValue::integer(const char* what) const {
  if ((place_ & kSmallInteger) != 0) return place_ & ~kSmallInteger;
  return node_of(*store_, place_, PickleKind::integer, what, "an integer").integer;
}

double PickleValue::real(const char* what) const {
  return node_of(*store_, place_, PickleKind::real, what, "a real number").real;
}

std::string_view PickleValue::characters(const char* what) const {
  if (!is(PickleKind::text) && !is(PickleKind::bytes)) wrong_kind(what, "a text");
  const PickleNode& node = store_->nodes[place_];
  return {node.characters, node.number};
}

size_t PickleValue::size(const char* what) const {
  if (!is(PickleKind::list) && !is(PickleKind::tuple) && !is(PickleKind::outside)) wrong_kind(what, "a list");
  return store_->children(store_->nodes[place_]).size();
}

PickleValue PickleValue::element(size_t i, const char* what) const {
  const size_t count = size(what);
  if (i < count) return {*store_, store_->children(store_->nodes[place_])[i]};
  throw DataError(store_->name + ": " + what + " has " + std::to_string(count) + " elements, where " +
                  std::to_string(i + 1) + " or more belong");
}

std::optional<PickleValue> PickleValue::find(std::string_view key, const char* what) const {
  const std::span<const PickleRef> all = store_->children(node_of(*store_, place_, PickleKind::dict, what, "a dict"));
  for (size_t i = all.size(); i >= 2; i -= 2) {
    const PickleValue its_key(*store_, all[i - 2]);
    if (!its_key.is(PickleKind::text) && !its_key.is(PickleKind::bytes)) continue;
    if (its_key.characters("a key") == key) return PickleValue(*store_, all[i - 1]);
  }
  return std::nullopt;
}

size_t PickleValue::pairs(const char* what) const {
  return store_->children(node_of(*store_, place_, PickleKind::dict, what, "a dict")).size() / 2;
}

PickleValue PickleValue::key(size_t i, const char* what) const {
  return {*store_, store_->children(node_of(*store_, place_, PickleKind::dict, what, "a dict"))[2 * i]};
}

PickleValue PickleValue::value(size_t i, const char* what) const {
  return {*store_, store_->children(node_of(*store_, place_, PickleKind::dict, what, "a dict"))[2 * i + 1]};
}

PickleGlobal PickleValue::global(const char* what) const {
  return kPickleNames[node_of(*store_, place_, PickleKind::global, what, "a name").number].global;
}

std::string_view PickleValue::global_name(const char* what) const {
  return kPickleNames[node_of(*store_, place_, PickleKind::global, what, "a name").number].full_name;
}

PickleValue PickleValue::callee(const char* what) const {
  return {*store_, store_->children(node_of(*store_, place_, PickleKind::call, what, "a call"))[0]};
}

PickleValue PickleValue::arguments(const char* what) const {
  return {*store_, store_->children(node_of(*store_, place_, PickleKind::call, what, "a call"))[1]};
}

PickleValue PickleValue::state(const char* what) const {
  return {*store_, store_->children(node_of(*store_, place_, PickleKind::call, what, "a call"))[2]};
}

Pickle::Pickle(std::span<const std::byte> file, std::string name, size_t* used)
    : store_(std::make_unique<PickleStore>()) {
  store_->name = std::move(name);
  const size_t end = read_pickle(file, *store_);
  if (used)
    *used = end;
  else if (end != file.size())
    throw DataError(store_->name + ": is no pickle that can be read: " + std::to_string(file.size() - end) +
                    " bytes follow its end, at byte " + std::to_string(end));
}

Pickle::~Pickle() = default;
Pickle::Pickle(Pickle&&) noexcept = default;

PickleValue Pickle::root() const {
  return {*store_, store_->root};
}

}  // namespace cairn
