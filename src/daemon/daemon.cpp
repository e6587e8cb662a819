// SPDX-License-Identifier: Apache-2.0
// The daemon: one thread, one epoll. It raises or adopts the wall, then drains
// events, answers the control socket, follows interfaces and puts back what was
// detached. Enforcement needs none of it to go on.
#include "daemon/daemon.h"

#include "daemon/ban_commands.h"
#include "daemon/control.h"
#include "daemon/guard.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/packet_patrol.h"
#include "daemon/policy_source.h"
#include "daemon/publisher.h"
#include "daemon/status_build.h"
#include "daemon/wall.h"
#include "event/log_file.h"
#include "kernel/ring.h"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fmt/format.h>
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
constexpr int kExitBadPolicy = 2;

class Daemon {
  public:
    Daemon(const RunOptions& options, Wall wall)
        : options_(options), wall_(std::move(wall)), notifier_(Notifier::from_environment()),
          publisher_(wall_, OwnerNames(system_owner_sources(wall_.enforced().cgroup)),
                     std::chrono::seconds(wall_.enforced().repeat_s)) {}

    Status open();
    Status run();
    Status end();
    Status abandon() { return wall_.take_down(); }
    void forget_losses() {
        if (const auto counters = read_counters(wall_.programs().maps()))
            publisher_.forget_losses(*counters);
    }

  private:
    Status watch(int fd);
    void handle(int fd);
    void on_signal();
    void on_timer();
    void on_interfaces();
    void follow_interfaces();
    void tend_bans();
    void mend();
    void on_second();
    void look_for_packet_sockets();
    void reload();
    void say_ready();
    void tell(const WallNews& news);
    [[nodiscard]] Result<nlohmann::ordered_json> answer(const nlohmann::json& request,
                                                        const Peer& peer);

    const RunOptions& options_;
    Wall wall_;
    Notifier notifier_;
    Publisher publisher_;
    PacketPatrol patrol_;
    std::unique_ptr<ControlServer> control_;
    std::unique_ptr<LogFile> log_;
    std::optional<RingReader> ring_;
    std::optional<InterfaceWatch> interfaces_;
    Fd epoll_;
    Fd signals_;
    Fd timer_;
    unsigned ticks_ = 0;
    bool stop_ = false;
    bool detach_ = false;
};

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

    ring_ = SP_TRY(
        RingReader::open(wall_.programs().maps().events, [this](std::span<const std::byte> record) {
            publisher_.take_record(record);
        }));
    interfaces_ = SP_TRY(InterfaceWatch::open());
    control_ = SP_TRY(ControlServer::open(
        options_.paths.control_socket(),
        [this](const nlohmann::json& request, const Peer& peer) { return answer(request, peer); }));
    publisher_.add_sink(control_.get());
    std::error_code error;
    std::filesystem::create_directories(options_.paths.log_dir, error);
    Result<std::unique_ptr<LogFile>> log = LogFile::open({.path = options_.paths.events_log()});
    if (log) {
        log_ = *std::move(log);
        publisher_.add_sink(log_.get());
    } else {
        // A wall without a diary beats no wall; the control socket still has every event.
        log_error(std::move(log).error().context("events are not kept in a file"));
    }
    for (const int fd :
         {signals_.get(), timer_.get(), ring_->epoll_fd(), interfaces_->fd(), control_->epoll_fd()})
        SP_TRY(watch(fd));
    return {};
}

void Daemon::say_ready() {
    const Enforced& e = wall_.enforced();
    const std::string text =
        fmt::format("{}, generation {}, {} rules", e.observe ? "observing" : "protecting",
                    e.generation, e.rules.size());
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
        const int count = epoll_wait(epoll_.get(), events, 16, -1);
        if (count < 0 && errno != EINTR) return fail_errno(errno, "waiting for events");
        for (int i = 0; i < count; i++) handle(events[i].data.fd);
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
    else if (const Status drained = ring_->drain(); !drained)
        log_error(drained.error());
}

void Daemon::on_signal() {
    signalfd_siginfo info{};
    while (read(signals_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
        if (info.ssi_signo == SIGHUP) {
            reload();
            continue;
        }
        spdlog::info("ending on {}", info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
        stop_ = true;
    }
}

void Daemon::reload() {
    notifier_.reloading();
    spdlog::info("loading {} again", options_.policy_file);
    const std::optional<PolicySource> source = read_policy(options_.policy_file);
    Status changed =
        source ? Status{} : Status(fail(ErrorKind::invalid_input, "the policy file has errors"));
    if (source) {
        WallNews news;
        changed = wall_.change(*source, news);
        tell(news);
    }
    if (!changed) {
        log_error(changed.error());
        spdlog::error("nothing has changed: generation {} stays in force",
                      wall_.enforced().generation);
        publisher_.say_policy(EventState::refused, changed.error().text());
    } else {
        publisher_.set_repeat(std::chrono::seconds(wall_.enforced().repeat_s));
        publisher_.say_policy(EventState::applied, "reloaded");
    }
    say_ready();
}

void Daemon::on_timer() {
    std::uint64_t expirations = 0;
    if (read(timer_.get(), &expirations, sizeof(expirations)) < 0) return;
    if (const Status drained = ring_->drain(); !drained) log_error(drained.error());
    ++ticks_;
    tend_bans();
    if (ticks_ % kTicksToMend == 0) mend();
    if (ticks_ % kTicksASecond == 0) on_second();
    if (ticks_ % kTicksALook == 0) look_for_packet_sockets();
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
    tell(news);
    if (!followed) log_error(followed.error());
}

Result<nlohmann::ordered_json> Daemon::answer(const nlohmann::json& request, const Peer& peer) {
    const std::string command = request.at("cmd");
    if (command == "status") {
        StatusView view =
            SP_TRY(build_status(wall_.programs().maps(), wall_.hooks(), wall_.enforced()));
        view.events_folded = publisher_.folded();
        view.packet_sockets = patrol_.held(wall_, publisher_);
        for (const std::string& nic : wall_.covers_vlans()) view.blind.push_back("vlans:" + nic);
        return to_json(view);
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
    return fail(ErrorKind::invalid_input, fmt::format("unknown command \"{}\"", command));
}

Status Daemon::end() {
    notifier_.stopping();
    static_cast<void>(ring_->drain());
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
    return {};
}

// Before anything is opened, so that no thread or child misses them.
void block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

Result<Wall> stand_up(const RunOptions& options, Pins pins, std::optional<PolicySource> source,
                      WallNews& news) {
    if (!pins.stands())
        return Wall::raise(std::move(pins), *source, options.running, options.paths.state_dir,
                           news);
    Wall wall = SP_TRY(Wall::adopt(std::move(pins), options.paths.state_dir, news));
    spdlog::info("adopted the standing wall, generation {}", wall.enforced().generation);
    if (source && source->sha256 == wall.enforced().sha256)
        wall.know(source->policy, news);
    else if (source)
        spdlog::warn("{} differs from what is enforced; a restart never applies it by itself: "
                     "send SIGHUP to load it",
                     options.policy_file);
    return wall;
}

} // namespace

Result<int> run_daemon(const RunOptions& options) {
    start_logging(options.log_level);
    block_signals();
    Pins pins = SP_TRY(Pins::lock(options.paths.bpffs));
    std::optional<PolicySource> source = read_policy(options.policy_file);
    if (!source && !pins.stands()) {
        static_cast<void>(pins.remove());
        return kExitBadPolicy;
    }
    WallNews news;
    const bool stood = pins.stands();
    Result<Wall> wall = stand_up(options, std::move(pins), std::move(source), news);
    log_news(news);
    if (!wall) return std::unexpected<Error>(std::move(wall).error());
    Daemon daemon(options, *std::move(wall));
    if (Status opened = daemon.open(); !opened) {
        // What this start has built must not stand without a word; what stood before does.
        if (!stood) static_cast<void>(daemon.abandon());
        return std::unexpected<Error>(std::move(opened).error());
    }
    if (stood) daemon.forget_losses();
    SP_TRY(daemon.run());
    SP_TRY(daemon.end());
    return kExitDone;
}

} // namespace sallyport
