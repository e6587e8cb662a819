// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files of fail2ban's that exist in memory only.
#include "jail/config_set.h"

#include <map>
#include <string>

namespace sallyport::jail {

using Files = std::map<std::string, std::string>;

inline FileWorld world_of(const Files& files) {
    return {.read_file = [files](const std::string& path) -> Result<std::string> {
                const auto found = files.find(path);
                if (found == files.end()) return fail(ErrorKind::not_found, "there is no " + path);
                return found->second;
            },
            .list =
                [files](const std::string& directory) {
                    std::vector<std::string> names;
                    for (const auto& [path, text] : files)
                        if (path.starts_with(directory + "/") &&
                            path.find('/', directory.size() + 1) == std::string::npos)
                            names.push_back(path.substr(directory.size() + 1));
                    return names;
                }};
}

} // namespace sallyport::jail
