#include "recorder.h"

#include <algorithm>
#include <array>
#include <charconv>

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

bool is_whole(std::string_view json, int64_t& whole) {
    const char* end = json.data() + json.size();
    const auto [p, error] = std::from_chars(json.data(), end, whole);
    return error == std::errc() && p == end;
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
    throw Malformed(std::string(name) + " is " + std::string(json.substr(0, 40)) +
                    ", not a number");
}

}  // namespace

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
            throw Malformed("process is " + std::string(json.substr(0, 40)) +
                            ", neither a whole number nor a name");
        }
        if (!e.client) e.process_name = plain(json);
    } else if (name == "type") {
        e.type = plain(json);
    } else if (name == "f") {
        e.f = plain(json);
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
    } else if (name != "index") {
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
    others.push_back({events, e.time, e.version, e.client, e.process, e.client ? "" : e.process_name,
                      e.type, e.f, e.value, e.key, e.error, e.node});
}

void Recorder::end_event() {
    const Event& e = event_;
    if (!e.has_process) throw Malformed("the event names no process");
    if (e.type.empty()) throw Malformed("the event has no type: invoke, ok, fail or info");
    if (!e.client || e.type == "event") {
        note();
    } else if (e.type == "invoke") {
        invoke();
    } else {
        const auto at = std::find(outcomes.begin(), outcomes.end(), e.type);
        if (at == outcomes.end()) {
            throw Malformed("the type is \"" + e.type.substr(0, 40) +
                            "\": only invoke, ok, fail, info and event are known");
        }
        complete(static_cast<int8_t>(at - outcomes.begin()));
    }
    events++;
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
    const Event& e = event_;
    if (e.f.empty()) throw Malformed("the invocation has no f");
    int64_t* row = open_row(e.process);
    if (*row >= 0) {
        throw Malformed("process " + std::to_string(e.process) + " invokes " + e.f +
                        " while its " + fs.names[f[*row]] + " is still under way");
    }
    *row = static_cast<int64_t>(process.size());
    process.push_back(e.process);
    f.push_back(fs.number(e.f));
    key.push_back(e.key);
    input.push_back(e.value);
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
        return "process " + std::to_string(e.process) + " completes " +
               (e.f.empty() ? "an operation" : e.f) + ", but has invoked ";
    };
    if (row < 0) throw Malformed(completes() + "nothing");
    const std::string& invoked_f = fs.names[f[row]];
    if (!e.f.empty() && e.f != invoked_f) throw Malformed(completes() + invoked_f);
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
        const bool repeats =
            e.value == input[row] &&
            std::find(repeating.begin(), repeating.end(), invoked_f) != repeating.end();
        output[row] = repeats ? Values::null : e.value;
    }
}

}  // namespace partita
