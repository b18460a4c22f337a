// PyTorch's recordings as files: what the project's own hold, and each fault of a file told in one line.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <functional>

#include "comparisons/parity.h"
#include "comparisons/reference.h"
#include "framework/error.h"
#include "tests/apps/command.h"

namespace cairn::comparisons {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const fs::path kRecorded = fs::path(CAIRN_SOURCE_DIR) / "comparisons/references/recorded";

std::string recorded_text(const std::string& model) {
  return testing::read_file(kRecorded / (model + ".json"));
}

// What reading this text as dnn.json says; "" if it is good.
std::string fault_of(const std::string& text) {
  const testing::TemporaryFolder folder;
  testing::write_file(folder.path / "dnn.json", text);
  try {
    read_references(folder.path, "dnn");
  } catch (const DataError& error) {
    const std::string what = error.what(), prefix = (folder.path / "dnn.json").string();
    CHECK_MESSAGE(what.starts_with(prefix + ": "), what);
    CHECK(what.find('\n') == std::string::npos);
    return what.starts_with(prefix) ? what.substr(prefix.size() + 2) : what;
  }
  return "";
}

// The same of dnn.json after a change.
std::string fault_after(const std::function<void(Json&)>& change) {
  Json json = Json::parse(recorded_text("dnn"));
  change(json);
  return fault_of(json.dump());
}

bool tells(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* kFileRemedy = "; take the file that came with this version, or record it again";

}  // namespace

TEST_CASE("every recipe of every network is recorded on both data sets, as this program has it") {
  uintmax_t bytes = 0;
  for (const ModelInfo& model : known_models()) {
    CAPTURE(model.name);
    if (model.classes != 10) continue;  // no recorder has such images
    // Of the networks for CIFAR-10, whose steps take long, the recipe that is compared strictly; the others as they
    // come.
    const bool large = model.input[0] == 3 && model.name != "cifar-lenet";
    bytes += fs::file_size(kRecorded / (model.name + ".json"));
    const std::vector<ReferenceCase> cases = read_references(kRecorded, model.name);
    for (const Recipe& recipe : model.recipes)
      for (const char* dataset :
           model.input[0] == 3 ? std::array{"cifar10", "digits32"} : std::array{"mnist", "digits"}) {
        CAPTURE(recipe.name);
        const auto found = std::ranges::find_if(
            cases, [&](const ReferenceCase& each) { return each.recipe == recipe.name && each.dataset == dataset; });
        if (large && recipe.name != "gentle" && found == cases.end()) continue;
        REQUIRE(found != cases.end());
        CHECK(found->losses.size() == 100);
        CHECK(found->gradients.size() == 2);
        if (large) continue;
        CHECK(found->in_double.losses.size() == 100);
        CHECK(found->in_double.gradients.size() == 2);
        CHECK(found->own_deviation.size() == 100);
        CHECK(*std::ranges::max_element(found->own_deviation) > 0);
      }
  }
  CHECK(bytes < 4 << 20);
}

TEST_CASE("accuracies of other seeds and of twins, where a run has them") {
  const auto changed = [](const std::function<void(Json&)>& change) {
    return fault_after([&](Json& json) {
      Json& run = json["cases"][0]["runs"].begin().value();
      run["spread"] = {{"seeds", {{"2", {0.5, 0.75}}}}, {"twins", {{"backwards", {0.25, 1}}}}};
      change(run["spread"]);
    });
  };
  CHECK(changed([](Json&) {}).empty());
  CHECK(tells(changed([](Json& spread) { spread.erase("twins"); }), ".spread has no 'twins'"));
  CHECK(tells(changed([](Json& spread) { spread["seeds"] = {1}; }), ".spread.seeds is not an object"));
  CHECK(tells(changed([](Json& spread) { spread["seeds"]["2b"] = {0.5}; }), ".spread.seeds.'2b' is not of a seed"));
  CHECK(tells(changed([](Json& spread) { spread["seeds"]["-1"] = {0.5}; }), ".spread.seeds.'-1' is not of a seed"));
  CHECK(tells(changed([](Json& spread) { spread["seeds"]["2"][1] = 1.5; }), ".seeds.'2'[1] is not between 0 and 1"));
  CHECK(tells(changed([](Json& spread) { spread["twins"]["backwards"] = 0.5; }), ".twins.'backwards' is not a list"));
  CHECK(tells(changed([](Json& spread) { spread["twins"]["backwards"][0] = nullptr; }), "[0] is not a finite number"));
}

TEST_CASE("samples lie where the recorder took them") {
  CHECK(sample_places(3) == std::vector<int64_t>{2654435761 % 3, 2 * 2654435761 % 3, 3 * 2654435761 % 3});
  const std::vector<int64_t> places = sample_places(1628170);
  CHECK(places.size() == 8);
  CHECK(places[7] == 8 * 2654435761 % 1628170);
  CHECK(sample_places(0).empty());
}

TEST_CASE("a recording that is not there, not JSON, cut short, of another program or version") {
  const testing::TemporaryFolder folder;
  CHECK_THROWS_AS(read_references(folder.path, "dnn"), DataError);
  const std::string text = recorded_text("dnn");
  CHECK(fault_of(text).empty());
  const std::string no_json = std::string("is not JSON, or not all of it") + kFileRemedy;
  CHECK(fault_of("") == no_json);
  CHECK(fault_of("PK\3\4") == no_json);
  for (const size_t part : {size_t{1}, text.size() / 3, text.size() / 2, text.size() - 3})
    CHECK(fault_of(text.substr(0, part)) == no_json);
  const std::string foreign = std::string("is not a recording of comparisons/references/record.py") + kFileRemedy;
  CHECK(fault_of("[]") == foreign);
  CHECK(fault_of("{}") == foreign);
  CHECK(fault_of("{\"format\": 3}") == foreign);
  CHECK(fault_of("{\"format\": \"safetensors\"}") == foreign);
  CHECK(fault_after([](Json& json) { json["version"] = 0; }) ==
        std::string("has version 0, and this program reads 1") + kFileRemedy);
  CHECK(fault_after([](Json& json) { json["version"] = 2; }) ==
        std::string("has version 2, and this program reads 1") + kFileRemedy);
  CHECK(fault_after([](Json& json) { json["version"] = "1"; }) ==
        std::string("version is not a whole number") + kFileRemedy);
  CHECK(fault_after([](Json& json) { json["model"] = "lenet"; }) ==
        std::string("is of the model 'lenet'") + kFileRemedy);
}

TEST_CASE("a recording with a field that is missing, of another type, or no number") {
  const auto first = [](const std::function<void(Json&)>& change) {
    return fault_after([&](Json& json) { change(json["cases"][0]); });
  };
  CHECK(fault_after([](Json& json) { json.erase("cases"); }) == std::string("has no 'cases'") + kFileRemedy);
  CHECK(fault_after([](Json& json) { json["cases"] = 5; }) == std::string("cases is not a list") + kFileRemedy);
  CHECK(first([](Json& json) { json = 1; }) == std::string("cases[0] is not an object") + kFileRemedy);
  CHECK(first([](Json& json) { json["recipe"] = 1; }) == std::string("cases[0].recipe is not a text") + kFileRemedy);
  CHECK(first([](Json& json) { json["seed"] = -1; }) ==
        std::string("cases[0].seed is not a whole number") + kFileRemedy);
  CHECK(first([](Json& json) { json["settings"] = "x"; }) ==
        std::string("cases[0].settings is not an object") + kFileRemedy);
  CHECK(first([](Json& json) { json.erase("parity"); }) == std::string("cases[0] has no 'parity'") + kFileRemedy);
  CHECK(first([](Json& json) { json["parity"]["losses"][3] = nullptr; }) ==
        std::string("cases[0].parity.losses[3] is not a finite number") + kFileRemedy);
  CHECK(first([](Json& json) { json["parity"]["losses"][3] = 0; }) ==
        std::string("cases[0].parity.losses[3] is not above 0") + kFileRemedy);
  CHECK(first([](Json& json) { json["parity"]["losses"] = Json::array({1.0}); }) ==
        std::string("cases[0].parity.losses has fewer than ten numbers") + kFileRemedy);
  CHECK(first([](Json& json) { json["parity"]["own_deviation"].erase(0); }) ==
        std::string("cases[0].parity.own_deviation does not have as many numbers as there are losses") + kFileRemedy);
  CHECK(first([](Json& json) { json["double"]["losses"][99] = nullptr; }) ==
        std::string("cases[0].double.losses[99] is not a finite number") + kFileRemedy);
  CHECK(first([](Json& json) { json["double"].erase("gradients"); }) ==
        std::string("cases[0].double has no 'gradients'") + kFileRemedy);
  CHECK(tells(first([](Json& json) {
                json["runs"].begin().value()["deviation_by_step"] = {1, 2};
              }),
              ".deviation_by_step does not have as many numbers as there are losses"));
  CHECK(first([](Json& json) { json["parity"]["gradients"].erase("1"); }) ==
        std::string("cases[0].parity.gradients has none of step 1") + kFileRemedy);
  CHECK(first([](Json& json) { json["parity"]["gradients"]["1"][0]["shape"][0] = 99999999; }) ==
        std::string("cases[0].parity.gradients.'1'[0].shape holds a size that no network here has") + kFileRemedy);
  CHECK(first([](Json& json) { json["parity"]["gradients"]["1"][0]["samples"].erase(0); }) ==
        std::string("cases[0].parity.gradients.'1'[0].samples does not have as many numbers as it should") +
            kFileRemedy);
  CHECK(
      tells(first([](Json& json) { json["runs"].begin().value()["threads"] = 1.5; }), "threads is not a whole number"));
  // nan and infinity are no JSON; a number that no double holds is refused by the parser, too.
  const std::string text = recorded_text("dnn");
  const size_t losses = text.find("\"losses\": [") + 11;
  for (const char* bad : {"NaN, ", "Infinity, ", "1e999, "})
    CHECK(tells(fault_of(text.substr(0, losses) + bad + text.substr(losses)), "is not JSON, or not all of it"));
}

TEST_CASE("a recipe or data set that has changed since is told by its field") {
  datasets::LoadOptions load;
  const ParityData digits = parity_data(datasets::load_dataset("digits", "", load));
  const auto fault = [&](const std::function<void(ReferenceCase&)>& change) -> std::string {
    std::vector<ReferenceCase> cases = read_references(kRecorded, "dnn");
    const auto found = std::ranges::find_if(
        cases, [](const ReferenceCase& each) { return each.recipe == "default" && each.dataset == "digits"; });
    REQUIRE(found != cases.end());
    found->file = "dnn.json";
    change(*found);
    try {
      check_reference(*found, digits);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  };
  CHECK(fault([](ReferenceCase&) {}).empty());
  CHECK(fault([](ReferenceCase& each) { each.settings["lr"] = 0.5; }) ==
        "dnn.json: dnn default on digits: lr is 0.5 there and 0.03 here; record it again with "
        "comparisons/references/record.py");
  CHECK(tells(fault([](ReferenceCase& each) { each.settings.erase("momentum"); }),
              "momentum is null there and 0.9 here"));
  CHECK(tells(fault([](ReferenceCase& each) { each.settings["nesterov"] = true; }),
              "nesterov is true there and null here"));
  CHECK(tells(fault([](ReferenceCase& each) { each.settings["schedule"]["kind"] = "constant"; }),
              "schedule.kind is \"constant\" there and \"cosine\" here"));
  CHECK(tells(fault([](ReferenceCase& each) { each.settings["init"] = 3; }), "init is 3 there and {"));
  CHECK(tells(fault([](ReferenceCase& each) { each.train_sha256 = "beef"; }), "train_sha256 is \"beef\" there and \""));
}

}  // namespace cairn::comparisons
