#include "datasets/bytes.h"

template class std::vector<uint8_t, cairn::datasets::PageAllocator<uint8_t>>;
