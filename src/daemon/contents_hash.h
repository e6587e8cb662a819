// SPDX-License-Identifier: Apache-2.0
#pragma once
// What tells two policies apart whose file is the same: what their zone files said.
#include "config/parse.h"

#include <map>
#include <string>

namespace sallyport {

// Of the file's hash and those of its zone files by their paths; hex, 64 digits.
[[nodiscard]] std::string contents_hash(const std::string& sha256,
                                        const std::map<std::string, std::string>& files);
[[nodiscard]] std::string contents_hash(const PolicyText& text, const std::string& sha256);

} // namespace sallyport
