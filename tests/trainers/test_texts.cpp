// Texts on their way into a network: encoded and uploaded, selected in batches, trained on, predicted. The network is a
// linear layer over the words' numbers, which shows where each of them went.
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "datasets/order.h"
#include "datasets/word_index.h"
#include "framework/nn/layers.h"
#include "framework/safetensors.h"
#include "tests/trainers/support.h"
#include "trainers/predictor.h"
#include "trainers/run_config.h"
#include "trainers/run_data.h"
#include "trainers/run_folder.h"
#include "trainers/text_reader.h"

namespace cairn::testing {
namespace {

// The numbers of words as real ones.
class Numbers : public Module {
 public:
  Tensor forward(const Tensor& x) override {
    REQUIRE(x.dtype() == DType::i32);
    Tensor out = Tensor::empty(x.device(), x.shape(), DType::f32, "numbers");
    x.device()->call(&Backend::gather_rows, GatherRowsArgs{.from = DType::i32,
                                                           .to = DType::f32,
                                                           .rows = x.shape()[0],
                                                           .channels = 1,
                                                           .plane = x.shape()[1],
                                                           .x = x.data(),
                                                           .out = out.data()});
    return out;
  }
  Shape summarize(const Shape& sample, const std::string&, std::vector<LayerSummary>&) const override { return sample; }
};

std::shared_ptr<Module> build(const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype) {
  return std::make_shared<Sequential>(std::vector<std::pair<std::string, std::shared_ptr<Module>>>{
      {"numbers", std::make_shared<Numbers>()}, {"fc", std::make_shared<Linear>(device, 5, 2, initializer, dtype)}});
}

constexpr TokenEncoding kText{.vocabulary = 12, .length = 5};

ModelInfo toy() {
  return {.name = "toy",
          .description = "",
          .input = Shape{5},
          .classes = 2,
          .build = build,
          .recipes = {Recipe{.name = "default", .learning_rate = 0.01, .text = kText}},
          .vocabulary = 12};
}

// Texts of 0 to 7 words; the class is whether the last word is of the upper ranks.
datasets::Split make_split(int64_t count) {
  datasets::Texts texts;
  std::vector<int32_t> labels;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t words = i * 5 % 8;
    for (int64_t word = 0; word < words; ++word)
      texts.ranks.push_back(static_cast<int32_t>((i * 31 + word * 17) % 97 % 10 + 1));
    labels.push_back(words > 0 && texts.ranks.back() > 5);
    texts.end_text();
  }
  return datasets::text_split(std::move(texts), labels);
}

datasets::Dataset make_dataset() {
  datasets::Dataset dataset;
  dataset.name = "texts";
  dataset.classes = 2;
  dataset.train = make_split(203);
  dataset.test = make_split(64);
  return dataset;
}

RunConfig make_config(const std::string& implementation, int threads = 2) {
  RunConfig config;
  config.model = "toy";
  config.device.implementation = implementation;
  config.device.where = "cpu";
  config.device.threads = threads;
  config.training = toy().recipes.front();
  config.training.batch_size = 16;
  config.training.epochs = 3;
  return config;
}

Trainer make_toy(const RunConfig& config, std::optional<size_t> room = {}) {
  const std::shared_ptr<Device> device = Device::open(config.device);
  return Trainer(device, toy(), config, upload(device, make_dataset(), toy(), config.training, config.seed, room));
}

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("texts lie on the device as the recipe encodes them, without those held out") {
  Recipe recipe = toy().recipes.front();
  const datasets::Dataset dataset = make_dataset();
  for (const std::string& implementation : kCpuImplementations) {
    CAPTURE(implementation);
    for (const size_t room : {size_t{0}, size_t{1} << 20}) {  // only images stay with the host where there is no room
      const DeviceData data = upload(open(implementation), dataset, toy(), recipe, 1, room);
      CHECK(data.train.count == 203);
      CHECK_FALSE(data.train.streamed);
      CHECK(data.train.input() == std::string("tokens"));
      const std::vector<int32_t> tokens = data.test.samples(3, 5).to_host<int32_t>();
      std::vector<int32_t> expected(10);
      for (const int64_t i : {0, 1})
        kText.encode(dataset.test.texts->text(3 + i), std::span(expected).subspan(static_cast<size_t>(5 * i), 5));
      CHECK(tokens == expected);
    }
  }
  recipe.validation_count = 53;
  CHECK(upload(open("reference"), dataset, toy(), recipe, 1).train.count == 150);
}

TEST_CASE("batches of texts are the rows that the order names, in every implementation") {
  const datasets::Dataset dataset = make_dataset();
  for (const std::string& implementation : kCpuImplementations) {
    CAPTURE(implementation);
    const DeviceData data = upload(open(implementation), dataset, toy(), toy().recipes.front(), 1);
    const Tensor& all = data.train.column(data.train.input());
    const std::vector<int32_t> rows = {202, 0, 7, 7, 100};
    const SampleInput input({}, {});
    const std::vector<int32_t> batch =
        input.augmented(all, Tensor::from_host<int32_t>(all.device(), {5}, rows), {}).to_host<int32_t>();
    const std::vector<int32_t> host = all.to_host<int32_t>();
    REQUIRE(batch.size() == 25);
    for (size_t i = 0; i < batch.size(); ++i) CHECK(batch[i] == host[static_cast<size_t>(rows[i / 5]) * 5 + i % 5]);
    CHECK(input.augmented(all, {}, {}).data() == all.data());
  }
}

TEST_CASE("a network of texts trains: recorded steps, a short last batch, the same bits on 1 and 2 threads") {
  for (const std::string& implementation : kCpuImplementations) {
    CAPTURE(implementation);
    Trainer one = make_toy(make_config(implementation, 1)), two = make_toy(make_config(implementation, 2));
    const std::vector<float> losses = first_losses(one, 3 * 13);
    CHECK(losses == first_losses(two, 3 * 13));
    CHECK(parameter_bytes(one) == parameter_bytes(two));
    CHECK(losses.back() < losses.front());
    CHECK(one.evaluate().count == 64);
  }
}

TEST_CASE("the predictor says of texts what the trainer says") {
  const RunConfig config = make_config("simd");
  Trainer trainer = make_toy(config);
  trainer.run_epoch({}, kNever);
  const Evaluation expected = trainer.evaluate();
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path);
  write_safetensors(folder.path / "model.safetensors", to_host(trainer.model().parameters()));
  static const ModelInfo model = toy();
  Weights weights;
  weights.file = folder.path / "model.safetensors";
  weights.model = &model;
  weights.text = kText;
  Predictor predictor(Device::open(config.device), weights);
  const datasets::Split test = make_split(64);
  const TestReport report = predictor.evaluate(test, 10);
  CHECK(report.evaluation.correct == expected.correct);
  CHECK(report.evaluation.loss == doctest::Approx(expected.loss));
  CHECK(static_cast<int64_t>(report.mistakes.size()) == 64 - expected.correct);
  CHECK(test.texts);  // the caller's stay
  datasets::Texts empty;
  empty.end_text();
  CHECK(predictor.predict(datasets::text_split(empty), 0).probabilities.size() == 2);
}

TEST_CASE("settings of texts are refused for a network of images, and those of images for one of texts") {
  const ModelInfo images = find_model("dnn"), texts = toy();
  CHECK_NOTHROW(check_input(images, {}, {}));
  CHECK_NOTHROW(check_input(texts, {}, kText));
  CHECK(refusal([&] { check_input(images, {}, {.length = 7}); }).find("--text-length, ") != std::string::npos);
  CHECK(refusal([&] { check_input(images, {}, {.keep_last = false}); }).find("model dnn takes images") !=
        std::string::npos);
  CHECK(refusal([&] { check_input(texts, {.flip = true}, kText); }).find("--flip") != std::string::npos);
  CHECK(refusal([&] { check_input(texts, {}, {.vocabulary = 13, .length = 5}); }) ==
        "--vocabulary must be between 4 and 12, the network's own, not 13");
  CHECK(refusal([&] { check_input(texts, {}, {.vocabulary = 3, .length = 5}); }).find("not 3") != std::string::npos);
  CHECK(refusal([&] { check_input(texts, {}, {.vocabulary = 12, .length = 0}); }) ==
        "--text-length must be between 1 and 4096, not 0");
  CHECK(refusal([&] { check_input(texts, {}, {.vocabulary = 12, .length = 4097}); }).find("4097") != std::string::npos);
}

TEST_CASE("config.json has how texts were encoded, under the flags' names") {
  RunConfig config = make_config("reference");
  config.training.text = {
      .vocabulary = 11, .length = 4, .keep_last = false, .pad_front = true, .start_token = false, .top_specials = true};
  const nlohmann::json settings = to_json(config);
  CHECK(settings["vocabulary"] == 11);
  CHECK(settings["text-length"] == 4);
  CHECK(settings["keep-last"] == false);
  CHECK(settings["pad-front"] == true);
  CHECK(settings["start-token"] == false);
  CHECK(settings["top-specials"] == true);
}

TEST_CASE("the hash of texts changes with each word, each end of a text and each label") {
  const std::string before = data_sha256(make_dataset());
  CHECK(data_sha256(make_dataset()) == before);
  datasets::Dataset other = make_dataset();
  ++other.train.texts->ranks[5];
  CHECK(data_sha256(other) != before);
  other = make_dataset();
  ++other.test.texts->begins[3];
  CHECK(data_sha256(other) != before);
  other = make_dataset();
  other.test.column("label");
  other.test.columns[0].bytes[0] ^= 1;
  CHECK(data_sha256(other) != before);
}

TEST_CASE("a run's folder keeps the words that its network knows") {
  const TemporaryFolder folder;
  const RunFolder run = RunFolder::create(folder.path.string(), {});
  run.write_words("the\nand\n");
  CHECK(datasets::find_word_index(folder.path)->rank("and") == 2);
  run.write_words("film\n");
  CHECK(datasets::find_word_index(folder.path)->rank("and") == 0);
  run.write_words("");
  CHECK(datasets::find_word_index(folder.path) == nullptr);
}

TEST_CASE("a text is read by the words beside the weights, and those that the network lacks are told") {
  using Strings = std::vector<std::string>;
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path);
  static const ModelInfo model = toy();
  Weights weights;
  weights.file = folder.path / "model.safetensors";
  weights.model = &model;
  weights.text = kText;  // 12 numbers: 8 words; 5 of a text
  try {
    TextReader reader(weights);
    FAIL_CHECK("nothing was thrown");
  } catch (const DataError& error) {
    CHECK(std::string(error.what()).find("there is no words.txt beside it") != std::string::npos);
  }
  std::ofstream(folder.path / "words.txt") << "the\na\nfilm\nwas\ngood\nbad\nand\nso\nninth\n";
  const TextReader reader(weights);
  TextReader::Reading reading = reader.read("The FILM was good!");
  CHECK(reading.ranks == std::vector<int32_t>{1, 3, 4, 5});
  CHECK(reading.words == 4);
  CHECK(reading.seen == 4);
  CHECK(reading.unknown.empty());
  reading = reader.read("zebra Ninth zebra, caf\xC3\xA9 \xFF film");  // the ninth word has a rank, and no number
  CHECK(reading.words == 6);
  CHECK(reading.seen == 5);
  CHECK(reading.unknown == Strings{"ninth", "zebra", "caf\xC3\xA9", "\xFF"});
  datasets::Texts texts;
  texts.add(std::vector<int32_t>{1, 2, 0, 3});
  const datasets::WordIndex other({"film", "zebra", "the"}, "other");
  CHECK(reader.translated(texts, other).ranks == std::vector<int32_t>{3, 0, 0, 1});
  CHECK(reader.translated(texts, *reader.index()).ranks == texts.ranks);
  weights.text.keep_last = false;
  CHECK(TextReader(weights).read("one two the a film so").unknown == Strings{"one", "two"});
  CHECK(TextReader(weights).read("one two the a film so").seen == 4);  // the start token takes a place
  for (const std::string& text : {std::string(), std::string(" .,!?\n"), std::string("<><>")}) {
    CHECK(reader.read(text).words == 0);
    CHECK(reader.read(text).unknown.empty());
  }
  CHECK(reader.read(std::string(1 << 20, 'x')).unknown.size() == 1);
  std::string many;
  while (many.size() < 1 << 20) many += "film ";
  CHECK(reader.read(many).seen == 5);
}

}  // namespace cairn::testing
