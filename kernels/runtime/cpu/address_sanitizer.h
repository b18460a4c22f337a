// CAIRN_ADDRESS_SANITIZER: 1 where this translation unit is compiled with AddressSanitizer, by g++ or by clang; else 0.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define CAIRN_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CAIRN_ADDRESS_SANITIZER 1
#endif
#endif
#if !defined(CAIRN_ADDRESS_SANITIZER)
#define CAIRN_ADDRESS_SANITIZER 0
#endif
