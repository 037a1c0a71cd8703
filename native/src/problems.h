// Every sentence that the helper tells a user about what is missing or went wrong, with its code and what mends it.
#pragma once

#include <string>

#include "events.h"
#include "probe_channel.h"

namespace netloupe::problems {

/// `program`: path of the helper's binary, for the command that grants capabilities.
Problem needsNetRaw(const std::string& program);
Problem needsSysPtrace(const std::string& program);
Problem needsDacReadSearch(const std::string& program);

Problem badFrame(const std::string& what);
Problem frameTooLarge();
Problem badSequence(const std::string& what);
Problem protocolMismatch(std::int64_t theirMajor);

Problem alreadyStarted();
Problem notStarted();
Problem tooManyRequests();
Problem notInReadMode(const char* request);
Problem noSuchInterface(const std::string& name);
Problem tooManyInterfaces();
Problem badCaptureFilter(const std::string& why);
Problem badFile(const std::string& why, const std::string& fix);
Problem damagedFile(const std::string& why, const std::string& fix);
Problem processDied(const char* role);
Problem captureFailed(const std::string& interface, const std::string& why);

Problem packetsDropped(const std::string& interfaces);
Problem flowTableFull(const std::string& interfaces);
Problem captureRestarted(const std::string& interfaces);
Problem lookupOverloaded();
Problem socketDiagUnavailable();
Problem ownerTableFull();
Problem lookupRestarting();

Problem refusedDestination(const std::string& address);
Problem noRoute(const std::string& address, const std::string& why);
Problem badSourceAddress(const std::string& address);
Problem portInUse(std::uint16_t port);
Problem traceNeedsNetRaw(ProbeProtocol protocol, const std::string& program);
Problem tooManyTraces();
Problem tooManyProbes();
Problem noSuchTrace(std::uint32_t traceId);
Problem traceFailed(const std::string& why);
Problem proberBusy();

}  // namespace netloupe::problems
