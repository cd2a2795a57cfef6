// A list that grows without being moved: no second copy of it while it grows, so that a search
// takes no more memory at a stroke than it is allowed.

#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace partita::search {

template <class T>
class Blocks {
  public:
    std::size_t size() const { return size_; }
    T& operator[](std::size_t i) { return blocks_[i / kBlock][i % kBlock]; }
    const T& operator[](std::size_t i) const { return blocks_[i / kBlock][i % kBlock]; }

    void push_back(T value) {
        resize(size_ + 1);
        (*this)[size_ - 1] = std::move(value);
    }

    // Elements that were there before, also before `clear`, keep their values.
    void resize(std::size_t size) {
        while (blocks_.size() * kBlock < size) blocks_.push_back(std::make_unique<T[]>(kBlock));
        size_ = size;
    }

    void clear() { size_ = 0; }

  private:
    static constexpr std::size_t kBlock = 256;
    std::vector<std::unique_ptr<T[]>> blocks_;
    std::size_t size_ = 0;
};

}  // namespace partita::search
