// Which data set a network gets.
#include "datasets/choose.h"

#include "tests/datasets/support.h"

namespace cairn::datasets {
namespace {

const NetworkInput kGrey{"dnn", {1, 28, 28}, 10};
const LoadOptions kHere{.allow_download = false, .quiet = true};

}  // namespace

TEST_CASE("what was asked for is taken, else the first published set that fits, else the generated one") {
  CHECK(choose_name("fashion-mnist", kGrey) == "fashion-mnist");
  CHECK(choose_name("", kGrey) == "mnist");
  check_error<UsageError>([] { choose_name("minst", kGrey); }, {"unknown data set 'minst'"});
  check_error<UsageError>(
      [] {
        choose_name("", {"odd", {7, 5, 5}, 3});
      },
      {"model odd takes images of [7, 5, 5] in 3 classes, which no data set here has: mnist, "});

  // One that tells no classes apart takes any number of them.
  CHECK(choose_name("", {"colour filter", {3, 32, 32}}) == "cifar10");
  check_error<UsageError>(
      [] {
        choose_name("", {"odd filter", {7, 5, 5}});
      },
      {"model odd filter takes images of [7, 5, 5], which no data set here has: mnist, "});

  const TemporaryFolder empty;
  CHECK(choose_dataset("", kGrey, empty.path(), kHere).name == "digits");
  check_error<MissingDataError>([&] { choose_dataset("mnist", kGrey, empty.path(), kHere); }, {"mnist"});
}

TEST_CASE("damaged files are never passed over for the generated set") {
  const TemporaryFolder folder;
  for (const char* file :
       {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"})
    write_file(folder.path() / "mnist" / file, pattern(10));
  check_error<DataError>([&] { choose_dataset("", kGrey, folder.path(), kHere); }, {"train-images-idx3-ubyte"});
}

TEST_CASE("a data set that does not fit is refused with both shapes, before it is looked for") {
  const TemporaryFolder empty;
  check_error<UsageError>(
      [&] {
        choose_dataset("mnist", {"colour", {3, 32, 32}, 10}, empty.path(), kHere);
      },
      {"model colour takes images of [3, 32, 32] in 10 classes; data set mnist has [1, 28, 28] in 10"});
  check_error<UsageError>(
      [&] {
        choose_dataset("digits", {"many", {1, 28, 28}, 47}, empty.path(), kHere);
      },
      {"in 47 classes; data set digits has [1, 28, 28] in 10"});
}

}  // namespace cairn::datasets
