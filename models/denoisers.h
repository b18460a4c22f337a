// What the source of the filters that take noise out of images published of them. Not here: the filters (denoisers.cpp,
// found as every network by model.h), training and measuring them (trainers/denoising.h).
#pragma once

#include <string>

namespace cairn {

// In dB on MNIST's test images. filter: the name of one of known_models(Task::denoise).
double published_snr(const std::string& filter);

}  // namespace cairn
