// SPDX-License-Identifier: Apache-2.0
// sallyport import: a policy from the rules that people have.
#include "import/import.h"

#include "base/fd.h"
#include "base/file_checks.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "import/spell.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sallyport {
namespace {

constexpr std::size_t kMost = std::size_t{64} << 20;

struct ImportOptions {
    std::string kind;
    std::string file; // "-" or none: stdin
    std::string other;
    std::string ipsets;
    std::string defaults;
    std::vector<unsigned> ignore;
    imported::Options how;
    bool as_json = false;
};

Result<std::string> read_all(int fd, const std::string& name) {
    std::string text;
    std::string part(std::size_t{1} << 16, '\0');
    for (;;) {
        const ssize_t got = ::read(fd, part.data(), part.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno(errno, "cannot read " + name);
        if (got == 0) return text;
        text.append(part, 0, static_cast<std::size_t>(got));
        if (text.size() > kMost)
            return fail(ErrorKind::invalid_input, name + " is longer than 64 MiB");
    }
}

Result<std::string> read_input(const std::string& path) {
    if (path.empty() || path == "-") return read_all(STDIN_FILENO, "standard input");
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) return fail_errno(errno, "cannot open " + path);
    struct stat file{};
    if (::fstat(fd.get(), &file) != 0) return fail_errno(errno, "cannot look at " + path);
    SP_TRY(check_is_readable(file, path, kMost));
    return read_all(fd.get(), path);
}

Result<std::string> read_optional(const std::string& path) {
    return path.empty() ? Result<std::string>(std::string()) : read_input(path);
}

Result<imported::Imported> import_all(const ImportOptions& options) {
    imported::Options how = options.how;
    how.ignore.insert(options.ignore.begin(), options.ignore.end());
    const std::string text = SP_TRY(read_input(options.file));
    const std::string other = SP_TRY(read_optional(options.other));
    how.ipsets = SP_TRY(read_optional(options.ipsets));
    how.ufw_defaults = SP_TRY(read_optional(options.defaults));
    if (options.kind == "nft") return imported::import_nft(text, how);
    if (options.kind == "ufw") return imported::import_ufw(text, other, how);
    if (options.kind == "iptables")
        return imported::import_iptables(text, imported::Family::v4, other, how);
    return imported::import_iptables(text, imported::Family::v6, other, how);
}

const char* to_string(imported::Finding::Sort sort) {
    switch (sort) {
    case imported::Finding::Sort::note:
        return "note";
    case imported::Finding::Sort::narrowed:
        return "narrowed";
    case imported::Finding::Sort::not_carried:
        return "not carried";
    }
    return "";
}

void print(const imported::Imported& done, bool as_json) {
    if (as_json) {
        nlohmann::ordered_json report{{"ok", done.is_whole()},
                                      {"rules", done.rules},
                                      {"policy", done.policy},
                                      {"findings", nlohmann::ordered_json::array()}};
        for (const imported::Finding& finding : done.findings)
            report["findings"].push_back({{"kind", to_string(finding.sort)},
                                          {"line", finding.line},
                                          {"text", one_line(finding.text, 400)},
                                          {"why", one_line(finding.why, 1000)}});
        return print_json(report);
    }
    print_data(done.policy);
    for (const imported::Finding& finding : done.findings) {
        std::string said = std::string(to_string(finding.sort)) + ": ";
        if (finding.line != 0) said += "line " + std::to_string(finding.line) + ": ";
        if (!finding.text.empty()) said += one_line(finding.text) + "\n    ";
        say(said + one_line(finding.why, 1000));
    }
    if (!done.is_whole())
        say("next: carry the lines above by hand, or leave one out by --ignore LINE if it is not "
            "needed");
}

ExitCode run_import(const ImportOptions& options) {
    Result<imported::Imported> done = import_all(options);
    if (!done) {
        Error error = std::move(done).error();
        error.kind = ErrorKind::invalid_input; // a file that is not there is usage here too
        return report_failure(error, options.as_json ? Format::json : Format::text);
    }
    print(*done, options.as_json);
    return done->is_whole() ? ExitCode::done : ExitCode::no;
}

} // namespace

Verb import_verb(CLI::App& parent) {
    const auto options = std::make_shared<ImportOptions>();
    CLI::App* import = parent.add_subcommand("import", "a policy from rules of netfilter's");
    import->add_option("KIND", options->kind, "iptables, ip6tables, ufw or nft")
        ->required()
        ->check(CLI::IsMember({"iptables", "ip6tables", "ufw", "nft"}));
    import->add_option(
        "FILE", options->file,
        "what iptables-save or `nft -j list ruleset` printed, or ufw's user.rules; else stdin");
    import->add_option("--ipv6,--ipv4", options->other, "the file of the other family");
    import->add_option("--ipset", options->ipsets, "what `ipset save` printed");
    import->add_option("--ufw-defaults", options->defaults, "/etc/default/ufw of that machine");
    import->add_option("--ignore", options->ignore, "lines that are read as if they were not there")
        ->delimiter(',');
    import->add_option("--interfaces", options->how.interfaces, "the NICs to guard (default: all)")
        ->delimiter(',');
    import->add_flag("--json", options->as_json, "print JSON");
    return {.command = import, .act = [options] { return run_import(*options); }};
}

} // namespace sallyport
