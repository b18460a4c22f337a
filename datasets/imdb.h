// The Large Movie Review Dataset (A. Maas and others, "Learning Word Vectors for Sentiment Analysis", ACL 2011): film
// reviews and whether they praise or damn. Read as Keras publishes it, imdb.npz, in which words are ranks by frequency,
// or as its authors do, aclImdb_v1, in plain text. Not here: the latter (reviews.h), how texts fall into words
// (tokeniser.h).
#pragma once

#include <span>
#include <string>

#include "datasets/registry.h"
#include "datasets/reviews.h"

namespace cairn::datasets {

// Looked for in <data_dir>/imdb and then in <data_dir>: imdb.npz; else the folder aclImdb; else aclImdb_v1.tar.gz,
// which is read as it is. Keras's imdb_word_index.json, as it is or gzipped, is read where it lies beside imdb.npz.
// With check_hash Keras's files must be the published ones; of the authors' there must be as many reviews, and as many
// words in those for training.
DatasetInfo imdb_info();

// Of imdb.npz: x_train and x_test, arrays of lists of ranks from 1 on, y_train and y_test, 0 or 1; no words. DataError:
// something else.
Reviews decode_imdb(std::span<const uint8_t> file, const std::string& name);
// Of one of its arrays of lists, an .npy file.
Texts decode_lists(std::span<const uint8_t> npy, const std::string& name);

}  // namespace cairn::datasets
