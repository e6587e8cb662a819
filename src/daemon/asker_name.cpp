// SPDX-License-Identifier: Apache-2.0
#include "daemon/policy_keeper.h"

#include <fmt/format.h>
#include <fstream>
#include <pwd.h>
#include <sstream>
#include <vector>

namespace sallyport {

std::string name_of_asker(pid_t pid, uid_t uid, const std::string& proc_root) {
    std::string name = fmt::format("uid {}", uid);
    std::vector<char> buffer(16384);
    struct passwd entry{};
    struct passwd* found = nullptr;
    if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
        name = found->pw_name;
    std::ifstream in(fmt::format("{}/{}/environ", proc_root, pid), std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    for (std::string variable; std::getline(text, variable, '\0');)
        if (variable.starts_with("SUDO_USER=") && variable.size() > 10)
            return fmt::format("{} ({})", name, variable.substr(10));
    return name;
}

} // namespace sallyport
