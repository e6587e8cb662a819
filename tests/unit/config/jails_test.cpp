// SPDX-License-Identifier: Apache-2.0
// [[jail]] and [fail2ban].
#include "unit/config/world.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::config_test;
using std::chrono::seconds;

namespace {

JailRule jail(const std::string& keys) {
    return good("[[jail]]\nname = \"j\"\n" + keys).jails.at(0);
}
// The errors of one jail; columns and lines are those below "[[jail]]", at line 5.
std::vector<std::string> wrong(const std::string& keys) {
    const ParsedPolicy result = parsed("[[jail]]\n" + keys);
    CHECK_FALSE(result.policy);
    std::vector<std::string> errors = findings(result);
    std::erase_if(errors, [](const std::string& line) { return line.starts_with("w"); });
    return errors;
}
const std::string kSource = "log = \"/var/log/a.log\"\nmatch = 'x <HOST>'\n";

} // namespace

TEST_CASE("a jail is read with its defaults") {
    const JailRule made = jail(kSource);
    CHECK(made.name == "j");
    CHECK(made.logs == std::vector<std::string>{"/var/log/a.log"});
    CHECK(made.match == std::vector<std::string>{"x <HOST>"});
    CHECK(made.max_retry == 5);
    CHECK(made.find_time == seconds(600));
    CHECK(made.ban_time == seconds(600));
    CHECK(made.ipv6_prefix == 64);
    CHECK(made.line == 4);
    CHECK(findings("[[jail]]\nname = \"j\"\n" + kSource).empty());
    CHECK(good("").jails.empty());
}

TEST_CASE("every key of a jail takes effect") {
    const JailRule made =
        jail("journal = [\"a.service\", \"b.service\"]\nfilter = \"sshd[mode=ddos]\"\n"
             "ignore = [\"health\"]\ndate-pattern = \"{EPOCH}\"\nmax-retry = 3\n"
             "find-time = \"1h\"\nban-time = \"forever\"\ngrowing = true\n"
             "ban-time-max = \"7d\"\nexcept = [\"10.0.0.0/8\"]\nipv6-prefix = 48\n");
    CHECK(made.journals.size() == 2);
    CHECK(made.filter == "sshd[mode=ddos]");
    CHECK(made.ignore == std::vector<std::string>{"health"});
    CHECK(made.date_pattern == std::vector<std::string>{"{EPOCH}"});
    CHECK(made.max_retry == 3);
    CHECK(made.find_time == seconds(3600));
    CHECK(made.ban_time == std::nullopt);
    CHECK(made.growing);
    CHECK(made.ban_time_max == seconds(7 * 86400));
    CHECK(text_of(made.except) == "10.0.0.0/8");
    CHECK(made.ipv6_prefix == 48);
}

TEST_CASE("a jail without name, source or expression, or with two of one, is an error") {
    using Lines = std::vector<std::string>;
    CHECK(wrong(kSource) == Lines{"4:1: this [[jail]] needs \"name\""});
    CHECK(wrong("name = \"j\"\nmatch = 'x'\n") == Lines{"4:1: jail \"j\" says not what to read"});
    CHECK(wrong("name = \"j\"\nlog = \"/x\"\n") == Lines{"4:1: jail \"j\" says not what to find"});
    CHECK(wrong("name = \"j\"\nlog = \"/x\"\nmatch = []\n") ==
          Lines{"4:1: jail \"j\" says not what to find"});
    CHECK(wrong("name = \"j\"\nlog = \"/x\"\njournal = \"y\"\nmatch = 'x'\n") ==
          Lines{"7:1: jail \"j\" has both \"log\" and \"journal\""});
    CHECK(wrong("name = \"j\"\nfilter = \"y\"\n" + kSource) ==
          Lines{"6:1: jail \"j\" has both \"match\" and \"filter\""});
    CHECK(wrong("name = \"j\"\nlog = \"x.log\"\nmatch = 'x'\n") ==
          Lines{"6:7: \"log\" is a path from the root: \"x.log\""});
    CHECK(wrong("name = \"j\"\nmax-retry = 0\n" + kSource).size() == 1);
    CHECK(wrong("name = \"j\"\nfind-time = 600\n" + kSource).size() == 1);
    CHECK(wrong("name = \"j\"\nban-time-max = \"9m\"\n" + kSource) ==
          Lines{"6:16: \"ban-time-max\" is shorter than \"ban-time\""});
    CHECK(jail("ban-time-max = \"10m\"\n" + kSource).ban_time_max == seconds(600));
    CHECK(wrong("name = \"j\"\nexcept = \"nowhere\"\n" + kSource).size() == 1);
    CHECK(wrong("name = \"j\"\nmatch = ['']\nlog = \"/x\"\n").size() == 2);
    CHECK(wrong("name = \"j\"\nretries = 1\n" + kSource) ==
          Lines{"6:1: unknown key \"retries\" in jail \"j\""});
    CHECK(wrong("name = \"j\"\n" + kSource + "[[jail]]\nname = \"j\"\n" + kSource).size() == 1);
}

TEST_CASE("[fail2ban] names files from the root") {
    const Policy made = good("[fail2ban]\njails = [\"/etc/fail2ban/jail.d/ai.conf\"]\n");
    CHECK(made.fail2ban.jails == std::vector<std::string>{"/etc/fail2ban/jail.d/ai.conf"});
    CHECK(made.fail2ban.ipv6_prefix == 64);
    CHECK_FALSE(parsed("[fail2ban]\njails = [\"jail.conf\"]\n").policy);
    CHECK_FALSE(parsed("[fail2ban]\nfilters = []\n").policy);
}
