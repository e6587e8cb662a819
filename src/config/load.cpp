// SPDX-License-Identifier: Apache-2.0
// Policy and zone files from the disk.
#include "base/fd.h"
#include "base/file_checks.h"
#include "config/parse.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport {

namespace {

constexpr std::size_t kMebibyte = 1024 * 1024;
constexpr std::size_t kPolicyMax = 64 * kMebibyte;
constexpr std::size_t kZoneFileMax = 512 * kMebibyte;

Result<std::string> read_checked(const std::string& path, std::size_t most) {
    // Not blocking, or a FIFO would hold us until somebody writes.
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) return fail_errno(errno, "cannot open " + path);
    struct stat file{};
    if (::fstat(fd.get(), &file) != 0) return fail_errno(errno, "cannot look at " + path);
    SP_TRY(check_is_readable(file, path, most));
    SP_TRY(check_is_ours(file, path));

    std::string text;
    text.resize(static_cast<std::size_t>(file.st_size) + 1); // the byte more sees the end
    std::size_t filled = 0;
    for (;;) {
        const ssize_t got = ::read(fd.get(), text.data() + filled, text.size() - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno(errno, "cannot read " + path);
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
        if (filled > most) return fail(ErrorKind::invalid_input, path + " grows while it is read");
        if (filled == text.size()) text.resize(std::min(2 * text.size(), most + 1));
    }
    text.resize(filled);
    return text;
}

std::optional<std::uint32_t> user_id(const std::string& name) {
    std::string buffer(16384, '\0');
    for (;;) {
        struct passwd entry{};
        struct passwd* found = nullptr;
        const int error = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
        if (error == ERANGE && buffer.size() < kMebibyte) {
            buffer.resize(2 * buffer.size());
            continue;
        }
        return found == nullptr ? std::nullopt : std::optional<std::uint32_t>(found->pw_uid);
    }
}

std::optional<std::uint16_t> service_by(const std::string& name, const char* protocol) {
    std::array<char, 8192> buffer{};
    struct servent entry{};
    struct servent* found = nullptr;
    if (::getservbyname_r(name.c_str(), protocol, &entry, buffer.data(), buffer.size(), &found) !=
            0 ||
        found == nullptr)
        return std::nullopt;
    return ntohs(static_cast<std::uint16_t>(found->s_port));
}

// SCTP and UDP-Lite have few names of their own; services keep their TCP and UDP port there.
std::optional<std::uint16_t> service_port(const std::string& name, std::uint8_t proto) {
    const auto either = [&](const char* own, const char* other) {
        const std::optional<std::uint16_t> port = service_by(name, own);
        return port ? port : service_by(name, other);
    };
    switch (proto) {
    case IPPROTO_TCP:
        return service_by(name, "tcp");
    case IPPROTO_UDP:
        return service_by(name, "udp");
    case IPPROTO_SCTP:
        return either("sctp", "tcp");
    case IPPROTO_UDPLITE:
        return either("udplite", "udp");
    default:
        return std::nullopt;
    }
}

} // namespace

ParseWorld system_world() {
    return ParseWorld{
        .read_file = [](const std::string& path) { return read_checked(path, kZoneFileMax); },
        .user_id = user_id,
        .service_port = service_port,
    };
}

Result<ParsedPolicy> load_policy(const std::string& path, PolicyText* read) {
    std::string text = SP_TRY(read_checked(path, kPolicyMax));
    ParseWorld world = system_world();
    if (read != nullptr) {
        world.read_file = [read](const std::string& file) -> Result<std::string> {
            std::string content = SP_TRY(read_checked(file, kZoneFileMax));
            read->files[file] = content;
            return content;
        };
    }
    ParsedPolicy parsed = parse_policy(text, path, world);
    if (read != nullptr) read->text = std::move(text);
    return parsed;
}

ParsedPolicy parse_again(const PolicyText& read, const std::string& path) {
    ParseWorld world = system_world();
    world.read_file = [&read](const std::string& file) -> Result<std::string> {
        const auto at = read.files.find(file);
        if (at == read.files.end())
            return fail(ErrorKind::not_found, file + " was not kept with the policy");
        return at->second;
    };
    return parse_policy(read.text, path, world);
}

} // namespace sallyport
