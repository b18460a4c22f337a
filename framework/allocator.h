// Device memory: a caching pool of blocks, and the storage that owns one block. Not here: what the bytes mean.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

namespace cairn {

class Device;

struct MemoryCounters {
  size_t live = 0;    // bytes in tensors now
  size_t peak = 0;    // the most they have been
  size_t cached = 0;  // bytes held for reuse
};

// Blocks freed into a pool are handed out again without asking the device: a training step asks for the same sizes over
// and over. Each captured step has a pool of its own, so that nothing else is ever given the blocks it replays into.
class MemoryPool {
 public:
  explicit MemoryPool(Device& device) : device_(device) {}
  ~MemoryPool();
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  struct Block {
    void* data;
    size_t capacity;
  };
  // op: what the memory is for, named when there is none left (DeviceError).
  Block take(size_t bytes, const char* op);
  void give_back(Block block);
  // Returns every unused block to the device.
  void trim();

 private:
  // Whether AddressSanitizer is told which bytes may be touched: those that were asked for, while they are in use. Not
  // in a captured step's pool, whose blocks the replays go on using after the step has given them back.
  bool poisons() const;

  Device& device_;
  std::multimap<size_t, void*> unused_;  // by capacity
};

// The only owner of a tensor's bytes. Keeps its pool alive.
class Storage {
 public:
  Storage(std::shared_ptr<MemoryPool> pool, size_t bytes, const char* op)
      : pool_(std::move(pool)), block_(pool_->take(bytes, op)) {}
  ~Storage() { pool_->give_back(block_); }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  void* data() const { return block_.data; }

 private:
  std::shared_ptr<MemoryPool> pool_;
  MemoryPool::Block block_;
};

}  // namespace cairn
