// Small archives for tests, in the ustar format (POSIX.1-1988).
#pragma once

#include <initializer_list>
#include <optional>
#include <string>

#include "datasets/bytes.h"

namespace cairn::datasets {

inline constexpr char kRegular = '0', kHardLink = '1', kSymbolicLink = '2', kFolder = '5';

// One entry; `size` is what its head claims.
Bytes tar_entry(const std::string& name, const Bytes& content, char type = kRegular, const std::string& link = "",
                std::optional<size_t> size = std::nullopt);

Bytes tar_gz(std::initializer_list<Bytes> entries);

}  // namespace cairn::datasets
