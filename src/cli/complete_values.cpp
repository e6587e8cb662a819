// SPDX-License-Identifier: Apache-2.0
#include "cli/complete_values.h"

#include "config/parse.h"
#include "event/names.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string_view>

namespace sallyport {
namespace {

// More networks than this of one zone are no help to who types.
constexpr std::size_t kNetworksShown = 16;

enum class Kind : unsigned char {
    files,
    directories,
    files_or_jails,
    rules,
    zones,    // by name
    networks, // those of the zones; a zone's name stands for its networks
    reasons,
    directions,
    interfaces,
    units,
    durations,
    ways, // a packet's, for explain
    last,
};

struct Known {
    std::string_view command; // "": of any
    std::string_view name;    // of the option, or of the positional
    Kind kind;
};

constexpr std::array kKnown{
    Known{"", "FILE", Kind::files},
    Known{"", "LOG", Kind::files},
    Known{"", "FILTER", Kind::files_or_jails},
    Known{"", "config", Kind::files},
    Known{"", "policy", Kind::files},
    Known{"", "pcap", Kind::files},
    Known{"", "ipset", Kind::files},
    Known{"", "ipv6", Kind::files},
    Known{"", "ipv4", Kind::files},
    Known{"", "ufw-defaults", Kind::files},
    Known{"", "output", Kind::files},
    Known{"", "services", Kind::directories},
    Known{"", "fail2ban", Kind::directories},
    Known{"", "bpffs", Kind::directories},
    Known{"", "run-dir", Kind::directories},
    Known{"", "state-dir", Kind::directories},
    Known{"", "log-dir", Kind::directories},
    Known{"", "rule", Kind::rules},
    Known{"", "zone", Kind::zones},
    Known{"", "ZONE", Kind::zones},
    Known{"", "src", Kind::networks},
    Known{"", "dst", Kind::networks},
    Known{"", "ADDR", Kind::networks},
    Known{"tail", "reason", Kind::reasons},
    Known{"", "direction", Kind::directions},
    Known{"guard", "NAME", Kind::interfaces},
    Known{"", "iface", Kind::interfaces},
    Known{"", "interfaces", Kind::interfaces},
    Known{"", "unit", Kind::units},
    Known{"", "for", Kind::durations},
    Known{"tail", "since", Kind::durations},
    Known{"", "confirm", Kind::durations},
    Known{"", "find-time", Kind::durations},
    Known{"", "ban-time", Kind::durations},
    Known{"", "QUESTION", Kind::ways},
    Known{"explain", "event", Kind::last},
};

bool is_named(const CLI::Option& option, std::string_view name) {
    if (option.get_positional() && !option.nonpositional()) return option.get_name() == name;
    return std::ranges::find(option.get_lnames(), name) != option.get_lnames().end();
}

std::optional<Kind> kind_of(const CLI::App& command, const CLI::Option& option) {
    for (const Known& known : kKnown)
        if ((known.command.empty() || known.command == command.get_name()) &&
            is_named(option, known.name))
            return known.kind;
    return std::nullopt;
}

// Of an option that takes one of some words CLI11 says "TEXT:{a,b}".
std::vector<std::string> choices_of(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    const std::size_t begin = type.find('{');
    const std::size_t end = type.find('}');
    if (begin == std::string::npos || end == std::string::npos || end < begin) return {};
    return CLI::detail::split(type.substr(begin + 1, end - begin - 1), ',');
}

class Values {
  public:
    Values(const std::string& word, const std::string& policy_file)
        : word_(word), policy_file_(policy_file) {}

    void add(const std::string& value, const std::string& meaning = {}) {
        if (value.starts_with(word_)) found_.candidates.push_back({value, meaning});
    }
    void add_names(const std::string& directory, std::string_view suffix) {
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(directory, error))
            if (const std::string name = entry.path().filename().string(); name.ends_with(suffix))
                add(name);
        std::ranges::sort(found_.candidates, {}, &Candidate::value);
    }
    void add_kind(Kind kind);
    [[nodiscard]] Completion take() { return std::move(found_); }

  private:
    [[nodiscard]] ParsedPolicy policy() const {
        Result<ParsedPolicy> parsed = load_policy(policy_file_);
        return parsed ? *std::move(parsed) : ParsedPolicy{};
    }
    void add_rules() {
        const ParsedPolicy parsed = policy();
        if (!parsed.policy) return;
        for (const Rule& rule : parsed.policy->rules)
            add(rule.name, rule.deny ? "deny" : direction_of(rule));
    }
    void add_jails() {
        const ParsedPolicy parsed = policy();
        if (!parsed.policy) return;
        for (const JailRule& jail : parsed.policy->jails) add(jail.name, "jail");
    }
    void add_zones() {
        for (const NamedZone& zone : policy().zones) add(zone.name, "zone");
    }
    void add_networks() {
        const ParsedPolicy parsed = policy();
        for (const NamedZone& zone : parsed.zones) {
            const bool is_meant = !word_.empty() && zone.name.starts_with(word_);
            std::size_t room = kNetworksShown;
            for (const PeerPart& part : zone.peers.parts)
                for (const Prefix& network : *part.networks) {
                    const std::string text = to_string(network);
                    if (!is_meant && !text.starts_with(word_)) continue;
                    if (room == 0) break;
                    --room;
                    found_.candidates.push_back({text, "zone " + zone.name});
                }
        }
    }
    static std::string direction_of(const Rule& rule) {
        switch (rule.direction) {
        case Direction::ingress:
            return "ingress";
        case Direction::egress:
            return "egress";
        case Direction::forward:
            return "forward";
        }
        return {};
    }

    const std::string& word_;
    const std::string& policy_file_;
    Completion found_;
};

void Values::add_kind(Kind kind) {
    switch (kind) {
    case Kind::files_or_jails:
        add_jails();
        [[fallthrough]];
    case Kind::files:
        found_.files = true;
        return;
    case Kind::directories:
        found_.directories = true;
        return;
    case Kind::rules:
        return add_rules();
    case Kind::zones:
        return add_zones();
    case Kind::networks:
        return add_networks();
    case Kind::reasons:
        for (const std::uint8_t reason : all_reasons())
            add(reason_name(reason), std::string(reason_meaning(reason)));
        return;
    case Kind::directions:
        for (const char* direction : {"ingress", "egress", "forward"}) add(direction);
        return;
    case Kind::interfaces:
        return add_names("/sys/class/net", "");
    case Kind::units:
        return add_names("/sys/fs/cgroup/system.slice", ".service");
    case Kind::durations:
        for (const char* duration : {"60s", "5m", "10m", "1h", "1d"}) add(duration);
        return;
    case Kind::ways:
        for (const char* way : {"in", "out", "forward"}) add(way);
        return;
    case Kind::last:
        return add("last", "the latest drop");
    }
}

} // namespace

Completion values_for(const CLI::App& command, const CLI::Option& option, const std::string& word,
                      const std::string& policy_file) {
    Values values(word, policy_file);
    const std::vector<std::string> choices = choices_of(option);
    for (const std::string& choice : choices) values.add(choice);
    if (choices.empty())
        if (const std::optional<Kind> kind = kind_of(command, option)) values.add_kind(*kind);
    return values.take();
}

} // namespace sallyport
