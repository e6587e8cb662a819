// SPDX-License-Identifier: Apache-2.0
#pragma once
// Users' names, by the machine's own passwd file. The name service is not asked: it may be a
// directory on the network, which would hold up the events, and which the wall may refuse.
#include <cstdint>
#include <string>
#include <sys/stat.h>
#include <unordered_map>

namespace sallyport {

class UserNames {
  public:
    explicit UserNames(std::string file = "/etc/passwd") : file_(std::move(file)) {}
    // "" when the file has none. A file that changed is read again.
    [[nodiscard]] std::string name_of(std::uint32_t uid);

  private:
    void read_again();
    std::string file_;
    struct stat seen_{};
    std::unordered_map<std::uint32_t, std::string> names_;
};

} // namespace sallyport
