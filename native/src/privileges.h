// Capabilities: which ones the helper was started with, and how each process gives them up.
#pragma once

namespace netloupe {

struct Privileges {
  bool netRaw = false;         // capture
  bool sysPtrace = false;      // name processes of other users
  bool dacReadSearch = false;  // read their file descriptors' folder
};

/// The ones that this process may use (its permitted set).
Privileges currentPrivileges();

/// Leaves exactly these capabilities in the permitted set, effective ones only where `effective` is set, none
/// inheritable, none ambient, and (where it is allowed) none in the bounding set. Sets no_new_privs. False when the
/// kernel refuses.
bool keepOnly(const Privileges& kept, bool effective);

}  // namespace netloupe
