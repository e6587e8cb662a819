// SPDX-License-Identifier: Apache-2.0
#include "daemon/ban_commands.h"

#include "base/text.h"
#include "daemon/session.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace sallyport {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// A page fits the queue of a client of the control socket (1 MiB), whatever the reasons say:
// escaped, a byte of one may take six.
constexpr std::size_t kPage = 500;
constexpr std::size_t kPageBytes = 500'000;
std::size_t bytes_of(const BanLine& line) {
    return 300 + 6 * (line.record.reason.size() + line.record.origin.size());
}
constexpr std::int64_t kLongest = 100ll * 365 * 86400;

std::string rfc3339(std::int64_t wall_ms) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                       fmt::gmtime(static_cast<std::time_t>(wall_ms / 1000)));
}

ordered_json seconds_or_null(const std::optional<Milliseconds>& left) {
    return left ? ordered_json((left->count() + 999) / 1000) : ordered_json(nullptr);
}

Result<BanRequest> request_of(const json& request) {
    BanRequest ban{.network = SP_TRY(parse_prefix(request.value("network", "")))};
    if (request.contains("seconds")) {
        const std::int64_t seconds = request.at("seconds").get<std::int64_t>();
        if (seconds < 1 || seconds > kLongest)
            return fail(ErrorKind::invalid_input, "a ban lasts from a second to 100 years",
                        "leave the time out for one that lasts until it is lifted");
        ban.duration = std::chrono::seconds(seconds);
    }
    ban.reason = request.value("reason", "");
    if (ban.reason.size() > kBanReasonMax)
        return fail(ErrorKind::invalid_input,
                    fmt::format("a reason has at most {} bytes", kBanReasonMax));
    return ban;
}

void add_words(ordered_json& answer, const BanOutcome& outcome) {
    if (!outcome.why.empty()) answer["why"] = outcome.why;
    if (!outcome.next.empty()) answer["next"] = outcome.next;
    if (!outcome.not_kept.empty()) answer["not_kept"] = outcome.not_kept;
    if (!outcome.also.empty()) answer["also"] = outcome.also;
}

Result<ordered_json> answer_ban(Bans& bans, const json& request, const Peer& peer,
                                const std::function<std::size_t()>& cut) {
    const BanRequest ban = SP_TRY(request_of(request));
    const Result<std::vector<SocketInfo>> sockets = list_tcp();
    const std::vector<Address> session = session_peers(
        peer.pid, sockets ? std::span<const SocketInfo>(*sockets) : std::span<const SocketInfo>());
    const BanOutcome outcome = SP_TRY(bans.ban(ban, session));
    const bool banned = outcome.answer != BanAnswer::refused;
    ordered_json answer{{"banned", banned}, {"network", to_string(ban.network)}};
    if (banned) {
        answer["seconds"] = seconds_or_null(outcome.left);
        answer["cut"] = cut();
    }
    add_words(answer, outcome);
    return answer;
}

Result<ordered_json> answer_unban(Bans& bans, const json& request) {
    const Prefix network = SP_TRY(parse_prefix(request.value("network", "")));
    const BanOutcome outcome = SP_TRY(bans.unban(network));
    ordered_json answer{{"unbanned", outcome.answer == BanAnswer::lifted},
                        {"network", to_string(network)}};
    add_words(answer, outcome);
    return answer;
}

Result<ordered_json> answer_bans(const Bans& bans, const json& request) {
    std::optional<Prefix> after;
    if (request.contains("after"))
        after = SP_TRY(parse_prefix(request.at("after").get<std::string>()));
    BanPage page = SP_TRY(bans.page(after, kPage));
    std::size_t bytes = 0;
    std::size_t fit = 0;
    while (fit < page.lines.size() && (bytes += bytes_of(page.lines[fit])) < kPageBytes) ++fit;
    if (fit < page.lines.size()) {
        page.lines.resize(fit);
        page.next = page.lines.back().record.network;
    }
    ordered_json lines = ordered_json::array();
    for (const BanLine& line : page.lines)
        lines.push_back(
            {{"network", to_string(line.record.network)},
             {"since", rfc3339(line.record.since_ms)},
             {"until", line.record.until_ms ? ordered_json(rfc3339(line.record.until_ms))
                                            : ordered_json(nullptr)},
             {"seconds_left", seconds_or_null(line.left)},
             {"origin", line.record.origin},
             {"reason", line.record.reason},
             {"masked", line.is_masked}});
    ordered_json lists = ordered_json::array();
    for (const BanList& list : bans.lists())
        lists.push_back(
            {{"zone", list.zone}, {"file", list.file}, {"networks", bans.named_by(list.zone)}});
    ordered_json answer{
        {"active", bans.active()}, {"bans", std::move(lines)}, {"lists", std::move(lists)}};
    if (page.next) answer["next"] = to_string(*page.next);
    return answer;
}

} // namespace

bool is_ban_command(const std::string& command) {
    return command == "ban" || command == "unban" || command == "bans";
}

Result<ordered_json> answer_ban_command(Bans& bans, const json& request, const Peer& peer,
                                        const std::function<std::size_t()>& cut) {
    const std::string command = request.at("cmd");
    if (command == "bans") return answer_bans(bans, request);
    if (peer.uid != 0)
        return fail(ErrorKind::permission, "only root may ban and lift bans", "run it as root");
    return command == "ban" ? answer_ban(bans, request, peer, cut) : answer_unban(bans, request);
}

} // namespace sallyport
