// Any text through the parsers of /proc and /etc/passwd; processes choose their names, users their entries.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "proc_net.h"
#include "proc_sockets.h"
#include "process_info.h"
#include "user_names.h"
#include "wire.h"

using namespace netloupe;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A string of its own: a read behind it is found.
  const std::string owned(reinterpret_cast<const char*>(data), size);
  const std::string_view text(owned);
  parseStat(text);
  parseCgroup(text);
  parsePasswd(text);
  parseSocketLink(text);
  for (const auto& tables : {kRawTables, kPingTables, kTcpTables, kUdpTables}) {
    for (const ProcNetTable* table = tables; table != tables + 2; ++table) parseProcNetLine(text, *table);
  }
  const std::string clean = cleanText(text, 100);
  if (clean.size() > 100 || cleanText(clean, 100) != clean) std::abort();
  return 0;
}
