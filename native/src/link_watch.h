// The links of this network namespace and their addresses, kept current through rtnetlink notifications. Needs no
// privilege.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "netlink_socket.h"
#include "rtnetlink.h"

namespace netloupe {

struct WatchedLink {
  Link link;  // counters are those of the last message, not current ones
  std::vector<LinkAddress> addresses;
};

/// What became of a link between two reads. A link that went and came back under the same index within one read is told
/// as gone, then appeared.
struct LinkEvent {
  enum class What {
    appeared,
    changed,
    gone
  };  // changed: name, flags, state, MTU, link-layer address, master or addresses
  What what = What::changed;
  WatchedLink now;  // gone: as it was last
};

class LinkWatch {
 public:
  using Listener = std::function<void(const LinkEvent&)>;

  /// Opens both sockets (do it before seccomp closes socket(2)) and reads the present state; no events are given for
  /// it. Check isOpen().
  LinkWatch();

  bool isOpen() const { return notifications_.isOpen() && dumps_.isOpen(); }

  /// Poll it for reading, then call read().
  int fd() const { return notifications_.fd(); }

  /// Takes what is there and tells `listener` each link that changed. Notifications that the kernel had to drop are
  /// made good by reading everything again. False: the socket is broken for good.
  bool read(const Listener& listener);

  /// By interface index.
  const std::map<int, WatchedLink>& links() const { return links_; }

 private:
  using Links = std::map<int, WatchedLink>;

  bool readAll(Links& links);
  void apply(const nlmsghdr& message, Links& links, std::vector<LinkEvent>& gone);
  static void tell(const Links& before, const Links& after, const std::vector<LinkEvent>& gone,
                   const Listener& listener);

  NetlinkSocket notifications_;
  NetlinkSocket dumps_;
  Links links_;
};

}  // namespace netloupe
