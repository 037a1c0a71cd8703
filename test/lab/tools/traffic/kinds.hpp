#pragma once
// The kinds of traffic. A new kind is one file with one function and one line in main.cpp's table.

#include <string>
#include <vector>

namespace lab {

int tcp_server(const std::vector<std::string>& args);
int tcp_client(const std::vector<std::string>& args);
int udp_server(const std::vector<std::string>& args);
int udp_client(const std::vector<std::string>& args);

}  // namespace lab
