#include "capture_filter.h"

#include <memory>

#include "bounds.h"

namespace netloupe {

namespace {

struct PcapClose {
  void operator()(pcap_t* handle) const { pcap_close(handle); }
};

constexpr int kFilterSnaplen = 262144;  // what a filter may read is bounded by the packet itself

}  // namespace

CompiledFilter compileFilter(const std::string& text, int dataLinkType) {
  CompiledFilter compiled;
  if (text.empty()) return compiled;
  const std::unique_ptr<pcap_t, PcapClose> handle(pcap_open_dead(dataLinkType, kFilterSnaplen));
  bpf_program program{};
  if (!handle) {
    compiled.error = "out of memory";
  } else if (pcap_compile(handle.get(), &program, text.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
    compiled.error = pcap_geterr(handle.get());
  } else {
    if (program.bf_len > kMaxFilterInstructions) {
      compiled.error = "the expression compiles to more instructions than the kernel takes";
    } else {
      compiled.code.assign(program.bf_insns, program.bf_insns + program.bf_len);
    }
    pcap_freecode(&program);
  }
  return compiled;
}

}  // namespace netloupe
