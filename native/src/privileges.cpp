#include "privileges.h"

#include <sys/capability.h>
#include <sys/prctl.h>

#include <array>
#include <memory>

namespace netloupe {

namespace {

struct CapFree {
  void operator()(cap_t caps) const { cap_free(caps); }
};
using Caps = std::unique_ptr<std::remove_pointer_t<cap_t>, CapFree>;

}  // namespace

Privileges currentPrivileges() {
  const Caps caps(cap_get_proc());
  const auto permitted = [&](cap_value_t which) {
    cap_flag_value_t value = CAP_CLEAR;
    return caps && cap_get_flag(caps.get(), which, CAP_PERMITTED, &value) == 0 && value == CAP_SET;
  };
  return {.netRaw = permitted(CAP_NET_RAW),
          .sysPtrace = permitted(CAP_SYS_PTRACE),
          .dacReadSearch = permitted(CAP_DAC_READ_SEARCH)};
}

bool keepOnly(const Privileges& kept, bool effective) {
  std::array<cap_value_t, 3> list{};
  int count = 0;
  if (kept.netRaw) list[static_cast<std::size_t>(count++)] = CAP_NET_RAW;
  if (kept.sysPtrace) list[static_cast<std::size_t>(count++)] = CAP_SYS_PTRACE;
  if (kept.dacReadSearch) list[static_cast<std::size_t>(count++)] = CAP_DAC_READ_SEARCH;

  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  // The bounding set matters only at exec, which the sandbox forbids; without cap_setpcap it stays as it is.
  for (cap_value_t which = 0; prctl(PR_CAPBSET_READ, which, 0, 0, 0) >= 0; ++which)
    prctl(PR_CAPBSET_DROP, which, 0, 0, 0);

  const Caps caps(cap_init());
  if (!caps) return false;
  if (count > 0) {
    if (cap_set_flag(caps.get(), CAP_PERMITTED, count, list.data(), CAP_SET) != 0) return false;
    if (effective && cap_set_flag(caps.get(), CAP_EFFECTIVE, count, list.data(), CAP_SET) != 0) return false;
  }
  return cap_set_proc(caps.get()) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

}  // namespace netloupe
