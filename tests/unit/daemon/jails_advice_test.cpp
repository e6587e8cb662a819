// SPDX-License-Identifier: Apache-2.0
#include "daemon/jails_advice.h"
#include "unit/jail/files.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;

namespace {

std::string advice(const Policy& policy, const jail::Files& files = {}) {
    std::string text;
    for (const Diagnostic& d : advise_jails(policy, "p.toml", jail::world_of(files), "/f"))
        text += std::string(d.severity == Severity::error ? "error " : "warning ") +
                std::to_string(d.line) + " " + d.message + "\n";
    return text;
}
Policy with(const std::string& match) {
    Policy policy;
    JailRule rule;
    rule.name = "j";
    rule.logs = {"/x"};
    rule.match = {match};
    rule.line = 7;
    policy.jails.push_back(rule);
    return policy;
}

} // namespace

TEST_CASE("an expression of a jail that does not compile is an error of the policy") {
    CHECK(advice(with("good from <HOST>")).empty());
    const std::string bad = advice(with("b(ad from <HOST>"));
    CHECK(bad.starts_with(
        "error 0 jail \"j\": p.toml:7: match 1, character 17: missing closing parenthesis"));
    CHECK(advice(with("from nobody")).contains("p.toml:7: match 1 says not whom to ban"));
    CHECK(advice(with("<HOST> by <HOST>")).contains("an expression has one <HOST>"));
    Policy dated = with("<HOST>");
    dated.jails[0].date_pattern = {"%Q"};
    CHECK(advice(dated).contains("p.toml:7: date-pattern 1, character 1: unknown date directive"));
}

TEST_CASE(
    "what is not carried of fail2ban's files is a warning, a file that is not there an error") {
    Policy policy;
    policy.fail2ban.jails = {"/f/jail.d/a.conf"};
    const jail::Files files = {
        {"/f/jail.d/a.conf",
         "[web]\nenabled = true\nlogpath = /x\nfilter = web\nignorecommand = x\n"
         "[bad]\nenabled = true\nlogpath = /x\nfailregex = (<HOST>\n"
         "[none]\nenabled = true\nlogpath = /x\nfilter = none\n"},
        {"/f/filter.d/web.conf", "[Definition]\nfailregex = <HOST>\n"}};
    const std::string said = advice(policy, files);
    CHECK(said.contains("warning 0 /f/jail.d/a.conf:5: jail \"web\": ignorecommand"));
    CHECK(said.contains("warning 0 jail \"bad\": /f/jail.d/a.conf:9: failregex 1"));
    CHECK(said.contains("warning 0 jail \"none\": is not used"));
    CHECK_FALSE(said.contains("error"));
    CHECK(advice(policy).starts_with("error 0 there is no /f/jail.d/a.conf"));
    policy.jails = with("<HOST>").jails;
    policy.jails[0].name = "web";
    CHECK(advice(policy, files).contains("there are two jails"));
}
