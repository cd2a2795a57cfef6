// Memory of large tables that are looked up here and there.

#pragma once

#include <sys/mman.h>

#include <cstdlib>
#include <new>
#include <vector>

namespace partita {

// Asks for large pages where the kernel has them: with small ones, most of a look-up in a table of
// many megabytes is finding out where its page is.
template <class T>
struct HugePages {
    using value_type = T;

    HugePages() = default;
    template <class Other>
    HugePages(const HugePages<Other>&) {}

    T* allocate(size_t count) {
        const size_t whole = (count * sizeof(T) + page - 1) / page * page;
        const bool is_large = count * sizeof(T) >= 2 * page;
        void* memory = is_large ? std::aligned_alloc(page, whole) : std::malloc(count * sizeof(T));
        if (memory == nullptr) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
        if (is_large) madvise(memory, whole, MADV_HUGEPAGE);
#endif
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, size_t) { std::free(memory); }

    friend bool operator==(const HugePages&, const HugePages&) { return true; }

   private:
    static constexpr size_t page = size_t{2} << 20;
};

template <class T>
using LargeVector = std::vector<T, HugePages<T>>;

}  // namespace partita
