// SPDX-License-Identifier: Apache-2.0
#include "daemon/jail_keeper.h"

#include "base/text.h"
#include "jail/disk.h"
#include "jail/jail_files.h"
#include "jail/own_jail.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace sallyport {
namespace {

constexpr std::chrono::milliseconds kTurn(10);
constexpr std::size_t kSliceBytes = 32 * 1024;
constexpr std::size_t kSliceEntries = 100;
constexpr std::size_t kReasonMost = 200;
constexpr std::size_t kRefusalsMost = 1000;
constexpr const char* kNoJournal = "there is no systemd journal on this machine";

void wake(const Fd& more) {
    const std::uint64_t one = 1;
    static_cast<void>(write(more.get(), &one, sizeof(one)));
}

} // namespace

std::optional<BanRequest> ban_asked_by(const jail::BanRequest& request, Log log,
                                       jail::LogTime now) {
    BanRequest asked{.network = request.source, .origin = "jail:" + request.jail};
    if (request.span) {
        const auto left = std::chrono::ceil<Milliseconds>(request.at + *request.span - now);
        if (left <= Milliseconds::zero()) return std::nullopt;
        asked.duration = left;
    }
    std::string line = escaped(request.line);
    if (line.size() > kReasonMost) line.resize(kReasonMost);
    asked.reason = fmt::format("{} failures: {}", request.failures, line);
    asked.grows = !request.is_grown;
    asked.is_counted = true;
    if (log == Log::read_again)
        asked.written_ms = std::chrono::floor<Milliseconds>(request.at.time_since_epoch()).count();
    asked.over = BanRequest::Over::extends;
    return asked;
}

JailKeeper::World JailKeeper::system_world() {
    return {.files = jail::disk_world(jail::Trust::owner),
            .open_journal =
                [](const std::vector<std::vector<std::string>>& matches, jail::LogTime from) {
                    return jail::JournalFollower::make(matches, from);
                },
            .now =
                [] {
                    return std::chrono::floor<std::chrono::microseconds>(
                        std::chrono::system_clock::now());
                }};
}

JailKeeper::JailKeeper(World world, Fd epoll, Fd more)
    : world_(std::move(world)), epoll_(std::move(epoll)), more_(std::move(more)) {}

Result<JailKeeper> JailKeeper::make(World world) {
    Fd epoll(epoll_create1(EPOLL_CLOEXEC));
    Fd more(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!epoll || !more) return fail_errno(errno, "following logs");
    JailKeeper keeper(std::move(world), std::move(epoll), std::move(more));
    SP_TRY(keeper.watch(keeper.more_.get()));
    return keeper;
}

Status JailKeeper::watch(int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
        return fail_errno(errno, "watching a log");
    return {};
}

// One that was not there is opened again: it begins with what it has by then.
Status JailKeeper::open_journal(Kept& kept) {
    const jail::JailSettings& settings = kept.jail.settings();
    kept.journal.reset(); // its descriptor leaves the epoll as it is closed
    kept.journal =
        SP_TRY(world_.open_journal(settings.filter.journal, world_.now() - settings.find_time));
    SP_TRY(watch(kept.journal->fd()));
    kept.why = kept.journal->is_there() ? "" : kNoJournal;
    return {};
}

Status JailKeeper::open_sources(Kept& kept) {
    const jail::JailSettings& settings = kept.jail.settings();
    if (!settings.logs.empty()) {
        kept.logs = SP_TRY(jail::LogFollower::make(settings.logs));
        SP_TRY(watch(kept.logs->fd()));
    }
    return settings.from_journal ? open_journal(kept) : Status{};
}

void JailKeeper::refuse(const std::string& jail, const Error& error,
                        std::vector<std::string>& warnings) {
    unused_.push_back({.name = jail, .files = {}, .why = error.text()});
    warnings.push_back(fmt::format("jail \"{}\" does not work: {}", escaped(jail), error.text()));
}

void JailKeeper::keep(jail::JailSettings settings, Jails& before, const Earlier& earlier,
                      std::vector<std::string>& warnings) {
    const std::string name = settings.name;
    for (const auto& other : kept_)
        if (other->jail.settings().name == name)
            return refuse(name, fail(ErrorKind::conflict, "there are two of this name").error(),
                          warnings);
    for (auto& same : before)
        if (same && is_same(same->jail.settings(), settings)) {
            kept_.push_back(std::move(same));
            return;
        }
    Result<jail::Jail> made = jail::Jail::make(std::move(settings), own_);
    if (!made) return refuse(name, made.error(), warnings);
    auto kept = std::make_unique<Kept>(*std::move(made));
    if (const Status opened = open_sources(*kept); !opened)
        return refuse(name, opened.error(), warnings);
    if (!kept->why.empty())
        warnings.push_back(fmt::format("jail \"{}\": {}", escaped(name), kept->why));
    earlier(name, [&](const Prefix& source, unsigned times) {
        kept->jail.set_earlier_bans(source, times);
    });
    kept_.push_back(std::move(kept));
}

void JailKeeper::follow(const Policy& policy, const std::string& policy_file,
                        const Earlier& earlier, std::vector<std::string>& warnings) {
    Jails before = std::exchange(kept_, {});
    unused_.clear();
    refused_.clear();
    for (const JailRule& rule : policy.jails) {
        Result<jail::JailSettings> settings =
            jail::settings_of(rule, policy_file, world_.files, world_.fail2ban);
        if (settings)
            keep(*std::move(settings), before, earlier, warnings);
        else
            refuse(rule.name, settings.error(), warnings);
    }
    for (const std::string& file : policy.fail2ban.jails) {
        Result<jail::ReadJails> read =
            jail::read_jails(world_.files, file, policy.fail2ban.ipv6_prefix);
        if (!read) {
            warnings.push_back("no jail of " + file + " works: " + read.error().text());
            continue;
        }
        for (const jail::Note& note : jail::merged(read->notes)) warnings.push_back(to_text(note));
        for (jail::JailSettings& settings : read->jails)
            keep(std::move(settings), before, earlier, warnings);
    }
    if (!kept_.empty()) wake(more_);
}

void JailKeeper::set_own(std::vector<Address> own) {
    own_ = std::move(own);
    for (const auto& kept : kept_) kept->jail.set_own(own_);
}

bool JailKeeper::pump_journal(Kept& kept, const jail::JournalFollower::Sink& sink,
                              std::vector<std::string>& warnings) {
    const Result<bool> pumped = kept.journal->pump(kSliceEntries, sink);
    const std::string why = !pumped                    ? pumped.error().text()
                            : kept.journal->is_there() ? ""
                                                       : kNoJournal;
    if (!why.empty() && why != kept.why)
        warnings.push_back(fmt::format("jail \"{}\": {}", escaped(kept.jail.settings().name), why));
    kept.why = why;
    return pumped && *pumped;
}

bool JailKeeper::pump_one(Kept& kept, const Ban& ban, std::vector<std::string>& warnings) {
    const jail::LogTime now = world_.now();
    const auto take = [&](std::string_view line, std::optional<jail::LogTime> known) {
        const Log log = kept.jail.is_live() ? Log::live : Log::read_again;
        for (const jail::BanRequest& request : kept.jail.take(line, now, known).bans)
            if (!ban(request, log)) kept.jail.set_earlier_bans(request.source, request.earlier);
    };
    const auto until = std::chrono::steady_clock::now() + kTurn;
    bool more = true;
    while (more && std::chrono::steady_clock::now() < until) {
        more = kept.logs &&
               kept.logs->pump(kSliceBytes, [&](const std::string&, std::string_view line) {
                   take(line, std::nullopt);
               });
        if (kept.journal)
            more |= pump_journal(
                kept, [&](std::string_view line, jail::LogTime at) { take(line, at); }, warnings);
    }
    if (!more) kept.jail.go_live();
    return more;
}

void JailKeeper::pump(const Ban& ban, std::vector<std::string>& warnings) {
    std::uint64_t count = 0;
    static_cast<void>(read(more_.get(), &count, sizeof(count)));
    bool more = false;
    for (const auto& kept : kept_) more |= pump_one(*kept, ban, warnings);
    if (more) wake(more_);
}

void JailKeeper::look() {
    if (kept_.empty()) return;
    for (const auto& kept : kept_) {
        if (kept->logs) kept->logs->look();
        if (!kept->jail.settings().from_journal || (kept->journal && kept->journal->is_there()))
            continue;
        if (const Status opened = open_journal(*kept); !opened) kept->why = opened.error().text();
    }
    wake(more_);
}

bool JailKeeper::is_new_refusal(const jail::BanRequest& request) {
    return refused_.size() < kRefusalsMost && refused_.emplace(request.jail, request.source).second;
}

std::vector<JailStatus> JailKeeper::states() const {
    std::vector<JailStatus> states = unused_;
    for (const auto& kept : kept_) {
        const jail::JailCounters& counters = kept->jail.counters();
        JailStatus state{.name = kept->jail.settings().name,
                         .lines = counters.lines,
                         .matched = counters.matched,
                         .bans = counters.bans,
                         .files = {},
                         .why = kept->why};
        if (kept->logs) {
            state.files = kept->logs->files();
            for (const auto& [path, why] : kept->logs->failures())
                if (state.why.empty()) state.why = path + ": " + why;
            if (state.files.empty() && state.why.empty() && !kept->journal)
                state.why = "none of its logs is there";
        }
        states.push_back(std::move(state));
    }
    std::ranges::sort(states, {}, &JailStatus::name);
    return states;
}

} // namespace sallyport
