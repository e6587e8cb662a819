// SPDX-License-Identifier: Apache-2.0
// What the daemon is asked for: another policy, by SIGHUP or the control socket, and all else
// that the socket takes.
#include "base/version.h"
#include "daemon/ban_commands.h"
#include "daemon/daemon_loop.h"
#include "daemon/guard.h"
#include "daemon/jail_bans.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/policy_commands.h"
#include "daemon/policy_source.h"
#include "daemon/status_build.h"
#include "event/names.h"
#include "metrics/exposition.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace sallyport {

void Daemon::tell(const PolicyNews& news) {
    constexpr std::size_t kTold = 20; // lines
    for (std::size_t i = 0; i < news.would_cut.size() && i < kTold; ++i)
        spdlog::warn("stood before, and the policy would not let it open: {}", news.would_cut[i]);
    if (news.would_cut.size() > kTold)
        spdlog::warn("and {} connections more", news.would_cut.size() - kTold);
    tell(news.wall);
    publisher_.set_repeat(std::chrono::seconds(wall_.enforced().repeat_s));
    publisher_.tell_command_lines(wall_.enforced().command_lines);
    publisher_.tell_names(wall_.enforced().names);
    for (const auto& [state, detail] : news.said) {
        spdlog::info("policy: {}{}{}", to_string(state), detail.empty() ? "" : ", ", detail);
        publisher_.say_policy(state, detail);
    }
    if (news.in_force) follow_jails(*news.in_force);
    if (!news.said.empty()) say_ready();
}

void Daemon::begin(const BootPolicy& boot) {
    PolicyNews news;
    switch (boot.from) {
    case BootPolicy::From::file:
        keeper_.note_first(*boot.source, news);
        news.in_force = boot.source;
        break;
    case BootPolicy::From::kept:
        keeper_.note_restored(news);
        news.in_force = boot.source;
        break;
    case BootPolicy::From::shut:
        keeper_.note_restored(news);
        break;
    case BootPolicy::From::standing: {
        news.in_force = keeper_.standing(news);
        if (news.in_force) wall_.know(news.in_force->policy, news.wall);
        break;
    }
    }
    tell(news);
}

void Daemon::reload(pid_t asker) {
    notifier_.reloading();
    spdlog::info("loading {} again", options_.policy_file);
    const std::optional<PolicySource> source = read_policy(options_.policy_file);
    PolicyNews news;
    Wish wish;
    wish.asker = asker;
    wish.asker_may_be_gone = true;
    wish.by = source ? source->by : "";
    Result<nlohmann::ordered_json> changed =
        fail(ErrorKind::invalid_input, "the policy file has errors");
    if (source) changed = keeper_.apply(*source, wish, news);
    if (changed && !changed->value("changed", false))
        changed = fail(ErrorKind::conflict, lockout_words(*changed), changed->value("next", ""));
    if (!changed) {
        tell(news);
        log_error(changed.error());
        spdlog::error("nothing has changed: generation {} stays in force",
                      wall_.enforced().generation);
        publisher_.say_policy(EventState::refused, changed.error().text());
        say_ready();
        return;
    }
    tell(news);
}

// Of the policy in force alone: what a restart does not apply does not ban either.
void Daemon::follow_jails(const PolicySource& source) {
    if (wall_.enforced().is_of(source.sha256, source.contents))
        tell(jails_of(source, *jails_, wall_));
    else if (!source.policy.jails.empty() || !source.policy.fail2ban.jails.empty())
        spdlog::warn("no jail works until it is loaded, by SIGHUP");
}

Result<StatusView> Daemon::status() {
    StatusView view =
        SP_TRY(build_status(wall_.programs().maps(), wall_.hooks(), wall_.enforced()));
    view.events_folded = publisher_.folded();
    view.events_lost_by[to_string(LostBy::slow_reader)] = control_->lost();
    view.events_lost_by[to_string(LostBy::log_file)] = log_ ? log_->lost_ever() : 0;
    if (journal_) view.events_lost_by[to_string(LostBy::journal)] = journal_->lost_ever();
    view.packet_sockets = patrol_.held(wall_, publisher_);
    view.jails = jails_->states();
    view.version = own_version();
    for (const std::string& nic : wall_.covers_vlans()) view.blind.push_back("vlans:" + nic);
    return view;
}

Result<nlohmann::ordered_json> Daemon::answer(const nlohmann::json& request, const Peer& peer) {
    const std::string command = request.at("cmd");
    if (command == "status") return to_json(SP_TRY(status()));
    if (command == "metrics")
        return nlohmann::ordered_json{{"text", to_exposition(metrics_of(SP_TRY(status())))}};
    if (is_policy_command(command)) {
        PolicyNews news;
        auto given = answer_policy_command(keeper_, request, peer, news);
        tell(news);
        return given;
    }
    if (is_ban_command(command)) {
        WallNews news;
        auto given = answer_ban_command(wall_.bans(), request, peer,
                                        [&] { return wall_.cut_banned_now(news); });
        wall_.tend_bans(news);
        tell(news);
        return given;
    }
    if (command == "guard") {
        if (peer.uid != 0)
            return fail(ErrorKind::permission, "only root may guard an interface",
                        "run it as root");
        follow_interfaces();
        return to_json(SP_TRY(wall_.guarded(request.value("name", ""))));
    }
    if (command == "down") {
        if (peer.uid != 0)
            return fail(ErrorKind::permission, "only root may take the wall down",
                        "run it as root");
        detach_ = true;
        stop_ = true;
        return nlohmann::ordered_json::object();
    }
    return fail(ErrorKind::invalid_input,
                fmt::format("unknown command \"{}\" (version {})", command, own_version()),
                "if the command is newer than the daemon: systemctl restart sallyport");
}

} // namespace sallyport
