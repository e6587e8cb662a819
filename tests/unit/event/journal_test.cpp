// SPDX-License-Identifier: Apache-2.0
// The journal's socket is played by one of the test's own.
#include "event/journal_entry.h"
#include "event/journal_sink.h"
#include "event/json.h"
#include "support/events.h"
#include "support/temp_dir.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <map>
#include <sstream>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace sallyport;
using namespace sallyport::test;

namespace {

using Fields = std::map<std::string, std::string>;

// As the protocol says: NAME=VALUE, or the name, eight bytes of length, and the value.
Fields fields_of(std::string_view entry) {
    Fields fields;
    while (!entry.empty()) {
        const std::size_t end = entry.find('\n');
        REQUIRE(end != std::string_view::npos);
        const std::string_view line = entry.substr(0, end);
        entry.remove_prefix(end + 1);
        if (const std::size_t equals = line.find('='); equals != std::string_view::npos) {
            fields.emplace(line.substr(0, equals), line.substr(equals + 1));
            continue;
        }
        REQUIRE(entry.size() >= 8);
        std::uint64_t size = 0;
        for (std::size_t i = 8; i-- > 0;) size = size << 8 | static_cast<unsigned char>(entry[i]);
        REQUIRE(entry.size() > 8 + size);
        REQUIRE(entry[8 + size] == '\n');
        fields.emplace(line, entry.substr(8, size));
        entry.remove_prefix(8 + size + 1);
    }
    return fields;
}

Fields entry_of(const Event& event) {
    return fields_of(journal_entry(event, to_json_line(event)));
}

class Journal {
  public:
    explicit Journal(const std::string& path) : path_(path) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        socket_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address),
                       sizeof address) == 0);
    }
    ~Journal() { ::unlink(path_.c_str()); }
    // What has come; none when nothing has.
    Fields next() {
        std::array<char, 65536> bytes;
        const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        return got < 0 ? Fields{}
                       : fields_of(std::string_view(bytes.data(), static_cast<std::size_t>(got)));
    }

  private:
    std::string path_;
    Fd socket_;
};

} // namespace

TEST_CASE("an entry has the event's fields under their names, and a sentence") {
    const Fields fields = entry_of(exfil_attempt());
    CHECK(fields.at("MESSAGE") == "drop no-rule tcp 10.0.1.5:44512 > 203.0.113.9:443");
    CHECK(fields.at("MESSAGE_ID") == message_id(EventKind::drop));
    CHECK(fields.at("PRIORITY") == "4");
    CHECK(fields.at("SYSLOG_IDENTIFIER") == "sallyport");
    CHECK(fields.at("SALLYPORT_EXFIL") == "true");
    CHECK(fields.at("SALLYPORT_REASON") == "no-rule");
    CHECK(fields.at("SALLYPORT_DST_PORT") == "443");
    CHECK(fields.at("SALLYPORT_COMM") == "python3");
    CHECK(entry_of(refused_syn()).at("PRIORITY") == "6");
}

TEST_CASE("no name that a process chose becomes a field of its own") {
    Event event = exfil_attempt();
    event.comm = "a\nMESSAGE=b\n\x1b[2J";
    event.rule = "x\nPRIORITY=0";
    const Fields fields = entry_of(event);
    CHECK(fields.at("SALLYPORT_COMM") == event.comm);
    CHECK(fields.at("SALLYPORT_RULE") == event.rule);
    CHECK(fields.at("PRIORITY") == "4");
    CHECK(fields.at("MESSAGE").find_first_of("\n\x1b") == std::string::npos);
    for (const auto& [name, value] : fields)
        CHECK(name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == std::string::npos);
}

TEST_CASE("each kind of event has a message id of its own, and the catalog knows it") {
    std::ifstream file(SP_SOURCE_DIR "/tools/packaging/journal/sallyport.catalog");
    std::stringstream text;
    text << file.rdbuf();
    const std::string catalog = text.str();
    std::map<std::string_view, int> ids;
    for (const EventKind kind :
         {EventKind::drop, EventKind::would_drop, EventKind::opened, EventKind::lost,
          EventKind::policy, EventKind::hook, EventKind::socket, EventKind::ban, EventKind::unban,
          EventKind::limit}) {
        const std::string_view id = message_id(kind);
        CHECK(id.size() == 32);
        CHECK(++ids[id] == 1);
        CHECK(catalog.find("-- " + std::string(id) + "\nSubject: ") != std::string::npos);
    }
    CHECK(message_id(EventKind{77}).empty());
}

TEST_CASE("what a journal does not take is counted, and told when it takes them again") {
    const TempDir dir;
    const std::string path = dir / "socket";
    auto sink = JournalSink::open(path);
    REQUIRE(sink);
    const auto say = [&](const Event& event) { (*sink)->take(event, to_json_line(event)); };
    say(refused_syn());
    say(refused_syn());
    CHECK((*sink)->lost_ever() == 2);
    {
        Journal journal(path);
        say(exfil_attempt());
        const Fields gap = journal.next();
        CHECK(gap.at("SALLYPORT_EVENT") == "lost");
        CHECK(gap.at("SALLYPORT_REASON") == "journal");
        CHECK(gap.at("SALLYPORT_COUNT") == "2");
        CHECK(journal.next().at("SALLYPORT_EVENT") == "drop");
        CHECK(journal.next().empty());
        // Nobody reads: it does not wait for that.
        int sent = 0;
        for (; (*sink)->lost_ever() == 2 && sent < 100'000; ++sent) say(refused_syn());
        CHECK((*sink)->lost_ever() == 3);
        while (!journal.next().empty()) {
        }
        say(exfil_attempt());
        CHECK(journal.next().at("SALLYPORT_COUNT") == "1");
    }
    Journal again(path); // a journal that was restarted
    say(exfil_attempt());
    CHECK(again.next().at("SALLYPORT_EXFIL") == "true");
    CHECK_FALSE(JournalSink::open(std::string(200, 'x')));
}
