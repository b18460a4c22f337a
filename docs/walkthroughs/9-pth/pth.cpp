// Walkthrough 9: a file of PyTorch's taken apart, and a prediction made with it. `records`: what lies in the archive.
// `pickle`: its program, one instruction a line, with the depth of the stack. `tensors`: what it says. `predict`: from
// the pixels of a picture to its class.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "datasets/archive.h"
#include "datasets/color_image.h"
#include "datasets/file.h"
#include "datasets/torch_file.h"
#include "docs/walkthroughs/show.h"
#include "framework/autograd.h"
#include "framework/ops/conv2d.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/row_scale.h"

using namespace cairn;
using datasets::Bytes;

namespace {

constexpr const char* kFile = "docs/walkthroughs/9-pth/edges.pth";

// ---- the archive -------------------------------------------------------------------------------------------------

// Little-endian, `count` bytes from `at` on.
uint32_t number(const Bytes& file, size_t at, size_t count) {
  uint32_t value = 0;
  for (size_t i = count; i-- > 0;) value = value << 8 | file.at(at + i);
  return value;
}

// The archive ends in a directory of its entries: their marks are PK 1 2, that of the directory's end is PK 5 6.
int show_records(const Bytes& file) {
  size_t end = file.size() - 22;
  while (number(file, end, 4) != 0x06054b50) --end;
  size_t entry = number(file, end + 16, 4);
  std::printf("directory at %zu, %u entries\n", entry, number(file, end + 10, 2));
  for (uint32_t left = number(file, end + 10, 2); left > 0; --left) {
    const uint32_t bytes = number(file, entry + 24, 4), name = number(file, entry + 28, 2);
    const uint32_t head = number(file, entry + 42, 4);
    // Ahead of the content stand 30 bytes, the name again, and padding.
    const uint32_t content = head + 30 + number(file, head + 26, 2) + number(file, head + 28, 2);
    std::printf("%5u  %3u bytes  %.*s\n", content, bytes, static_cast<int>(name),
                reinterpret_cast<const char*>(&file.at(entry + 46)));
    entry += 46 + name + number(file, entry + 30, 2) + number(file, entry + 32, 2);
  }
  return 0;
}

// ---- the pickle --------------------------------------------------------------------------------------------------

// What follows an instruction in the file, and by how much the stack grows.
enum class Operand { none, byte, text, lines };
struct Instruction {
  const char* name;
  Operand operand;
  int pushed;  // kToMark: everything down to the latest mark becomes one value; kDropToMark: nothing
};
constexpr int kToMark = 100, kDropToMark = 101, kMark = 102;
const std::map<uint8_t, Instruction> kInstructions = {{0x80, {"version", Operand::byte, 0}},
                                                      {'c', {"name of a function", Operand::lines, 1}},
                                                      {'q', {"remember as", Operand::byte, 0}},
                                                      {'h', {"recall", Operand::byte, 1}},
                                                      {')', {"empty tuple", Operand::none, 1}},
                                                      {'R', {"call", Operand::none, -1}},
                                                      {'(', {"mark", Operand::none, kMark}},
                                                      {'X', {"text", Operand::text, 1}},
                                                      {'K', {"integer", Operand::byte, 1}},
                                                      {'t', {"tuple of all down to the mark", Operand::none, kToMark}},
                                                      {'Q', {"kept elsewhere", Operand::none, 0}},
                                                      {0x89, {"false", Operand::none, 1}},
                                                      {0x85, {"tuple of one", Operand::none, 0}},
                                                      {'u', {"put pairs into the dict", Operand::none, kDropToMark}},
                                                      {'.', {"end", Operand::none, -1}}};

// Reads what follows an instruction.
std::string operand_of(Operand kind, const Bytes& pickle, size_t& at) {
  const auto text = [&](size_t count) {
    const std::string part(reinterpret_cast<const char*>(&pickle.at(at)), count);
    at += count;
    return part;
  };
  switch (kind) {
    case Operand::none:
      return "";
    case Operand::byte:
      return std::to_string(pickle.at(at++));
    case Operand::text:
      return text(number(pickle, (at += 4) - 4, 4));
    case Operand::lines: {  // two of them: module and name
      const auto line = [&] {
        size_t count = 0;
        while (pickle.at(at + count) != '\n') ++count;
        const std::string part = text(count);
        ++at;
        return part;
      };
      const std::string module = line();
      return module + "." + line();
    }
  }
  return "";
}

int show_pickle(const Bytes& file) {
  const datasets::ZipMember member = datasets::read_zip(file, {"edges/data.pkl"}, 1 << 20, kFile).front();
  const Bytes pickle(member.content.begin(), member.content.end());
  size_t depth = 0;
  std::vector<size_t> marks;
  for (size_t at = 0; at < pickle.size();) {
    const size_t begin = at;
    const uint8_t code = pickle.at(at++);
    const Instruction& instruction = kInstructions.at(code);
    const std::string operand = operand_of(instruction.operand, pickle, at);
    if (instruction.pushed == kMark) {
      marks.push_back(depth);
    } else if (instruction.pushed == kToMark || instruction.pushed == kDropToMark) {
      depth = marks.back() + (instruction.pushed == kToMark ? 1 : 0);
      marks.pop_back();
    } else {
      depth = static_cast<size_t>(static_cast<int>(depth) + instruction.pushed);
    }
    std::printf("%4zu  %02x  %-30s %-34s %zu\n", begin, code, instruction.name, operand.c_str(), depth);
  }
  return 0;
}

// ---- the prediction ----------------------------------------------------------------------------------------------

int show_tensors(const std::shared_ptr<Device>& device, const Bytes& file) {
  for (const HostTensor& each : datasets::read_torch_file(file, kFile)) {
    Tensor tensor = Tensor::empty(device, each.shape, each.dtype);
    device->copy_to_device(tensor.data(), each.bytes.data(), each.bytes.size());
    walkthrough::show(each.name.c_str(), tensor);
  }
  return 0;
}

// Red where it is bright: the upper half of 4 x 4 pixels.
datasets::Picture flag() {
  datasets::Picture picture{4, 4, 3, {}};
  for (int pixel = 0; pixel < 16; ++pixel)
    for (const int value : {pixel < 8 ? 210 : 35, 35, 35}) picture.pixels.push_back(static_cast<uint8_t>(value));
  return picture;
}

int predict(const std::shared_ptr<Device>& device, const Bytes& file) {
  const NoGrad no_grad;
  // 1. The picture in the network's size, plane by plane.
  const Bytes planes = datasets::prepare_color(flag(), {3, 2, 2});
  const Tensor pixels = Tensor::from_host<uint8_t>(device, {1, 3, 2, 2}, planes);
  walkthrough::show("pixels", pixels);
  // 2. Numbers: (byte / 255 - mean) / deviation, channel by channel, as one factor and one summand.
  const std::vector<float> mean = {0.485f, 0.456f, 0.406f}, deviation = {0.229f, 0.224f, 0.225f};
  std::vector<float> scale, shift;
  for (size_t channel = 0; channel < 3; ++channel) {
    scale.push_back(1 / (255 * deviation[channel]));
    shift.push_back(-mean[channel] / deviation[channel]);
  }
  const Tensor x = Tensor::byte_rows(pixels, {}, RowScale(device, scale, shift));
  walkthrough::show("x", x);
  // 3. The network: one convolution whose kernel is as large as the image.
  std::map<std::string, Tensor> weights;
  for (const HostTensor& each : datasets::read_torch_file(file, kFile)) {
    weights[each.name] = Tensor::empty(device, each.shape, each.dtype);
    device->copy_to_device(weights[each.name].data(), each.bytes.data(), each.bytes.size());
  }
  const Tensor logits = flatten(conv2d(x, weights["conv.weight"], weights["conv.bias"]));
  walkthrough::show("logits", logits);
  // 4. Probabilities, and the most probable class.
  const Tensor probabilities = softmax(logits);
  walkthrough::show("softmax", probabilities);
  const std::vector<float> p = probabilities.to_host<float>();
  std::printf("%s\n", p[0] > p[1] ? "a level edge" : "an upright edge");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const Bytes file = datasets::read_file(kFile);
  if (what == "records") return show_records(file);
  if (what == "pickle") return show_pickle(file);
  DeviceOptions options;
  options.implementation = "reference";
  const std::shared_ptr<Device> device = Device::open(options);
  if (what == "tensors") return show_tensors(device, file);
  if (what == "predict") return predict(device, file);
  std::fprintf(stderr, "usage: walkthrough_pth records | pickle | tensors | predict\n");
  return 2;
}
