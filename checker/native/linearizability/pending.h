// What is under way at a place in time, as a search walks along the events.

#pragma once

#include <cstdint>
#include <vector>

#include "timeline.h"

namespace partita::search {

template <class Space, class Mask>
class Pending {
  public:
    Pending(const Timeline& timeline, Space& space, std::size_t kinds)
        : timeline_(timeline), space_(space), of_kind_(kinds), in_slot_(timeline.slots) {}

    std::int32_t position() const { return position_; }
    bool at_end() const { return position_ == static_cast<std::int32_t>(timeline_.events.size()); }

    // The slots of operations that are under way, but for the pooled ones; those of a kind.
    const Mask& all() const { return slots_; }
    const Mask& of_kind(std::int32_t kind) const { return of_kind_[kind]; }
    const Operation& in(int slot) const { return *in_slot_[slot]; }

    void seek(std::int32_t position) {
        while (position_ < position) forth();
        while (position_ > position) back();
    }

    // Passes the next event.
    void forth() {
        auto event = timeline_.events[position_++];
        const auto& operation = timeline_.operations[Timeline::operation_of(event)];
        if (event >= 0) {
            space_.pass(event, operation.kind, true);
            open(operation);
        } else {
            close(operation);
        }
    }

  private:
    void back() {
        auto event = timeline_.events[--position_];
        const auto& operation = timeline_.operations[Timeline::operation_of(event)];
        if (event >= 0) {
            space_.pass(event, operation.kind, false);
            close(operation);
        } else {
            open(operation);
        }
    }

    void open(const Operation& operation) {
        if (operation.slot < 0) {
            space_.pool(operation.kind, 1);
            return;
        }
        space_.open(operation.slot, operation.kind);
        of_kind_[operation.kind].set(operation.slot);
        slots_.set(operation.slot);
        in_slot_[operation.slot] = &operation;
    }

    void close(const Operation& operation) {
        if (operation.slot < 0) {
            space_.pool(operation.kind, -1);
            return;
        }
        space_.close(operation.slot, operation.kind);
        of_kind_[operation.kind].reset(operation.slot);
        slots_.reset(operation.slot);
    }

    const Timeline& timeline_;
    Space& space_;
    std::vector<Mask> of_kind_;
    std::vector<const Operation*> in_slot_;
    Mask slots_;
    std::int32_t position_ = 0;
};

}  // namespace partita::search
