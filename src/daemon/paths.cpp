// SPDX-License-Identifier: Apache-2.0
#include "daemon/paths.h"

#include <cstdlib>

namespace sallyport {

Paths paths_from(const std::function<const char*(const char*)>& get_env) {
    const auto choose = [&](const char* variable, const std::string& usual) {
        const char* value = get_env(variable);
        std::string chosen = value == nullptr || *value == '\0' ? usual : value;
        while (chosen.size() > 1 && chosen.ends_with('/')) chosen.pop_back();
        return chosen;
    };
    const Paths usual;
    return {.bpffs = choose("SALLYPORT_BPFFS", usual.bpffs),
            .run_dir = choose("SALLYPORT_RUN_DIR", usual.run_dir),
            .state_dir = choose("SALLYPORT_STATE_DIR", usual.state_dir),
            .log_dir = choose("SALLYPORT_LOG_DIR", usual.log_dir)};
}

Paths paths_from_environment() {
    return paths_from([](const char* name) -> const char* { return std::getenv(name); });
}

} // namespace sallyport
