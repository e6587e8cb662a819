// SPDX-License-Identifier: Apache-2.0
// The kernel tells of sockets that are destroyed, not of those that begin to listen; so they
// are listed anew several times a second.
#include "cli/audit_watch.h"

#include "audit/newcomers.h"
#include "audit/text.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/end_signals.h"

#include <cerrno>
#include <chrono>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace sallyport {
namespace {

using namespace audit;

constexpr std::chrono::milliseconds kBetween{250};
constexpr std::chrono::seconds kNatLives{10}; // running nft each time would cost more than it tells

std::string timestamp() {
    const auto now =
        std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    const auto whole = std::chrono::floor<std::chrono::seconds>(now);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(whole)),
                       (now - whole).count());
}

std::string host_name() {
    std::array<char, 256> name{};
    return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// False: nobody reads any more.
bool write_whole(std::string_view text) {
    while (!text.empty()) {
        const ssize_t size = ::write(STDOUT_FILENO, text.data(), text.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
}

std::string line_of(const Judged& judged, const Machine& machine, Format format,
                    std::uint64_t number) {
    if (format == Format::text) return timestamp() + " " + one_line(judged) + "\n";
    nlohmann::ordered_json event{{"v", 1},
                                 {"seq", number},
                                 {"ts", timestamp()},
                                 {"host", host_name()},
                                 {"event", "listener"}};
    event.update(to_json(judged, machine));
    return event.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

} // namespace

Result<ExitCode> watch_listeners(const WatchOptions& options, PolicyInForce& force,
                                 const Catalogue& catalogue) {
    const Fd signals = end_signals();
    Newcomers newcomers;
    Nat nat;
    auto asked = std::chrono::steady_clock::time_point::min();
    bool is_first = true;
    for (std::uint64_t told = 0;;) {
        const auto now = std::chrono::steady_clock::now();
        const bool asks = is_first || now - asked > kNatLives;
        Machine machine =
            SP_TRY(read_machine(options.scope, asks ? AskNat::yes : AskNat::no, cgroup_of(force)));
        if (asks)
            nat = machine.nat, asked = now;
        else
            machine.nat = nat;
        std::vector<Listener> news = newcomers.next(machine.listeners);
        if (std::exchange(is_first, false))
            say(fmt::format("sallyport: watching; {} listen already", machine.listeners.size()));
        machine.listeners = std::move(news);
        const Report report =
            judge(machine, force.reach ? &*force.reach : nullptr, force.wall, catalogue);
        for (const Judged& judged : report.listeners) {
            if (!write_whole(line_of(judged, machine, options.format, ++told)))
                return ExitCode::done;
            if (told == options.count) return ExitCode::done;
        }
        pollfd end{.fd = signals.get(), .events = POLLIN, .revents = 0};
        if (poll(&end, 1, static_cast<int>(kBetween.count())) > 0) return ExitCode::done;
    }
}

} // namespace sallyport
