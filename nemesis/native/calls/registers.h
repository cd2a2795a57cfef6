// What differs from one processor to another when a call is taken back: how a traced thread is
// made to skip the call that it is about to make, and what it is told afterwards.
#pragma once

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace calls {

#if defined(__x86_64__)

inline bool skip(pid_t thread) {
    return ptrace(PTRACE_POKEUSER, thread, offsetof(user_regs_struct, orig_rax), -1L) == 0;
}

inline void answer(pid_t thread, long error) {
    ptrace(PTRACE_POKEUSER, thread, offsetof(user_regs_struct, rax), -error);
}

#elif defined(__aarch64__)

#ifndef NT_ARM_SYSTEM_CALL
#define NT_ARM_SYSTEM_CALL 0x404
#endif

inline bool skip(pid_t thread) {
    int none = -1;
    iovec place{&none, sizeof none};
    return ptrace(PTRACE_SETREGSET, thread, NT_ARM_SYSTEM_CALL, &place) == 0;
}

inline void answer(pid_t thread, long error) {
    user_regs_struct registers{};
    iovec place{&registers, sizeof registers};
    if (ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &place) != 0) return;
    registers.regs[0] = static_cast<std::uint64_t>(-error);
    ptrace(PTRACE_SETREGSET, thread, NT_PRSTATUS, &place);
}

#else

inline bool skip(pid_t) { return false; }
inline void answer(pid_t, long) {}

#endif

}  // namespace calls
