// SPDX-License-Identifier: Apache-2.0
#include "daemon/policy_commands.h"

#include "daemon/policy_source.h"
#include "daemon/stand_up.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

namespace sallyport {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::array kCommands{"apply", "confirm", "rollback", "history", "panic"};
constexpr std::int64_t kLongestTrial = 86400;
constexpr std::size_t kMessageMax = 1000;

Result<Wish> wish_of(const json& request, const Peer& peer) {
    Wish wish{.force = request.value("force", false),
              .message = request.value("message", ""),
              .asker = peer.pid,
              .by = name_of_asker(peer.pid, peer.uid)};
    const std::int64_t seconds = request.value("trial", std::int64_t{0});
    if (seconds < 0 || seconds > kLongestTrial)
        return fail(ErrorKind::invalid_input, "a trial lasts from a second to a day");
    wish.trial = std::chrono::seconds(seconds);
    if (wish.message.size() > kMessageMax)
        return fail(ErrorKind::invalid_input,
                    fmt::format("a message has at most {} bytes", kMessageMax));
    return wish;
}

Result<ordered_json> answer_apply(PolicyKeeper& keeper, const json& request, const Peer& peer,
                                  PolicyNews& news) {
    const Wish wish = SP_TRY(wish_of(request, peer));
    const std::string file = request.value("file", "");
    if (!file.starts_with("/"))
        return fail(ErrorKind::invalid_input, "the path of a policy file must be absolute");
    std::optional<PolicySource> source = read_policy(file);
    if (!source)
        return fail(ErrorKind::invalid_input, "the policy file has errors",
                    "sallyport check " + file);
    source->by = wish.by;
    return keeper.apply(*source, wish, news);
}

} // namespace

bool is_policy_command(const std::string& command) {
    return std::ranges::find(kCommands, command) != kCommands.end();
}

Result<ordered_json> answer_policy_command(PolicyKeeper& keeper, const json& request,
                                           const Peer& peer, PolicyNews& news) {
    const std::string command = request.at("cmd");
    if (command == "history") return keeper.history();
    if (peer.uid != 0)
        return fail(ErrorKind::permission, "only root may change the policy", "run it as root");
    if (command == "apply") return answer_apply(keeper, request, peer, news);
    if (command == "confirm") return keeper.confirm(news);
    const std::int64_t number = request.value("number", std::int64_t{0});
    if (number < 0 || number > UINT32_MAX)
        return fail(ErrorKind::invalid_input, "that is no number of a policy",
                    "sallyport history lists them");
    const Wish wish = SP_TRY(wish_of(request, peer));
    if (command == "panic")
        return request.value("off", false) ? keeper.end_panic(wish, news)
                                           : keeper.panic(wish, news);
    return keeper.roll_back(static_cast<std::uint32_t>(number), wish, news);
}

Result<ordered_json> policy_command_by_pins(const Paths& paths, const json& request) {
    std::error_code error;
    const bool exists = std::filesystem::exists(paths.bpffs, error);
    if (error && error.value() == EACCES)
        return fail(ErrorKind::permission, "the pins are for root only", "run it as root");
    const auto no_wall = [&] {
        return fail(ErrorKind::not_found, "no daemon runs, and no wall stands in " + paths.bpffs,
                    "start it: sallyport run");
    };
    if (!exists) return no_wall();
    Pins pins = SP_TRY(Pins::lock(paths.bpffs));
    if (!pins.stands()) {
        pins.remove_if_empty();
        return no_wall();
    }
    PolicyNews news;
    Wall wall = SP_TRY(Wall::adopt(std::move(pins), paths.state_dir, news.wall));
    PolicyKeeper keeper(wall, paths.state_dir);
    if (const std::optional<PolicySource> standing = keeper.standing(news))
        wall.know(standing->policy, news.wall);
    const Peer self{.pid = getpid(), .uid = geteuid(), .gid = getegid()};
    return answer_policy_command(keeper, request, self, news);
}

std::string lockout_words(const ordered_json& answer) {
    std::string words = answer.value("why", "");
    for (const auto& line : answer.value("shut", ordered_json::array()))
        words += "; " + line.get<std::string>();
    return words;
}

} // namespace sallyport
