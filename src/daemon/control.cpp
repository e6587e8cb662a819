// SPDX-License-Identifier: Apache-2.0
// An epoll of its own: the listener has number 0, clients count up from 1 and
// a number is never used twice, so that a late readiness finds nobody.
#include "daemon/control.h"

#include "base/fd.h"
#include "daemon/control_client.h"
#include "daemon/control_socket.h"
#include "event/json.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <map>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sallyport {
namespace {

using Fate = ControlClient::Fate;

constexpr std::uint64_t kListener = 0;
constexpr int kEventsAtOnce = 64;
constexpr int kAcceptsAtOnce = 64;

Fd spare_fd() {
    return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

} // namespace

struct ControlServer::Impl {
    std::string path;
    FileId file;
    ControlHandler handler;
    ControlLimits limits;
    Fd listener;
    Fd epoll;
    Fd spare; // given up to be able to accept, and refuse, when descriptors have run out
    std::map<std::uint64_t, ControlClient> clients;
    std::uint64_t next = kListener + 1;
    std::uint64_t cut_off = 0;
    std::uint64_t lost = 0;
    Recent events; // what `since` reaches back into
    Recent packets;

    explicit Impl(ControlLimits bounds)
        : limits(bounds), events(bounds.recent_bytes), packets(bounds.recent_bytes) {}

    bool watch(int operation, int fd, std::uint64_t number, std::uint32_t interest) const {
        epoll_event wanted{};
        wanted.events = interest;
        wanted.data.u64 = number;
        return ::epoll_ctl(epoll.get(), operation, fd, &wanted) == 0;
    }
    void settle(std::uint64_t number, Fate fate);
    void admit(Fd socket);
    void refuse(const Fd& socket) const;
    bool accept_one();
    template <typename MakeLine>
    void publish(const Event& event, ControlClient::Stream stream, MakeLine make_line);
    void handle(std::uint64_t number, std::uint32_t ready);
};

void ControlServer::Impl::settle(std::uint64_t number, Fate fate) {
    const auto at = clients.find(number);
    if (at == clients.end()) return;
    ControlClient& client = at->second;
    const std::uint32_t interest = client.interest();
    if (fate == Fate::stays && interest == client.registered) return;
    if (fate == Fate::stays && watch(EPOLL_CTL_MOD, client.fd(), number, interest)) {
        client.registered = interest;
        return;
    }
    clients.erase(at); // closing takes it out of the epoll
}

void ControlServer::Impl::refuse(const Fd& socket) const {
    constexpr std::string_view line =
        "{\"ok\":false,\"error\":\"too many clients of the control socket\","
        "\"hint\":\"close some of them (sallyport tail)\"}\n";
    // A fresh socket has room for a line; if not, closing must do.
    static_cast<void>(::send(socket.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

void ControlServer::Impl::admit(Fd socket) {
    if (clients.size() >= limits.clients) {
        // One that was cut off and does not take even its last line has had its time.
        const auto leaving = std::ranges::find_if(
            clients, [](const auto& entry) { return entry.second.is_leaving(); });
        if (leaving == clients.end()) return refuse(socket);
        clients.erase(leaving);
    }
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return;
    const std::uint64_t number = next++;
    const auto [at, is_new] = clients.try_emplace(
        number, std::move(socket), Peer{.pid = who.pid, .uid = who.uid, .gid = who.gid}, limits,
        ControlClient::Past{.events = &events, .packets = &packets});
    ControlClient& client = at->second;
    client.registered = client.interest();
    if (!watch(EPOLL_CTL_ADD, client.fd(), number, client.registered)) clients.erase(at);
}

bool ControlServer::Impl::accept_one() {
    Fd socket(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
        admit(std::move(socket));
        return true;
    }
    if (errno == EINTR || errno == ECONNABORTED) return true;
    if (errno != EMFILE && errno != ENFILE) return false;
    // Left in the backlog it would keep the listener ready for ever.
    spare = Fd();
    const Fd unlucky(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (unlucky) refuse(unlucky);
    spare = spare_fd();
    return false;
}

void ControlServer::Impl::handle(std::uint64_t number, std::uint32_t ready) {
    if (number == kListener) {
        for (int i = 0; i < kAcceptsAtOnce && accept_one(); ++i) {
        }
        return;
    }
    const auto at = clients.find(number);
    if (at == clients.end()) return;
    ControlClient& client = at->second;
    const std::uint64_t lost_before = client.lost();
    Fate fate = Fate::stays;
    if ((ready & EPOLLERR) != 0) fate = Fate::goes;
    if (fate == Fate::stays && (ready & EPOLLOUT) != 0) fate = client.handle_output();
    if (fate == Fate::stays && (ready & EPOLLIN) != 0) fate = client.handle_input(handler);
    lost += client.lost() - lost_before;
    // Both halves closed: nobody is left to send to.
    if (fate == Fate::stays && (ready & EPOLLHUP) != 0 && (ready & EPOLLIN) == 0) fate = Fate::goes;
    settle(number, fate);
}

Result<std::unique_ptr<ControlServer>>
ControlServer::open(const std::string& path, ControlHandler handler, ControlLimits limits) {
    auto impl = std::make_unique<Impl>(limits);
    impl->path = path;
    impl->handler = std::move(handler);
    impl->listener = SP_TRY(listen_at(path));
    impl->file = SP_TRY(file_id(path));
    impl->spare = spare_fd();
    impl->epoll = Fd(::epoll_create1(EPOLL_CLOEXEC));
    if (!impl->epoll) return fail_errno(errno, "making an epoll");
    if (!impl->watch(EPOLL_CTL_ADD, impl->listener.get(), kListener, EPOLLIN))
        return fail_errno(errno, "watching the control socket");
    return std::unique_ptr<ControlServer>(new ControlServer(std::move(impl)));
}

ControlServer::ControlServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ControlServer::~ControlServer() {
    const auto now = file_id(impl_->path);
    if (now && *now == impl_->file) ::unlink(impl_->path.c_str());
}

int ControlServer::epoll_fd() const {
    return impl_->epoll.get();
}

void ControlServer::handle_ready() {
    std::array<epoll_event, kEventsAtOnce> ready{};
    const int count = ::epoll_wait(impl_->epoll.get(), ready.data(), kEventsAtOnce, 0);
    for (int i = 0; i < count; ++i) {
        const epoll_event& entry = ready[static_cast<std::size_t>(i)];
        impl_->handle(entry.data.u64, entry.events);
    }
}

template <typename MakeLine>
void ControlServer::Impl::publish(const Event& event, ControlClient::Stream stream,
                                  MakeLine make_line) {
    for (auto at = clients.begin(); at != clients.end();) {
        auto& [number, client] = *at++; // settle() may remove this one
        if (!client.wants(event, stream)) continue;
        const std::uint64_t lost_before = client.lost();
        const Fate fate =
            client.is_in_past() ? client.go_on() : client.publish(event, make_line(client));
        lost += client.lost() - lost_before;
        cut_off += client.was_cut_off() ? 1u : 0u;
        settle(number, fate);
    }
}

void ControlServer::take(const Event& event, const std::string& line) {
    Recent::Kept kept{.event = event, .line = std::make_shared<const std::string>(line + '\n')};
    if (!event.cmdline.empty())
        kept.whole = std::make_shared<const std::string>(to_json_line(event) + '\n');
    const SharedLine shared = kept.line;
    const SharedLine whole = kept.whole ? kept.whole : kept.line;
    impl_->events.keep(std::move(kept), std::chrono::steady_clock::now());
    impl_->publish(event, ControlClient::Stream::events,
                   [&](const ControlClient& client) { return client.is_root() ? whole : shared; });
}

void ControlServer::take_packet(Event event, Capture capture) {
    SharedLine line; // made when the first reader wants it
    impl_->packets.keep({.event = event, .capture = capture}, std::chrono::steady_clock::now());
    impl_->publish(event, ControlClient::Stream::packets, [&](const ControlClient&) {
        if (!line) line = std::make_shared<const std::string>(packet_line(event, capture) + '\n');
        return line;
    });
}

void ControlServer::take_packet_loss(Event event) {
    const auto line = std::make_shared<const std::string>(to_json_line(event) + '\n');
    impl_->packets.keep({.event = event, .line = line}, std::chrono::steady_clock::now());
    impl_->publish(event, ControlClient::Stream::packets,
                   [&](const ControlClient&) { return line; });
}

std::size_t ControlServer::clients() const {
    return impl_->clients.size();
}
std::uint64_t ControlServer::cut_off() const {
    return impl_->cut_off;
}
std::uint64_t ControlServer::lost() const {
    return impl_->lost;
}

} // namespace sallyport
