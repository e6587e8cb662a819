// SPDX-License-Identifier: Apache-2.0
#include "jail/filter_file.h"
#include "jail/judge.h"
#include "unit/jail/files.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::jail;

namespace {

using Given = std::map<std::string, std::string>;

Result<FilterSettings> load(const std::string& text, const Given& given = {}) {
    FilterFile file =
        SP_TRY(FilterFile::read(world_of({{"/f/filter.d/t.conf", text}}), "/f", "t", given));
    return filter_from(file, "t");
}
std::vector<std::string> failregex(const std::string& text, const Given& given = {}) {
    const Result<FilterSettings> made = load(text, given);
    if (!made) return {"error: " + made.error().text()};
    std::vector<std::string> texts;
    for (const Pattern& pattern : made->failregex) texts.push_back(pattern.text);
    return texts;
}
using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("tags of a filter are filled in from its values, sections and parameters") {
    const std::string text = "[Definition]\nfailregex = ^<_x> <mdre-<mode>>$\n  second <HOST>\n"
                             "_x = %(_y)s\n_y = why\nmdre-normal = N\nmdre-aggressive = <sec/A>\n"
                             "mode = normal\n[sec]\na = from section\n";
    CHECK(failregex(text) == Texts{"^why N$", "second <HOST>"});
    CHECK(failregex(text, {{"mode", "aggressive"}}) ==
          Texts{"^why from section$", "second <HOST>"});
    CHECK(failregex(text, {{"mode", "none"}}) == Texts{"^why <mdre-none>$", "second <HOST>"});
    CHECK(failregex(text, {{"failregex", "own <HOST>"}}) == Texts{"own <HOST>"});
}

TEST_CASE("[Init] gives defaults that parameters replace") {
    const std::string text = "[Definition]\nfailregex = <journal> <HOST>\n[Init]\njournal = j\n"
                             "[Init?family=inet6]\nother = six\n";
    CHECK(failregex(text) == Texts{"j <HOST>"});
    CHECK(failregex(text, {{"journal", "mine"}}) == Texts{"mine <HOST>"});
}

TEST_CASE("a tag that holds itself is an error, one that nobody knows stays") {
    CHECK(failregex("[Definition]\nfailregex = <a> <HOST>\na = <b>\nb = <a>\n")[0].contains(
        "holds itself"));
    CHECK(failregex("[Definition]\nfailregex = <F-USER>x</F-USER> <HOST> <nobody>\n") ==
          Texts{"<F-USER>x</F-USER> <HOST> <nobody>"});
}

TEST_CASE("an expression that does not compile is named by file, line, key, number and place") {
    const auto made = load("[Definition]\nfailregex = ^good <HOST>\n  ^b(ad <HOST>\n");
    REQUIRE(made.has_value());
    const auto judge = Judge::make(*made);
    REQUIRE_FALSE(judge.has_value());
    CHECK(judge.error().text().starts_with("/f/filter.d/t.conf:2: failregex 2, character 13: "
                                           "missing closing parenthesis, after \"^b(ad <HOST>\""));
}

TEST_CASE("what cannot be used says why") {
    const auto several = load("[Definition]\nfailregex = a\\n<HOST>\nmaxlines = 3\n");
    REQUIRE(several.has_value());
    CHECK(Judge::make(*several).error().text().contains("t.conf:3: maxlines = 3"));
    CHECK(
        Judge::make(*load("[Definition]\nfailregex =\n")).error().text().contains("no failregex"));
    CHECK(Judge::make(*load("[Definition]\nfailregex = nobody\n"))
              .error()
              .text()
              .contains("says not whom to ban"));
    CHECK(Judge::make(*load("[Definition]\nfailregex = x <HOST> <HOST>\n")).has_value() == false);
    CHECK(Judge::make(*load("[Definition]\nfailregex = x <HOST>\nmaxlines = 1\n")).has_value());
    CHECK(Judge::make(*load("[Definition]\nfailregex = x <HOST>\ndatepattern = %%Q\n"))
              .error()
              .text()
              .contains("t.conf:3: datepattern 1, character 1: unknown date directive"));
}

TEST_CASE("journalmatch is split as journalctl's arguments") {
    const auto made = load("[Definition]\nfailregex = <HOST>\n"
                           "journalmatch = _SYSTEMD_UNIT=sshd.service + _COMM=sshd\n  A='b c'\n");
    REQUIRE(made.has_value());
    CHECK(made->journal ==
          std::vector<Texts>{{"_SYSTEMD_UNIT=sshd.service", "+", "_COMM=sshd"}, {"A=b c"}});
}
