// SPDX-License-Identifier: Apache-2.0
#include "base/duration.h"
#include "daemon/panic.h"
#include "daemon/policy_keeper.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sallyport {
namespace {

using nlohmann::ordered_json;

} // namespace

Result<ordered_json> PolicyKeeper::panic(const Wish& wish, PolicyNews& news) {
    const std::vector<SocketInfo> sockets = SP_TRY(list_tcp());
    const std::vector<Door> doors = doors_of_session(wish.asker, sockets);
    if (wall_.trial() && !wall_.enforced().panic)
        end_trial(Outcome::rolled_back, "a panic came", news);
    const PolicySource source = panic_policy(wall_.policy().value_or(bare_policy(wall_.enforced())),
                                             doors, login_ports(sockets));
    const Status shut = wall_.panic(source, wish.trial, news.wall);
    if (!shut && shut.error().kind == ErrorKind::conflict)
        return ordered_json{
            {"changed", false}, {"why", shut.error().text()}, {"next", shut.error().hint}};
    SP_TRY(Status(shut));
    news.in_force.reset();
    news.said.emplace_back(EventState::panic,
                           fmt::format("by {}{}{}", wish.by,
                                       wish.trial.count() ? ", for " + to_string(wish.trial) : "",
                                       wish.message.empty() ? "" : ": " + wish.message));
    ordered_json left = ordered_json::array();
    for (const Rule& rule : source.policy.rules) left.push_back(rule.name);
    return ordered_json{
        {"changed", true},
        {"generation", wall_.enforced().generation},
        {"seconds", wish.trial.count() ? ordered_json(wish.trial.count()) : nullptr},
        {"open", left},
        {"warnings", news.wall.warnings}};
}

Result<ordered_json> PolicyKeeper::end_panic(const Wish& wish, PolicyNews& news) {
    if (!wall_.trial() || !wall_.enforced().panic)
        return ordered_json{{"changed", false}, {"why", "there is no panic"}, {"next", ""}};
    end_trial(Outcome::rolled_back, "the panic is over, by " + wish.by, news);
    if (wall_.trial()) return fail(ErrorKind::kernel, news.wall.warnings.back());
    return ordered_json{{"changed", true},
                        {"generation", wall_.enforced().generation},
                        {"mode", wall_.enforced().observe ? "observe" : "enforce"},
                        {"warnings", news.wall.warnings}};
}

} // namespace sallyport
