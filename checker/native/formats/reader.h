// Reads history files of any size, a piece at a time.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "recorder.h"

namespace partita {

enum class Notation : uint8_t { json_lines, json, edn };

// A file that cannot be read as a history. `line` counts from 1, and so does `event`, which is 0
// where the line says enough. `disordered`: indexes say another order than the lines.
struct ReadError : std::runtime_error {
    ReadError(int64_t at, const std::string& what, int64_t number = 0, bool indexes = false)
        : std::runtime_error(what), line(at), event(number), disordered(indexes) {}
    int64_t line;
    int64_t event;
    bool disordered;
};

struct ReadResult {
    Recorder recorder;
    std::vector<std::string> notes;
};

constexpr size_t usual_piece = 4 << 20;  // bytes

// Fills the buffer with what comes next, and returns how much: 0 at the end.
using Source = std::function<size_t(char* buffer, size_t size)>;

// `by_index`: take the events in the order of their indexes, if these are each there once.
// `pause` is called between pieces of so many bytes, with the line reached; it may throw.
ReadResult read_history(const Source& source, Notation notation, bool by_index,
                        const std::function<void(int64_t line)>& pause, size_t piece = usual_piece);

}  // namespace partita
