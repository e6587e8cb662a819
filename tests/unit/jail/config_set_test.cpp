// SPDX-License-Identifier: Apache-2.0
#include "jail/config_set.h"
#include "unit/jail/files.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::jail;

namespace {

std::string value(const ConfigSet& set, const char* section, const char* key) {
    const auto found = set.get(section, key);
    if (!found) return "error: " + found.error().text();
    return *found ? (*found)->value : "none";
}
ConfigSet read(const Files& files, const std::string& base = "/f/a") {
    auto set = ConfigSet::read(world_of(files), base);
    REQUIRE(set.has_value());
    return std::move(*set);
}
std::string refusal(const std::string& text) {
    const auto parsed = parse_ini(text, "x.conf");
    return parsed ? "" : parsed.error().text();
}

} // namespace

TEST_CASE("values run over lines that are indented, and comments end them") {
    const ConfigSet set = read({{"/f/a.conf", "# first\n[S]\n; second\nOne = a ; tail\n"
                                              "two: b;c\nlist = x\n\n   y\n  # no part\n   z\n"
                                              "\nlast = =\n"}});
    CHECK(value(set, "S", "one") == "a");
    CHECK(value(set, "S", "ONE") == "a");
    CHECK(value(set, "S", "two") == "b;c");
    CHECK(value(set, "S", "list") == "x\n\ny\nz");
    CHECK(value(set, "S", "last") == "=");
    CHECK(value(set, "S", "three") == "none");
    CHECK(value(set, "T", "one") == "none");
}

TEST_CASE("what configparser refuses is refused with its line") {
    CHECK(refusal("a = 1\n") == "x.conf:1: text before the first [section]");
    CHECK(refusal("[S]\nnonsense\n") == "x.conf:2: expected \"key = value\": nonsense");
    CHECK(refusal("[S]\na = 1\n[S]\n") == "x.conf:3: the section [S] is there twice");
    CHECK(refusal("[S]\na = 1\nA = 2\n") == "x.conf:3: \"a\" is there twice in [S]");
    CHECK(refusal("[S]\na = 1\n[T]\na = 2\n").empty());
    CHECK(refusal("").empty());
}

TEST_CASE("files are read in fail2ban's order, and the last one wins") {
    Files files = {{"/f/a.conf", "[S]\nv = conf\nonly = conf\n"},
                   {"/f/a.d/2.conf", "[S]\nv = d2\n"},
                   {"/f/a.d/1.conf", "[S]\nv = d1\n"},
                   {"/f/a.d/x.txt", "[S]\nv = never\n"},
                   {"/f/a.local", "[S]\nv = local\n"},
                   {"/f/a.d/1.local", "[S]\nv = d1local\n"}};
    CHECK(value(read(files), "S", "v") == "d1local");
    CHECK(value(read(files), "S", "only") == "conf");
    files.erase("/f/a.d/1.local");
    CHECK(value(read(files), "S", "v") == "local");
    files.erase("/f/a.local");
    CHECK(value(read(files), "S", "v") == "d2");
    CHECK_FALSE(ConfigSet::read(world_of({}), "/f/a").has_value());
}

TEST_CASE("includes come before and after, their .local with them, and loops end") {
    const Files files = {
        {"/f/a.conf",
         "[INCLUDES]\nbefore = b.conf\n  gone.conf\nafter = c.conf\n[S]\nv = a\nw = a\n"},
        {"/f/b.conf", "[INCLUDES]\nbefore = a.conf\n[S]\nv = b\nw = b\nx = b\n"},
        {"/f/b.local", "[S]\nx = blocal\n"},
        {"/f/c.conf", "[S]\nw = c\n"}};
    const ConfigSet set = read(files);
    CHECK(value(set, "S", "v") == "a");
    CHECK(value(set, "S", "w") == "c");
    CHECK(value(set, "S", "x") == "blocal");
}

TEST_CASE("%(name)s is filled in from the section, [DEFAULT] and what was known") {
    const Files files = {
        {"/f/a.conf", "[DEFAULT]\nd = default\nn = 1\n[S]\nn = 2\nv = %(n)s-%(d)s-%%-%(__name__)s\n"
                      "o = %(other/k)s %(other/d)s %(default/n)s\n[other]\nk = K\n"},
        {"/f/a.local", "[S]\nn = <%(known/n)s>\nd = %(known/d)s!\n"}};
    const ConfigSet set = read(files);
    CHECK(value(set, "S", "v") == "<2>-default!-%-S");
    CHECK(value(set, "S", "o") == "K default 1");
    const auto over = set.get("S", "v", {{"n", {"over", {}}}});
    CHECK((*over)->value == "over-default!-%-S");
}

TEST_CASE("a reference to nothing, a loop and a stray percent sign are errors with their line") {
    const ConfigSet set =
        read({{"/f/a.conf", "[S]\na = %(gone)s\nb = %(b)s\nc = 5%\nd = %(e)s\ne = %(d)s\n"}});
    CHECK(value(set, "S", "a") == "error: /f/a.conf:2: %(gone)s refers to nothing that is known");
    CHECK(value(set, "S", "b").contains("a loop"));
    CHECK(value(set, "S", "c").contains("'%' must be followed"));
    CHECK(value(set, "S", "d").contains("a loop"));
}

TEST_CASE("a few lines cannot grow without bound") {
    std::string text = "[S]\nv0 = " + std::string(100, 'x') + "\n";
    for (int i = 1; i < 9; ++i) {
        text += "v" + std::to_string(i) + " = ";
        for (int n = 0; n < 50; ++n) text += "%(v" + std::to_string(i - 1) + ")s";
        text += "\n";
    }
    CHECK(value(read({{"/f/a.conf", text}}), "S", "v8").starts_with("error: "));
}
