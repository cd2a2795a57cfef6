// Which processes are the store's, as /proc has them.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace calls {

// The processes that work in the home, or have a file below the data open. Those of other
// namespaces of mounts are left out: the same names mean other files there.
std::vector<pid_t> of_store(const std::string& data, const std::string& home);

// The threads of a process.
std::vector<pid_t> threads_of(pid_t process);

// Says whether a thread's open file of this number lies below a folder.
bool is_below(pid_t thread, long descriptor, const std::string& folder);

}  // namespace calls
