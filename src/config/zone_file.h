// SPDX-License-Identifier: Apache-2.0
#pragma once
// A file of networks: one prefix a line, blank lines, comments from '#' on.
#include "base/ip.h"
#include "config/diagnostic.h"

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

struct ZoneFile {
    std::vector<Prefix> networks;   // in file order, duplicates too
    std::vector<Diagnostic> errors; // the first hundred, then one with the number of the rest
};

// `file` is for the errors. An empty text is a good file of no networks.
[[nodiscard]] ZoneFile parse_zone_file(std::string_view text, const std::string& file);

} // namespace sallyport::config
