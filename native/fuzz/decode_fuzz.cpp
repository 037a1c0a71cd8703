// Any frame through decode, fragments and orientation. First byte: link type; second: how much the snaplen cut off.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "decode.h"
#include "fragments.h"
#include "orient.h"

using namespace netloupe;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  static FragmentTable fragments({1, 2});
  const auto link = static_cast<LinkLayer>(data[0] % (static_cast<unsigned>(LinkLayer::other) + 1));
  const std::size_t cutOff = std::min<std::size_t>(data[1], size - 2);
  const std::vector<std::uint8_t> captured(data + 2, data + size - cutOff);
  const auto frameBytes = static_cast<std::uint32_t>(size - 2);
  Packet packet{};
  decode(link, captured, frameBytes, packet);
  if (packet.frameBytes != frameBytes || packet.payloadBytes > frameBytes) std::abort();
  if (packet.family == 0 && (packet.source != Address{} || packet.protocol != kProtocolNone)) std::abort();
  if (packet.reason != Reason::none && packet.tcpFlags != 0) std::abort();
  fragments.resolve(packet);
  for (const bool recorded : {false, true}) {
    Orientation orientation(false, recorded);
    orientation.setLinkLayerAddress({2, 0, 0, 0, 0, 1});
    orientation.setLocalAddresses(std::vector<LocalAddress>{{packet.source, packet.family, data[1]}});
    Packet copy = packet;
    orientation.direct(copy);
    if (!recorded && copy.direction == Direction::unknown) std::abort();
    orientation.sourceIsLocal(copy);
    orientation.foreign(copy);
  }
  return 0;
}
