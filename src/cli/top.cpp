// SPDX-License-Identifier: Apache-2.0
// sallyport top: the wall at work, on a screen.
#include "base/duration.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/top_feed.h"
#include "cli/verbs.h"
#include "daemon/pins_status.h"
#include "daemon/status.h"
#include "top/frame.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace sallyport {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::milliseconds kEscapePatience{50}; // for the rest of a key's sequence
constexpr std::chrono::seconds kIntervalMost{60};

struct TopOptions {
    std::string interval = "1s";
    bool once = false;
};

top::Moment now() {
    return {.wall = std::chrono::time_point_cast<std::chrono::microseconds>(
                std::chrono::system_clock::now()),
            .steady = steady_clock::now()};
}

// As setlocale(3) takes them: the first that is set.
bool speaks_utf8() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* value = std::getenv(name);
        if (value == nullptr || *value == '\0') continue;
        std::string lower(value);
        for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
        return lower.contains("utf-8") || lower.contains("utf8");
    }
    return false;
}

top::Look look() {
    return {.colour = colour_for(STDOUT_FILENO), .has_blocks = speaks_utf8(), .zone = Zone::local};
}

class Top {
  public:
    Top(const Paths& paths, TopFeed feed) : paths_(paths), feed_(std::move(feed)) {}
    // What the feed has to be waited for by.
    void add_to(std::array<pollfd, 4>& fds) const {
        fds[0].fd = feed_ ? feed_->events() : -1;
        fds[1].fd = feed_ ? feed_->answers() : -1;
    }
    void take(const std::array<pollfd, 4>& fds);
    // Asks for the status; tries again where the daemon is gone.
    void tick();
    [[nodiscard]] const top::Model& model() const { return model_; }
    [[nodiscard]] std::size_t counts_taken() const { return counts_taken_; }

  private:
    void lose(const Error& why);
    const Paths& paths_;
    std::optional<TopFeed> feed_;
    top::Model model_;
    std::size_t counts_taken_ = 0;
};

void Top::lose(const Error& why) {
    feed_.reset();
    model_.set_trouble(why.message);
}

void Top::take(const std::array<pollfd, 4>& fds) {
    if (feed_ && fds[0].revents != 0) {
        const auto events = feed_->take_events();
        if (!events) return lose(events.error());
        for (const Event& event : *events) model_.take(event, steady_clock::now());
    }
    if (feed_ && fds[1].revents != 0) {
        auto counts = feed_->take_counts();
        if (!counts) return lose(counts.error());
        if (!*counts) return;
        const top::Moment at = now();
        model_.take(**std::move(counts), at.wall, at.steady);
        ++counts_taken_;
    }
}

void Top::tick() {
    if (!feed_) {
        if (auto again = TopFeed::open(paths_)) {
            feed_.emplace(*std::move(again));
            model_.set_trouble("");
        } else if (const auto status = status_from_pins(paths_)) {
            // The wall stands without it, and counts.
            const top::Moment at = now();
            model_.take(counts_of(*status), at.wall, at.steady);
        }
    }
    if (!feed_) return;
    if (const auto asked = feed_->ask(); !asked) lose(asked.error());
}

// Waits for the descriptors or the time; false when waiting fails.
bool wait_for(std::array<pollfd, 4>& fds, steady_clock::time_point until) {
    using std::chrono::ceil, std::chrono::milliseconds;
    const auto left = std::max(ceil<milliseconds>(until - steady_clock::now()), milliseconds(0));
    for (pollfd& fd : fds) {
        fd.events = POLLIN;
        fd.revents = 0;
    }
    return ::poll(fds.data(), fds.size(), static_cast<int>(left.count())) >= 0 || errno == EINTR;
}

std::size_t number_of(const char* name, std::size_t otherwise) {
    const char* value = std::getenv(name);
    const long number = value == nullptr ? 0 : std::strtol(value, nullptr, 10);
    return number >= 1 && number <= 1000 ? static_cast<std::size_t>(number) : otherwise;
}

// A frame as wide and high as the terminal, or as COLUMNS and LINES say.
ExitCode print_once(Top& top, std::chrono::seconds interval) {
    std::array<pollfd, 4> fds{};
    for (pollfd& fd : fds) fd.fd = -1;
    // Two readings make a rate.
    for (std::size_t readings = 1; readings <= 2; ++readings) {
        top.tick();
        auto until = steady_clock::now() + kAnswerPatience;
        const auto next = steady_clock::now() + interval;
        while (top.counts_taken() < readings || (readings == 1 && steady_clock::now() < next)) {
            top.add_to(fds);
            if (top.counts_taken() >= readings) until = next;
            if (!wait_for(fds, until) || (fds[0].fd < 0 && fds[1].fd < 0) ||
                (steady_clock::now() >= until && top.counts_taken() < readings))
                return report_failure(no_answer().error(), Format::text);
            top.take(fds);
        }
    }
    winsize size{};
    static_cast<void>(::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size));
    top::View view;
    std::string text;
    for (const std::string& line :
         draw(top.model(), view, now(),
              {.columns = number_of("COLUMNS", size.ws_col == 0 ? 80 : size.ws_col),
               .rows = number_of("LINES", size.ws_row == 0 ? 24 : size.ws_row)},
              look())) {
        const std::size_t end = line.find_last_not_of(' ');
        text += line.substr(0, end == std::string::npos ? 0 : end + 1) + "\n";
    }
    text.resize(text.rfind('\n', text.size() - 2) + 1); // keys are for those who can press them
    print_data(text);
    return ExitCode::done;
}

// Takes what was typed; false when nobody is there to type any more.
bool take_keys(top::KeyReader& reader, top::View& view) {
    std::array<char, 512> typed{};
    const ssize_t got = ::read(STDIN_FILENO, typed.data(), typed.size());
    if (got < 0) return errno == EINTR || errno == EAGAIN;
    for (const top::KeyPress& press : reader.take({typed.data(), static_cast<std::size_t>(got)}))
        act(view, press);
    return got != 0;
}

class Screen {
  public:
    Screen(Top& top, Terminal& terminal, std::chrono::seconds interval)
        : top_(top), terminal_(terminal), interval_(interval) {}
    void run();

  private:
    void show();
    bool step();
    Top& top_;
    Terminal& terminal_;
    std::chrono::seconds interval_;
    top::View view_;
    top::KeyReader keys_;
    std::optional<top::Model> still_; // while it is paused
    top::Moment still_since_;
    steady_clock::time_point next_;
    steady_clock::time_point escape_by_; // while keys_ is waiting
};

void Screen::show() {
    if (view_.is_paused && !still_) {
        still_ = top_.model();
        still_since_ = now();
    }
    if (!view_.is_paused) still_.reset();
    terminal_.show(draw(still_ ? *still_ : top_.model(), view_, still_ ? still_since_ : now(),
                        terminal_.size(), look()));
}

// Until something has changed what is shown; false at the end.
bool Screen::step() {
    std::array<pollfd, 4> fds{};
    top_.add_to(fds);
    fds[2].fd = STDIN_FILENO;
    fds[3].fd = terminal_.signals();
    const auto until = keys_.is_waiting() ? std::min(next_, escape_by_) : next_;
    if (!wait_for(fds, until)) return false;
    top_.take(fds);
    if (fds[3].revents != 0 && terminal_.take_signals() == Terminal::News::ended) return false;
    if (fds[2].revents != 0) {
        if (!take_keys(keys_, view_)) return false;
        escape_by_ = steady_clock::now() + kEscapePatience;
        show();
    } else if (keys_.is_waiting() && steady_clock::now() >= escape_by_) {
        for (const top::KeyPress& press : keys_.give_up()) act(view_, press);
        show();
    }
    if (fds[3].revents != 0) show();
    return !view_.has_ended;
}

void Screen::run() {
    next_ = steady_clock::now();
    std::size_t shown = 0;
    do {
        const bool is_due = steady_clock::now() >= next_;
        if (is_due) {
            top_.tick();
            next_ = steady_clock::now() + interval_;
        }
        // The first answer is shown when it is here, the rest at their time.
        if (is_due || (shown < 2 && top_.counts_taken() > shown)) {
            shown = std::max(shown, top_.counts_taken());
            show();
        }
    } while (step());
}

ExitCode run_top(const TopOptions& options, const Paths& paths) {
    const auto interval = parse_duration(options.interval);
    if (!interval) return report_failure(interval.error(), Format::text);
    if (*interval < std::chrono::seconds(1) || *interval > kIntervalMost) {
        say("sallyport: an interval is from 1s to 1m");
        return ExitCode::usage;
    }
    auto feed = TopFeed::open(paths);
    if (!feed) {
        say_error(feed.error());
        return feed.error().kind == ErrorKind::not_found ? ExitCode::no_daemon
                                                         : exit_code_of(feed.error().kind);
    }
    Top top(paths, *std::move(feed));
    if (options.once) return print_once(top, *interval);
    auto terminal = Terminal::open();
    if (!terminal) return report_failure(terminal.error(), Format::text);
    Screen(top, **terminal, *interval).run();
    return ExitCode::done;
}

} // namespace

Verb top_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto options = std::make_shared<TopOptions>();
    CLI::App* top = parent.add_subcommand("top", "the wall at work, on a live screen");
    top->add_option("--interval", options->interval, "how often it is counted, 1s to 1m");
    top->add_flag("--once", options->once, "print one frame, of one interval, and end");
    top->footer("Press ? in it for its keys.");
    return {.command = top, .act = [paths, options] { return run_top(*options, *paths); }};
}

} // namespace sallyport
