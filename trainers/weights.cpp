#include "trainers/weights.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "datasets/file.h"
#include "datasets/torch_file.h"
#include "framework/error.h"
#include "framework/file.h"
#include "framework/json_text.h"
#include "framework/safetensors.h"
#include "trainers/run_config.h"
#include "trainers/run_folder.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModelFile = "model.safetensors";
constexpr const char* kAverageFile = "average.safetensors";  // what was evaluated, where there is one
constexpr const char* kConfigFile = "config.json";
constexpr uint64_t kMaxConfigBytes = 1 << 20;

// The run's settings, or an empty object where there are none.
nlohmann::json read_config(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return nlohmann::json::object();
  const InputFile file(path);
  if (file.size() > kMaxConfigBytes)
    throw DataError(path.string() + ": has " + std::to_string(file.size()) + " bytes, too many for a run's settings");
  std::string text(file.size(), '\0');
  file.read(0, std::as_writable_bytes(std::span(text)));
  const nlohmann::json config = parse_json(text);
  if (!config.is_object()) throw DataError(path.string() + ": is not a JSON object with a run's settings");
  return config;
}

// What evaluation sees of the augmentation and of texts, where the run had it otherwise than its recipe. Throws as
// check_config does.
void change_by(const nlohmann::json& config, const fs::path& file, Weights& weights) {
  const auto change = [&](const char* name, auto& value) {
    if (!config.contains(name)) return;
    try {
      value = config[name].template get<std::decay_t<decltype(value)>>();
    } catch (const nlohmann::json::exception&) {
      throw DataError(file.string() + ": '" + name + "' cannot be " + in_quotes(dump_json(config[name])));
    }
  };
  change("crop", weights.augmentation.crop);
  change("pad", weights.augmentation.pad);
  change("standardise", weights.augmentation.standardise);
  change("vocabulary", weights.text.vocabulary);
  change("text-length", weights.text.length);
  change("keep-last", weights.text.keep_last);
  change("pad-front", weights.text.pad_front);
  change("start-token", weights.text.start_token);
  change("top-specials", weights.text.top_specials);
  check_input(*weights.model, weights.augmentation, weights.text);
}

// Of the data set that the network was trained on: where only its files say them, the run has kept them.
std::vector<std::string> class_names_of(const Weights& weights) {
  std::vector<std::string> names = datasets::find_dataset(weights.trained_on).class_names;
  const fs::path path = weights.file.parent_path() / kClassesFile;
  std::error_code error;
  if (!names.empty() || names_pipe(weights.file) || !fs::exists(path, error)) return names;
  const datasets::Bytes bytes = datasets::read_file(path);
  for (auto rest = std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()); !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    names.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (static_cast<int64_t>(names.size()) != weights.model->classes)
    throw DataError(path.string() + ": names " + std::to_string(names.size()) + " classes, and the network has " +
                    std::to_string(weights.model->classes));
  return names;
}

// By what the file begins with. A pipe is read as safetensors.
std::vector<HostTensor> read_tensors(const fs::path& path) {
  if (!names_pipe(path)) {
    constexpr size_t kMark = 16;
    const InputFile file(path);
    datasets::Bytes mark(std::min<uint64_t>(file.size(), kMark));
    file.read(0, std::as_writable_bytes(std::span(mark)));
    if (datasets::is_torch_file(mark)) return datasets::read_torch_file(datasets::read_file(path), path.string());
  }
  return read_safetensors(path, nullptr, Pipes::read);
}

// A run's folder stands for the weights in it.
fs::path weights_file(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return path;
  const fs::path folder = path, file = folder / (fs::exists(folder / kAverageFile, error) ? kAverageFile : kModelFile);
  if (!fs::exists(file, error))
    throw DataError(path + ": has no " + kModelFile +
                    ": is it a run's folder, and was the run finished? Otherwise name a safetensors file in it");
  return file;
}

// Whether the tensor belongs to the module of that name.
bool is_of(const std::string& tensor, const std::string& module) {
  return tensor.starts_with(module + ".");
}

// Whether both have the same tensors in their heads.
bool same_head(const std::vector<NamedTensor>& into, const std::vector<HostTensor>& from, const std::string& head) {
  std::map<std::string, Shape> ours, theirs;
  for (const NamedTensor& each : into)
    if (is_of(each.name, head)) ours.emplace(each.name, each.tensor.shape());
  for (const HostTensor& each : from)
    if (is_of(each.name, head)) theirs.emplace(each.name, each.shape);
  return ours == theirs;
}

}  // namespace

void begin_with(const Module& network, const ModelInfo& info, const std::string& path) {
  const fs::path file = weights_file(path);
  std::vector<HostTensor> tensors = read_tensors(file);
  std::vector<NamedTensor> state = network.state();
  std::string what = info.name;
  if (!info.head.empty() && !same_head(state, tensors, info.head)) {
    std::erase_if(tensors, [&](const HostTensor& each) { return is_of(each.name, info.head); });
    std::erase_if(state, [&](const NamedTensor& each) { return is_of(each.name, info.head); });
    what = "all of " + info.name + " before " + info.head;
  }
  load_tensors(state, tensors, file.string() + ", as weights of " + what + ",");
}

Weights find_weights(const WeightsChoice& choice) {
  Weights weights;
  weights.file = weights_file(choice.path);
  std::error_code error;
  const fs::path config_path = weights.file.parent_path() / kConfigFile;
  const nlohmann::json config = names_pipe(weights.file) ? nlohmann::json::object() : read_config(config_path);
  const auto setting = [&](const std::string& chosen, const char* name, const char* otherwise) {
    if (!chosen.empty()) return chosen;
    if (!config.contains(name)) return std::string(otherwise);
    if (!config[name].is_string()) throw DataError(config_path.string() + ": '" + name + "' is not a text");
    return config[name].get<std::string>();
  };
  const std::string model = setting(choice.model, "model", "");
  if (model.empty())
    throw UsageError("--model is needed: there is no " + std::string(kConfigFile) + " beside " + weights.file.string() +
                     " that names the network");
  weights.model = &find_model(model);
  weights.recipe = setting(choice.recipe, "recipe", "default");
  const Recipe& recipe = find_recipe(*weights.model, weights.recipe);
  weights.trained_on = setting(choice.trained_on, "dataset", "");
  if (weights.trained_on.empty()) weights.trained_on = datasets::choose_name("", network_input(*weights.model, recipe));
  if (!takes_texts(*weights.model))
    weights.pixels = pixel_scale(recipe, datasets::find_dataset(weights.trained_on).pixels);
  weights.class_names = class_names_of(weights);
  weights.augmentation = recipe.augmentation;
  weights.text = recipe.text;
  change_by(config, config_path, weights);
  return weights;
}

std::shared_ptr<Module> load_model(const std::shared_ptr<Device>& device, const Weights& weights) {
  const std::vector<HostTensor> tensors = read_tensors(weights.file);
  Initializer initializer = Initializer::none();
  const std::shared_ptr<Module> model = weights.model->build(device, initializer, DType::f32);
  load_tensors(model->state(), tensors, weights.file.string() + ", as weights of " + weights.model->name + ",");
  return model;
}

}  // namespace cairn
