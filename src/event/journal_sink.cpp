// SPDX-License-Identifier: Apache-2.0
// sd_journal_sendv() would wait while the journal's queue is full.
#include "event/journal_sink.h"

#include "event/journal_entry.h"
#include "event/json.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <sys/un.h>

namespace sallyport {
namespace {

constexpr int kRoom = 8 << 20; // as libsystemd asks for: bursts pass, and large entries fit

} // namespace

Result<std::unique_ptr<JournalSink>> JournalSink::open(const std::string& path) {
    if (path.size() >= sizeof sockaddr_un{}.sun_path)
        return fail(ErrorKind::invalid_input, "the path of the journal's socket is too long");
    Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return fail_errno(errno, "making a socket for the journal");
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &kRoom, sizeof kRoom);
    return std::unique_ptr<JournalSink>(new JournalSink(std::move(socket), path));
}

// By address each time: a journal that was restarted has another socket at the same path.
bool JournalSink::send(const Event& event, const std::string& line) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(path_, address.sun_path);
    const std::string entry = journal_entry(event, line);
    return ::sendto(socket_.get(), entry.data(), entry.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                    reinterpret_cast<const sockaddr*>(&address),
                    sizeof address) == static_cast<ssize_t>(entry.size());
}

void JournalSink::take(const Event& event, const std::string& line) {
    if (lost_ != 0) {
        Event gap;
        gap.at = event.at;
        gap.host = event.host;
        gap.kind = EventKind::lost;
        gap.lost_by = LostBy::journal;
        gap.count = lost_;
        if (send(gap, to_json_line(gap))) lost_ = 0;
    }
    if (lost_ == 0 && send(event, line)) return;
    ++lost_;
    ++lost_ever_;
}

} // namespace sallyport
