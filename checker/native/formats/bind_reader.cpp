#include <fcntl.h>
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "../bindings.h"
#include "../limits.h"
#include "reader.h"
#include "scanner.h"

namespace nb = nanobind;

namespace partita {
namespace {

// Hands a vector over to numpy without copying it.
template <class T>
nb::object array(std::vector<T>&& values, size_t width = 1) {
    auto* kept = new std::vector<T>(std::move(values));
    kept->shrink_to_fit();
    nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
    const size_t shape[2] = {kept->size() / width, width};
    return nb::cast(nb::ndarray<nb::numpy, T>(kept->data(), width == 1 ? 1 : 2, shape, owner));
}

nb::object array(LongText&& text) {
    const size_t size = text.size();
    char* bytes = text.release().release();
    nb::capsule owner(bytes, [](void* p) noexcept { LongText::Free()(static_cast<char*>(p)); });
    return nb::cast(nb::ndarray<nb::numpy, uint8_t>(bytes, {size}, owner));
}

nb::dict values(Values&& v) {
    nb::dict result;
    result["payload"] = array(std::move(v.payload));
    result["is_text"] = array(std::move(v.is_text));
    result["pairs"] = array(std::move(v.pairs), 2);
    result["text_ends"] = array(std::move(v.text_ends));
    result["text"] = array(std::move(v.text));
    return result;
}

nb::dict others(Others&& o) {
    nb::dict result;
    result["rank"] = array(std::move(o.rank));
    result["time"] = array(std::move(o.time));
    result["version"] = array(std::move(o.version));
    result["process"] = array(std::move(o.process));
    result["name"] = array(std::move(o.name));
    result["type"] = array(std::move(o.type));
    result["f"] = array(std::move(o.f));
    result["value"] = array(std::move(o.value));
    result["key"] = array(std::move(o.key));
    result["error"] = array(std::move(o.error));
    result["node"] = array(std::move(o.node));
    result["names"] = o.names.names;
    result["types"] = o.types.names;
    result["fs"] = o.fs.names;
    result["errors"] = o.errors.names;
    result["nodes"] = o.nodes.names;
    return result;
}

nb::dict extras(Extras&& e) {
    nb::dict result;
    result["rank"] = array(std::move(e.rank));
    result["name"] = array(std::move(e.name));
    result["value"] = array(std::move(e.value));
    result["names"] = e.names.names;
    result["values"] = values(std::move(e.values));
    return result;
}

nb::dict columns(Recorder&& r) {
    nb::dict result;
    result["process"] = array(std::move(r.process));
    result["f"] = array(std::move(r.f));
    result["key"] = array(std::move(r.key));
    result["input"] = array(std::move(r.input));
    result["output"] = array(std::move(r.output));
    result["outcome"] = array(std::move(r.outcome));
    result["invoked_rank"] = array(std::move(r.invoked_rank));
    result["completed_rank"] = array(std::move(r.completed_rank));
    result["ended_rank"] = array(std::move(r.ended_rank));
    result["invoked_ns"] = array(std::move(r.invoked_ns));
    result["completed_ns"] = array(std::move(r.completed_ns));
    result["due_ns"] = array(std::move(r.due_ns));
    result["version"] = array(std::move(r.version));
    result["node"] = array(std::move(r.node));
    result["error"] = array(std::move(r.error));
    result["fs"] = r.fs.names;
    result["nodes"] = r.nodes.names;
    result["errors"] = r.errors.names;
    result["events"] = r.events;
    result["others"] = others(std::move(r.others));
    result["process_names"] = r.process_names.names;
    result["named_process"] = Recorder::named_process;
    result["markers"] = r.markers;
    result["nameless"] = r.nameless;
    result["paired"] = r.paired;
    result["disordered"] = r.disordered();
    result["ordered_by_index"] = r.ordered_by_index;
    result["backwards"] = nb::make_tuple(r.backwards_ns, r.backwards_at);
    result["span"] = nb::make_tuple(r.earliest_ns, r.latest_ns);
    result["extras"] = extras(std::move(r.extras));
    result["values"] = values(std::move(r.values));
    result["keys"] = values(std::move(r.keys));
    return result;
}

class File {
   public:
    explicit File(const std::string& path) : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        if (descriptor_ < 0) throw ReadError(0, std::strerror(errno));
    }
    ~File() { close(descriptor_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    size_t operator()(char* buffer, size_t size) const {
        for (;;) {
            const ssize_t got = ::read(descriptor_, buffer, size);
            if (got >= 0) return static_cast<size_t>(got);
            if (errno != EINTR) throw ReadError(0, std::strerror(errno));
        }
    }

   private:
    int descriptor_;
};

nb::tuple failure(const ReadError& error) {
    return nb::make_tuple(nb::none(), error.line, error.what(), error.event, error.disordered);
}

Notation notation_of(const std::string& name) {
    if (name == "edn") return Notation::edn;
    return name == "json" ? Notation::json : Notation::json_lines;
}

// Returns (columns, notes), or (None, line, reason, event, disordered) for a file that is no
// history.
nb::tuple read(const Source& source, Notation notation, bool by_index, Limits& limits,
               size_t piece = usual_piece) {
    try {
        ReadResult result;
        {
            nb::gil_scoped_release release;
            result = read_history(source, notation, by_index, [&](int64_t line) {
                nb::gil_scoped_acquire acquire;
                if (PyErr_CheckSignals() != 0) throw nb::python_error();
                try {
                    limits.look();
                } catch (const Stopped& stopped) {
                    throw ReadError(-line, stopped.reason);
                }
            }, piece);
        }
        return nb::make_tuple(columns(std::move(result.recorder)), result.notes);
    } catch (const ReadError& error) {
        return failure(error);
    }
}

nb::tuple read_file(const std::string& path, const std::string& notation, bool by_index,
                    std::optional<double> deadline, std::optional<int64_t> memory) {
    Limits limits(deadline, nullptr, memory);
    try {
        const File file(path);
        const Source source = [&](char* buffer, size_t size) { return file(buffer, size); };
        return read(source, notation_of(notation), by_index, limits);
    } catch (const ReadError& error) {
        return failure(error);
    }
}

// Reads what `more(size)` returns, piece by piece, until that is nothing.
nb::tuple read_stream(const nb::callable& more, const std::string& notation, bool by_index,
                      std::optional<double> deadline, std::optional<int64_t> memory) {
    Limits limits(deadline, nullptr, memory);
    const Source source = [&](char* buffer, size_t size) {
        const nb::gil_scoped_acquire acquire;
        const auto piece = nb::cast<nb::bytes>(more(size));
        const size_t got = std::min(size, piece.size());
        std::memcpy(buffer, piece.c_str(), got);
        return got;
    };
    return read(source, notation_of(notation), by_index, limits);
}

nb::tuple read_text(const nb::bytes& text, const std::string& notation, bool by_index,
                    size_t piece) {
    Limits limits({}, nullptr);
    const char* at = text.c_str();
    const char* end = at + text.size();
    const Source source = [&](char* buffer, size_t size) {
        const size_t chunk = std::min(size, static_cast<size_t>(end - at));
        std::memcpy(buffer, at, chunk);
        at += chunk;
        return chunk;
    };
    // No more room than the text takes, or clearing it is most of the time of a small one.
    const size_t room = std::min(piece, text.size() + 1);
    return read(source, notation_of(notation), by_index, limits, room);
}

nb::bytes compact(const nb::bytes& json) {
    const std::string text = compact_json({json.c_str(), json.size()});
    return nb::bytes(text.data(), text.size());
}

}  // namespace

void bind_reader(nb::module_& module) {
    module.def("read_file", &read_file, nb::arg("path"), nb::arg("notation"),
               nb::arg("by_index"), nb::arg("deadline").none(), nb::arg("memory").none());
    module.def("read_stream", &read_stream, nb::arg("more"), nb::arg("notation"),
               nb::arg("by_index"), nb::arg("deadline").none(), nb::arg("memory").none());
    module.def("resident_bytes", &Limits::resident);
    module.def("compact_json", &compact, nb::arg("json"));
    module.def("read_text", &read_text, nb::arg("text"), nb::arg("notation"),
               nb::arg("by_index"), nb::arg("piece") = usual_piece);
}

}  // namespace partita
