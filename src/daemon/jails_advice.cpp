// SPDX-License-Identifier: Apache-2.0
#include "daemon/jails_advice.h"

#include "base/text.h"
#include "jail/jail.h"
#include "jail/jail_files.h"
#include "jail/own_jail.h"

#include <set>

namespace sallyport {

namespace {

// Of the file as a whole: the message has the line, and there is no text to show.
Diagnostic diagnostic(Severity severity, const std::string& file, std::string message,
                      std::string hint = {}) {
    return {.severity = severity,
            .file = file,
            .line = 0,
            .column = 0,
            .message = std::move(message),
            .hint = std::move(hint),
            .source = {}};
}

Status try_out(const JailRule& rule, const std::string& file, const jail::FileWorld& world,
               const std::string& directory) {
    jail::JailSettings settings = SP_TRY(jail::settings_of(rule, file, world, directory));
    const jail::Jail made = SP_TRY(jail::Jail::make(std::move(settings)));
    return {};
}

void advise_files(const Policy& policy, const std::string& file, const jail::FileWorld& world,
                  std::vector<Diagnostic>& found) {
    std::set<std::string> names;
    for (const JailRule& rule : policy.jails) names.insert(rule.name);
    for (const std::string& path : policy.fail2ban.jails) {
        Result<jail::ReadJails> read = jail::read_jails(world, path, policy.fail2ban.ipv6_prefix);
        if (!read) {
            found.push_back(
                diagnostic(Severity::error, file, read.error().text(), read.error().hint));
            continue;
        }
        for (const jail::Note& note : jail::merged(read->notes))
            found.push_back(diagnostic(Severity::warning, file, to_text(note)));
        for (jail::JailSettings& settings : read->jails) {
            const std::string name = settings.name;
            if (!names.insert(name).second)
                found.push_back(
                    diagnostic(Severity::error, file,
                               escaped(path + ": there are two jails \"" + name + "\"")));
            if (const Result<jail::Jail> made = jail::Jail::make(std::move(settings)); !made)
                found.push_back(diagnostic(Severity::warning, file,
                                           made.error().text() + ": this jail is not used"));
        }
    }
}

} // namespace

std::vector<Diagnostic> advise_jails(const Policy& policy, const std::string& file,
                                     const jail::FileWorld& world, const std::string& directory) {
    std::vector<Diagnostic> found;
    for (const JailRule& rule : policy.jails)
        if (const Status tried = try_out(rule, file, world, directory); !tried)
            found.push_back(
                diagnostic(Severity::error, file, tried.error().text(), tried.error().hint));
    advise_files(policy, file, world, found);
    return found;
}

} // namespace sallyport
