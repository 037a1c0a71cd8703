// The last step before a process serves anything: no_new_privs, Landlock where the kernel has it, and a seccomp
// allow-list per role.
#pragma once

namespace netloupe {

enum class Role { supervisor, front, capture, reader, lookup, prober };

/// Closes the sandbox of the calling process; it can't be opened again. A system call outside the role's list kills the
/// process, except those that library code tries and can do without, which fail with EPERM. False (and a line on
/// standard error) when the kernel refuses seccomp: the caller must end, never serve unprotected.
bool closeSandbox(Role role);

/// A role's word in log lines and tests.
const char* roleName(Role role);

}  // namespace netloupe
