// SPDX-License-Identifier: Apache-2.0
#include "daemon/enforced.h"

#include "base/durable_file.h"
#include "base/json_words.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace sallyport {
namespace {

using nlohmann::json;

std::string path_in(const std::string& state_dir) {
    return state_dir + "/enforced.json";
}

std::string staged_in(const std::string& state_dir) {
    return state_dir + "/enforced.next.json";
}

Result<std::optional<Enforced>> read_record(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return std::optional<Enforced>{};
    std::stringstream text;
    text << in.rdbuf();
    Enforced enforced = SP_TRY(enforced_from_json(text.str()).context("reading " + path));
    return std::optional<Enforced>{std::move(enforced)};
}

XdpMode xdp_mode_of(const std::string& text) {
    if (text == "native") return XdpMode::native;
    return text == "generic" ? XdpMode::generic : XdpMode::automatic;
}

} // namespace

std::vector<std::string> Enforced::guards() const {
    std::vector<std::string> globs = interfaces;
    globs.insert(globs.end(), fallback_interfaces.begin(), fallback_interfaces.end());
    return globs;
}

Enforced without_record(const Enforced& tried, std::uint32_t generation, bool observe) {
    Enforced known = tried;
    known.generation = generation;
    known.first_generation = 0;
    known.observe = observe;
    known.panic = false;
    if (!tried.fallback_interfaces.empty()) known.interfaces = tried.fallback_interfaces;
    known.fallback_interfaces.clear();
    known.file.clear();
    known.sha256.clear();
    known.contents.clear();
    known.applied.clear();
    known.by.clear();
    known.rules.clear();
    known.compiled_for.clear();
    return known;
}

std::string to_json_text(const Enforced& e) {
    json rules = json::array();
    for (const EnforcedRule& rule : e.rules)
        rules.push_back({{"name", rule.name}, {"direction", to_string(rule.direction)}});
    const json object = {{"generation", e.generation},
                         {"panic", e.panic},
                         {"first_generation", e.first_generation},
                         {"last_generation", e.last_generation},
                         {"file", e.file},
                         {"sha256", e.sha256},
                         {"contents", e.contents},
                         {"applied", e.applied},
                         {"by", e.by},
                         {"observe", e.observe},
                         {"cgroup", e.cgroup},
                         {"packet_sockets", e.packet_sockets},
                         {"packet_socket_users", e.packet_socket_users},
                         {"interfaces", e.interfaces},
                         {"fallback_interfaces", e.fallback_interfaces},
                         {"xdp", to_string(e.xdp)},
                         {"flow_max", e.flow_max},
                         {"repeat_s", e.repeat_s},
                         {"names", e.names},
                         {"command_lines", e.command_lines},
                         {"rules", rules},
                         {"counters", e.counters},
                         {"nic_counters", e.nic_counters},
                         {"compiled_for", e.compiled_for}};
    return object.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<Enforced> enforced_from_json(const std::string& text) {
    try {
        const json object = json::parse(text);
        Enforced e{
            .generation = object.at("generation"),
            .panic = object.value("panic", false),
            .first_generation = object.value("first_generation", 0u),
            .last_generation = object.value("last_generation", 0u),
            .file = object.at("file"),
            .sha256 = object.at("sha256"),
            .contents = object.value("contents", ""),
            .applied = object.at("applied"),
            .by = object.at("by"),
            .observe = object.at("observe"),
            .cgroup = object.at("cgroup"),
            .packet_sockets = object.value("packet_sockets", "report"),
            .packet_socket_users = object.value("packet_socket_users", std::vector<std::string>{}),
            .interfaces = object.at("interfaces"),
            .fallback_interfaces = object.value("fallback_interfaces", std::vector<std::string>{}),
            .xdp = xdp_mode_of(object.value("xdp", "")), // younger than the record
            .flow_max = object.at("flow_max"),
            .repeat_s = object.at("repeat_s"),
            .names = object.value("names", true),
            .command_lines = object.value("command_lines", false),
            .rules = {},
            .counters = object.at("counters"),
            .nic_counters = object.at("nic_counters"),
            .compiled_for = object.value("compiled_for", std::vector<std::string>{})};
        for (const json& rule : object.at("rules")) {
            const std::string direction = rule.at("direction");
            e.rules.push_back({.name = rule.at("name"),
                               .direction = direction == "egress"    ? Direction::egress
                                            : direction == "forward" ? Direction::forward
                                                                     : Direction::ingress});
        }
        return e;
    } catch (const json::exception& error) {
        return fail(ErrorKind::invalid_input,
                    "not a record of what is enforced: " + json_words(error.what()));
    }
}

Status stage_enforced(const std::string& state_dir, const Enforced& enforced) {
    SP_TRY(make_directory_durably(state_dir));
    return replace_durably(staged_in(state_dir), to_json_text(enforced));
}

Status settle_enforced(const std::string& state_dir) {
    return rename_durably(staged_in(state_dir), path_in(state_dir));
}

void unstage_enforced(const std::string& state_dir) {
    std::error_code ignored;
    std::filesystem::remove(staged_in(state_dir), ignored);
}

void forget_enforced(const std::string& state_dir) {
    unstage_enforced(state_dir);
    std::error_code ignored;
    std::filesystem::remove(path_in(state_dir), ignored);
}

Result<std::optional<Enforced>> load_settled(const std::string& state_dir) {
    return read_record(path_in(state_dir));
}

Result<std::optional<Enforced>> load_staged(const std::string& state_dir) {
    return read_record(staged_in(state_dir));
}

Result<std::optional<Enforced>> load_enforced(const std::string& state_dir,
                                              std::uint32_t generation) {
    // Staged and never settled: killed between, or before, the switch.
    Result<std::optional<Enforced>> staged = load_staged(state_dir);
    if (staged && *staged && (*staged)->generation == generation) return staged;
    Result<std::optional<Enforced>> settled = load_settled(state_dir);
    if (settled && *settled && (*settled)->generation == generation) return settled;
    const bool is_same_policy = staged && *staged && (*staged)->first_generation != 0 &&
                                (*staged)->first_generation <= generation &&
                                generation < (*staged)->generation;
    if (!is_same_policy) return settled;
    (*staged)->generation = generation;
    return staged;
}

} // namespace sallyport
