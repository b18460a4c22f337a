// Networks that are made of those for photos: with another number of classes, or a backbone and a new head for transfer
// learning. Not here: freezing and features while training (trainers/trainer.h).
#pragma once

#include <memory>
#include <string>

#include "models/model.h"

namespace cairn {

// "<network>:<classes>", such as densenet121:14; "transfer-<network>", which has as many classes as its data;
// "transfer-<network>:<classes>". Null: the name is none of these, or of a network that is not for photos. Throws
// UsageError for a number of classes that makes no sense. The result lives as long as the program.
const ModelInfo* made_model(const std::string& name);

// The networks that transfer learning may begin with, separated by commas.
std::string backbone_names();

// The name that --model transfer --backbone <backbone> stands for. Throws UsageError that lists the choices.
std::string transfer_name(const std::string& backbone);

// A network for photos as two that share its tensors: all before the head, which makes a row of features of each photo,
// and the head, which makes logits of them.
struct SplitNetwork {
  std::shared_ptr<Module> backbone, head;
};
SplitNetwork split_network(const Module& network, const ModelInfo& info);

}  // namespace cairn
