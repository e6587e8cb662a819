// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <poll.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

namespace sallyport {
namespace {

// The other screen, an empty one, without a cursor; and back.
constexpr std::string_view kEnter = "\033[?1049h\033[?25l\033[0m\033[2J";
constexpr std::string_view kLeave = "\033[0m\033[?25h\033[?1049l";

constexpr int kWriteMs = 1000;

void write_all(std::string_view text) {
    while (!text.empty()) {
        const ssize_t now = ::write(STDOUT_FILENO, text.data(), text.size());
        if (now < 0 && errno == EINTR) continue;
        if (now < 0 && errno == EAGAIN) { // somebody else's O_NONBLOCK, of the same terminal
            pollfd ready{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
            if (::poll(&ready, 1, kWriteMs) > 0) continue;
        }
        if (now < 0) return; // it has gone; reading from it will tell
        text.remove_prefix(static_cast<std::size_t>(now));
    }
}

bool is_to_end() {
    sigset_t pending;
    sigemptyset(&pending);
    sigpending(&pending);
    return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
           sigismember(&pending, SIGHUP) == 1 || sigismember(&pending, SIGQUIT) == 1;
}

} // namespace

struct Terminal::Before {
    termios settings{};
};

Result<std::unique_ptr<Terminal>> Terminal::open() {
    const char* kind = std::getenv("TERM");
    const std::string_view name = kind == nullptr ? "" : kind;
    std::unique_ptr<Terminal> terminal(new Terminal);
    auto before = std::make_unique<Before>();
    if (::isatty(STDOUT_FILENO) == 0 || ::tcgetattr(STDIN_FILENO, &before->settings) != 0 ||
        name.empty() || name == "dumb")
        return fail(ErrorKind::not_supported, "there is no terminal for a full screen",
                    "one frame as text: sallyport top --once");
    sigset_t wanted;
    sigemptyset(&wanted);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH})
        sigaddset(&wanted, signal);
    sigprocmask(SIG_BLOCK, &wanted, nullptr);
    terminal->signals_ = Fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!terminal->signals_) return fail_errno(errno, "waiting for signals");
    terminal->before_ = std::move(before);
    terminal->enter();
    return terminal;
}

Terminal::~Terminal() {
    if (is_entered_) leave();
}

void Terminal::enter() {
    termios settings = before_->settings;
    settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &settings);
    write_all(kEnter);
    forget();
    is_entered_ = true;
}

void Terminal::leave() {
    is_entered_ = false;
    write_all(kLeave);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_->settings);
}

Terminal::News Terminal::take_signals() {
    News news = News::none;
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
        if (info.ssi_signo == SIGTSTP) {
            leave();
            ::raise(SIGSTOP);
            // Woken to end, in the background, whose terminal is another's.
            if (is_to_end()) return News::ended;
            enter();
            if (news == News::none) news = News::resized; // who knows what happened meanwhile
        } else if (info.ssi_signo == SIGWINCH) {
            if (news == News::none) news = News::resized;
        } else {
            news = News::ended;
        }
    }
    if (news == News::resized) {
        write_all("\033[2J");
        forget();
    }
    return news;
}

top::Size Terminal::size() const {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return {};
    return {.columns = size.ws_col, .rows = size.ws_row};
}

void Terminal::show(const std::vector<std::string>& lines) {
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i)
        if (i >= shown_.size() || shown_[i] != lines[i])
            // Erased first: behind a full line the cursor still stands on its last column.
            text += fmt::format("\033[{};1H\033[K{}", i + 1, lines[i]);
    write_all(text);
    shown_ = lines;
}

} // namespace sallyport
