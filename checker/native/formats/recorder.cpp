#include "recorder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

#include "scanner.h"

namespace partita {
namespace {

constexpr int64_t never = INT64_MAX;
constexpr int64_t unknown_time = -1;
constexpr int64_t unknown_version = -1;
constexpr std::array<std::string_view, 3> outcomes{"ok", "fail", "info"};
constexpr int8_t info = 2;

// What these complete with is only what they were invoked with, said again.
constexpr std::array<std::string_view, 8> repeating{"write",  "cas",     "add",     "append",
                                                    "put",    "enqueue", "acquire", "release"};

// What an operation is called that has no f and is a list of such.
constexpr std::string_view transaction = "txn";
constexpr std::array<std::string_view, 10> micro_operations{
    "append", "r", "w", "read", "write", ":append", ":r", ":w", ":read", ":write"};

// How a cas may name what it expects and what it writes.
constexpr std::array<std::string_view, 5> olds{"from", "old", "expected", "expect", "compare"};
constexpr std::array<std::string_view, 4> news{"to", "new", "value", "set"};

// The text of a compact JSON string, without a keyword's colon; of anything else its JSON.
std::string plain(std::string_view json) {
    if (json.size() < 2 || json[0] != '"') return std::string(json);
    json = json.substr(1, json.size() - 2);
    if (!json.empty() && json[0] == ':') json = json.substr(1);
    std::string text;
    for (size_t i = 0; i < json.size(); i++) {
        if (json[i] == '\\' && json[++i] == 'u') {
            text += static_cast<char>(std::stoi(std::string(json.substr(i + 3, 2)), nullptr, 16));
            i += 4;
        } else {
            text += json[i];
        }
    }
    return text;
}

// Whether that is a whole number; only then is it written down: of 5.2 not even the 5.
bool is_whole(std::string_view json, int64_t& whole) {
    const char* end = json.data() + json.size();
    int64_t number = 0;
    const auto [p, error] = std::from_chars(json.data(), end, number);
    if (error != std::errc() || p != end) return false;
    whole = number;
    return true;
}

int64_t whole(std::string_view name, std::string_view json) {
    if (json == "null") return unknown_time;
    double number = 0;
    int64_t exact = 0;
    if (is_whole(json, exact)) return exact;
    const char* end = json.data() + json.size();
    if (auto [p, e] = std::from_chars(json.data(), end, number);
        e == std::errc() && p == end && number > -9e18 && number < 9e18) {
        return static_cast<int64_t>(number);
    }
    throw Malformed(std::string(name) + " is " + shown(json) +
                    ", not a number");
}

}  // namespace

std::optional<int32_t> Names::find(std::string_view name) const {
    const auto found = numbers_.find(name);
    return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

int32_t Names::number(std::string_view name) {
    // Few names, over and over: the last few are found sooner by looking than by hashing.
    for (size_t i = 0; i < std::min<size_t>(names.size(), 4); i++) {
        if (names[i] == name) return static_cast<int32_t>(i);
    }
    if (auto found = numbers_.find(name); found != numbers_.end()) return found->second;
    const auto number = static_cast<int32_t>(names.size());
    names.emplace_back(name);
    numbers_.emplace(name, number);
    return number;
}

void Recorder::begin_event() {
    drop_event();  // one that was begun before, where the text read so far ended
    Event& e = event_;
    e.client = e.has_process = e.has_actual = false;
    e.time = e.due = unknown_time;
    e.version = unknown_version;
    e.index = -1;
    e.value = e.key = e.actual = Values::null;
    e.type.clear();
    e.f.clear();
    e.node.clear();
    e.error.clear();
}

void Recorder::field(std::string_view name, std::string_view json) {
    Event& e = event_;
    if (name == "process") {
        if (json == "null") return;
        e.has_process = true;
        e.client = is_whole(json, e.process);
        if (!e.client && json[0] != '"') {
            throw Malformed("process is " + shown(json) +
                            ", neither a whole number nor a name");
        }
        if (!e.client) e.process_name = plain(json);
    } else if (name == "type") {
        e.type = plain(json);
    } else if (name == "f") {
        if (json != "null") e.f = plain(json);
    } else if (name == "value") {
        e.value = values.number(json);
    } else if (name == "key") {
        e.key = keys.number(json);
    } else if (name == "time") {
        e.time = whole(name, json);
    } else if (name == "due") {
        e.due = whole(name, json);
    } else if (name == "node") {
        if (json != "null") e.node = plain(json);
    } else if (name == "error") {
        if (json != "null") e.error = plain(json);
    } else if (name == "actual") {
        e.actual = values.number(json);
        e.has_actual = true;
    } else if (name == "version" && is_whole(json, e.version)) {
        return;
    } else if (name != "index" || !is_whole(json, e.index) || e.index < 0) {
        extra(name, json);
    }
}

void Recorder::extra(std::string_view name, std::string_view json) {
    extras.rank.push_back(events);
    extras.name.push_back(extras.names.number(name));
    extras.value.push_back(extras.values.number(json));
}

void Recorder::drop_event() {
    while (!extras.rank.empty() && extras.rank.back() == events) {
        extras.rank.pop_back();
        extras.name.pop_back();
        extras.value.pop_back();
    }
}

void Recorder::note() {
    const Event& e = event_;
    others.rank.push_back(e.rank);
    others.time.push_back(e.time);
    others.version.push_back(e.version);
    others.process.push_back(e.client ? e.process : -1);
    others.name.push_back(e.client ? -1 : others.names.number(e.has_process ? e.process_name : ""));
    others.type.push_back(others.types.number(e.type));
    others.f.push_back(others.fs.number(e.f));
    others.value.push_back(e.value);
    others.key.push_back(e.key);
    others.error.push_back(e.error.empty() ? -1 : others.errors.number(e.error));
    others.node.push_back(e.node.empty() ? -1 : others.nodes.number(e.node));
}

void Recorder::end_event() {
    event_.rank = events;
    look_at_index();
    if (by_index) {
        kept_.push_back(event_);
    } else {
        take();
    }
    events++;
}

void Recorder::look_at_index() {
    seen_++;
    if (event_.index < 0) return;
    indexed_++;
    disordered_ |= event_.index <= index_before_;
    index_before_ = event_.index;
}

void Recorder::look_at_clock() {
    const int64_t time = event_.time;
    if (time < 0) return;
    if (latest_ns - time > backwards_ns) {
        backwards_ns = latest_ns - time;
        backwards_at = events + 1;
    }
    earliest_ns = std::min(earliest_ns, time);
    latest_ns = std::max(latest_ns, time);
}

void Recorder::take() {
    const Event& e = event_;
    if (!e.has_process) return take_nameless();
    if (e.type.empty()) throw Malformed("the event has no type: invoke, ok, fail or info");
    if (e.type == "event") return note();
    if (!e.client) return take_named();
    take_client();
}

// A name may be a client's, or say that the event is no client's: only clients invoke.
void Recorder::take_named() {
    Event& e = event_;
    if (e.process_name == "nemesis") return note();
    const auto known = static_cast<int32_t>(process_names.names.size());
    const bool invokes = e.type == "invoke";
    const int32_t number = invokes ? process_names.number(e.process_name)
                                   : process_names.find(e.process_name).value_or(known);
    e.process = named_process + number;
    const bool is_client = invokes || number < known;
    const bool is_open = is_client && *open_row(e.process) >= 0;
    if (!is_client || (!is_open && e.type == "info")) return note();
    take_client();
}

// Without a process, an event says that something happened which is no operation's. But there are
// histories of which no event has a process: of completions alone, so that nobody knows when any of
// them began, or of transactions of which each is completed by the event after it.
void Recorder::take_nameless() {
    Event& e = event_;
    if (e.f.empty() && is_transaction(e.value)) e.f = transaction;
    const auto outcome = std::find(outcomes.begin(), outcomes.end(), e.type);
    const bool first = process.empty() && !nameless;
    if (e.type == "invoke" && (paired || (first && is_transaction(e.value)))) {
        paired = true;
        return invoke_nameless();
    }
    if (outcome != outcomes.end() && paired && nameless_open_ &&
        (e.f.empty() || e.f == fs.names[f.back()])) {
        nameless_open_ = false;
        e.process = process.back();
        return complete(static_cast<int8_t>(outcome - outcomes.begin()));
    }
    if (outcome != outcomes.end() && !paired && !e.f.empty() &&
        (nameless || (first && e.type != "info"))) {
        nameless = true;
        e.process = static_cast<int64_t>(process.size());
        invoke();
        return complete(static_cast<int8_t>(outcome - outcomes.begin()));
    }
    if (e.type != "info") {
        throw Malformed(paired ? "the event names no process, and completes nothing"
                               : "the event names no process");
    }
    markers++;
    note();
}

void Recorder::invoke_nameless() {
    if (nameless_open_) {
        throw Malformed(
            "no event names a process, and " + shown(fs.names[f.back()]) +
            " is still under way: name the processes, or nobody knows what completes which");
    }
    nameless_open_ = true;
    event_.process = static_cast<int64_t>(process.size());
    invoke();
}

// Whether a value is a list of micro-operations: what has no f is called a transaction then.
bool Recorder::is_transaction(int32_t value) const {
    if (value < 0) return false;
    const bool is_pair = values.pairs[2 * value] != Values::no_pair;
    const int32_t first = is_pair ? values.pairs[2 * value] : value;
    if (first < 0 || !values.is_text[first]) return false;
    std::string_view text = values.text_of(first);
    if (!is_pair) text.remove_prefix(1);
    return std::any_of(micro_operations.begin(), micro_operations.end(), [&](std::string_view f) {
        return text.starts_with("[\"" + std::string(f) + "\",");
    });
}

void Recorder::take_client() {
    const Event& e = event_;
    if (nameless || paired) {
        throw Malformed("the event names a process, which those before it do not");
    }
    look_at_clock();
    if (e.type == "invoke") return invoke();
    const auto at = std::find(outcomes.begin(), outcomes.end(), e.type);
    if (at == outcomes.end()) {
        throw Malformed("the type is \"" + shown(e.type) +
                        "\": only invoke, ok, fail, info and event are known");
    }
    complete(static_cast<int8_t>(at - outcomes.begin()));
}

void Recorder::finish() {
    if (by_index) put_in_order();
    if (!nameless) return;
    for (size_t row = 0; row < process.size(); row++) {
        const auto rank = static_cast<int64_t>(row) + events;
        ended_rank[row] = rank;
        if (completed_rank[row] != never) completed_rank[row] = rank;
    }
}

// Takes the events in the order of their indexes if these count them, else in that of their lines.
void Recorder::put_in_order() {
    std::vector<size_t> order(kept_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return kept_[a].index < kept_[b].index; });
    ordered_by_index = !kept_.empty() && kept_[order[0]].index >= 0;
    for (size_t i = 1; i < order.size() && ordered_by_index; i++) {
        ordered_by_index = kept_[order[i]].index == kept_[order[i - 1]].index + 1;
    }
    if (!ordered_by_index) std::iota(order.begin(), order.end(), size_t{0});
    std::vector<int64_t> rank(kept_.size());
    for (events = 0; events < static_cast<int64_t>(order.size()); events++) {
        event_ = std::move(kept_[order[events]]);
        rank[event_.rank] = events;
        event_.rank = events;
        try {
            take();
        } catch (const Malformed& error) {
            throw Malformed("the event with the index " + std::to_string(event_.index) + ": " +
                            error.what());
        }
    }
    extras.put_in_order(rank);
}

void Extras::put_in_order(const std::vector<int64_t>& new_rank) {
    std::vector<size_t> order(rank.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        return new_rank[rank[a]] < new_rank[rank[b]];
    });
    Extras sorted;
    for (const size_t at : order) {
        sorted.rank.push_back(new_rank[rank[at]]);
        sorted.name.push_back(name[at]);
        sorted.value.push_back(value[at]);
    }
    rank = std::move(sorted.rank);
    name = std::move(sorted.name);
    value = std::move(sorted.value);
}

std::string Recorder::who(int64_t number) const {
    const int64_t named = number - named_process;
    if (named < 0 || named >= static_cast<int64_t>(process_names.names.size())) {
        return "process " + std::to_string(number);
    }
    return "process " + shown(process_names.names[named]);
}

// Returns a cas's value as [old, new], which some write as {"from": old, "to": new}, and
// others, with a key before it, as [key, old, new].
int32_t Recorder::pair_of_cas(int32_t value) {
    if (value < 0 || !values.is_text[value]) return value;
    const std::string json(values.text_of(value));
    const std::vector<std::string_view> parts = parts_of(json);
    if (json[0] == '[' && json[1] != '\t' && parts.size() == 3) {
        const int32_t old = values.number(parts[1]);
        const int32_t pair = values.number_of_pair(old, values.number(parts[2]));
        return values.number_of_pair(values.number(parts[0]), pair);
    }
    if (json[0] != '{' || parts.size() != 2) return value;
    int32_t old = Values::no_pair, changed = Values::no_pair;
    for (const std::string_view part : parts) {
        const size_t end = string_end(part, 0);
        const std::string name = plain(part.substr(0, end + 1));
        const auto is_of = [&](const auto& names) {
            return std::find(names.begin(), names.end(), name) != names.end();
        };
        const std::string_view member = part.substr(end + 2);
        if (is_of(olds)) old = values.number(member);
        if (is_of(news)) changed = values.number(member);
    }
    const bool both = old != Values::no_pair && changed != Values::no_pair;
    return both ? values.number_of_pair(old, changed) : value;
}

int64_t* Recorder::open_row(int64_t p) {
    constexpr int64_t near = 1 << 22;
    if (p < 0 || p >= near) return &open_far_.try_emplace(p, -1).first->second;
    if (static_cast<size_t>(p) >= open_.size()) {
        open_.resize(std::max<size_t>(p + 1, 2 * open_.size()), -1);
    }
    return &open_[p];
}

void Recorder::invoke() {
    Event& e = event_;
    if (e.f.empty() && is_transaction(e.value)) e.f = transaction;
    if (e.f.empty()) throw Malformed("the invocation has no f");
    int64_t* row = open_row(e.process);
    if (*row >= 0) {
        throw Malformed(who(e.process) + " invokes " + shown(e.f) +
                        " while its " + shown(fs.names[f[*row]]) + " is still under way");
    }
    *row = static_cast<int64_t>(process.size());
    process.push_back(e.process);
    f.push_back(fs.number(e.f));
    key.push_back(e.key);
    input.push_back(e.f == "cas" ? pair_of_cas(e.value) : e.value);
    output.push_back(Values::null);
    outcome.push_back(info);
    invoked_rank.push_back(events);
    completed_rank.push_back(never);
    ended_rank.push_back(never);
    invoked_ns.push_back(e.time);
    completed_ns.push_back(unknown_time);
    due_ns.push_back(e.due);
    version.push_back(unknown_version);
    node.push_back(e.node.empty() ? -1 : nodes.number(e.node));
    error.push_back(-1);
}

void Recorder::complete(int8_t how) {
    const Event& e = event_;
    int64_t* open = open_row(e.process);
    const int64_t row = *open;
    auto completes = [&] {
        return who(e.process) + " completes " +
               (e.f.empty() ? "an operation" : shown(e.f)) + ", but has invoked ";
    };
    if (row < 0) throw Malformed(completes() + "nothing");
    const std::string& invoked_f = fs.names[f[row]];
    if (!e.f.empty() && e.f != invoked_f) throw Malformed(completes() + shown(invoked_f));
    *open = -1;
    outcome[row] = how;
    ended_rank[row] = events;
    if (how != info) completed_rank[row] = events;
    completed_ns[row] = e.time;
    version[row] = e.version;
    if (!e.error.empty()) error[row] = errors.number(e.error);
    if (key[row] == Values::null) key[row] = e.key;
    if (e.has_actual) {
        output[row] = e.actual;
    } else if (how == 0) {
        const int32_t value = invoked_f == "cas" ? pair_of_cas(e.value) : e.value;
        const bool repeats =
            value == input[row] &&
            std::find(repeating.begin(), repeating.end(), invoked_f) != repeating.end();
        output[row] = repeats ? Values::null : value;
    }
}

}  // namespace partita
