// SPDX-License-Identifier: Apache-2.0
// A zone file of any bytes. Each prefix that is taken prints as a text that is
// read as the same prefix, and inet_pton takes its address too.
#include "config/zone_file.h"

#include <arpa/inet.h>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace sallyport;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void check_prefix(const Prefix& prefix) {
    const std::string text = to_string(prefix);
    const Result<Prefix> again = parse_prefix(text);
    require(again.has_value() && *again == prefix);
    const std::string address = text.substr(0, text.find('/'));
    unsigned char bytes[16];
    require(::inet_pton(prefix.base.is_v4() ? AF_INET : AF_INET6, address.c_str(), bytes) == 1);
    require(prefix.covers(prefix.base) == (prefix.is_v4() == prefix.base.is_v4()));
}

// What inet_pton says of the same text, zero bytes aside, which it does not see.
void check_address(std::string_view text) {
    if (text.size() > 64 || text.find('\0') != std::string_view::npos) return;
    const std::string copy(text);
    unsigned char bytes[16];
    const bool known = ::inet_pton(AF_INET, copy.c_str(), bytes) == 1 ||
                       ::inet_pton(AF_INET6, copy.c_str(), bytes) == 1;
    require(parse_address(text).has_value() == known);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const config::ZoneFile file = config::parse_zone_file(text, "z.netset");
    for (const Prefix& prefix : file.networks) check_prefix(prefix);
    for (const Diagnostic& diagnostic : file.errors) require(!to_text(diagnostic).empty());
    check_address(text.substr(0, text.find('\n')));
    return 0;
}
