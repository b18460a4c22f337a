// SHA-256 (FIPS 180-4) through libcrypto, which uses the processor's own instructions where it has them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace cairn::datasets {

class Sha256 {
 public:
  Sha256();
  void update(std::span<const uint8_t> bytes);
  std::string finish();  // 64 lower-case hexadecimal digits; once

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;  // an EVP_MD_CTX; OpenSSL's headers stay out of this one
};

std::string sha256(std::span<const uint8_t> bytes);

}  // namespace cairn::datasets
