// SHA-256 against the examples of FIPS 180-4.
#include "datasets/sha256.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {

TEST_CASE("sha256 agrees with the standard's examples") {
  CHECK(sha256({}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256(to_bytes("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256(Bytes(1'000'000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256 of parts is that of the whole") {
  const Bytes bytes = pattern(1000);
  Sha256 hash;
  hash.update(std::span(bytes).first(1));
  hash.update(std::span(bytes).subspan(1, 700));
  hash.update(std::span(bytes).subspan(701));
  CHECK(hash.finish() == sha256(bytes));
}

}  // namespace cairn::datasets
