// Small files as numpy and Python write them, for tests: batches of images as pickles and .npz archives.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "datasets/bytes.h"

namespace cairn::datasets {

// Who wrote a pickle: Python 2; Python 3 for Python 2, which has bytes as text; Python 3 for itself.
enum class PickleForm { python2, python3_for_2, python3 };

// A dict of `data`, rows of so many bytes each, `mean`, and the labels under each of these keys.
Bytes make_pickle_batch(const Bytes& pixels, size_t row_bytes, const std::vector<int>& labels,
                        PickleForm form = PickleForm::python3, const std::vector<std::string>& label_keys = {"labels"});

// Shape as text, such as "(2, 3)"; type as "|u1".
Bytes make_npy(const std::string& type, const std::string& shape, const Bytes& content);

struct ZipEntry {
  std::string name;
  Bytes content;
  bool deflated = false;
};
// With sizes of 64 bits in the entries' heads, as numpy writes them.
Bytes make_zip(const std::vector<ZipEntry>& entries);

// data.npy and labels.npy, with labels of 64 bits.
Bytes make_npz_batch(const Bytes& pixels, size_t row_bytes, const std::vector<int>& labels, bool deflated = false);

// An .npy file of lists of integers, as numpy writes an array of objects; and what Keras's imdb.npz has in it.
using Lists = std::vector<std::vector<int>>;
Bytes make_npy_lists(const Lists& lists);
Bytes make_npz_reviews(const Lists& x_train, const std::vector<int>& y_train, const Lists& x_test,
                       const std::vector<int>& y_test);

}  // namespace cairn::datasets
