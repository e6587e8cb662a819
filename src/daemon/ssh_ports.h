// SPDX-License-Identifier: Apache-2.0
#pragma once
// At which ports people log in to this machine, before anything listens: at a boot the files of
// sshd and of systemd's sockets for it are all there is.
#include <cstdint>
#include <set>
#include <string>

namespace sallyport {

// Ports of `Port` and `ListenAddress` in a text of sshd_config(5). What is in Match blocks
// cannot name any.
[[nodiscard]] std::set<std::uint16_t> sshd_ports(const std::string& text);
// Those of `ListenStream=` in a text of systemd.socket(5). One that is taken back by an empty
// assignment counts: nobody may listen there, which opens nothing.
[[nodiscard]] std::set<std::uint16_t> socket_unit_ports(const std::string& text);

// 22, and those of the files below `root`: sshd_config, what it includes (one level), and
// sshd_config.d; ssh.socket and sshd.socket with their drop-ins. Files that are not there, are
// no plain files or are larger than a MiB name none.
[[nodiscard]] std::set<std::uint16_t> configured_login_ports(const std::string& root = "");
// The same of this machine, and those at which a login server listens now.
[[nodiscard]] std::set<std::uint16_t> machine_login_ports();

} // namespace sallyport
