// SPDX-License-Identifier: Apache-2.0
// Each rule set of docs/examples/import with what becomes of it, word for word, in
// tests/golden/import; SP_GOLDEN=write puts the new text in place.
#include "compile/compile.h"
#include "import/import.h"
#include "unit/config/world.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace sallyport;
using imported::Family;

namespace {

const std::filesystem::path kExamples =
    std::filesystem::path(SP_SOURCE_DIR) / "docs/examples/import";
const std::filesystem::path kGolden = std::filesystem::path(SP_SOURCE_DIR) / "tests/golden/import";

std::string content(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

// The example, with the files beside it that bear its name.
Result<imported::Imported> imported_example(const std::filesystem::path& path) {
    const auto beside = [&path](const char* extension) {
        return content(std::filesystem::path(path).replace_extension(extension));
    };
    imported::Options options;
    options.ipsets = beside(".ipset");
    const std::string kind = path.extension();
    if (kind == ".iptables")
        return imported::import_iptables(content(path), Family::v4, beside(".ip6tables"), options);
    if (kind == ".ufw") {
        options.ufw_defaults = beside(".ufw-defaults");
        return imported::import_ufw(content(path), beside(".ufw6"), options);
    }
    if (kind == ".json") return imported::import_nft(content(path), options);
    return fail(ErrorKind::internal, "no example is of that kind");
}

std::string report(const imported::Imported& done) {
    std::string text;
    for (const imported::Finding& finding : done.findings) {
        constexpr const char* sorts[] = {"note", "narrowed", "not carried"};
        text += std::string("#! ") + sorts[static_cast<int>(finding.sort)] + ": line " +
                std::to_string(finding.line) + ": " + finding.text + ": " + finding.why + "\n";
    }
    return text + done.policy;
}

void check_is_good(const std::string& policy) {
    INFO(policy);
    const config_test::World world;
    const ParsedPolicy parsed = parse_policy(policy, "imported.toml", world.view());
    for (const Diagnostic& diagnostic : parsed.diagnostics) UNSCOPED_INFO(to_text(diagnostic));
    CHECK(parsed.diagnostics.empty());
    REQUIRE(parsed.policy);
    CHECK(compile(*parsed.policy, {.generation = 1, .interfaces = {"eth0"}, .counters = {}}));
}

} // namespace

TEST_CASE("what becomes of each example to import is written down, and is a good policy") {
    const char* const write = std::getenv("SP_GOLDEN");
    std::size_t examples = 0;
    for (const auto& file : std::filesystem::directory_iterator(kExamples)) {
        const std::string kind = file.path().extension();
        if (kind != ".iptables" && kind != ".ufw" && kind != ".json") continue;
        INFO(file.path());
        ++examples;
        const Result<imported::Imported> done = imported_example(file.path());
        if (!done) FAIL(done.error().text());
        check_is_good(done->policy);
        const std::filesystem::path expected =
            kGolden / (file.path().filename().string() + ".toml");
        if (write != nullptr && std::string(write) == "write")
            std::ofstream(expected) << report(*done);
        CHECK(report(*done) == content(expected));
    }
    CHECK(examples >= 5);
}
