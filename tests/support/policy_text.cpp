// SPDX-License-Identifier: Apache-2.0
#include "support/policy_text.h"

#include "config/parse.h"

#include <catch2/catch_test_macros.hpp>
#include <sstream>

namespace sallyport::test {
namespace {

std::string quoted(const std::string& text) {
    return '"' + text + '"';
}

// Digits alone are a number of the file format, all else a string.
std::string value_of(const std::string& word) {
    return word.find_first_not_of("0123456789") == std::string::npos ? word : quoted(word);
}

// "a 22" to ["a", 22].
std::string list(const std::string& words) {
    std::istringstream in(words);
    std::string out;
    for (std::string word; in >> word;) out += (out.empty() ? "" : ", ") + value_of(word);
    return "[" + out + "]";
}

std::string line(const std::string& key, const std::string& value) {
    return value.empty() ? "" : key + " = " + value + "\n";
}

std::string peers_of(const std::string& peers) {
    if (peers.empty()) return "";
    return peers == "any" ? quoted(peers) : list(peers);
}

std::string rule(const std::string& table, const std::string& name, const std::string& peer_key,
                 const std::string& peers, const std::string& proto, const std::string& ports) {
    return "[[" + table + "]]\n" + line("name", quoted(name)) + line(peer_key, peers_of(peers)) +
           line("proto", proto.empty() ? "" : value_of(proto)) +
           line("ports", ports.empty() ? "" : list(ports));
}

std::string deny(const std::string& direction, const std::string& name, const std::string& peer_key,
                 const std::string& peers, const std::string& proto, const std::string& ports) {
    return rule("deny", name, peer_key, peers, proto, ports) + line("direction", quoted(direction));
}

ParseWorld world() {
    return ParseWorld{
        .read_file = [](const std::string& path) -> Result<std::string> {
            return fail(ErrorKind::not_found, path + ": tests have no files");
        },
        .user_id = [](const std::string& name) -> std::optional<std::uint32_t> {
            if (name == "model") return 1001;
            if (name == "nobody") return 65534;
            return std::nullopt;
        },
        .service_port = [](const std::string&,
                           std::uint8_t) { return std::optional<std::uint16_t>{}; },
    };
}

} // namespace

std::string allow_in(const std::string& name, const std::string& from, const std::string& proto,
                     const std::string& ports) {
    return rule("ingress", name, "from", from, proto, ports);
}

std::string allow_out(const std::string& name, const std::string& to, const std::string& proto,
                      const std::string& ports) {
    return rule("egress", name, "to", to, proto, ports);
}

std::string deny_in(const std::string& name, const std::string& from, const std::string& proto,
                    const std::string& ports) {
    return deny("ingress", name, "from", from, proto, ports);
}

std::string deny_out(const std::string& name, const std::string& to, const std::string& proto,
                     const std::string& ports) {
    return deny("egress", name, "to", to, proto, ports);
}

std::string allow_through(const std::string& name, const std::string& from, const std::string& to,
                          const std::string& proto, const std::string& ports) {
    return rule("forward", name, "from", from, proto, ports) + line("to", peers_of(to));
}

std::string deny_through(const std::string& name, const std::string& from, const std::string& to,
                         const std::string& proto, const std::string& ports) {
    return deny("forward", name, "from", from, proto, ports) + line("to", peers_of(to));
}

std::string essentials(const std::string& lines) {
    return "[essentials]\n" + lines + "\n";
}

Policy parsed(const std::string& policy, const std::string& host_lines) {
    std::string text =
        "schema = 1\n[host]\ninterfaces = [\"eth0\", \"eth1\", \"en00\", \"wg0\"]\n" + host_lines +
        "\n[events]\nper-second = 1000000\n" + policy;
    ParsedPolicy result = parse_policy(text, "policy.toml", world());
    std::string found;
    for (const Diagnostic& diagnostic : result.diagnostics) found += to_text(diagnostic) + "\n";
    if (!result.policy) FAIL(found);
    return *result.policy;
}

} // namespace sallyport::test
