// SPDX-License-Identifier: Apache-2.0
#include "daemon/session.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <set>
#include <sstream>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

constexpr int kAncestorsAtMost = 64;

std::string read_whole(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// Behind the last ')': a process chooses its own name.
pid_t parent_of(const std::string& process_dir) {
    const std::string stat = read_whole(process_dir + "/stat");
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos) return 0;
    std::istringstream rest(stat.substr(name_end + 1));
    char state = 0;
    pid_t parent = 0;
    rest >> state >> parent;
    return parent;
}

// sshd, sshd-session (OpenSSH 9.8), dropbear; the rest of the names is theirs as well.
bool is_login_server(const std::string& process_dir) {
    const std::string comm = read_whole(process_dir + "/comm");
    return comm.starts_with("sshd") || comm.starts_with("dropbear");
}

void add_client_of(const std::string& process_dir, std::set<Address>& peers) {
    const std::string environment = read_whole(process_dir + "/environ");
    constexpr std::string_view kName = "SSH_CONNECTION=";
    for (std::size_t at = 0; at < environment.size();) {
        const std::size_t end = std::min(environment.find('\0', at), environment.size());
        const std::string_view entry = std::string_view(environment).substr(at, end - at);
        at = end + 1;
        if (!entry.starts_with(kName)) continue;
        std::string_view client = entry.substr(kName.size());
        client = client.substr(0, client.find_first_of(" %")); // a zone index is not the address
        if (const std::optional<Address> address = parse_address(client)) peers.insert(*address);
    }
}

void add_peers_of(const std::string& process_dir, std::span<const SocketInfo> sockets,
                  std::set<Address>& peers) {
    std::error_code error;
    for (const fs::directory_entry& held : fs::directory_iterator(process_dir + "/fd", error)) {
        const std::string target = fs::read_symlink(held.path(), error).string();
        if (error || !target.starts_with("socket:[")) continue;
        std::uint32_t inode = 0;
        std::from_chars(target.data() + 8, target.data() + target.size(), inode);
        for (const SocketInfo& socket : sockets)
            if (inode != 0 && socket.inode == inode && socket.remote_port != 0)
                peers.insert(socket.remote);
    }
}

bool is_loopback(const Address& address) {
    return prefix_of(Address::v4(0x7f000000), 104).covers(address) ||
           address == Address{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
}

} // namespace

std::vector<Address> session_peers(pid_t process, std::span<const SocketInfo> sockets,
                                   const std::string& proc_root) {
    std::set<Address> peers;
    for (int i = 0; process > 1 && i < kAncestorsAtMost; i++) {
        const std::string directory = proc_root + "/" + std::to_string(process);
        add_client_of(directory, peers);
        if (is_login_server(directory)) add_peers_of(directory, sockets, peers);
        process = parent_of(directory);
    }
    std::erase_if(peers, is_loopback);
    return {peers.begin(), peers.end()};
}

} // namespace sallyport
