// SPDX-License-Identifier: Apache-2.0
// The daemon: one thread, one epoll. It raises or adopts the wall, then drains
// events, answers the control socket, follows interfaces and puts back what was
// detached. Enforcement needs none of it to go on.
#include "daemon/daemon.h"

#include "daemon/control_socket.h"
#include "daemon/daemon_loop.h"
#include "daemon/jail_bans.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/stand_up.h"
#include "daemon/status_build.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace sallyport {
namespace {

// The ring's floods come without a wakeup; this is how late they may be.
constexpr long kDrainEveryMs = 100;
constexpr unsigned kTicksASecond = 1000 / kDrainEveryMs;
// A hook that was detached is missed so long at most, and a drain.
constexpr unsigned kTicksToMend = 200 / kDrainEveryMs;
// A look at who holds packet sockets walks every open file of the machine.
constexpr unsigned kTicksALook = 5 * kTicksASecond;

constexpr int kExitDone = 0;
constexpr int kExitRefused = 1;
constexpr int kExitBadPolicy = 2;

} // namespace

Status Daemon::watch(int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
        return fail_errno(errno, "watching a descriptor");
    return {};
}

Status Daemon::open() {
    epoll_ = Fd(epoll_create1(EPOLL_CLOEXEC));
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
    signals_ = Fd(signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
    timer_ = Fd(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    if (!epoll_ || !signals_ || !timer_) return fail_errno(errno, "setting up the event loop");
    const timespec every{.tv_sec = 0, .tv_nsec = kDrainEveryMs * 1000000};
    const itimerspec beat{.it_interval = every, .it_value = every};
    timerfd_settime(timer_.get(), 0, &beat, nullptr);

    const Maps& maps = wall_.programs().maps();
    ring_ = SP_TRY(RingReader::open(
        std::array{maps.leaving, maps.events},
        [this](std::span<const std::byte> record) { publisher_.take_record(record); }));
    captures_ = SP_TRY(
        RingReader::open(std::array{maps.captures}, [this](std::span<const std::byte> record) {
            publisher_.take_capture(record);
        }));
    answers_ = SP_TRY(
        RingReader::open(std::array{maps.answers}, [this](std::span<const std::byte> record) {
            publisher_.take_answer(record);
        }));
    interfaces_ = SP_TRY(InterfaceWatch::open());
    jails_ = SP_TRY(JailKeeper::make(JailKeeper::system_world()));
    control_ = SP_TRY(ControlServer::open(
        options_.paths.control_socket(),
        [this](const nlohmann::json& request, const Peer& peer) { return answer(request, peer); }));
    publisher_.add_sink(control_.get());
    publisher_.set_packet_sink(control_.get());
    std::error_code error;
    std::filesystem::create_directories(options_.paths.log_dir, error);
    Result<std::unique_ptr<LogFile>> log =
        LogFile::open({.path = options_.paths.events_log(), .readers = readers_group()});
    if (log) {
        log_ = *std::move(log);
        publisher_.add_sink(log_.get());
    } else {
        // A wall without a diary beats no wall; the control socket still has every event.
        log_error(std::move(log).error().context("events are not kept in a file"));
    }
    if (options_.journal) {
        journal_ = SP_TRY(JournalSink::open());
        publisher_.add_sink(journal_.get());
    }
    for (const int fd : {signals_.get(), timer_.get(), ring_->epoll_fd(), interfaces_->fd(),
                         control_->epoll_fd(), jails_->fd()})
        SP_TRY(watch(fd));
    if (Status listening = listen_for_scrapes(); !listening)
        log_error(std::move(listening).error().context("nobody can scrape metrics"));
    return {};
}

Status Daemon::listen_for_scrapes() {
    if (!options_.metrics) return {};
    const auto text = [this]() -> Result<std::string> {
        return to_exposition(metrics_of(SP_TRY(status())));
    };
    metrics_ = SP_TRY(MetricsListener::open(*options_.metrics, text));
    return watch(metrics_->epoll_fd());
}

void Daemon::say_ready() {
    const Enforced& e = wall_.enforced();
    const std::vector<std::string> missing = awaited(e.guards(), wall_.interfaces());
    const std::string text = fmt::format(
        "{}, generation {}, {} rules{}{}", e.observe ? "observing" : "protecting", e.generation,
        e.rules.size(), missing.empty() ? "" : ", waiting for ", fmt::join(missing, ", "));
    spdlog::info("{}", text);
    notifier_.ready(text);
}

void Daemon::tell(const WallNews& news) {
    log_news(news);
    for (const BanNews& ban : news.bans) publisher_.say_ban(ban);
    for (const HookNews& hook : news.hooks) {
        publisher_.say_hook(hook);
        if (hook.state == EventState::attached) continue;
        spdlog::warn("hook {}{}{} is {}{}{}", hook.hook, hook.iface.empty() ? "" : " on ",
                     hook.iface, hook.state == EventState::lost ? "lost" : "back where it was",
                     hook.why.empty() ? "" : ": ", hook.why);
    }
}

Status Daemon::run() {
    publisher_.say_policy(EventState::applied,
                          wall_.enforced().observe ? "observing" : "enforcing");
    look_for_packet_sockets();
    say_ready();
    follow_interfaces(); // what came before the watch was open
    while (!stop_) {
        epoll_event events[16];
        // Who asks, and the timer, have their turn between the parts of a flood.
        const int count = epoll_wait(epoll_.get(), events, 16, ring_has_more_ ? 0 : -1);
        if (count < 0 && errno != EINTR) return fail_errno(errno, "waiting for events");
        for (int i = 0; i < count; i++) handle(events[i].data.fd);
        if (ring_has_more_) drain_ring();
    }
    return {};
}

void Daemon::handle(int fd) {
    if (fd == signals_.get())
        on_signal();
    else if (fd == timer_.get())
        on_timer();
    else if (fd == interfaces_->fd())
        on_interfaces();
    else if (fd == control_->epoll_fd())
        control_->handle_ready();
    else if (metrics_ && fd == metrics_->epoll_fd())
        metrics_->handle_ready();
    else if (fd == jails_->fd())
        tell(pump_jails(*jails_, wall_));
    else
        drain_ring();
}

void Daemon::drain_ring() {
    // All that was there: it holds fewer than are handed over at once.
    if (const Result<bool> heard = answers_->drain(); !heard) log_error(heard.error());
    const Result<bool> drained = ring_->drain();
    ring_has_more_ = drained && *drained;
    if (!drained) log_error(drained.error());
    const Result<bool> captured = captures_->drain();
    if (captured && *captured) ring_has_more_ = true;
    if (!captured) log_error(captured.error());
}

void Daemon::on_signal() {
    signalfd_siginfo info{};
    while (read(signals_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
        if (info.ssi_signo == SIGHUP) {
            reload(static_cast<pid_t>(info.ssi_pid));
            continue;
        }
        spdlog::info("ending on {}", info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
        stop_ = true;
    }
}

void Daemon::on_timer() {
    std::uint64_t expirations = 0;
    if (read(timer_.get(), &expirations, sizeof(expirations)) < 0) return;
    if (!ring_has_more_) drain_ring();
    ++ticks_;
    notifier_.alive();
    PolicyNews news;
    keeper_.look(news);
    tell(news);
    tend_bans();
    if (metrics_) metrics_->handle_ready();
    if (ticks_ % kTicksToMend == 0) mend();
    if (ticks_ % kTicksASecond == 0) on_second();
    if (ticks_ % kTicksALook != 0) return;
    look_for_packet_sockets();
    jails_->look();
}

void Daemon::look_for_packet_sockets() {
    if (const Status looked = patrol_.look(wall_, publisher_); !looked) log_error(looked.error());
}

void Daemon::tend_bans() {
    WallNews news;
    wall_.tend_bans(news);
    tell(news);
}

void Daemon::mend() {
    WallNews news;
    wall_.mend(news);
    tell(news);
}

void Daemon::on_second() {
    const Result<Counters> counters = read_counters(wall_.programs().maps());
    if (counters) publisher_.tick(*counters);
    wall_.sweep();
    if (!log_) return;
    if (const std::optional<LogFile::Change> change = log_->take_change()) {
        if (change->error)
            log_error(*change->error);
        else
            spdlog::info("the event log works again; {} lines were lost", change->lost);
    }
}

void Daemon::on_interfaces() {
    const Result<bool> changed = interfaces_->drain();
    if (!changed || !*changed) return;
    follow_interfaces();
}

void Daemon::follow_interfaces() {
    WallNews news;
    const Status followed = wall_.follow_interfaces(news);
    jails_->set_own(own_addresses(wall_.interfaces()));
    tell(news);
    if (!followed) log_error(followed.error());
}

Status Daemon::end() {
    notifier_.stopping();
    // What is there; what still comes is the next daemon's.
    int rounds = 32;
    do drain_ring();
    while (ring_has_more_ && --rounds > 0);
    publisher_.flush();
    if (const auto counters = read_counters(wall_.programs().maps()))
        publisher_.say_losses(*counters);
    if (!detach_ && options_.on_exit == OnExit::keep) {
        spdlog::info(
            "the wall stands; run again to adopt it, or take it down with: sallyport down");
        return {};
    }
    SP_TRY(wall_.take_down());
    spdlog::info("the wall is down");
    return PolicyHistory(options_.paths.state_dir).note_down();
}

Result<int> run_daemon(const RunOptions& options) {
    start_logging(options.log_level);
    block_signals();
    Pins pins = SP_TRY(Pins::lock(options.paths.bpffs));
    BootPolicy boot = choose_policy(pins, options);
    if (!boot.source && !pins.stands()) {
        static_cast<void>(pins.remove());
        return kExitBadPolicy;
    }
    Status refused = refuse_takeover(pins, boot, options);
    if (refused) refused = refuse_leap(pins, boot, options);
    if (!refused) {
        log_error(refused.error());
        if (!pins.stands()) static_cast<void>(pins.remove());
        return kExitRefused;
    }
    WallNews news;
    const bool stood = pins.stands() || !pins.others().empty();
    Result<Wall> wall = stand_up(options, std::move(pins), boot, news);
    log_news(news);
    if (!wall) return std::unexpected<Error>(std::move(wall).error());
    Daemon daemon(options, *std::move(wall));
    if (Status opened = daemon.open(); !opened) {
        // A first policy must not stand without a word; what stood before does, and so does what
        // was good before: a host that was shut is not opened for want of a socket.
        if (!stood && boot.from == BootPolicy::From::file) static_cast<void>(daemon.abandon());
        return std::unexpected<Error>(std::move(opened).error());
    }
    if (stood) daemon.forget_losses();
    daemon.begin(boot);
    SP_TRY(daemon.run());
    SP_TRY(daemon.end());
    return kExitDone;
}

} // namespace sallyport
