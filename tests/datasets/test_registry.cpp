// The table of data sets.
#include "datasets/registry.h"

#include <set>

#include "datasets/sources.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {

TEST_CASE("the table of data sets is complete") {
  std::set<std::string> names;
  for (const DatasetInfo& info : known_datasets()) {
    CAPTURE(info.name);
    CHECK(names.insert(info.name).second);
    CHECK(&find_dataset(info.name) == &info);
    CHECK(!info.description.empty());
    if (!info.has_texts()) {
      REQUIRE(info.image.rank() == 3);
      CHECK(info.pixels.mean.size() == static_cast<size_t>(info.image[0]));
      CHECK(info.pixels.std.size() == static_cast<size_t>(info.image[0]));
    }
    for (const float deviation : info.pixels.std) CHECK(deviation > 0);
    CHECK(std::set(info.class_names.begin(), info.class_names.end()).size() == info.class_names.size());
    CHECK(info.classes() >= (info.photos ? 0 : 2));
    CHECK((info.load != nullptr));
    // Published and fetched under the same name, or generated and written as files.
    CHECK(((info.source != nullptr) != (info.write != nullptr)));
    CHECK(((info.file_count > 0) == (info.write != nullptr)));
    if (info.source != nullptr) CHECK(find_source(info.name).name == info.source->name);
  }
}

TEST_CASE("an unknown data set is refused with the choices") {
  check_error<UsageError>([] { load_dataset("minst"); }, {"unknown data set 'minst'", dataset_names().c_str()});
}

}  // namespace cairn::datasets
