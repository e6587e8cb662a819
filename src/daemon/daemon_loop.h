// SPDX-License-Identifier: Apache-2.0
#pragma once
// The daemon's loop, private to run_daemon(): one thread, one epoll.
#include "base/fd.h"
#include "daemon/boot_policy.h"
#include "daemon/control.h"
#include "daemon/daemon.h"
#include "daemon/jail_keeper.h"
#include "daemon/notify.h"
#include "daemon/packet_patrol.h"
#include "daemon/policy_keeper.h"
#include "daemon/publisher.h"
#include "daemon/status.h"
#include "daemon/wall.h"
#include "event/journal_sink.h"
#include "event/log_file.h"
#include "kernel/ring.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

namespace sallyport {

class Daemon {
  public:
    Daemon(const RunOptions& options, Wall wall)
        : options_(options), wall_(std::move(wall)), keeper_(wall_, options.paths.state_dir),
          notifier_(Notifier::from_environment()),
          publisher_(wall_, OwnerNames(system_owner_sources(wall_.enforced().cgroup)),
                     std::chrono::seconds(wall_.enforced().repeat_s)) {
        publisher_.tell_command_lines(wall_.enforced().command_lines);
        publisher_.tell_names(wall_.enforced().names);
    }

    Status open();
    Status run();
    Status end();
    // Where a wall was found, its policy is the one to go by, whatever the file says now.
    void begin(const BootPolicy& boot);
    void follow_jails(const PolicySource& source);
    Status abandon() { return wall_.take_down(); }
    void forget_losses() {
        if (const auto counters = read_counters(wall_.programs().maps()))
            publisher_.forget_losses(*counters);
    }

  private:
    Status watch(int fd);
    void handle(int fd);
    void drain_ring();
    void on_signal();
    void on_timer();
    void on_interfaces();
    void follow_interfaces();
    void tend_bans();
    void mend();
    void on_second();
    void look_for_packet_sockets();
    void reload(pid_t asker);
    Status listen_for_scrapes();
    void say_ready();
    void tell(const WallNews& news);
    void tell(const PolicyNews& news);
    [[nodiscard]] Result<StatusView> status();
    [[nodiscard]] Result<nlohmann::ordered_json> answer(const nlohmann::json& request,
                                                        const Peer& peer);

    const RunOptions& options_;
    Wall wall_;
    PolicyKeeper keeper_;
    Notifier notifier_;
    Publisher publisher_;
    PacketPatrol patrol_;
    std::unique_ptr<ControlServer> control_;
    std::unique_ptr<LogFile> log_;
    std::unique_ptr<JournalSink> journal_; // none unless it was asked for
    std::unique_ptr<MetricsListener> metrics_;
    std::optional<RingReader> answers_; // read before what they name
    std::optional<RingReader> ring_;
    std::optional<RingReader> captures_;
    bool ring_has_more_ = false; // or the captures'
    std::optional<InterfaceWatch> interfaces_;
    std::optional<JailKeeper> jails_;
    Fd epoll_;
    Fd signals_;
    Fd timer_;
    unsigned ticks_ = 0;
    bool stop_ = false;
    bool detach_ = false;
};

} // namespace sallyport
