#include <algorithm>
#include <cstdlib>

#include "chain_links.h"
#include "mismatches.h"

namespace partita {
namespace {

// An operation's place in its chain: the number of its value's block.
struct Place {
    int32_t block;
    int32_t operation;
};

class Register {
   public:
    Register(const std::vector<Operation>& operations, int32_t values, int32_t initial,
             bool ordered, Limits& limits)
        : links_(operations, values, initial, limits),
          ops_(operations),
          initial_(initial),
          ordered_(ordered),
          limits_(limits),
          writer_too_(values, none) {}

    ChainResult check() {
        try {
            note_writers();
            keep_what_happened();
            link();
            walk_chains();
            find_overlap();
        } catch (const ChainResult& result) {
            return result;
        }
        if (mismatches_ || ordered_) return check_mismatches(links_, chains_, ordered_);
        return {Answer::valid, {}};
    }

   private:
    [[noreturn]] static void contradict(const char* kind, std::vector<int32_t> roles,
                                        std::vector<int32_t> links = {}) {
        throw ChainResult{Answer::invalid, {kind, std::move(roles), std::move(links)}};
    }

    bool writes(const Operation& op) const {
        return op.kind == Kind::write || op.kind == Kind::cas;
    }
    bool observes(const Operation& op) const {
        return op.kind == Kind::read || op.kind == Kind::cas;
    }

    void note_writers() {
        for (int32_t i = 0; i < size(); i++) {
            limits_.poll();
            if (!writes(ops_[i])) continue;
            int32_t& writer = links_.writer[ops_[i].left];
            (writer == none ? writer : writer_too_[ops_[i].left]) = i;
        }
    }

    // Step 1 and 2: what happened, and whether each value observed has its one writer.
    void keep_what_happened() {
        for (int32_t i = 0; i < size(); i++) {
            limits_.poll();
            if (ops_[i].crashed) continue;
            links_.kept[i] = 1;
            mismatches_ |= ops_[i].kind == Kind::mismatch;
            if (observes(ops_[i])) observe(i);
        }
    }

    void observe(int32_t observer) {
        for (;;) {
            const int32_t value = ops_[observer].seen;
            if (links_.observed[value]) return;
            links_.observed[value] = 1;
            const int32_t writer = links_.writer[value];
            const int32_t rival = value == initial_ ? writer : writer_too_[value];
            if (rival != none) {
                throw ChainResult{Answer::not_applicable,
                                  {"", value == initial_ ? std::vector{rival}
                                                         : std::vector{writer, rival}, {}}};
            }
            if (value == initial_) return;
            if (writer == none) contradict("phantom", {observer});
            if (links_.kept[writer]) return;
            links_.kept[writer] = 1;
            if (ops_[writer].kind != Kind::cas) return;
            observer = writer;
        }
    }

    // Step 3: which reads and which cas follow each value.
    void link() {
        for (int32_t i = size() - 1; i >= 0; i--) {
            limits_.poll();
            if (!links_.kept[i]) continue;
            const Operation& op = ops_[i];
            if (op.kind == Kind::read) {
                links_.next_read[i] = links_.first_read[op.seen];
                links_.first_read[op.seen] = i;
            } else if (op.kind == Kind::cas) {
                if (links_.next_cas[op.seen] != none) contradict("twice", {i, links_.next_cas[op.seen]});
                links_.next_cas[op.seen] = i;
                cas_++;
            }
        }
    }

    // Step 4, and the summaries for step 5.
    void walk_chains() {
        int32_t cas_walked = 0;
        if (initial_ != none) {
            chains_.push_back({none});
            chains_.back().least_completion = before_all;
            cas_walked += walk_chain(chains_.back());
        }
        for (int32_t i = 0; i < size(); i++) {
            if (!links_.kept[i] || ops_[i].kind != Kind::write) continue;
            chains_.push_back({i});
            cas_walked += walk_chain(chains_.back());
        }
        if (cas_walked != cas_) contradict("ring", ring());
    }

    int32_t walk_chain(Chain& chain) {
        int32_t cas = 0;
        int32_t block_before = none;
        bool last_was_read = false;
        int64_t latest = before_all;         // greatest invocation of strictly earlier places
        int64_t latest_in_place = before_all;  // and with this place
        links_.walk(chain.head, [&](int32_t i, int32_t block) {
            const Operation& op = ops_[i];
            const bool is_read = op.kind == Kind::read;
            if (block != block_before || is_read != last_was_read) latest = latest_in_place;
            block_before = block;
            last_was_read = is_read;
            cas += op.kind == Kind::cas;
            if (op.completed < latest) contradict_order(chain.head, i);
            latest_in_place = std::max(latest_in_place, op.invoked);
            if (op.completed < chain.least_completion) {
                chain.least_completion = op.completed;
                chain.first_completed = i;
            }
            if (op.invoked > chain.greatest_invocation) {
                chain.greatest_invocation = op.invoked;
                chain.last_invoked = i;
            }
        });
        return cas;
    }

    // The cas that no chain reached: follow them back until one comes again.
    std::vector<int32_t> ring() {
        std::vector<uint8_t> reached(ops_.size(), 0);
        auto reach = [&](int32_t i, int32_t) { reached[i] = 1; };
        for (const Chain& chain : chains_) links_.walk(chain.head, reach);
        int32_t start = 0;
        while (!links_.kept[start] || ops_[start].kind != Kind::cas || reached[start]) start++;
        while (!reached[start]) {
            reached[start] = 1;
            start = links_.writer[ops_[start].seen];
        }
        std::vector<int32_t> members{start};
        for (int32_t i = links_.next_cas[ops_[start].left]; i != start; i = links_.next_cas[ops_[i].left]) {
            members.push_back(i);
        }
        return members;
    }

    std::vector<Place> places(int32_t head) {
        std::vector<Place> all;
        links_.walk(head, [&](int32_t i, int32_t block) { all.push_back({block, i}); });
        return all;
    }

    // The cas that lead from block `from` to block `to`, without the roles themselves.
    void add_links(const std::vector<Place>& all, int32_t from, int32_t to,
                   const std::vector<int32_t>& roles, std::vector<int32_t>& links) {
        for (const Place& place : all) {
            if (place.block <= from || place.block > to) continue;
            if (ops_[place.operation].kind != Kind::cas) continue;
            if (std::find(roles.begin(), roles.end(), place.operation) != roles.end()) continue;
            links.push_back(place.operation);
        }
    }

    // `late` is the first operation of its chain that completed before one of an earlier place
    // was invoked. With the nearest such one all links between were pending together, or there
    // would have been an earlier contradiction: so there are no more of them than processes.
    [[noreturn]] void contradict_order(int32_t head, int32_t late) {
        const std::vector<Place> all = places(head);
        auto at = std::find_if(all.begin(), all.end(),
                               [&](const Place& p) { return p.operation == late; });
        auto early = at;
        while (ops_[early->operation].invoked <= ops_[late].completed ||
               (early->block == at->block && ops_[early->operation].kind == Kind::read)) {
            early--;
        }
        std::vector<int32_t> roles{early->operation, late};
        std::vector<int32_t> links;
        add_links(all, early->block, at->block, roles, links);
        contradict("order", roles, links);
    }

    // Step 5.
    void find_overlap() {
        std::vector<const Chain*> forward;
        for (const Chain& chain : chains_) {
            if (chain.forward()) forward.push_back(&chain);
        }
        auto begins_before = [](const Chain* a, const Chain* b) {
            return a->least_completion < b->least_completion;
        };
        std::sort(forward.begin(), forward.end(), begins_before);
        for (size_t i = 1; i < forward.size(); i++) {
            limits_.poll();
            if (forward[i]->least_completion < forward[i - 1]->greatest_invocation) {
                contradict_overlap(*forward[i - 1], *forward[i]);
            }
        }
        for (const Chain& chain : chains_) {
            limits_.poll();
            if (chain.forward()) continue;
            auto after = std::lower_bound(
                forward.begin(), forward.end(), chain.greatest_invocation,
                [](const Chain* f, int64_t time) { return f->least_completion < time; });
            if (after == forward.begin()) continue;
            const Chain& around = **std::prev(after);
            if (chain.least_completion < around.greatest_invocation) {
                contradict_overlap(around, chain);
            }
        }
    }

    // Of the operations that can play first (completed before `before`) and second (invoked
    // after `after`), the two that are nearest to each other in their chain.
    struct Pair {
        Place first, second;
        int32_t distance() const { return std::abs(first.block - second.block); }
    };

    Pair nearest(const std::vector<Place>& all, int64_t before, int64_t after, bool initial) {
        Pair best{{0, none}, {INT32_MAX, none}};
        Place first{initial ? 0 : none, none}, second{none, none};
        for (const Place& place : all) {
            const Operation& op = ops_[place.operation];
            if (op.completed < before) first = place;
            if (op.invoked > after) second = place;
            if (first.block == none || second.block == none) continue;
            if (Pair pair{first, second}; pair.distance() < best.distance()) best = pair;
        }
        return best;
    }

    int64_t completion(const Place& place) const {
        return place.operation == none ? before_all : ops_[place.operation].completed;
    }

    // One of C completed before one of D was invoked, and one of D before one of C. Choose
    // them so that few links are needed, in turns until nothing is gained.
    [[noreturn]] void contradict_overlap(const Chain& c, const Chain& d) {
        const std::vector<Place> of_c = places(c.head), of_d = places(d.head);
        Pair in_c = nearest(of_c, d.greatest_invocation, d.least_completion, c.head == none);
        Pair in_d{{0, none}, {INT32_MAX, none}};
        int32_t links_needed = INT32_MAX;
        for (;;) {
            in_d = nearest(of_d, ops_[in_c.second.operation].invoked, completion(in_c.first),
                           d.head == none);
            in_c = nearest(of_c, ops_[in_d.second.operation].invoked, completion(in_d.first),
                           c.head == none);
            const int32_t needed = in_c.distance() + in_d.distance();
            if (needed >= links_needed) break;
            links_needed = needed;
        }
        const std::vector<int32_t> roles{in_c.first.operation, in_d.second.operation,
                                         in_d.first.operation, in_c.second.operation};
        std::vector<int32_t> links;
        auto add = [&](const std::vector<Place>& all, const Pair& pair) {
            auto [from, to] = std::minmax(pair.first.block, pair.second.block);
            add_links(all, from, to, roles, links);
        };
        add(of_c, in_c);
        add(of_d, in_d);
        contradict("between", roles, links);
    }

    int32_t size() const { return static_cast<int32_t>(ops_.size()); }

    Links links_;
    const std::vector<Operation>& ops_;
    const int32_t initial_;
    const bool ordered_;
    Limits& limits_;
    std::vector<int32_t> writer_too_;  // by value: another writer than links_.writer
    std::vector<Chain> chains_;
    int32_t cas_ = 0;
    bool mismatches_ = false;
};

}  // namespace

ChainResult check_chains(const std::vector<Operation>& operations, int32_t values,
                         int32_t initial, bool ordered, Limits& limits) {
    return Register(operations, values, initial, ordered, limits).check();
}

}  // namespace partita
