#include "reader.h"

#include <algorithm>
#include <cstring>

#include "scanner.h"

namespace partita {
namespace {

constexpr size_t piece = 4 << 20;

// No line and no event of a history is as long as this; a file of one endless line is none.
constexpr size_t event_max = size_t{64} << 20;

class Reader {
   public:
    Reader(const Source& source, const std::function<void(int64_t)>& pause)
        : source_(source), pause_(pause), edn_(result_.recorder) {}

    ReadResult read(Notation notation) {
        while (!last_) {
            fill();
            pause_(line_);
            try {
                notation == Notation::json ? read_lines() : read_forms();
            } catch (const Malformed& error) {
                throw ReadError(line_, error.what());
            }
        }
        if (nuls_ > 0) {
            result_.notes.push_back(std::to_string(nuls_) +
                                    " NUL bytes, which a crash left behind, were skipped");
        }
        return std::move(result_);
    }

   private:
    // Moves what is not used yet to the front, and reads on behind it.
    void fill() {
        buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(used_));
        used_ = 0;
        const size_t left = buffer_.size();
        if (left > event_max) {
            throw ReadError(line_, "this line is longer than 64 MiB: this is no history");
        }
        buffer_.resize(left + std::max(piece, left));
        size_t filled = left;
        while (filled < buffer_.size()) {
            const size_t got = source_(buffer_.data() + filled, buffer_.size() - filled);
            if (got == 0) {
                last_ = true;
                break;
            }
            filled += got;
        }
        buffer_.resize(filled);
        if (last_) trim();
    }

    // A crash of the machine may leave NUL bytes where the last events should be.
    void trim() {
        while (!buffer_.empty() && buffer_.back() == '\0') {
            buffer_.pop_back();
            nuls_++;
        }
    }

    void read_lines() {
        for (;;) {
            const char* begin = buffer_.data() + used_;
            const char* end = buffer_.data() + buffer_.size();
            if (begin == end) return;
            const auto* newline = static_cast<const char*>(memchr(begin, '\n', end - begin));
            if (newline == nullptr && !last_) return;
            if (newline == nullptr) {
                read_line({begin, static_cast<size_t>(end - begin)}, true);
                used_ = buffer_.size();
                return;
            }
            read_line({begin, static_cast<size_t>(newline - begin)}, false);
            used_ += static_cast<size_t>(newline - begin) + 1;
            line_++;
        }
    }

    void read_line(std::string_view line, bool cut_off) {
        if (line_ == 1 && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
        while (!line.empty() && line.front() == '\0') {
            line.remove_prefix(1);
            nuls_++;
        }
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
        try {
            read_json_event(line, result_.recorder);
        } catch (const Unfinished&) {
            if (!cut_off) throw Malformed("not JSON: the line ends in the middle of the event");
            note_cut_off();
        }
    }

    void read_forms() {
        const char* end = buffer_.data() + buffer_.size();
        try {
            while (used_ < buffer_.size()) {
                const char* begin = buffer_.data() + used_;
                const char* stop = edn_.read(begin, end, last_);
                line_ += std::count(begin, stop, '\n');
                used_ = static_cast<size_t>(stop - buffer_.data());
            }
        } catch (const Unfinished&) {
            if (!last_) return;
            line_ += lines_until(edn_.start());
            note_cut_off();
        } catch (const Malformed&) {
            line_ += lines_until(edn_.position());
            throw;
        }
        if (last_ && edn_.open() && result_.notes.empty()) note_cut_off();
    }

    int64_t lines_until(const char* stop) const {
        return std::count(static_cast<const char*>(buffer_.data()) + used_, stop, '\n');
    }

    void note_cut_off() {
        result_.recorder.drop_event();
        result_.notes.push_back("line " + std::to_string(line_) +
                                ", the last one, is cut off: what is left of it was left out");
    }

    const Source& source_;
    const std::function<void(int64_t)>& pause_;
    ReadResult result_;
    Edn edn_;
    std::vector<char> buffer_;
    size_t used_ = 0;
    bool last_ = false;
    int64_t line_ = 1;
    int64_t nuls_ = 0;
};

}  // namespace

ReadResult read_history(const Source& source, Notation notation,
                        const std::function<void(int64_t line)>& pause) {
    return Reader(source, pause).read(notation);
}

}  // namespace partita
