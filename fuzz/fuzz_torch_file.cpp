// A file that torch.save wrote, or a pickle alone, put into such a file beside a storage of 64 floats, as the first
// byte says.
#include <archive.h>
#include <archive_entry.h>

#include "datasets/torch_file.h"
#include "fuzz/fuzz.h"

namespace {

using cairn::datasets::Bytes;

void add(archive* zip, const char* name, std::span<const uint8_t> content) {
  archive_entry* const entry = archive_entry_new();
  archive_entry_set_pathname(entry, name);
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_size(entry, static_cast<int64_t>(content.size()));
  if (archive_write_header(zip, entry) != ARCHIVE_OK) __builtin_trap();
  archive_write_data(zip, content.data(), content.size());
  archive_entry_free(entry);
}

Bytes packed(std::span<const uint8_t> pickle) {
  Bytes file(pickle.size() + 4096);
  size_t used = 0;
  archive* const zip = archive_write_new();
  archive_write_set_format_zip(zip);
  archive_write_zip_set_compression_store(zip);
  if (archive_write_open_memory(zip, file.data(), file.size(), &used) != ARCHIVE_OK) __builtin_trap();
  add(zip, "a/data.pkl", pickle);
  add(zip, "a/data/0", Bytes(256, 1));
  if (archive_write_free(zip) != ARCHIVE_OK) __builtin_trap();
  file.resize(used);
  return file;
}

}  // namespace

void cairn::fuzz::run(std::span<const uint8_t> input) {
  if (input.empty()) return;
  const std::span<const uint8_t> rest = input.subspan(1);
  const Bytes file = input[0] % 2 == 0 ? packed(rest) : Bytes(rest.begin(), rest.end());
  size_t bytes = 0;
  for (const HostTensor& tensor : datasets::read_torch_file(file, "file")) {
    if (tensor.bytes.size() != static_cast<size_t>(tensor.shape.count()) * size_of(tensor.dtype)) __builtin_trap();
    bytes += tensor.bytes.size();
  }
  if (bytes > 8 * file.size()) __builtin_trap();
}
