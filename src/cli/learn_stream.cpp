// SPDX-License-Identifier: Apache-2.0
// Events into what was seen, from a file or from the daemon.
#include "base/text.h"
#include "cli/client.h"
#include "cli/end_signals.h"
#include "cli/learn_sources.h"
#include "cli/output.h"
#include "daemon/control_socket.h"
#include "event/json.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLineMost = 1 << 20;
constexpr int kLastReads = 1000;
constexpr std::chrono::seconds kBetweenListings{5};
constexpr std::chrono::seconds kBetweenTries{1};

void take_line(std::string_view line, learn::Seen& seen) {
    if (line.empty()) return;
    const auto event = event_from_json(line);
    if (event)
        seen.add(*event);
    else
        seen.add_unreadable();
}

// Lines of any size come; those beyond a bound are passed over.
class Lines {
  public:
    explicit Lines(learn::Seen& seen) : seen_(seen) {}
    void take(std::string_view chunk) {
        for (std::size_t end = chunk.find('\n'); end != chunk.npos; end = chunk.find('\n')) {
            keep(chunk.substr(0, end));
            finish();
            chunk.remove_prefix(end + 1);
        }
        keep(chunk);
    }
    void finish() {
        if (is_long_)
            seen_.add_unreadable();
        else
            take_line(line_, seen_);
        line_.clear();
        is_long_ = false;
    }

  private:
    void keep(std::string_view part) {
        is_long_ = is_long_ || line_.size() + part.size() > kLineMost;
        if (!is_long_) line_ += part;
    }
    learn::Seen& seen_;
    std::string line_;
    bool is_long_ = false;
};

// One connection after the other, since a daemon may be restarted meanwhile.
class Stream {
  public:
    Stream(const Paths& paths, learn::Seen& seen) : paths_(paths), seen_(seen) {}

    Status open() {
        Fd socket = SP_TRY(connect_to(paths_.control_socket()));
        SP_TRY(send_request(socket.get(), {{"cmd", "tail"}, {"filter", nlohmann::json::object()}}));
        limit_reads(socket.get(), kAnswerPatience);
        reader_.emplace(socket.get());
        const auto answer = SP_TRY(reader_->next());
        if (!answer) return fail(ErrorKind::kernel, "the daemon closed the connection");
        SP_TRY(parse_answer(*answer));
        limit_reads(socket.get(), {}); // events come when they come
        socket_ = std::move(socket);
        return {};
    }
    // What is here to be read.
    Status read() {
        do {
            const auto line = SP_TRY(reader_->next());
            if (!line) {
                seen_.add_loss("the daemon ended, or could not wait, and was asked again");
                reader_.reset();
                socket_ = Fd();
                return {};
            }
            take_line(*line, seen_);
        } while (reader_->has_line());
        return {};
    }
    // What has come already; a flood does not keep it from ending.
    Status drain() {
        for (int left = kLastReads; left > 0 && reader_; --left) {
            pollfd ready{.fd = socket_.get(), .events = POLLIN, .revents = 0};
            if (!reader_->has_line() && ::poll(&ready, 1, 0) <= 0) break;
            SP_TRY(read());
        }
        return {};
    }
    [[nodiscard]] int fd() const { return reader_ ? socket_.get() : -1; }
    [[nodiscard]] bool has_line() const { return reader_ && reader_->has_line(); }

  private:
    const Paths& paths_;
    learn::Seen& seen_;
    Fd socket_;
    std::optional<LineReader> reader_;
};

} // namespace

Status learn_from_file(const std::string& file, learn::Seen& seen) {
    const bool is_input = file == "-";
    const Fd opened(is_input ? ::dup(STDIN_FILENO)
                             : ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat info{};
    if (!opened || fstat(opened.get(), &info) != 0)
        return fail_errno(errno, "reading " + escaped(file));
    if (!is_input && !S_ISREG(info.st_mode))
        return fail(ErrorKind::invalid_input, escaped(file) + " is no regular file",
                    "'-' reads standard input");
    Lines lines(seen);
    std::array<char, 65536> chunk;
    for (;;) {
        const ssize_t got = ::read(opened.get(), chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno(errno, "reading " + escaped(file));
        if (got == 0) break;
        lines.take({chunk.data(), static_cast<std::size_t>(got)});
    }
    lines.finish();
    return {};
}

Result<bool> learn_live(const Paths& paths, std::chrono::seconds span,
                        const audit::Catalogue& catalogue, learn::Seen& seen) {
    const Fd signals = end_signals();
    Stream stream(paths, seen);
    SP_TRY(stream.open());
    seen.serve(SP_TRY(served_here(AskNat::yes, catalogue)));
    say("sallyport: learning; an interrupt ends it early, and nothing is lost by it");
    const auto until = Clock::now() + span;
    auto next_listing = Clock::now() + kBetweenListings;
    for (;;) {
        const auto now = Clock::now();
        if (now >= until) break;
        if (now >= next_listing) {
            if (const auto served = served_here(AskNat::no, catalogue)) seen.serve(*served);
            next_listing = Clock::now() + kBetweenListings;
        }
        if (stream.fd() < 0 && !stream.open() && Clock::now() + kBetweenTries < until)
            next_listing = std::min(next_listing, Clock::now() + kBetweenTries);
        std::array<pollfd, 2> fds{pollfd{.fd = stream.fd(), .events = POLLIN, .revents = 0},
                                  pollfd{.fd = signals.get(), .events = POLLIN, .revents = 0}};
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(
            std::min(until, next_listing) - Clock::now());
        const int ready = ::poll(
            fds.data(), fds.size(),
            stream.has_line() ? 0 : static_cast<int>(std::max<std::int64_t>(wait.count(), 0)));
        if (ready < 0 && errno != EINTR) return fail_errno(errno, "waiting for events");
        if (fds[1].revents != 0) {
            SP_TRY(stream.drain());
            return false;
        }
        if (stream.has_line() || fds[0].revents != 0) SP_TRY(stream.read());
    }
    SP_TRY(stream.drain());
    return true;
}

} // namespace sallyport
