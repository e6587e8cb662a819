// SPDX-License-Identifier: Apache-2.0
#pragma once
// The listening socket in the file system, and the way to it for clients.
#include "base/fd.h"
#include "base/result.h"

#include <optional>
#include <string>
#include <sys/types.h>

namespace sallyport {

// The group that may read events and status: `sallyport`, where the machine has it.
[[nodiscard]] std::optional<gid_t> readers_group();
// As ControlServer::open says; not blocking.
[[nodiscard]] Result<Fd> listen_at(const std::string& path);
// ErrorKind::not_found when nobody listens there.
[[nodiscard]] Result<Fd> connect_to(const std::string& path);
// Which file the socket is, so that its owner removes no other's.
struct FileId {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const FileId&) const = default;
};
[[nodiscard]] Result<FileId> file_id(const std::string& path);

} // namespace sallyport
