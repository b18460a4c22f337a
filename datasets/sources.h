// The table of published data sets: files, sizes, hashes and the mirrors that have them. Not here: how they are fetched
// (fetch.h, download.h), what is in them (mnist.h and others).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "datasets/download.h"

namespace cairn::datasets {

struct DataSource {
  std::string name;  // of the data set and of its folder below the data folder
  std::string note;  // one line: what it is
  std::vector<RemoteFile> files;
  std::vector<std::string> mirrors;  // base URLs
  // Where the one file is an archive: the folder in it and what to take from there. The archive is not kept.
  std::string archive_folder = {};
  std::vector<RemoteFile> members = {};
  // Not to be had by a program: what a person has to do, up to "into <folder>". Then there are no files and no mirrors.
  std::string by_hand = {};
};

std::span<const DataSource> known_sources();

// Of a data set, or of a network's published weights (pretrained.h). UsageError: unknown; lists the choices.
const DataSource& find_source(const std::string& name);

// The base URLs to ask, in order: `preferred`, else those in $CAIRN_MIRROR (separated by spaces), each followed by the
// source's name; else the source's own.
std::vector<std::string> choose_mirrors(const DataSource& source, const std::vector<std::string>& preferred = {});

}  // namespace cairn::datasets
