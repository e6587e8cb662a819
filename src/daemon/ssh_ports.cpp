// SPDX-License-Identifier: Apache-2.0
#include "daemon/ssh_ports.h"

#include "daemon/lockout.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <glob.h>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

constexpr std::uint16_t kSsh = 22;
constexpr std::size_t kFilesMost = 256; // of one glob
constexpr std::uintmax_t kFileBytesMost = 1 << 20;

std::optional<std::uint16_t> port_in(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
    return port;
}

// "10.0.0.1:2222", "[::1]:2222", "host:2222"; "::1" and "host" name none.
std::optional<std::uint16_t> port_of_address(std::string_view address) {
    const std::size_t colon = address.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const bool bracketed = colon > 0 && address[colon - 1] == ']';
    if (!bracketed && address.find(':') != colon) return std::nullopt;
    return port_in(address.substr(colon + 1));
}

std::string lower_case(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c);
    });
    return text;
}

// Of each line before any Match: the keyword in small letters, and its arguments without quotes.
std::vector<std::vector<std::string>> sshd_lines(const std::string& text) {
    std::vector<std::vector<std::string>> all;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::ranges::replace(line, '=', ' ');
        std::ranges::replace(line, '"', ' ');
        std::istringstream in(line);
        std::vector<std::string> words;
        for (std::string word; in >> word;) words.push_back(word);
        if (words.empty()) continue;
        words[0] = lower_case(words[0]);
        if (words[0] == "match") break;
        all.push_back(std::move(words));
    }
    return all;
}

// A FIFO would hold up the boot.
std::string read_plain(const std::string& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error) || fs::file_size(path, error) > kFileBytesMost || error)
        return "";
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

std::vector<std::string> files_of(const std::string& pattern) {
    glob_t found{};
    std::vector<std::string> files;
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
        for (std::size_t i = 0; i < found.gl_pathc && i < kFilesMost; i++)
            files.emplace_back(found.gl_pathv[i]);
    globfree(&found);
    return files;
}

} // namespace

std::set<std::uint16_t> sshd_ports(const std::string& text) {
    std::set<std::uint16_t> ports;
    for (const std::vector<std::string>& words : sshd_lines(text)) {
        if (words.size() < 2) continue;
        const std::optional<std::uint16_t> port = words[0] == "port" ? port_in(words[1])
                                                  : words[0] == "listenaddress"
                                                      ? port_of_address(words[1])
                                                      : std::nullopt;
        if (port) ports.insert(*port);
    }
    return ports;
}

std::set<std::uint16_t> socket_unit_ports(const std::string& text) {
    std::set<std::uint16_t> ports;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t equals = line.find('=');
        if (equals == std::string::npos) continue;
        std::string key, value;
        std::istringstream(line.substr(0, equals)) >> key;
        std::istringstream(line.substr(equals + 1)) >> value;
        if (key != "ListenStream") continue;
        std::optional<std::uint16_t> port = port_in(value);
        if (!port) port = port_of_address(value);
        if (port) ports.insert(*port);
    }
    return ports;
}

std::set<std::uint16_t> configured_login_ports(const std::string& root) {
    std::set<std::uint16_t> ports{kSsh};
    const std::string main = read_plain(root + "/etc/ssh/sshd_config");
    ports.merge(sshd_ports(main));
    std::vector<std::string> patterns{"/etc/ssh/sshd_config.d/*.conf"};
    for (const std::vector<std::string>& words : sshd_lines(main))
        for (std::size_t i = 1; words[0] == "include" && i < words.size(); i++)
            patterns.push_back(words[i].starts_with('/') ? words[i] : "/etc/ssh/" + words[i]);
    for (const std::string& pattern : patterns)
        for (const std::string& file : files_of(root + pattern))
            ports.merge(sshd_ports(read_plain(file)));
    // Generators write drop-ins too: Ubuntu's has the ports of sshd_config there.
    for (const std::string directory :
         {"/etc/systemd/system", "/run/systemd/system", "/run/systemd/generator",
          "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"})
        for (const std::string unit : {"/ssh.socket", "/sshd.socket"})
            for (const std::string below : {"", ".d/*.conf"})
                for (const std::string& file : files_of(root + directory + unit + below))
                    ports.merge(socket_unit_ports(read_plain(file)));
    return ports;
}

std::set<std::uint16_t> machine_login_ports() {
    std::set<std::uint16_t> ports = configured_login_ports();
    if (const Result<std::vector<SocketInfo>> sockets = list_tcp())
        ports.merge(login_ports(*sockets));
    return ports;
}

} // namespace sallyport
