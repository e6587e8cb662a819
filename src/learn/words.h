// SPDX-License-Identifier: Apache-2.0
#pragma once
// What others chose, in words that stay in their place: a TOML string, a comment.
#include "learn/seen.h"

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::learn {

// A TOML basic string, whatever the bytes are.
[[nodiscard]] std::string toml_string(std::string_view text);
[[nodiscard]] std::string toml_list(const std::vector<std::string>& texts);
// "rag-service": letters, digits and dashes.
[[nodiscard]] std::string plain_name(std::string_view text, std::size_t most = 24);

[[nodiscard]] std::string service_text(const Service& service); // "tcp 443", "icmp type 13"
[[nodiscard]] std::string owner_text(const Service& service);   // "rag.service", "uid 1000"
[[nodiscard]] std::string time_text(WallTime at);               // "2026-01-02T03:04:05Z"

} // namespace sallyport::learn
