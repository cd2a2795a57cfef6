#include "reader.h"

#include <algorithm>
#include <cstring>

#include "scanner.h"

namespace partita {
namespace {

constexpr size_t piece = 4 << 20;

// No line and no event of a history is as long as this; a file of one endless line is none.
constexpr size_t event_max = size_t{64} << 20;

// What some editors write at the beginning of a file.
constexpr std::string_view mark = "\xef\xbb\xbf";

class Reader {
   public:
    Reader(const Source& source, bool by_index, const std::function<void(int64_t)>& pause)
        : source_(source), pause_(pause), edn_(result_.recorder), json_(result_.recorder) {
        result_.recorder.by_index = by_index;
    }

    ReadResult read(Notation notation) {
        Forms& forms = notation == Notation::edn ? static_cast<Forms&>(edn_) : json_;
        try {
            while (!last_) {
                fill();
                pause_(line_);
                notation == Notation::json_lines ? read_lines() : read_forms(forms);
            }
        } catch (const Malformed& error) {
            throw ReadError(line_, error.what(), event_on_line(), result_.recorder.disordered());
        }
        try {
            result_.recorder.finish();
        } catch (const Malformed& error) {
            throw ReadError(0, error.what());
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
        if (!begun_ && std::string_view(buffer_.data(), buffer_.size()).starts_with(mark)) {
            used_ = mark.size();
        }
        begun_ = true;
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

    void read_forms(Forms& forms) {
        const char* end = buffer_.data() + buffer_.size();
        try {
            while (used_ < buffer_.size()) {
                const char* begin = buffer_.data() + used_;
                const int64_t events = result_.recorder.events;
                const char* stop = forms.read(begin, end, last_);
                line_ += std::count(begin, stop, '\n');
                used_ = static_cast<size_t>(stop - buffer_.data());
                if (result_.recorder.events > events) last_event_line_ = line_;
            }
        } catch (const Unfinished&) {
            if (!last_) return;
            line_ += lines_until(forms.start());
            note_cut_off();
        } catch (const Malformed&) {
            shared_line_ = line_ + lines_until(forms.start()) == last_event_line_;
            line_ += lines_until(forms.position());
            throw;
        }
        if (last_ && forms.open() && result_.notes.empty()) note_cut_off();
    }

    // Which event an error is about, from 1, where its line does not say: 0 where it does.
    int64_t event_on_line() const { return shared_line_ ? result_.recorder.events + 1 : 0; }

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
    JsonForms json_;
    std::vector<char> buffer_;
    size_t used_ = 0;
    bool begun_ = false;
    bool last_ = false;
    bool shared_line_ = false;  // an event with a mistake stands on the line of the one before
    int64_t line_ = 1;
    int64_t last_event_line_ = 0;
    int64_t nuls_ = 0;
};

}  // namespace

ReadResult read_history(const Source& source, Notation notation, bool by_index,
                        const std::function<void(int64_t line)>& pause) {
    return Reader(source, by_index, pause).read(notation);
}

}  // namespace partita
