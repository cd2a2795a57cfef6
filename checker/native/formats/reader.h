// Reads history files of any size, a piece at a time.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "recorder.h"

namespace partita {

enum class Notation : uint8_t { json, edn };

// A file that cannot be read as a history. `line` counts from 1.
struct ReadError : std::runtime_error {
    ReadError(int64_t at, const std::string& what) : std::runtime_error(what), line(at) {}
    int64_t line;
};

struct ReadResult {
    Recorder recorder;
    std::vector<std::string> notes;
};

// Fills the buffer with what comes next, and returns how much: 0 at the end.
using Source = std::function<size_t(char* buffer, size_t size)>;

// `pause` is called between pieces, with the line reached; it may throw.
ReadResult read_history(const Source& source, Notation notation,
                        const std::function<void(int64_t line)>& pause);

}  // namespace partita
