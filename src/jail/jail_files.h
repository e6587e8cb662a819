// SPDX-License-Identifier: Apache-2.0
#pragma once
// fail2ban's jails, read from its own files as they are.
#include "jail/config_set.h"
#include "jail/settings.h"

#include <string>
#include <vector>

namespace sallyport::jail {

struct ReadJails {
    std::vector<JailSettings> jails; // the enabled ones that can be used
    Notes notes;                     // what is not carried, and which jail is not used and why
};

// `file` is a jail file of fail2ban: jail.conf or jail.local for every enabled jail, or
// one below jail.d for those that have a section in it. Whichever it is, all the files
// that fail2ban would read count, in its order.
[[nodiscard]] Result<ReadJails> read_jails(const FileWorld& world, const std::string& file,
                                           unsigned ipv6_length);

// The directory that holds filter.d and jail.conf beside or above a jail file.
[[nodiscard]] std::string directory_of_jails(const FileWorld& world, const std::string& file);

} // namespace sallyport::jail
