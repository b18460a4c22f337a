// Which checked form of the executor this translation unit is compiled for. Not here: anything else.
//
// AddressSanitizer puts red zones around static variables only, and the race detector must see one address per shared
// array: both forms therefore make CAIRN_SHARED a plain static and run all blocks on one OS thread.
#pragma once

#include "kernels/runtime/cpu/address_sanitizer.h"

// Defined to 1 by the target cairn_simt_race (cmake/CairnSimt.cmake).
#if !defined(CAIRN_SIMT_RACE)
#define CAIRN_SIMT_RACE 0
#endif

#define CAIRN_SIMT_ONE_THREAD (CAIRN_ADDRESS_SANITIZER || CAIRN_SIMT_RACE)
