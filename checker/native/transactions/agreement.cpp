#include "agreement.h"

#include <optional>
#include <string_view>

#include "scanning.h"

namespace partita::transactions {
namespace {

std::string shortened(std::string_view text) {
    return text.size() <= 60 ? std::string(text) : std::string(text.substr(0, 57)) + "…";
}

char act_of(Act act) { return act == Act::append ? 'a' : act == Act::write ? 'w' : 'r'; }

class Comparison {
   public:
    Comparison(const Txns& txns, uint32_t txn)
        : txns_(txns), op_(txns.first[txn]), end_(txns.first[txn + 1]) {}

    // Takes the next micro-operation of the invocation; returns whether the completion has it too.
    bool takes(std::string_view asked) {
        if (op_ == end_) return false;
        const MicroOp& op = txns_.ops[op_++];
        const char *at = asked.data() + 1, *end = asked.data() + asked.size() - 1;
        if (asked.size() < 5 || *at != '"') return false;
        const char* f = at[1] == ':' ? at + 2 : at + 1;
        at = end_of_text(at, end);
        if (at == nullptr || at >= end || *f != act_of(op.act)) return false;
        const char* key = at + 1;
        at = end_of_value(key, end);
        if (at == nullptr || text(key, at) != txns_.keys[op.key].json) return false;
        if (*f == 'r') return true;
        return at < end && is_element(op.element, text(at + 1, end));
    }

    // Whether the completion has no further one.
    bool over() const { return op_ == end_; }

   private:
    static std::string_view text(const char* begin, const char* end) {
        return {begin, static_cast<size_t>(end - begin)};
    }

    bool is_element(uint32_t element, std::string_view json) const {
        const uint32_t token = txns_.elements[element].token;
        uint32_t number = 0;
        if (is_small_number(json, number)) return number == token;
        return token >= Txns::first_text && txns_.tokens[token - Txns::first_text] == json;
    }

    const Txns& txns_;
    uint32_t op_;
    const uint32_t end_;
};

// Says where a transaction differs from what it was invoked with.
std::optional<std::string> disagreement(const Txns& txns, uint32_t txn) {
    const ValueColumns& values = txns.given.values;
    const int32_t invoked = txns.given.input[txn];
    Comparison comparison(txns, txn);
    const auto differs = [](std::string_view asked) {
        return "the completion does not do what was invoked, which was " + shortened(asked);
    };
    if (values.is_pair(invoked)) {
        for (const int32_t part : {values.pairs[2 * invoked], values.pairs[2 * invoked + 1]}) {
            if (part < 0 || values.is_pair(part) || !values.is_text[part]) {
                return "the invocation is no list of micro-operations";
            }
            if (!comparison.takes(values.text_of(part))) return differs(values.text_of(part));
        }
    } else {
        if (!values.is_text[invoked]) return "the invocation is no list of micro-operations";
        const std::string_view all = values.text_of(invoked);
        if (all.size() < 2 || all[0] != '[') return "the invocation is no list of micro-operations";
        const char *at = all.data() + 1, *end = all.data() + all.size() - 1;
        while (at < end) {
            const char* stop = end_of_value(at, end);
            if (stop == nullptr || stop == at) return differs(all);
            const std::string_view asked(at, static_cast<size_t>(stop - at));
            if (!comparison.takes(asked)) return differs(asked);
            at = *stop == ',' ? stop + 1 : stop;
        }
    }
    if (comparison.over()) return std::nullopt;
    return "the completion does more than was invoked";
}

}  // namespace

void look_at_agreement(const Txns& txns, uint32_t count, Limits& limits) {
    const Given& given = txns.given;
    for (uint32_t txn = 0; txn < count; txn++) {
        limits.poll();
        const bool says_both = given.input[txn] >= 0 && given.input[txn] != given.output[txn];
        if (!has_answer(given, txn) || !says_both) continue;
        if (const auto differs = disagreement(txns, txn)) throw BadInput(*differs, {txn});
    }
}

}  // namespace partita::transactions
