// SPDX-License-Identifier: Apache-2.0
#include "config/document.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;
using namespace sallyport::config;

namespace {

struct Read {
    std::optional<Value> document;
    std::vector<Diagnostic> findings;
};
Read read(const std::string& text) {
    Findings findings("d.toml", text);
    std::optional<Value> document = read_toml(text, findings);
    return {.document = std::move(document), .findings = findings.take()};
}
std::string first(const Read& result) {
    REQUIRE_FALSE(result.findings.empty());
    const Diagnostic& d = result.findings[0];
    return std::to_string(d.line) + ":" + std::to_string(d.column) + ": " + d.message;
}

} // namespace

TEST_CASE("values keep their kind and their place") {
    const Read result =
        read("a = \"x\"\n\t b = [1, true]\n[t]\nc = 1.5\nd = 2026-01-01\n[[r]]\ne = {f = 1}\n");
    REQUIRE(result.document);
    const Value& root = *result.document;
    CHECK(root.find("a")->value.text == "x");
    CHECK(root.find("a")->place == Place{1, 1});
    CHECK(root.find("a")->value.place == Place{1, 5});
    const Value& list = root.find("b")->value;
    CHECK(list.kind == ValueKind::list);
    CHECK(list.place == Place{2, 7});
    REQUIRE(list.items.size() == 2);
    CHECK(list.items[0].number == 1);
    CHECK(list.items[1].kind == ValueKind::boolean);
    CHECK(list.items[1].place == Place{2, 11});
    CHECK(root.find("t")->value.find("c")->value.kind == ValueKind::fraction);
    CHECK(root.find("t")->value.find("d")->value.kind == ValueKind::time);
    const Value& rules = root.find("r")->value;
    REQUIRE(rules.items.size() == 1);
    CHECK(rules.items[0].place == Place{6, 1});
    CHECK(rules.items[0].find("e")->value.find("f")->value.number == 1);
    CHECK(root.find("x") == nullptr);
}

TEST_CASE("an empty document is a table of nothing") {
    REQUIRE(read("").document);
    CHECK(read("").document->entries.empty());
    CHECK(read("# only this\n").document->entries.empty());
}

TEST_CASE("a syntax error is one finding at its place") {
    for (const char* text :
         {"a = 1\nb = \n", "a = 1\nb 2\n", "a = 1\n[b\n", "a = 1\nb = [1,,2]\n", "a = 1\n\x01\n",
          "a = 1\n[[[b]]]\n", "a = 1\nb = ü\n", "a = 1\nb = 1\"ü\n", "a = 1\nü = 1\n",
          "a = 1\n\xc2\xa0"
          "b = 1\n",
          "a = 1\n[)b]\n"}) {
        INFO(text);
        const Read result = read(text);
        CHECK_FALSE(result.document);
        REQUIRE(result.findings.size() == 1);
        CHECK(result.findings[0].line >= 2);
        CHECK(result.findings[0].column >= 1);
        CHECK(result.findings[0].message.starts_with("not TOML: "));
    }
}

TEST_CASE("text that is not UTF-8 is refused") {
    CHECK_FALSE(read("a = \"\xff\"\n").document);
    CHECK_FALSE(read("a = \"\xed\xa0\x80\"\n").document);
    CHECK(read("a = \"\xc3\xa4\"\n").document);
}

TEST_CASE("every key that is there twice is a finding, and the rest is read") {
    const Read result = read(
        "a = 1\na = 2\n\"b c\" = 1\n\"b c\" = 2\nt = {x = 1, x = 2}\na = 3\n[u]\n[u]\nv = 1\n");
    REQUIRE(result.document);
    REQUIRE(result.findings.size() == 5);
    CHECK(first(result) == "2:1: \"a\" is defined twice");
    CHECK(result.findings[1].line == 4);
    CHECK(result.findings[1].message == "\"b c\" is defined twice");
    CHECK(result.findings[2].column == 13);
    CHECK(result.findings[3].line == 6);
    CHECK(result.findings[4].line == 8);
    CHECK(result.findings[4].column == 2);
    CHECK(result.document->find("a")->value.number == 1);
}

TEST_CASE("a repeated key that cannot be renamed ends the reading, with its place") {
    CHECK(first(read("\"\\u0061\" = 1\n\"\\u0061\" = 2\n")).starts_with("2:"));
    CHECK(first(read("\"ä\" = 1\n\"ä\" = 2\n")).starts_with("2:"));
    CHECK(first(read("\"\" = 1\n\"\" = 2\n")).starts_with("2:"));
    CHECK(first(read("a = 1\na.b = 2\n")).starts_with("2:1:"));
}

TEST_CASE("columns count bytes, also behind wide characters") {
    CHECK(first(read("a = [\"ä\", ]]\n")).starts_with("1:13:"));
}

TEST_CASE("keys of very many parts are refused before they make a tree of that depth") {
    std::string deep = "a";
    for (int i = 0; i < 100000; ++i) deep += ".a";
    const std::string value = deep + " = 1\n";
    CHECK(first(read(value)).find("more than 16 parts") != std::string::npos);
    CHECK_FALSE(read("[" + deep + "]\n").document);
    CHECK_FALSE(read("x = {" + deep + " = 1}\n").document);
    CHECK(read("a.b.c.d = 1\n").document);
    CHECK(
        read("a = \"1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9\" # 1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7\n")
            .document);
    CHECK(read("a = '''\n1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9'''\nb = "
               "\"\\\".............................\"\n")
              .document);
}

TEST_CASE("lists within lists within lists are refused, not followed") {
    CHECK_FALSE(read("a = " + std::string(100000, '[')).document);
    CHECK_FALSE(read("a = " + std::string(40, '[') + std::string(40, ']') + "\n").document);
    CHECK(read("a = " + std::string(8, '[') + std::string(8, ']') + "\n").document);
}
