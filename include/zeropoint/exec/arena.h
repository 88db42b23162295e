// Arena: the memory of the tensors of a run.
//
// Tensors come and go in an order that repeats from run to run, and their sizes
// are known only then. So memory is one region, cut best-fit and joined again
// as tensors die, and kept between runs: after the first run of a shape nothing
// is asked of the system, and the region is about as large as the tensors that
// lived at the same time.
#ifndef ZEROPOINT_EXEC_ARENA_H_
#define ZEROPOINT_EXEC_ARENA_H_

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "zeropoint/core/assert.h"

namespace zeropoint {

/// Gives out blocks of memory. Not thread-safe: operators ask before they go
/// parallel.
class Arena {
 private:
  struct Block;
  using FreeBlocks = std::multimap<std::size_t, Block*>;  // by size
  struct Block {
    std::byte* data = nullptr;
    std::size_t size = 0;
    Block* previous = nullptr;  // neighbours in the same chunk
    Block* next = nullptr;
    std::size_t users = 0;         // 0: free
    FreeBlocks::iterator entry{};  // where it is listed while it is free
  };

 public:
  static constexpr std::size_t kAlignment = 64;
  /// No block is larger: a shape that asks for more is a mistake or an attack.
  static constexpr std::size_t kMostBytes = std::size_t{1} << 40;

  /// A share in a block; the block is free again when its last share is gone.
  /// Must not outlive the arena.
  class Buffer {
   public:
    Buffer() = default;
    Buffer(const Buffer& other) : arena_(other.arena_), block_(other.block_) {
      if (block_ != nullptr) ++block_->users;
    }
    Buffer(Buffer&& other) noexcept
        : arena_(std::exchange(other.arena_, nullptr)),
          block_(std::exchange(other.block_, nullptr)) {}
    Buffer& operator=(Buffer other) noexcept {
      std::swap(arena_, other.arena_);
      std::swap(block_, other.block_);
      return *this;
    }
    ~Buffer() {
      if (block_ != nullptr && --block_->users == 0) arena_->Free(block_);
    }

    /// Null when nothing was allocated.
    std::byte* data() const {
      return block_ == nullptr ? nullptr : block_->data;
    }
    /// Whether nobody else has a share.
    bool unique() const { return block_ != nullptr && block_->users == 1; }

   private:
    friend class Arena;
    Buffer(Arena* arena, Block* block) : arena_(arena), block_(block) {}
    Arena* arena_ = nullptr;
    Block* block_ = nullptr;
  };

  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { ReleaseChunks(); }

  /// At least `bytes` bytes of undefined content, aligned to kAlignment; a
  /// buffer without data when that is too much for the system.
  Buffer Allocate(std::size_t bytes) {
    if (bytes > kMostBytes) return Buffer();
    const std::size_t size = RoundUp(bytes);
    if (in_use_ > limit_ || size > limit_ - in_use_) return Buffer();
    auto fit = free_.lower_bound(size);
    if (fit == free_.end()) {
      if (!AddChunk(std::max(size, kLeastChunk))) return Buffer();
      fit = free_.lower_bound(size);
    }
    Block* block = fit->second;
    free_.erase(fit);
    block->users = 1;
    if (block->size > size) Split(block, size);
    in_use_ += block->size;
    peak_ = std::max(peak_, in_use_);
    return Buffer(this, block);
  }

  /// What blocks may take together.
  void set_limit(std::size_t bytes) { limit_ = bytes; }

  /// Call between runs, when no buffer is left. A region that grew in pieces is
  /// made one: first as large as the blocks that lived together, later, should
  /// fragmentation have needed more, as large as the pieces.
  void Consolidate() {
    ZEROPOINT_ASSERT(in_use_ == 0, "consolidating an arena in use");
    if (chunks_.size() > 1) {
      const std::size_t size = consolidated_ ? capacity_ : peak_;
      ReleaseChunks();
      // Should the system refuse, the next Allocate asks again.
      consolidated_ = AddChunk(size);
    }
    peak_ = 0;
  }

  /// Bytes held, in use or not.
  std::size_t capacity() const { return capacity_; }
  std::size_t in_use() const { return in_use_; }
  /// The most bytes in use at one time since Consolidate.
  std::size_t peak() const { return peak_; }

 private:
  // Small tensors (shapes, scales) share one chunk.
  static constexpr std::size_t kLeastChunk = std::size_t{1} << 16;

  struct FreeMemory {
    void operator()(std::byte* data) const {
      ::operator delete(data, std::align_val_t{kAlignment});
    }
  };

  // Zero bytes take a block too, so that every tensor has an address.
  static std::size_t RoundUp(std::size_t bytes) {
    return std::max((bytes + kAlignment - 1) / kAlignment * kAlignment,
                    kAlignment);
  }

  bool AddChunk(std::size_t size) {
    std::unique_ptr<std::byte, FreeMemory> memory(static_cast<std::byte*>(
        ::operator new(size, std::align_val_t{kAlignment}, std::nothrow)));
    if (memory == nullptr) return false;
    auto* block = new Block{.data = memory.get(), .size = size};
    ListAsFree(block);
    capacity_ += size;
    chunks_.push_back({std::move(memory), block});
    return true;
  }

  void ReleaseChunks() {
    for (Chunk& chunk : chunks_) {
      for (Block* block = chunk.first; block != nullptr;) {
        delete std::exchange(block, block->next);
      }
    }
    chunks_.clear();
    free_.clear();
    capacity_ = 0;
  }

  // Leaves `size` bytes in `block` and gives the rest back.
  void Split(Block* block, std::size_t size) {
    auto* rest = new Block{.data = block->data + size,
                           .size = block->size - size,
                           .previous = block,
                           .next = block->next};
    if (rest->next != nullptr) rest->next->previous = rest;
    block->next = rest;
    block->size = size;
    ListAsFree(rest);
  }

  void Free(Block* block) {
    in_use_ -= block->size;
    if (block->next != nullptr && block->next->users == 0) {
      free_.erase(block->next->entry);
      AbsorbNext(block);
    }
    if (block->previous != nullptr && block->previous->users == 0) {
      block = block->previous;
      free_.erase(block->entry);
      AbsorbNext(block);
    }
    ListAsFree(block);
  }

  void ListAsFree(Block* block) {
    block->entry = free_.emplace(block->size, block);
  }

  static void AbsorbNext(Block* block) {
    Block* gone = block->next;
    block->size += gone->size;
    block->next = gone->next;
    if (block->next != nullptr) block->next->previous = block;
    delete gone;
  }

  struct Chunk {
    std::unique_ptr<std::byte, FreeMemory> memory;
    Block* first;  // stays first: blocks are cut off behind it
  };
  std::vector<Chunk> chunks_;
  FreeBlocks free_;
  std::size_t limit_ = kMostBytes;
  std::size_t capacity_ = 0;
  std::size_t in_use_ = 0;
  std::size_t peak_ = 0;
  bool consolidated_ = false;
};

}  // namespace zeropoint

#endif  // ZEROPOINT_EXEC_ARENA_H_
