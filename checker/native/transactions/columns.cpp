#include "columns.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "agreement.h"
#include "interning.h"

namespace partita::transactions {
namespace {

constexpr std::string_view appends[] = {":append", "append"};
constexpr std::string_view writes[] = {":w", "w", ":write", "write"};
constexpr std::string_view reads[] = {":r", "r", ":read", "read"};

template <size_t n>
bool is_of(std::string_view name, const std::string_view (&names)[n]) {
    return std::find(names, names + n, name) != names + n;
}

// The longest list of a key as it stood in the file, behind its bracket, and where its elements
// end in it. Most lists begin like it, so that comparing the text spares taking them apart.
struct KnownText {
    const char* begin = nullptr;
    std::vector<uint32_t> ends;

    uint32_t size() const { return ends.empty() ? 0 : ends.back(); }
};

class ColumnReader {
   public:
    ColumnReader(const Given& given, Limits& limits) : limits_(limits), interning_(txns_) {
        txns_.given = given;
    }

    Txns read() {
        const Given& given = txns_.given;
        txns_.first.reserve(given.count + 1);
        for (txn_ = 0; txn_ < given.count; txn_++) {
            limits_.poll();
            if (txn_ == sample) make_room();
            txns_.first.push_back(static_cast<uint32_t>(txns_.ops.size()));
            answered_ = has_answer(given, txn_);
            try {
                transaction(answered_ ? given.output[txn_] : given.input[txn_]);
            } catch (const BadInput&) {
                look_at_agreement(txns_, txn_, limits_);  // what is wrong before that is said instead
                throw;
            }
            last_writes();
        }
        txns_.first.push_back(static_cast<uint32_t>(txns_.ops.size()));
        return std::move(txns_);
    }

   private:
    [[noreturn]] void refuse(const std::string& what) const { throw BadInput(what, {txn_}); }

    // Takes memory for all transactions, if these are like the first ones.
    void make_room() {
        const size_t ops = txns_.ops.size() * (txns_.given.count / sample + 1);
        if (!limits_.has_room(ops * (sizeof(MicroOp) + sizeof(uint32_t)))) return;
        txns_.ops.reserve(ops);
        txns_.txn_of.reserve(ops);
    }

    void transaction(int32_t code) {
        const ValueColumns& values = txns_.given.values;
        if (code < 0) return refuse_value("null");
        if (values.is_pair(code)) {
            for (const int32_t part : {values.pairs[2 * code], values.pairs[2 * code + 1]}) {
                if (part < 0 || values.is_pair(part) || !values.is_text[part]) {
                    refuse("a transaction is a list of micro-operations, each a list of three");
                }
                const std::string_view text = values.text_of(part);
                micro_operation(text.data(), text.data() + text.size());
            }
            return;
        }
        if (!values.is_text[code]) return refuse_value(std::to_string(values.payload[code]));
        const std::string_view text = values.text_of(code);
        if (text.size() < 2 || text[0] != '[' || text[1] == '\t') refuse_value(text);
        const char *at = text.data() + 1, *end = text.data() + text.size() - 1;
        while (at < end) {
            at = micro_operation(at, end);
            if (at < end && *at == ',') at++;
        }
    }

    [[noreturn]] void refuse_value(std::string_view text) const {
        refuse("a transaction is a list of micro-operations, and this is " + shortened(text));
    }

    static std::string shortened(std::string_view text) {
        return text.size() <= 60 ? std::string(text) : std::string(text.substr(0, 57)) + "…";
    }

    // Reads one micro-operation and returns where it ends.
    const char* micro_operation(const char* at, const char* end) {
        const char* begin = at;
        const auto unknown = [&]() {
            const char* stop = end_of_value(begin, end);
            refuse("unknown micro-operation " +
                   shortened({begin, static_cast<size_t>((stop ? stop : end) - begin)}) +
                   ": these are [\"append\", key, element], [\"w\", key, value], [\"r\", key, value]");
        };
        if (end - at < 5 || at[0] != '[' || at[1] != '"') unknown();
        const char* name = at + 2;
        at = end_of_text(at + 1, end);
        if (at == nullptr || at >= end || *at != ',') unknown();
        const std::string_view f(name, static_cast<size_t>(at - 1 - name));
        const char* key = ++at;
        at = end_of_value(at, end);
        if (at == nullptr || at >= end || *at != ',') unknown();
        const uint32_t number = interning_.key({key, static_cast<size_t>(at - key)});
        at++;
        if (is_of(f, reads)) {
            at = read(number, at, end);
        } else if (is_of(f, appends) || is_of(f, writes)) {
            at = write(number, is_of(f, appends), at, end);
        } else {
            unknown();
        }
        if (at == nullptr || at >= end || *at != ']') unknown();
        return at + 1;
    }

    const char* write(uint32_t key, bool appends_, const char* at, const char* end) {
        const char* stop = end_of_value(at, end);
        if (stop == nullptr || stop == at) return nullptr;
        if (*at == '[' || *at == '{') {
            refuse("an element is a number or a text, and this is " +
                   shortened({at, static_cast<size_t>(stop - at)}));
        }
        const std::string_view json(at, static_cast<size_t>(stop - at));
        if (json == "null") refuse("null cannot be written: it is what stands in a key at first");
        shape(key, appends_ ? Shape::list : Shape::value);
        const uint32_t element = interning_.element(key, json);
        Element& written = txns_.elements[element];
        if (written.writer != none) {
            const uint32_t before = txns_.txn_of[written.writer];
            throw BadInput(std::string(json) + " is written twice to " +
                               std::string(txns_.keys[key].json) +
                               ", so that nothing can be inferred from reading it",
                           {before, txn_});
        }
        written.writer = static_cast<uint32_t>(txns_.ops.size());
        add({.key = key, .element = element, .act = appends_ ? Act::append : Act::write});
        return stop;
    }

    const char* read(uint32_t key, const char* at, const char* end) {
        const char* stop = nullptr;
        if (answered_ && at < end && *at == '[') {
            stop = list(key, at, end);
            return stop == nullptr ? nullptr : stop + 1;
        }
        stop = end_of_value(at, end);
        if (stop == nullptr || stop == at) return nullptr;
        const std::string_view json(at, static_cast<size_t>(stop - at));
        if (!answered_) {
            add({.key = key, .element = none, .act = Act::unknown_read});
            return stop;
        }
        if (json == "null") {
            add({.key = key, .element = none, .act = Act::read});
            return stop;
        }
        if (*at == '{') refuse("what was read is no list, number or text: " + shortened(json));
        shape(key, Shape::value);
        const uint32_t element = interning_.element(key, json);
        txns_.elements[element].is_read = true;
        add({.key = key, .element = element, .act = Act::read});
        return stop;
    }

    void add(MicroOp op) {
        txns_.ops.push_back(op);
        txns_.txn_of.push_back(txn_);
    }

    void shape(uint32_t key, Shape shape) {
        Key& known = txns_.keys[key];
        if (known.shape == shape) return;
        if (known.shape != Shape::unknown) {
            throw BadInput("the key " + std::string(known.json) +
                               " holds a list and a register: it can be only one of these",
                           {known.shaped_by, txn_});
        }
        known.shape = shape;
        known.shaped_by = txn_;
    }

    // Reads a list whose bracket stands at `at`, and returns where its other bracket stands.
    const char* list(uint32_t key, const char* at, const char* end) {
        if (at + 1 < end && at[1] == '\t') refuse("a set was read, and not a list");
        shape(key, Shape::list);
        at++;
        if (texts_.size() <= key) texts_.resize(txns_.keys.size());
        KnownText& known = texts_[key];
        const auto left = static_cast<size_t>(end - at);
        if (known.begin != nullptr && known.size() < left &&
            std::memcmp(at, known.begin, known.size()) == 0) {
            const char* next = at + known.size();
            if (*next == ']') return known_list(key, static_cast<uint32_t>(known.ends.size()), next);
            if (*next == ',' || known.size() == 0) return longer_list(key, known, at, next, end);
        }
        const auto* close = static_cast<const char*>(std::memchr(at, ']', left));
        if (close == nullptr) return nullptr;
        const auto size = static_cast<uint32_t>(close - at);
        if (size == 0) return known_list(key, 0, close);
        if (known.begin == nullptr) return longer_list(key, known, at, at, end);
        if (size < known.size() && std::memcmp(at, known.begin, size) == 0) {
            const auto found = std::lower_bound(known.ends.begin(), known.ends.end(), size);
            if (*found == size) {
                return known_list(key, static_cast<uint32_t>(found - known.ends.begin()) + 1, close);
            }
        }
        return diverging_list(key, at, end);
    }

    const char* known_list(uint32_t key, uint32_t length, const char* close) {
        const std::vector<uint32_t>& order = txns_.keys[key].order;
        add({.key = key,
             .element = length ? order[length - 1] : none,
             .length = length,
             .act = Act::read});
        return close;
    }

    // A list that begins like the longest one: its end is read, and it is the longest from now on.
    const char* longer_list(uint32_t key, KnownText& known, const char* begin, const char* at,
                            const char* end) {
        std::vector<uint32_t>& order = txns_.keys[key].order;
        const size_t before = order.size();
        if (at < end && *at == ',') at++;
        const char* close = elements(key, at, end, [&](uint32_t element, const char* stop) {
            order.push_back(element);
            known.ends.push_back(static_cast<uint32_t>(stop - begin));
        });
        if (close == nullptr) return nullptr;
        known.begin = begin;
        if (order.size() > before) txns_.keys[key].longest = txn_;
        return known_list(key, static_cast<uint32_t>(order.size()), close);
    }

    const char* diverging_list(uint32_t key, const char* at, const char* end) {
        const auto list = static_cast<uint32_t>(txns_.lists.size());
        const char* close = elements(key, at, end, [&](uint32_t element, const char*) {
            txns_.lists.push_back(element);
        });
        if (close == nullptr) return nullptr;
        txns_.keys[key].diverges = true;
        add({.key = key,
             .element = txns_.lists.back(),
             .length = static_cast<uint32_t>(txns_.lists.size()) - list,
             .list = list,
             .act = Act::read});
        return close;
    }

    // Reads elements up to the bracket behind them, and returns that.
    template <class Take>
    const char* elements(uint32_t key, const char* at, const char* end, Take take) {
        while (at < end && *at != ']') {
            if (*at == '[' || *at == '{') refuse("a list was read that holds another list or a map");
            const char* stop = end_of_value(at, end);
            if (stop == nullptr || stop >= end || stop == at) return nullptr;
            const uint32_t element = interning_.element(key, {at, static_cast<size_t>(stop - at)});
            txns_.elements[element].is_read = true;
            take(element, stop);
            at = *stop == ',' ? stop + 1 : stop;
        }
        return at < end ? at : nullptr;
    }

    // Notes which writes of the transaction another one of its own replaced.
    void last_writes() {
        written_.resize(txns_.keys.size(), {none, none});
        for (auto i = static_cast<uint32_t>(txns_.first.back()); i < txns_.ops.size(); i++) {
            const MicroOp& op = txns_.ops[i];
            if (op.act != Act::append && op.act != Act::write) continue;
            auto& [txn, element] = written_[op.key];
            if (txn == txn_) txns_.elements[element].is_last = false;
            txn = txn_;
            element = op.element;
        }
    }

    static constexpr uint32_t sample = 1 << 14;
    Limits& limits_;
    Txns txns_;
    Interning interning_;
    uint32_t txn_ = 0;
    bool answered_ = false;
    std::vector<KnownText> texts_;  // by key
    std::vector<std::pair<uint32_t, uint32_t>> written_;  // by key: who wrote last, and what
};

}  // namespace

bool Txns::begins_like(const MicroOp& longer, const MicroOp& shorter) const {
    if (shorter.length > longer.length) return false;
    if (shorter.length == 0 || (longer.list == none && shorter.list == none)) return true;
    for (uint32_t i = 0; i < shorter.length; i++) {
        if (at(longer, i) != at(shorter, i)) return false;
    }
    return true;
}

std::string Txns::json_of(uint32_t element) const {
    const uint32_t token = elements[element].token;
    return token < first_text ? std::to_string(token) : tokens[token - first_text];
}

Txns read_transactions(const Given& given, Limits& limits) {
    return ColumnReader(given, limits).read();
}

}  // namespace partita::transactions
