// SPDX-License-Identifier: Apache-2.0
#include "daemon/console.h"

#include "base/fd.h"

#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

namespace sallyport {
namespace {

constexpr std::size_t kMost = 1024;

} // namespace

void say_on_console(std::string_view text) {
    std::string said;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        said += "sallyport: " + std::string(text.substr(0, end)) + "\r\n";
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    if (said.size() > kMost) said.replace(kMost - 5, std::string::npos, "...\r\n");
    const char* path = std::getenv("SALLYPORT_CONSOLE");
    const Fd console(::open(path && *path ? path : "/dev/console",
                            O_WRONLY | O_NOCTTY | O_NONBLOCK | O_APPEND | O_CLOEXEC));
    if (!console) return; // a container has none; the log has it as well
    static_cast<void>(!::write(console.get(), said.data(), said.size()));
}

} // namespace sallyport
