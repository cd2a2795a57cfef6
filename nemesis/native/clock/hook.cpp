#include "hook.h"

#include <array>

#if defined(__x86_64__)

// Called by the process in place of the functions of its vDSO, with their arguments. It asks the
// kernel for the true time, so that it needs nothing of the vDSO's own data. It cannot write
// where it stands, nor call anything else. All registers that it changes are the caller's to save.
//
// The offsets of `Shifts` are those of hook.h.
asm(R"(
    .pushsection .text
    .intel_syntax noprefix
    .balign 64
    .globl partita_hook, partita_hook_gettime, partita_hook_day, partita_hook_time, partita_hook_end
partita_hook:
    .ascii "PARTITA1"
    .fill 8 + 3, 8, 0

# rdi: which clock, rsi: a timespec
partita_hook_gettime:
    mov     eax, 228
    syscall
    test    eax, eax
    jne     1f
    cmp     edi, 11
    ja      1f
    mov     ecx, 0x921              # REALTIME, REALTIME_COARSE, REALTIME_ALARM and TAI
    bt      ecx, edi
    jnc     1f
    imul    rax, qword ptr [rsi], 1000000000
    add     rax, qword ptr [rsi + 8]
    call    shifted
    mov     qword ptr [rsi], rax
    mov     qword ptr [rsi + 8], rdx
    xor     eax, eax
1:  ret

# rdi: a timeval or null, rsi: a time zone or null
partita_hook_day:
    mov     eax, 96
    syscall
    test    eax, eax
    jne     2f
    test    rdi, rdi
    je      2f
    imul    rax, qword ptr [rdi], 1000000000
    imul    rcx, qword ptr [rdi + 8], 1000
    add     rax, rcx
    call    shifted
    mov     qword ptr [rdi], rax
    mov     rax, rdx
    xor     edx, edx
    mov     ecx, 1000
    div     rcx
    mov     qword ptr [rdi + 8], rax
    xor     eax, eax
2:  ret

# rdi: where the seconds are to be stored too, or null
partita_hook_time:
    sub     rsp, 24
    mov     r8, rdi
    mov     edi, 5
    mov     rsi, rsp
    mov     eax, 228
    syscall
    mov     rdi, r8
    imul    rax, qword ptr [rsp], 1000000000
    add     rax, qword ptr [rsp + 8]
    call    shifted
    add     rsp, 24
    test    rdi, rdi
    je      3f
    mov     qword ptr [rdi], rax
3:  ret

# rax: the true time. Returns the seconds of the shifted one in rax, its nanoseconds in rdx.
# Leaves rdi and rsi alone.
shifted:
    mov     r8, rax
    mov     r9, qword ptr [rip + partita_hook + 8]
    mov     rcx, qword ptr [rip + partita_hook + 24]
    test    rcx, rcx
    je      4f
    sub     rax, qword ptr [rip + partita_hook + 32]
    xor     edx, edx
    div     rcx
    test    al, 1
    jne     4f
    add     r9, qword ptr [rip + partita_hook + 16]
4:  mov     rax, r8
    sub     rax, qword ptr [rip + partita_hook + 48]
    imul    qword ptr [rip + partita_hook + 40]
    shrd    rax, rdx, 32
    add     rax, r9
    add     rax, r8
    xor     edx, edx
    mov     ecx, 1000000000
    div     rcx
    ret
partita_hook_end:
    .att_syntax
    .popsection
)");

extern "C" {
extern const unsigned char partita_hook[], partita_hook_gettime[], partita_hook_day[],
    partita_hook_time[], partita_hook_end[];
}

namespace clocks {

static_assert(offsetof(Shifts, constant) == 8 && offsetof(Shifts, strobe) == 16 &&
              offsetof(Shifts, half) == 24 && offsetof(Shifts, strobe_origin) == 32 &&
              offsetof(Shifts, rate) == 40 && offsetof(Shifts, rate_origin) == 48 &&
              sizeof(Shifts) == 8 * 12);

std::span<const unsigned char> hook() { return {partita_hook, partita_hook_end}; }

std::span<const std::size_t> hook_entries() {
    static const std::array<std::size_t, kEntries> entries = {
        static_cast<std::size_t>(partita_hook_gettime - partita_hook),
        static_cast<std::size_t>(partita_hook_day - partita_hook),
        static_cast<std::size_t>(partita_hook_time - partita_hook)};
    return entries;
}

}  // namespace clocks

#else

namespace clocks {

std::span<const unsigned char> hook() { return {}; }
std::span<const std::size_t> hook_entries() { return {}; }

}  // namespace clocks

#endif
