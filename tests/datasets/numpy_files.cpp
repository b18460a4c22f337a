#include "tests/datasets/numpy_files.h"

#include <doctest/doctest.h>
#include <libdeflate.h>

#include <string_view>

namespace cairn::datasets {
namespace {

using namespace std::string_view_literals;

class Writer {
 public:
  Writer& text(std::string_view characters) {
    bytes.insert(bytes.end(), characters.begin(), characters.end());
    return *this;
  }
  Writer& number(uint64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
    return *this;
  }
  Writer& content(const Bytes& other) {
    bytes.insert(bytes.end(), other.begin(), other.end());
    return *this;
  }

  Bytes bytes;
};

void put_key(Writer& to, std::string_view key, PickleForm form) {
  if (form == PickleForm::python2)
    to.text("U").number(key.size(), 1).text(key);
  else
    to.text("X").number(key.size(), 4).text(key);
}

void put_bytes(Writer& to, const Bytes& bytes, PickleForm form) {
  if (form == PickleForm::python2) {
    to.text("T").number(bytes.size(), 4).content(bytes);
  } else if (form == PickleForm::python3) {
    to.text("B").number(bytes.size(), 4).content(bytes);
  } else {
    Bytes utf8;
    for (const uint8_t byte : bytes) {
      if (byte >= 0x80) utf8.push_back(static_cast<uint8_t>(0xC0 | byte >> 6));
      utf8.push_back(byte >= 0x80 ? static_cast<uint8_t>(0x80 | (byte & 0x3F)) : byte);
    }
    to.text("c_codecs\nencode\nX"sv).number(utf8.size(), 4).content(utf8);
    to.text("X\6\0\0\0latin1\x86R"sv);
  }
}

}  // namespace

Bytes make_pickle_batch(const Bytes& pixels, size_t row_bytes, const std::vector<int>& labels, PickleForm form,
                        const std::vector<std::string>& label_keys) {
  Writer to;
  to.text("\x80").number(form == PickleForm::python3 ? 3 : 2, 1).text("}q\0("sv);
  put_key(to, "data", form);
  to.text("cnumpy.core.multiarray\n_reconstruct\nq\1cnumpy\nndarray\nq\2K\0\x85"sv);
  put_bytes(to, {'b'}, form);
  to.text("\x87Rq\3(K\1"sv).text("J").number(pixels.size() / row_bytes, 4).text("J").number(row_bytes, 4);
  to.text(
      "\x86"
      "cnumpy\ndtype\nq\4"sv);
  put_key(to, "u1", form);
  to.text("K\0K\1\x87Rq\5(K\3"sv);
  put_key(to, "|", form);
  to.text("NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89"sv);
  put_bytes(to, pixels, form);
  to.text("tb");
  put_key(to, "mean", form);
  to.text("G\x3f\xe0\0\0\0\0\0\0"sv);  // 0.5
  for (const std::string& key : label_keys) {
    put_key(to, key, form);
    to.text("]q\6("sv);
    for (const int label : labels) to.text("J").number(static_cast<uint32_t>(label), 4);
    to.text("e");
  }
  to.text("u.");
  return to.bytes;
}

Bytes make_npy(const std::string& type, const std::string& shape, const Bytes& content) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header.resize((header.size() + 10 + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  Writer to;
  to.text("\x93NUMPY\1\0"sv).number(header.size(), 2).text(header).content(content);
  return to.bytes;
}

Bytes make_zip(const std::vector<ZipEntry>& entries) {
  Writer to, directory;
  for (const ZipEntry& entry : entries) {
    Bytes packed = entry.content;
    if (entry.deflated) {
      libdeflate_compressor* const compressor = libdeflate_alloc_compressor(6);
      packed.resize(libdeflate_deflate_compress_bound(compressor, entry.content.size()));
      packed.resize(libdeflate_deflate_compress(compressor, entry.content.data(), entry.content.size(), packed.data(),
                                                packed.size()));
      libdeflate_free_compressor(compressor);
    }
    const size_t begin = to.bytes.size();
    const uint32_t crc = libdeflate_crc32(0, entry.content.data(), entry.content.size());
    const auto both_heads = [&](Writer& head) {
      head.number(45, 2).number(0, 2).number(entry.deflated ? 8 : 0, 2).number(0x21, 4).number(crc, 4);
    };
    to.text("PK\3\4"sv);
    both_heads(to);
    to.number(UINT32_MAX, 4).number(UINT32_MAX, 4).number(entry.name.size(), 2).number(20, 2).text(entry.name);
    to.number(1, 2).number(16, 2).number(entry.content.size(), 8).number(packed.size(), 8).content(packed);
    directory.text("PK\1\2"sv).number(45 | 3 << 8, 2);
    both_heads(directory);
    directory.number(packed.size(), 4).number(entry.content.size(), 4).number(entry.name.size(), 2).number(0, 2);
    directory.number(0, 2).number(0, 2).number(0, 2).number(uint32_t{0600} << 16, 4).number(begin, 4).text(entry.name);
  }
  const size_t begin = to.bytes.size(), size = directory.bytes.size();
  to.content(directory.bytes).text("PK\5\6"sv).number(0, 4).number(entries.size(), 2).number(entries.size(), 2);
  to.number(size, 4).number(begin, 4).number(0, 2);
  return to.bytes;
}

Bytes make_npz_batch(const Bytes& pixels, size_t row_bytes, const std::vector<int>& labels, bool deflated) {
  Writer numbers;
  for (const int label : labels) numbers.number(static_cast<uint64_t>(int64_t{label}), 8);
  const std::string rows = std::to_string(pixels.size() / row_bytes);
  return make_zip({{"data.npy", make_npy("|u1", "(" + rows + ", " + std::to_string(row_bytes) + ")", pixels), deflated},
                   {"labels.npy", make_npy("<i8", "(" + std::to_string(labels.size()) + ",)", numbers.bytes), deflated},
                   {"mean.npy", make_npy("<f8", "(0,)", {}), deflated}});
}

Bytes make_npy_lists(const Lists& lists) {
  Writer to;
  to.text("\x80\3cnumpy.core.multiarray\n_reconstruct\nq\0cnumpy\nndarray\nq\1K\0\x85q\2C\1bq\3\x87q\4Rq\5(K\1J"sv);
  to.number(lists.size(), 4).text("\x85q\6cnumpy\ndtype\nq\7X\2\0\0\0O8q\x08K\0K\1\x87q\x09Rq\x0a(K\3"sv);
  to.text("X\1\0\0\0|q\x0bNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tq\x0c"sv).text("b\x89](");
  for (const std::vector<int>& list : lists) {
    to.text("](");
    for (const int value : list) to.text("J").number(static_cast<uint32_t>(value), 4);
    to.text("e");
  }
  to.text("etb.");
  return make_npy("|O", "(" + std::to_string(lists.size()) + ",)", to.bytes);
}

Bytes make_npz_reviews(const Lists& x_train, const std::vector<int>& y_train, const Lists& x_test,
                       const std::vector<int>& y_test) {
  const auto labels = [](const std::vector<int>& values) {
    Writer numbers;
    for (const int value : values) numbers.number(static_cast<uint64_t>(int64_t{value}), 8);
    return make_npy("<i8", "(" + std::to_string(values.size()) + ",)", numbers.bytes);
  };
  return make_zip({{"x_train.npy", make_npy_lists(x_train), true},
                   {"y_train.npy", labels(y_train), true},
                   {"x_test.npy", make_npy_lists(x_test), true},
                   {"y_test.npy", labels(y_test), true}});
}

}  // namespace cairn::datasets
