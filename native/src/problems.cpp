#include "problems.h"

#include "bounds.h"
#include "wire.h"

namespace netloupe::problems {

namespace {

std::string quoted(const std::string& path) {
  std::string out = "'";
  for (const char c : path) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string grant(const std::string& program) {
  return "Grant the capabilities and start again: sudo setcap cap_net_raw,cap_sys_ptrace,cap_dac_read_search+ep " +
         quoted(program);
}

}  // namespace

Problem needsNetRaw(const std::string& program) {
  return {"needsNetRaw", "Packets can't be captured: the helper has no cap_net_raw.", grant(program)};
}

Problem needsSysPtrace(const std::string& program) {
  return {"needsSysPtrace", "Processes of other users can't be named: the helper has no cap_sys_ptrace.",
          grant(program)};
}

Problem needsDacReadSearch(const std::string& program) {
  return {"needsDacReadSearch", "Files of other users' processes can't be read: the helper has no cap_dac_read_search.",
          grant(program)};
}

Problem badFrame(const std::string& what) {
  return {"badFrame", "The application sent a frame that the protocol does not know: " + what + ".",
          "Helper and application are probably of different versions; install both from one package."};
}

Problem frameTooLarge() {
  return {"frameTooLarge",
          "The application sent a control frame of more than " + std::to_string(kMaxControlBytes) + " bytes.",
          "Send less at once."};
}

Problem badSequence(const std::string& what) {
  return {"badSequence", what, "Send helloAck once, first, then requests with new tokens."};
}

Problem protocolMismatch(std::int64_t theirMajor) {
  return {"protocolMismatch",
          "The application speaks protocol " + std::to_string(theirMajor) + ", this helper " +
              std::to_string(kProtocolMajor) + ".",
          "Install helper and application from one package."};
}

Problem alreadyStarted() {
  return {"alreadyStarted", "Capture has been started already.", "Send `stop` first."};
}

Problem notStarted() {
  return {"notStarted", "Capture has not been started.", "Send `start` first."};
}

Problem tooManyRequests() {
  return {"tooManyRequests", "More than " + std::to_string(kMaxOpenRequests) + " requests are open.",
          "Wait for their answers."};
}

Problem notInReadMode(const char* request) {
  return {"badRequest", std::string("`") + request + "` is answered by a live helper only; this one reads a file.",
          "Start a helper without --read."};
}

Problem noSuchInterface(const std::string& name) {
  return {"noSuchInterface", "There is no interface " + name + ".",
          "See `ip link` for the names of this machine's interfaces."};
}

Problem tooManyInterfaces() {
  return {"tooManyInterfaces", "At most " + std::to_string(kMaxInterfaces) + " interfaces are captured at once.",
          "Name fewer."};
}

Problem badCaptureFilter(const std::string& why) {
  return {"badCaptureFilter", "The capture filter is not understood: " + why + ".",
          "Write it as pcap-filter(7) describes, with addresses and ports as numbers."};
}

Problem badFile(const std::string& why, const std::string& fix) {
  return {"badFile", why, fix};
}

Problem damagedFile(const std::string& why, const std::string& fix) {
  return {"damagedFile", why, fix};
}

Problem processDied(const char* role) {
  return {"internal", std::string("The helper's ") + role + " process ended unexpectedly.",
          "It is started again by itself."};
}

Problem captureFailed(const std::string& interface, const std::string& why) {
  return {"internal", "Capture on " + interface + " failed: " + why + ".", "It is tried again by itself."};
}

Problem packetsDropped(const std::string& interfaces) {
  return {"packetsDropped",
          "Packets came faster than they could be counted on " + interfaces + "; the figures are too low.",
          "Capture fewer interfaces, or set a capture filter."};
}

Problem flowTableFull(const std::string& interfaces) {
  return {"flowTableFull",
          "More than " + std::to_string(kMaxFlows) + " flows at once on " + interfaces +
              "; new ones are counted together in one row.",
          "It mends itself when flows end. A flood of made-up addresses looks like this."};
}

Problem captureRestarted(const std::string& interfaces) {
  return {"captureRestarted",
          "Capture on " + interfaces + " had to be started again; what was sent meanwhile was not seen.",
          "Nothing has to be done. If it happens again, please report it with the helper's log."};
}

Problem lookupOverloaded() {
  return {"lookupOverloaded", "New flows come faster than their processes can be looked up.",
          "They are looked up later, as far as their sockets still exist."};
}

Problem socketDiagUnavailable() {
  return {"socketDiagUnavailable",
          "The kernel gives no socket tables (NETLINK_SOCK_DIAG), so flows can't be charged to processes.",
          "Load the kernel modules inet_diag, tcp_diag and udp_diag."};
}

Problem ownerTableFull() {
  return {"ownerTableFull", "More than " + std::to_string(kMaxOwners) + " processes are known; new ones stay unnamed.",
          "It mends itself when processes end."};
}

Problem lookupRestarting() {
  return {"internal", "The helper's look-up process is being started again.", "Ask again in a moment."};
}

Problem refusedDestination(const std::string& address) {
  return {
      "refusedDestination",
      "Probes to " + address + " are refused: it is not one host's address but multicast, broadcast or unspecified.",
      "Give the address of one host."};
}

Problem noRoute(const std::string& address, const std::string& why) {
  return {"noRoute", "This machine has no way to " + address + ": " + why + ".",
          "Check the connection and `ip route get " + address + "`."};
}

Problem badSourceAddress(const std::string& address) {
  return {"badSourceAddress", "Probes can't be sent from " + address + ": this machine does not have that address.",
          "Choose one that `ip address` lists, or leave it empty."};
}

Problem portInUse(std::uint16_t port) {
  return {"portInUse",
          "The source port " + std::to_string(port) + " can't be taken: a program uses it, or it is reserved.",
          "Choose another source port, or 0 for any."};
}

Problem traceNeedsNetRaw(ProbeProtocol protocol, const std::string& program) {
  if (protocol == ProbeProtocol::tcp) {
    return {"needsNetRaw", "TCP probes can't be sent: the helper has no cap_net_raw.",
            "Trace with UDP instead. " + grant(program)};
  }
  return {"needsNetRaw",
          "ICMP probes can't be sent: the helper has no cap_net_raw, and this user's group is not in "
          "net.ipv4.ping_group_range.",
          "Trace with UDP instead. " + grant(program)};
}

Problem tooManyTraces() {
  return {"tooManyTraces", "More than " + std::to_string(kMaxTraces) + " traces are open.", "Close one first."};
}

Problem tooManyProbes() {
  return {"tooManyProbes", "More than " + std::to_string(kMaxOpenProbes) + " probes wait to be sent or answered.",
          "Wait for their answers, or ask for fewer flows or a longer interval."};
}

Problem noSuchTrace(std::uint32_t traceId) {
  return {"noSuchTrace", "There is no open trace " + std::to_string(traceId) + ".", "Open it again."};
}

Problem traceFailed(const std::string& why) {
  return {"internal", "The trace could not be opened: " + why + ".", "Try again."};
}

Problem proberBusy() {
  return {"internal", "The helper's prober does not take requests at the moment.", "Ask again in a moment."};
}

}  // namespace netloupe::problems
