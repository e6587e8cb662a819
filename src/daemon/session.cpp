// SPDX-License-Identifier: Apache-2.0
#include "daemon/session.h"

#include "kernel/socket_holders.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <set>
#include <sstream>
#include <sys/stat.h>

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

struct Place {
    pid_t parent = 0;
    int terminal = 0; // 0: none
};

// Behind the last ')': a process chooses its own name.
Place place_of(const std::string& process_dir) {
    const std::string stat = read_whole(process_dir + "/stat");
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos) return {};
    std::istringstream rest(stat.substr(name_end + 1));
    char state = 0;
    pid_t group = 0;
    pid_t session = 0;
    Place place;
    rest >> state >> place.parent >> group >> session >> place.terminal;
    return place;
}

bool is_roots(const std::string& process_dir) {
    struct stat directory{};
    return stat(process_dir.c_str(), &directory) == 0 && directory.st_uid == 0;
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
    const std::set<std::uint64_t> inodes = socket_inodes(process_dir);
    for (const SocketInfo& socket : sockets)
        if (socket.inode != 0 && socket.remote_port != 0 && inodes.contains(socket.inode))
            peers.insert(socket.remote);
}

bool is_loopback(const Address& address) {
    return prefix_of(Address::v4(0x7f000000), 104).covers(address) ||
           address == Address{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
}

} // namespace

bool is_login_server(const std::string& process_dir) {
    const std::string comm = read_whole(process_dir + "/comm");
    return comm.starts_with("sshd") || comm.starts_with("dropbear");
}

std::vector<Address> session_peers(pid_t process, std::span<const SocketInfo> sockets,
                                   const std::string& proc_root) {
    std::set<Address> peers;
    for (int i = 0; process > 1 && i < kAncestorsAtMost; i++) {
        const std::string directory = proc_root + "/" + std::to_string(process);
        add_client_of(directory, peers);
        if (is_login_server(directory)) add_peers_of(directory, sockets, peers);
        process = place_of(directory).parent;
    }
    std::erase_if(peers, is_loopback);
    return {peers.begin(), peers.end()};
}

bool session_stands(pid_t process, std::span<const SocketInfo> sockets,
                    const std::string& proc_root) {
    const std::vector<Address> peers = session_peers(process, sockets, proc_root);
    return std::ranges::any_of(sockets, [&](const SocketInfo& socket) {
        return socket.state == TcpState::established &&
               std::ranges::find(peers, socket.remote) != peers.end();
    });
}

std::vector<Address> root_session_peers(std::span<const SocketInfo> sockets,
                                        const std::string& proc_root) {
    std::set<Address> peers;
    std::error_code error;
    for (fs::directory_iterator at(proc_root, error), end; !error && at != end;
         at.increment(error)) {
        const std::string name = at->path().filename();
        pid_t process = 0;
        const auto [last, wrong] = std::from_chars(name.data(), name.data() + name.size(), process);
        if (wrong != std::errc() || last != name.data() + name.size()) continue;
        if (!is_roots(at->path()) || place_of(at->path()).terminal == 0) continue;
        for (const Address& peer : session_peers(process, sockets, proc_root)) peers.insert(peer);
    }
    std::erase_if(peers, [&](const Address& peer) {
        return std::ranges::none_of(sockets, [&](const SocketInfo& socket) {
            return socket.remote == peer && socket.state == TcpState::established;
        });
    });
    return {peers.begin(), peers.end()};
}

} // namespace sallyport
