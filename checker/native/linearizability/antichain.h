// Configurations, and sets of them of which none is as good as another.

#pragma once

#include <cstdint>
#include <vector>

#include "bits.h"
#include "blocks.h"
#include "../usage.h"

namespace partita::search {

// What a search knows between two events: some order of the operations so far leads to
// `state`. Pending operations are of three sorts: *owed*, not yet done, must be before they
// complete; *spent*, done; and the rest are *free*: they may have been done unseen already, or
// may still be done. One that is free can do whatever it could do when owed or spent.
template <class Mask>
struct Config {
    Mask owed, spent;
    std::int32_t state = 0;
    std::uint32_t usage = 0;  // Of crashed operations: a number in the usage table.

    bool operator==(const Config&) const = default;
};

template <class Mask>
class Antichain {
  public:
    Antichain(std::int32_t states, const UsageTable& usage, bool dominate)
        : heads_(states, kNone), usage_(usage), dominate_(dominate) {}

    // A configuration is as good as another in the same state that owes a superset, has spent
    // a superset and used more crashed operations: whatever the other can do, it can.
    bool as_good(const Config<Mask>& one, const Config<Mask>& other) const {
        if (!dominate_) return one == other;
        return one.owed.within(other.owed) && one.spent.within(other.spent) &&
               usage_.within(one.usage, other.usage);
    }

    // Adds a configuration unless one as good is there; drops those it is as good as.
    bool add(const Config<Mask>& config) {
        if (config.state >= static_cast<std::int32_t>(heads_.size())) {
            heads_.resize(config.state + 1 + config.state / 2, kNone);
        }
        auto* link = &heads_[config.state];
        while (*link != kNone) {
            auto& node = nodes_[*link];
            if (as_good(node.config, config)) return false;
            if (as_good(config, node.config)) {
                node.alive = false;
                --alive_;
                *link = node.next;
            } else {
                link = &node.next;
            }
        }
        *link = static_cast<std::int32_t>(nodes_.size());
        nodes_.push_back({config, kNone, true});
        ++alive_;
        return true;
    }

    void clear() {
        for (std::size_t i = 0; i < nodes_.size(); ++i) heads_[nodes_[i].config.state] = kNone;
        nodes_.clear();
        alive_ = 0;
    }

    std::size_t size() const { return alive_; }
    std::size_t length() const { return nodes_.size(); }
    const Config<Mask>& operator[](std::size_t i) const { return nodes_[i].config; }
    bool alive(std::size_t i) const { return nodes_[i].alive; }

    void copy_to(std::vector<Config<Mask>>& configs) const {
        configs.clear();
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (nodes_[i].alive) configs.push_back(nodes_[i].config);
        }
    }

  private:
    static constexpr std::int32_t kNone = -1;
    struct Node {
        Config<Mask> config;
        std::int32_t next;
        bool alive;
    };
    std::vector<std::int32_t> heads_;
    Blocks<Node> nodes_;
    std::size_t alive_ = 0;
    const UsageTable& usage_;
    bool dominate_;
};

}  // namespace partita::search
