#include "link_registers.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "components.h"

namespace partita::transactions {
namespace {

// What a transaction read first of a key, and what it left there; `none` with `has_…` for nothing.
struct Touch {
    uint32_t key, txn;
    uint32_t read = none, written = none;
    bool has_read = false;
};

std::vector<Touch> touches_of(const Txns& txns) {
    std::vector<Touch> touches;
    std::vector<std::pair<uint32_t, size_t>> at(txns.keys.size(), {none, 0});
    for (uint32_t i = 0; i < txns.ops.size(); i++) {
        const MicroOp& op = txns.ops[i];
        const uint32_t txn = txns.txn_of[i];
        if (!txns.committed[txn] || txns.keys[op.key].shape == Shape::list) continue;
        if (op.act == Act::unknown_read) continue;
        auto& [last, place] = at[op.key];
        if (last != txn) {
            last = txn;
            place = touches.size();
            touches.push_back({.key = op.key, .txn = txn});
            touches.back().has_read = op.act == Act::read;
            if (op.act == Act::read) touches.back().read = op.element;
        }
        if (op.act == Act::write) touches[place].written = op.element;
    }
    std::stable_sort(touches.begin(), touches.end(),
                     [](const Touch& a, const Touch& b) { return a.key < b.key; });
    return touches;
}

// One register: its touches, and from these its links.
class Register {
   public:
    Register(const Txns& txns, const Versions& versions, const Rules& rules, uint32_t key,
             const Touch* begin, const Touch* end)
        : txns_(txns), versions_(versions), rules_(rules), key_(key), begin_(begin), end_(end) {
        for (const Touch* each = begin; each != end; ++each) {
            if (each->written != none) values_.push_back(each->written);
        }
        std::sort(values_.begin(), values_.end());
    }

    std::vector<Link> links(Found& found, Components& components, Limits& limits) {
        link_told();
        if (rules_.writes_follow_reads) link_updates();
        if (rules_.linearizable_keys) link_in_time();
        if (rules_.sequential_keys) link_processes();
        leave_out_cycles(found, components, limits);
        link_initial();
        std::stable_sort(links_.begin(), links_.end(), [](const Link& a, const Link& b) {
            return a.before != b.before ? a.before < b.before : a.after < b.after;
        });
        const auto same = [](const Link& a, const Link& b) {
            return a.before == b.before && a.after == b.after;
        };
        links_.erase(std::unique(links_.begin(), links_.end(), same), links_.end());
        return std::move(links_);
    }

   private:
    void link(uint32_t before, uint32_t after, Rule rule) {
        if (before != after) links_.push_back({key_, before, after, rule});
    }

    bool is_value(uint32_t element) const {
        return std::binary_search(values_.begin(), values_.end(), element);
    }

    void link_told() {
        std::vector<uint32_t> told;
        for (const uint32_t value : values_) {
            if (versions_.of(value) >= 0) told.push_back(value);
        }
        std::sort(told.begin(), told.end(), [&](uint32_t a, uint32_t b) {
            return versions_.of(a) < versions_.of(b);
        });
        for (size_t i = 1; i < told.size(); i++) {
            if (versions_.of(told[i - 1]) < versions_.of(told[i])) {
                link(told[i - 1], told[i], Rule::told);
            }
        }
    }

    void link_updates() {
        for (const Touch* each = begin_; each != end_; ++each) {
            if (!each->has_read || each->written == none) continue;
            link(each->read, each->written, Rule::writes_follow_reads);
        }
    }

    // v < w if an operation on v had ended before one on w began: exactly if the first that ended
    // of those on v did so before the last of those on w began. Linked are only those between
    // which no third value is known to stand; where values contradict each other, some link says so.
    void link_in_time() {
        struct Zone {
            int64_t ended = never, begun = -1;
        };
        std::vector<Zone> zones(values_.size());
        const auto touch = [&](uint32_t element, uint32_t txn) {
            if (element == none || !is_value(element)) return;
            Zone& zone = zones[place_of(element)];
            const bool is_ok = txns_.given.outcome[txn] == ok;
            if (is_ok) zone.ended = std::min(zone.ended, txns_.given.completed[txn]);
            zone.begun = std::max(zone.begun, txns_.given.invoked[txn]);
        };
        for (const Touch* each = begin_; each != end_; ++each) {
            if (each->has_read) touch(each->read, each->txn);
            touch(each->written, each->txn);
        }
        std::vector<uint32_t> by_begun(values_.size());
        for (uint32_t i = 0; i < by_begun.size(); i++) by_begun[i] = i;
        std::sort(by_begun.begin(), by_begun.end(),
                  [&](uint32_t a, uint32_t b) { return zones[a].begun < zones[b].begun; });
        // From each place on, the two that ended first.
        std::vector<std::array<uint32_t, 2>> first(values_.size() + 1, {none, none});
        const auto earlier = [&](uint32_t a, uint32_t b) {
            return b == none || (a != none && zones[a].ended < zones[b].ended);
        };
        for (size_t i = by_begun.size(); i-- > 0;) {
            first[i] = first[i + 1];
            if (earlier(by_begun[i], first[i][0])) {
                first[i] = {by_begun[i], first[i][0]};
            } else if (earlier(by_begun[i], first[i][1])) {
                first[i][1] = by_begun[i];
            }
        }
        for (uint32_t v = 0; v < values_.size(); v++) {
            const auto after = std::upper_bound(
                by_begun.begin(), by_begun.end(), zones[v].ended,
                [&](int64_t ended, uint32_t each) { return ended < zones[each].begun; });
            const auto& firsts = first[after - by_begun.begin()];
            const uint32_t least = firsts[0] == v ? firsts[1] : firsts[0];
            if (least == none) continue;
            link(values_[v], values_[least], Rule::linearizable_keys);
            for (auto each = after; each != by_begun.end(); ++each) {
                if (zones[*each].begun > zones[least].ended) break;
                if (*each != least) link(values_[v], values_[*each], Rule::linearizable_keys);
            }
        }
    }

    uint32_t place_of(uint32_t element) const {
        return static_cast<uint32_t>(std::lower_bound(values_.begin(), values_.end(), element) -
                                     values_.begin());
    }

    void link_processes() {
        std::unordered_map<int64_t, uint32_t> last;  // what each process saw or left there
        for (const Touch* each = begin_; each != end_; ++each) {
            auto [known, is_new] = last.try_emplace(txns_.given.process[each->txn], none);
            const auto step = [&](uint32_t element) {
                if (element == none || !is_value(element)) return;
                if (known->second != none) link(known->second, element, Rule::sequential_keys);
                known->second = element;
            };
            if (each->has_read) step(each->read);
            if (txns_.given.outcome[each->txn] == ok) {
                step(each->written);
            } else if (known->second != none && each->written != none) {
                link(known->second, each->written, Rule::sequential_keys);
            }
        }
    }

    // Nothing stood there before whatever comes after no other value.
    void link_initial() {
        std::vector<uint8_t> is_later(values_.size(), 0);
        for (const Link& each : links_) {
            if (each.before != none && is_value(each.before)) is_later[place_of(each.after)] = 1;
        }
        for (size_t i = 0; i < values_.size(); i++) {
            if (!is_later[i]) link(none, values_[i], Rule::initial);
        }
    }

    void leave_out_cycles(Found& found, Components& components, Limits& limits) {
        std::vector<Link> sorted;
        for (const Link& each : links_) {
            if (each.before != none && is_value(each.before)) sorted.push_back(each);
        }
        std::stable_sort(sorted.begin(), sorted.end(),
                         [](const Link& a, const Link& b) { return a.before < b.before; });
        std::vector<uint32_t> offsets(values_.size() + 1, 0);
        for (const Link& each : sorted) offsets[place_of(each.before) + 1]++;
        for (size_t i = 0; i < values_.size(); i++) offsets[i + 1] += offsets[i];
        std::vector<uint32_t> group(values_.size(), none);
        uint32_t groups = 0;
        components.find(
            static_cast<uint32_t>(values_.size()),
            [&](uint32_t node, uint32_t& cursor, uint32_t& target) {
                if (offsets[node] + cursor >= offsets[node + 1]) return false;
                target = place_of(sorted[offsets[node] + cursor++].after);
                return true;
            },
            [&](const uint32_t* begin, const uint32_t* end) {
                for (; begin != end; ++begin) group[*begin] = groups;
                groups++;
            },
            limits);
        if (groups == 0) return;
        const auto is_inside = [&](const Link& each) {
            if (each.before == none || !is_value(each.before)) return false;
            const uint32_t of = group[place_of(each.before)];
            return of != none && of == group[place_of(each.after)];
        };
        report(found, sorted, group, groups);
        std::erase_if(links_, is_inside);
    }

    // Two values that each come before the other, if there are such, else a link of the cycle and
    // one that leads back towards its beginning.
    void report(Found& found, const std::vector<Link>& sorted, const std::vector<uint32_t>& group,
                uint32_t groups) const {
        for (uint32_t number = 0; number < groups; number++) {
            std::vector<Link> inside;
            for (const Link& each : sorted) {
                const uint32_t of = group[place_of(each.before)];
                if (of == number && group[place_of(each.after)] == number) inside.push_back(each);
            }
            Link one = inside.front(), back = inside.front();
            for (const Link& a : inside) {
                if (a.after == one.before) back = a;
            }
            if (inside.size() < 4096) {
                for (const Link& a : inside) {
                    for (const Link& b : inside) {
                        if (a.before != b.after || a.after != b.before) continue;
                        one = a;
                        back = b;
                    }
                }
            }
            found.add(Anomaly::cyclic_versions,
                      {.txns = {txns_.writer_of(one.before), txns_.writer_of(one.after)},
                       .key = key_,
                       .element = one.before,
                       .other = one.after,
                       .rule = rule_names[static_cast<size_t>(one.rule)],
                       .other_rule = rule_names[static_cast<size_t>(back.rule)]});
        }
    }

    const Txns& txns_;
    const Versions& versions_;
    const Rules& rules_;
    const uint32_t key_;
    const Touch *begin_, *end_;
    std::vector<uint32_t> values_;  // what was left there by committed transactions, sorted
    std::vector<Link> links_;
};

}  // namespace

std::vector<uint8_t> link_registers(const Txns& txns, const Versions& versions, const Rules& rules,
                                    Links& links, Found& found, Limits& limits) {
    const std::vector<Touch> touches = touches_of(txns);
    Components components;
    std::vector<uint8_t> used(std::size(rule_names), 0);
    for (size_t begin = 0; begin < touches.size();) {
        limits.look();
        size_t end = begin;
        while (end < touches.size() && touches[end].key == touches[begin].key) end++;
        Register one(txns, versions, rules, touches[begin].key, touches.data() + begin,
                     touches.data() + end);
        for (const Link& link : one.links(found, components, limits)) {
            used[static_cast<size_t>(link.rule)] = 1;
            links.add(link);
        }
        begin = end;
    }
    std::vector<uint8_t> found_rules;
    for (size_t rule = 0; rule < used.size(); rule++) {
        if (used[rule]) found_rules.push_back(static_cast<uint8_t>(rule));
    }
    return found_rules;
}

}  // namespace partita::transactions
