// SPDX-License-Identifier: Apache-2.0
// Rule sets of any bytes, for the three readers and ipset's; the first byte says which.
// Whatever is imported is a policy that our own parser takes without an error.
#include "config/parse.h"
#include "import/import.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

using namespace sallyport;

namespace {

Result<imported::Imported> read_by(unsigned kind, std::string_view text) {
    imported::Options options;
    switch (kind % 5) {
    case 0:
        return imported::import_iptables(text, imported::Family::v4, "", options);
    case 1:
        return imported::import_iptables(text, imported::Family::v6, "", options);
    case 2:
        return imported::import_ufw(text, "", options);
    case 3:
        return imported::import_nft(text, options);
    default:
        options.ipsets = text;
        return imported::import_iptables(
            "*filter\n-A INPUT -m set --match-set a src -j ACCEPT\nCOMMIT\n", imported::Family::v4,
            "", options);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const Result<imported::Imported> done = read_by(data[0], text);
    if (!done) return 0;
    ParseWorld world;
    world.read_file = [](const std::string&) { return fail(ErrorKind::not_found, "none"); };
    world.user_id = [](const std::string&) { return std::nullopt; };
    world.service_port = [](const std::string&, std::uint8_t) { return std::nullopt; };
    const ParsedPolicy parsed = parse_policy(done->policy, "imported.toml", world);
    if (parsed.policy) return 0;
    std::fputs(done->policy.c_str(), stderr);
    for (const Diagnostic& diagnostic : parsed.diagnostics)
        std::fputs(to_text(diagnostic).c_str(), stderr);
    std::abort();
}
