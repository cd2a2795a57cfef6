// Text that grows to hundreds of megabytes.

#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

namespace partita {

// Like a std::string that is only appended to. The C library makes a large block larger where it
// lies, or moves its pages: a string would be copied whenever it has doubled.
class LongText {
   public:
    struct Free {
        void operator()(char* block) const { std::free(block); }
    };
    using Block = std::unique_ptr<char, Free>;

    std::string_view view() const { return {block_.get(), size_}; }
    size_t size() const { return size_; }

    void append(std::string_view text) {
        const size_t size = size_ + text.size();
        if (size > room_) take(size + size / 2 + 64);
        if (!text.empty()) std::memcpy(block_.get() + size_, text.data(), text.size());
        size_ = size;
    }

    // Hands over the memory, of which there is no more than needed, and is empty.
    Block release() {
        take(size_ + 1);
        size_ = room_ = 0;
        return std::move(block_);
    }

   private:
    void take(size_t room) {
        auto* moved = static_cast<char*>(std::realloc(block_.get(), room));
        if (moved == nullptr) throw std::bad_alloc();
        static_cast<void>(block_.release());
        block_.reset(moved);
        room_ = room;
    }

    Block block_;
    size_t size_ = 0;
    size_t room_ = 0;
};

}  // namespace partita
