// SPDX-License-Identifier: Apache-2.0
// Files of jails and filters of any bytes: no crash, no endless expansion, and what is
// said of them is fit for a terminal. The input is jail.conf and, after a NUL, a filter.
#include "base/text.h"
#include "jail/filter_file.h"
#include "jail/jail.h"
#include "jail/jail_files.h"

#include <cstdint>
#include <cstdlib>

using namespace sallyport;
using namespace sallyport::jail;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    const std::string jails(all.substr(0, all.find('\0')));
    const std::string filter(all.substr(std::min(all.size(), jails.size() + 1)));
    const FileWorld world{.read_file = [&](const std::string& path) -> Result<std::string> {
                              if (path == "/f/jail.conf") return jails;
                              if (path.ends_with("filter.d/a.conf")) return filter;
                              return fail(ErrorKind::not_found, "there is no " + path);
                          },
                          .list = [](const std::string& directory) -> std::vector<std::string> {
                              return directory.ends_with("filter.d")
                                         ? std::vector<std::string>{"a.conf"}
                                         : std::vector<std::string>{};
                          }};
    const Result<ReadJails> read = read_jails(world, "/f/jail.conf", 64);
    if (!read) {
        require(is_printable(read.error().text()));
        return 0;
    }
    for (const Note& note : read->notes) require(is_printable(to_text(note)));
    for (const JailSettings& settings : read->jails) {
        require(settings.max_retry >= 1 && settings.find_time.count() >= 1);
        Result<Jail> jail = Jail::make(settings);
        if (!jail) continue;
        static_cast<void>(jail->take("Jan  1 00:00:00 app: fail from 192.0.2.1",
                                     LogTime(std::chrono::seconds(1'767'322'800))));
    }
    return 0;
}
