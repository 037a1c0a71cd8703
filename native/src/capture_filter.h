// Capture filters in pcap-filter(7) syntax, compiled without a handle and without privilege. Names of hosts are
// refused: looking them up would leave the machine.
#pragma once

#include <pcap/pcap.h>

#include <string>
#include <vector>

namespace netloupe {

struct CompiledFilter {
  std::vector<bpf_insn> code;
  std::string error;  // libpcap's own words; empty: compiled
};

/// `dataLinkType`: DLT_ of the interface or file. Empty text compiles to no instructions: everything passes.
CompiledFilter compileFilter(const std::string& text, int dataLinkType);

}  // namespace netloupe
