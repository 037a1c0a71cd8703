// Every sentence that the helper tells a user about what is missing or went wrong, with its code and what mends it.
#pragma once

#include <string>

#include "events.h"

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

}  // namespace netloupe::problems
