// SPDX-License-Identifier: Apache-2.0
// sallyport check: is a policy file good, without touching the machine?
#include "cli/output.h"
#include "cli/verbs.h"
#include "compile/compile.h"
#include "config/parse.h"
#include "daemon/advice.h"
#include "daemon/forged_sources.h"
#include "daemon/jails_advice.h"
#include "daemon/packet_sockets.h"
#include "jail/disk.h"
#include "kernel/packet_sockets.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <net/if.h>
#include <set>

namespace sallyport {
namespace {

struct CheckOptions {
    std::string file;
    bool strict = false;
    bool as_json = false;
};

struct Checked {
    std::vector<Diagnostic> diagnostics;
    std::optional<Policy> policy; // set when there is no error
};

Diagnostic whole_file(const std::string& file, const Error& error) {
    return {.severity = Severity::error,
            .file = file,
            .line = 0,
            .column = 0,
            .message = error.text(),
            .hint = error.hint,
            .source = {}};
}

std::vector<std::string> interface_names() {
    std::vector<std::string> names;
    const std::unique_ptr<struct if_nameindex, decltype(&if_freenameindex)> list(::if_nameindex(),
                                                                                 &if_freenameindex);
    for (const struct if_nameindex* at = list.get(); at != nullptr && at->if_name != nullptr; ++at)
        names.emplace_back(at->if_name);
    return names;
}

Checked check_file(const std::string& file) {
    auto loaded = load_policy(file);
    if (!loaded) return {.diagnostics = {whole_file(file, loaded.error())}, .policy = std::nullopt};
    Checked checked{.diagnostics = std::move(loaded->diagnostics), .policy = std::nullopt};
    if (!loaded->policy) return checked;
    const auto image = compile(*loaded->policy,
                               {.generation = 1, .interfaces = interface_names(), .counters = {}});
    if (!image) {
        checked.diagnostics.push_back(whole_file(file, image.error()));
        return checked;
    }
    const auto advice = advise(*loaded->policy, file, system_advice_world());
    checked.diagnostics.insert(checked.diagnostics.end(), advice.begin(), advice.end());
    const auto sockets = advise_packet_sockets(*loaded->policy, file, lsm_obstacle());
    checked.diagnostics.insert(checked.diagnostics.end(), sockets.begin(), sockets.end());
    if (const auto interfaces = list_interfaces()) {
        const auto forged = advise_forged_sources(*loaded->policy, file, *interfaces);
        checked.diagnostics.insert(checked.diagnostics.end(), forged.begin(), forged.end());
    }
    const auto jails =
        advise_jails(*loaded->policy, file, jail::disk_world(jail::Trust::owner), "/etc/fail2ban");
    checked.diagnostics.insert(checked.diagnostics.end(), jails.begin(), jails.end());
    if (std::ranges::any_of(jails,
                            [](const Diagnostic& d) { return d.severity == Severity::error; }))
        return checked;
    checked.policy = std::move(loaded->policy);
    return checked;
}

std::size_t count_prefixes(const Policy& policy) {
    std::set<PrefixList> lists; // shared by the rules that name the same zone
    for (const Rule& rule : policy.rules)
        for (const PeerSet* peers : {&rule.from, &rule.to})
            for (const PeerPart& part : peers->parts) {
                lists.insert(part.networks);
                lists.insert(part.except.begin(), part.except.end());
            }
    std::size_t count = 0;
    for (const PrefixList& list : lists) count += list->size();
    return count;
}

ExitCode judge(const Checked& checked, bool is_strict) {
    if (!checked.policy) return ExitCode::usage;
    const bool has_warning = std::ranges::any_of(
        checked.diagnostics, [](const Diagnostic& d) { return d.severity == Severity::warning; });
    return is_strict && has_warning ? ExitCode::no : ExitCode::done;
}

nlohmann::ordered_json diagnostic_to_json(const Diagnostic& diagnostic) {
    const bool is_error = diagnostic.severity == Severity::error;
    nlohmann::ordered_json object{{"severity", is_error ? "error" : "warning"},
                                  {"file", diagnostic.file},
                                  {"line", diagnostic.line},
                                  {"column", diagnostic.column},
                                  {"message", diagnostic.message}};
    if (!diagnostic.hint.empty()) object["hint"] = diagnostic.hint;
    return object;
}

void print_report(const CheckOptions& options, const Checked& checked, ExitCode code) {
    if (options.as_json) {
        nlohmann::ordered_json report{{"ok", code == ExitCode::done},
                                      {"diagnostics", nlohmann::ordered_json::array()}};
        for (const Diagnostic& d : checked.diagnostics)
            report["diagnostics"].push_back(diagnostic_to_json(d));
        if (checked.policy) {
            report["rules"] = checked.policy->rules.size();
            report["prefixes"] = count_prefixes(*checked.policy);
        }
        return print_json(report);
    }
    for (const Diagnostic& diagnostic : checked.diagnostics) {
        std::string text = to_text(diagnostic);
        while (text.ends_with('\n')) text.pop_back();
        say(text);
    }
    if (checked.policy)
        print_data(fmt::format("{}: ok, {} rules, {} prefixes\n", options.file,
                               checked.policy->rules.size(), count_prefixes(*checked.policy)));
}

} // namespace

Verb check_verb(CLI::App& parent) {
    const auto options = std::make_shared<CheckOptions>();
    CLI::App* check = parent.add_subcommand("check", "parse, compile and lint a policy, offline");
    check->add_option("FILE", options->file, "the policy file")->required();
    check->add_flag("--strict", options->strict, "exit 1 when there is a warning");
    check->add_flag("--json", options->as_json, "print JSON");
    return {.command = check, .act = [options] {
                const Checked checked = check_file(options->file);
                const ExitCode code = judge(checked, options->strict);
                print_report(*options, checked, code);
                return code;
            }};
}

} // namespace sallyport
