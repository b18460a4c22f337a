// TensorBoard's event files: the curves of a run and how its weights are distributed. Not here: when an epoch is
// written (run.cpp), the run's other files (run_folder.h).
//
// A file is a row of records as in TFRecord (TensorFlow's record_writer). Each is an Event message in
// protobuf's wire format (https://protobuf.dev/programming-guides/encoding); the field numbers are those of
// tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "trainers/trainer.h"

namespace cairn {

// CRC-32C (Castagnoli's polynomial, RFC 3720, section 12.1).
uint32_t crc32c(std::string_view bytes);

// One record: the payload's length in eight bytes and their CRC, the payload and its CRC, all little-endian. A CRC is
// rotated right by 15 bits and 0xA282EAD8 added to it.
std::string record_of(std::string_view payload);

// A start of training (a resumed one too) has an event file of its own.
class TensorBoardLog {
 public:
  // TensorBoard reads a folder's files in the order of their names, so the time in this one's is later than in all that
  // are there. Nothing is written before the first epoch is.
  explicit TensorBoardLog(const std::filesystem::path& folder);

  // The epoch that just ended or was interrupted. losses: of its steps, from the epoch's first one on, also those from
  // before a resumption. The file starts with a SessionLog START at the first step it tells of, upon which TensorBoard
  // drops what earlier files say of that step and later ones: steps that are trained again are not told twice. All
  // or nothing is written (IoError), and in the system's hands on return, whatever happens to this process.
  void append(const EpochResult& epoch, std::span<const float> losses, const std::optional<Evaluation>& evaluation,
              const Module& model);

  const std::filesystem::path& path() const { return path_; }
  static bool is_event_file(const std::filesystem::path& path);  // by its name

 private:
  std::filesystem::path path_;
  bool started_ = false;
};

}  // namespace cairn
