#include "datasets/torch_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <set>

#include "datasets/archive.h"
#include "framework/error.h"
#include "framework/message.h"
#include "framework/pickle.h"

namespace cairn::datasets {
namespace {

constexpr std::string_view kZip = "PK\3\4", kOldPickle = "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr std::string_view kPickle = "/data.pkl", kOrder = "/byteorder";
constexpr uint64_t kMostPickleBytes = uint64_t{64} << 20;
// Tensors may share a storage. All of them together have no more values than so many times what is stored.
constexpr uint64_t kMostSharing = 8;

bool begins_with(std::span<const uint8_t> file, std::string_view mark) {
  return file.size() >= mark.size() && std::memcmp(file.data(), mark.data(), mark.size()) == 0;
}

struct StorageType {
  std::string_view name;
  size_t bytes;  // of an element
  DType becomes;
};
constexpr StorageType kTypes[] = {{"torch.FloatStorage", 4, DType::f32}, {"torch.DoubleStorage", 8, DType::f32},
                                  {"torch.HalfStorage", 2, DType::f32},  {"torch.BFloat16Storage", 2, DType::f32},
                                  {"torch.LongStorage", 8, DType::i64},  {"torch.IntStorage", 4, DType::i32},
                                  {"torch.ByteStorage", 1, DType::u8},   {"torch.BoolStorage", 1, DType::u8}};

// A tensor as the pickle has it: a view of a storage.
struct View {
  std::string name, storage;
  const StorageType* type = nullptr;
  int64_t stored = 0;  // elements of the storage
  int64_t offset = 0;
  Shape shape;
  std::vector<int64_t> strides;
};

std::vector<int64_t> integers_of(const PickleValue& value, const char* what) {
  std::vector<int64_t> all;
  for (size_t i = 0; i < value.size(what); ++i) all.push_back(value.element(i, what).integer(what));
  return all;
}

bool is_tensor(const PickleValue& value) {
  if (!value.is(PickleKind::call)) return false;
  const PickleGlobal made_by = value.callee("a tensor").global("what makes a tensor");
  return made_by == PickleGlobal::torch_tensor || made_by == PickleGlobal::torch_parameter;
}

// ('storage', type, key, where it was, elements)
void read_storage(const PickleValue& value, const std::string& where, View& view) {
  const PickleValue parts = value.element(0, "a storage");
  const std::string_view type = parts.element(1, "a storage").global_name("a storage's type");
  const auto* const known = std::ranges::find(kTypes, type, &StorageType::name);
  if (known == std::end(kTypes)) throw DataError(where + " has numbers of the type " + in_quotes(std::string(type)));
  view.type = known;
  view.storage = parts.element(2, "a storage").characters("a storage's key");
  view.stored = parts.element(4, "a storage").integer("a storage's size");
}

// The values that a view reaches must be there, and as few as the storage's at most.
void check_view(const View& view, const std::string& where) {
  int64_t last = view.offset;
  for (int i = 0; i < view.shape.rank(); ++i) {
    const int64_t stride = view.strides[static_cast<size_t>(i)];
    int64_t reach = 0;
    if (stride < 0 || __builtin_mul_overflow(std::max<int64_t>(view.shape[i] - 1, 0), stride, &reach) ||
        __builtin_add_overflow(last, reach, &last))
      throw DataError(where + " has strides that lead out of its storage");
  }
  const int64_t count = view.shape.count();
  if (view.offset < 0 || view.stored < 0 || count > view.stored || (count > 0 && last >= view.stored))
    throw DataError(fmt::format("{} has {} values from place {} to {}, its storage has {}", where, count, view.offset,
                                last, view.stored));
}

View read_view(PickleValue value, const std::string& name, const std::string& file) {
  const std::string where = file + ": tensor " + in_quotes(name);
  if (value.callee("a tensor").global("what makes a tensor") == PickleGlobal::torch_parameter)
    value = value.arguments("a parameter").element(0, "a parameter");
  if (!is_tensor(value)) throw DataError(where + " is a parameter of something that is no tensor");
  const PickleValue parts = value.arguments("a tensor");
  View view{.name = name};
  read_storage(parts.element(0, "a tensor"), where, view);
  view.offset = parts.element(1, "a tensor").integer("a tensor's place");
  const std::vector<int64_t> sizes = integers_of(parts.element(2, "a tensor"), "a tensor's shape");
  view.strides = integers_of(parts.element(3, "a tensor"), "a tensor's strides");
  if (sizes.size() > Shape::kMaxRank || sizes.size() != view.strides.size())
    throw DataError(fmt::format("{} has {} dimensions and {} strides, where up to {} of each are read", where,
                                sizes.size(), view.strides.size(), Shape::kMaxRank));
  try {
    view.shape = Shape(sizes);
    bytes_of(view.shape, DType::f64);
  } catch (const ShapeError& error) {
    throw DataError(where + ": " + error.what());
  }
  check_view(view, where);
  return view;
}

// Whether it is a dict whose values are tensors, at least one.
bool is_state(const PickleValue& value) {
  if (!value.is(PickleKind::dict)) return false;
  const size_t count = value.pairs("a dict");
  size_t tensors = 0;
  for (size_t i = 0; i < count; ++i) tensors += is_tensor(value.value(i, "a dict"));
  return tensors > 0 && tensors == count;
}

PickleValue state_of(const PickleValue& root, const std::string& file) {
  if (is_state(root)) return root;
  if (root.is(PickleKind::dict))
    for (const char* key : {"state_dict", "model_state_dict", "model", "net"})
      if (const auto found = root.find(key, "what was saved"); found && is_state(*found)) return *found;
  throw DataError(file +
                  ": holds no tensors by name, as it or as its 'state_dict', 'model_state_dict', 'model' or 'net'");
}

std::string without_marks(std::string_view name) {
  for (bool found = true; found;) {
    found = false;
    for (const std::string_view mark : {"module.", "_orig_mod."})
      if (name.starts_with(mark)) name.remove_prefix(mark.size()), found = true;
  }
  return std::string(name);
}

// In a name of a DenseNet's layer the dot goes that once stood before the number: denselayer1.norm.1.weight.
std::string with_todays_name(std::string name) {
  const size_t layer = name.find("denselayer");
  if (layer == std::string::npos) return name;
  for (const std::string_view part : {".norm.", ".conv."}) {
    const size_t found = name.find(part, layer), number = found + part.size();
    if (found == std::string::npos || number + 1 >= name.size() || name[number + 1] != '.') continue;
    if (name[number] == '1' || name[number] == '2') name.erase(number - 1, 1);
  }
  return name;
}

std::vector<View> read_views(const PickleValue& state, const std::string& file) {
  std::vector<View> views;
  std::set<std::string> names;
  for (size_t i = 0; i < state.pairs("the tensors"); ++i) {
    const std::string name = with_todays_name(without_marks(state.key(i, "the tensors").characters("a tensor's name")));
    if (!names.insert(name).second) throw DataError(file + ": has two tensors " + in_quotes(name));
    views.push_back(read_view(state.value(i, "the tensors"), name, file));
  }
  return views;
}

// IEEE 754's numbers of 16 bits: 5 of the exponent, 10 of the fraction.
float from_half(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16, exponent = half >> 10 & 31u, fraction = half & 0x3FFu;
  if (exponent == 0)
    return std::bit_cast<float>(sign) + (sign ? -1.0f : 1.0f) * static_cast<float>(fraction) * 0x1p-24f;
  const uint32_t widened = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | widened << 23 | fraction << 13);
}

// One element of a storage as it is kept here.
void convert(const StorageType& type, const uint8_t* from, std::byte* to) {
  float value = 0;
  if (type.name == "torch.DoubleStorage") {
    double wide = 0;
    std::memcpy(&wide, from, sizeof wide);
    value = static_cast<float>(wide);
  } else if (type.name == "torch.HalfStorage" || type.name == "torch.BFloat16Storage") {
    uint16_t narrow = 0;
    std::memcpy(&narrow, from, sizeof narrow);
    value = type.name == "torch.HalfStorage" ? from_half(narrow) : std::bit_cast<float>(uint32_t{narrow} << 16);
  } else {
    std::memcpy(to, from, type.bytes);
    return;
  }
  std::memcpy(to, &value, sizeof value);
}

bool is_row_major(const View& view) {
  int64_t expected = 1;
  for (int i = view.shape.rank(); i-- > 0;) {
    if (view.shape[i] != 1 && view.strides[static_cast<size_t>(i)] != expected) return false;
    expected *= view.shape[i];
  }
  return true;
}

HostTensor take(const View& view, std::span<const uint8_t> storage) {
  HostTensor tensor{.name = view.name, .dtype = view.type->becomes, .shape = view.shape};
  const size_t width = size_of(tensor.dtype);
  const auto count = static_cast<size_t>(view.shape.count());
  tensor.bytes.resize(count * width);
  const uint8_t* begin = storage.data() + static_cast<size_t>(view.offset) * view.type->bytes;
  const bool same = view.type->bytes == width;  // no other type of that size becomes another
  if (same && is_row_major(view)) {
    if (count > 0) std::memcpy(tensor.bytes.data(), begin, tensor.bytes.size());
    return tensor;
  }
  std::array<int64_t, Shape::kMaxRank> index{};
  for (size_t i = 0; i < count; ++i) {
    int64_t place = 0;
    for (int d = 0; d < view.shape.rank(); ++d)
      place += index[static_cast<size_t>(d)] * view.strides[static_cast<size_t>(d)];
    convert(*view.type, begin + static_cast<size_t>(place) * view.type->bytes, tensor.bytes.data() + i * width);
    for (int d = view.shape.rank(); d-- > 0 && ++index[static_cast<size_t>(d)] == view.shape[d];)
      index[static_cast<size_t>(d)] = 0;
  }
  return tensor;
}

// The folder that the archive has everything in, without its '/'.
std::string folder_of(const std::vector<std::string>& names, const std::string& file) {
  std::string folder;
  int found = 0;
  for (const std::string& each : names)
    if (each.ends_with(kPickle)) ++found, folder = each.substr(0, each.size() - kPickle.size());
  if (found != 1)
    throw DataError(
        fmt::format("{}: is a zip archive with {} files data.pkl, where torch.save writes one", file, found));
  return folder;
}

}  // namespace

bool is_torch_file(std::span<const uint8_t> file) {
  return begins_with(file, kZip) || begins_with(file, kOldPickle);
}

namespace {

// storage_of(key): its bytes.
template <class StorageOf>
std::vector<HostTensor> take_all(const std::vector<View>& views, const std::string& name, size_t file_bytes,
                                 const StorageOf& storage_of) {
  uint64_t left = kMostSharing * file_bytes;
  std::vector<HostTensor> tensors;
  for (const View& view : views) {
    const std::span<const uint8_t> storage = storage_of(view.storage);
    if (storage.size() / view.type->bytes < static_cast<uint64_t>(view.stored))
      throw DataError(fmt::format("{}: tensor {} should have a storage of {} values of {} bytes, there are {} bytes",
                                  name, in_quotes(view.name), view.stored, view.type->bytes, storage.size()));
    const auto bytes = static_cast<uint64_t>(view.shape.count()) * size_of(view.type->becomes);
    if (bytes > left) throw DataError(name + ": its tensors share their storages more often than a network's do");
    left -= bytes;
    tensors.push_back(take(view, storage));
  }
  return tensors;
}

// ---- the form of before 1.6 --------------------------------------------------------------------------------------
//
// Pickles of a magic number, of a version, of facts about the machine, of what was saved, and of the storages' keys in
// the order in which they follow: of each the number of elements, 8 bytes, and the elements. How wide they are stands
// where the storage is named in what was saved, an optimizer's too.

class OldFile {
 public:
  OldFile(std::span<const uint8_t> file, const std::string& name) : file_(file), name_(name) {
    place_ = kOldPickle.size() + 1;
    if (file.size() < place_ || file[place_ - 1] != '.') throw DataError(name + ": is cut short");
    const Pickle version = next("version");
    if (version.root().integer("the version") != kVersion)
      throw DataError(
          fmt::format("{}: is of version {}, where {} is read", name, version.root().integer("the version"), kVersion));
    const Pickle machine = next("machine");
    const auto little = machine.root().find("little_endian", "the machine");
    if (little && !little->boolean("the machine's order of bytes"))
      throw DataError(name + ": its numbers have their bytes in the other order");
  }

  Pickle next(const char* part) {
    const size_t most = std::min<size_t>(file_.size() - place_, kMostPickleBytes);
    size_t used = 0;
    Pickle pickle(std::as_bytes(file_.subspan(place_, most)), name_ + ": its pickle of the " + part, &used);
    place_ += used;
    return pickle;
  }

  // The storages that the keys name, in their order. types: by key.
  void read_storages(const PickleValue& keys, const std::map<std::string, const StorageType*>& types) {
    for (size_t i = 0; i < keys.size("the storages' keys"); ++i) {
      const std::string key(keys.element(i, "the storages' keys").characters("a storage's key"));
      const auto type = types.find(key);
      if (type == types.end()) throw DataError(name_ + ": has a storage " + in_quotes(key) + " that nothing names");
      int64_t count = 0;
      std::memcpy(&count, take(key, sizeof count).data(), sizeof count);
      if (count < 0 || static_cast<uint64_t>(count) > file_.size()) cut_short(key);
      storages_[key] = take(key, static_cast<size_t>(count) * type->second->bytes);
    }
  }

  std::span<const uint8_t> storage(const std::string& key) const {
    const auto found = storages_.find(key);
    if (found == storages_.end()) throw DataError(name_ + ": has no storage " + in_quotes(key));
    return found->second;
  }

 private:
  static constexpr int64_t kVersion = 1001;

  [[noreturn]] void cut_short(const std::string& key) const {
    throw DataError(name_ + ": is cut short in storage " + in_quotes(key));
  }
  std::span<const uint8_t> take(const std::string& key, size_t bytes) {
    if (bytes > file_.size() - place_) cut_short(key);
    const std::span<const uint8_t> taken = file_.subspan(place_, bytes);
    place_ += bytes;
    return taken;
  }

  std::span<const uint8_t> file_;
  const std::string& name_;
  size_t place_ = 0;
  std::map<std::string, std::span<const uint8_t>> storages_;
};

// Of every storage that a value names, whatever it is part of; each value is looked at once.
void collect_types(const PickleValue& value, const std::string& name, std::set<uint32_t>& seen,
                   std::map<std::string, const StorageType*>& types) {
  const auto look_into = [&](const PickleValue& part) { collect_types(part, name, seen, types); };
  if (value.is(PickleKind::integer) || !seen.insert(value.place()).second) return;
  if (value.is(PickleKind::outside)) {
    View view;
    read_storage(value, name + ": what was saved", view);
    if (const PickleValue parts = value.element(0, "a storage");
        parts.size("a storage") > 5 && !parts.element(5, "a storage").is(PickleKind::none))
      throw DataError(name + ": has a storage that is a part of another one");
    types[view.storage] = view.type;
  } else if (value.is(PickleKind::list) || value.is(PickleKind::tuple)) {
    for (size_t i = 0; i < value.size("what was saved"); ++i) look_into(value.element(i, "what was saved"));
  } else if (value.is(PickleKind::dict)) {
    for (size_t i = 0; i < value.pairs("what was saved"); ++i) look_into(value.value(i, "what was saved"));
  } else if (value.is(PickleKind::call)) {
    look_into(value.arguments("what was saved"));
  }
}

std::vector<HostTensor> read_old_form(std::span<const uint8_t> bytes, const std::string& name) {
  OldFile file(bytes, name);
  const Pickle saved = file.next("network");
  const std::vector<View> views = read_views(state_of(saved.root(), name), name);
  std::map<std::string, const StorageType*> types;
  std::set<uint32_t> seen;
  collect_types(saved.root(), name, seen, types);
  const Pickle keys = file.next("storages");
  file.read_storages(keys.root(), types);
  return take_all(views, name, bytes.size(), [&](const std::string& key) { return file.storage(key); });
}

}  // namespace

std::vector<HostTensor> read_torch_file(std::span<const uint8_t> file, const std::string& name) {
  if (begins_with(file, kOldPickle)) return read_old_form(file, name);
  const std::vector<std::string> names = zip_names(file, name);
  const std::string folder = folder_of(names, name);
  std::vector<std::string> wanted{folder + std::string(kPickle)};
  if (std::ranges::count(names, folder + std::string(kOrder)) > 0) wanted.push_back(folder + std::string(kOrder));
  const std::vector<ZipMember> head = read_zip(file, wanted, kMostPickleBytes, name);
  if (head.size() > 1 && !begins_with(head[1].content, "little"))
    throw DataError(name + ": its numbers have their bytes in the other order");
  const Pickle pickle(std::as_bytes(head[0].content), name + ": data.pkl");
  const std::vector<View> views = read_views(state_of(pickle.root(), name), name);

  std::map<std::string, size_t> places;
  std::vector<std::string> members;
  for (const View& view : views)
    if (places.emplace(view.storage, members.size()).second) members.push_back(folder + "/data/" + view.storage);
  const std::vector<ZipMember> storages = read_zip(file, members, file.size(), name);
  return take_all(views, name, file.size(), [&](const std::string& key) { return storages[places[key]].content; });
}

}  // namespace cairn::datasets
