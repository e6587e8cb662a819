// SPDX-License-Identifier: Apache-2.0
#include "daemon/user_names.h"

#include "base/small_file.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace sallyport {
namespace {

constexpr std::size_t kMost = std::size_t{4} << 20; // bytes of the file

bool is_same(const struct stat& a, const struct stat& b) {
    return a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_size == b.st_size &&
           a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

} // namespace

std::string UserNames::name_of(std::uint32_t uid) {
    struct stat now{};
    if (::stat(file_.c_str(), &now) != 0) now = {};
    if (!is_same(now, seen_)) {
        seen_ = now;
        read_again();
    }
    const auto at = names_.find(uid);
    return at == names_.end() ? std::string() : at->second;
}

// NAME:PASSWORD:UID:...; the first line of a uid is the one that getpwuid(3) would give.
void UserNames::read_again() {
    names_.clear();
    const std::string text = read_small_file(file_, kMost).value_or("");
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const std::size_t name_end = line.find(':');
        const std::size_t password_end = line.find(':', name_end + 1);
        if (name_end == 0 || name_end == std::string_view::npos ||
            password_end == std::string_view::npos)
            continue;
        std::uint32_t uid = 0;
        const char* last = line.data() + line.size();
        const auto [stop, error] = std::from_chars(line.data() + password_end + 1, last, uid);
        if (error == std::errc{} && stop != last && *stop == ':')
            names_.emplace(uid, line.substr(0, name_end));
    }
}

} // namespace sallyport
