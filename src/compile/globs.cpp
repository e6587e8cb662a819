// SPDX-License-Identifier: Apache-2.0
// A glob is a row of atoms, each of which takes one character of some set, and stars
// between them. The set of an atom is asked of fnmatch(3), which knows what brackets mean.
#include "compile/globs.h"

#include "sallyport/abi/limits.h"

#include <fmt/format.h>
#include <fnmatch.h>

namespace sallyport {
namespace {

constexpr std::size_t kNameMax = 15;
constexpr std::size_t kStates = 64;

struct Automaton {
    std::vector<std::string> atoms;
    std::vector<bool> loops; // by state: one more than there are atoms
};

// One past the bracket that begins at `at`, or `at` when it is none: '[' stands for itself.
std::size_t bracket_end(std::string_view glob, std::size_t at) {
    std::size_t i = at + 1;
    if (i < glob.size() && (glob[i] == '!' || glob[i] == '^')) ++i;
    for (bool first = true; i < glob.size(); first = false) {
        if (glob[i] == ']' && !first) return i + 1;
        const std::size_t named =
            i + 1 < glob.size() && glob[i] == '[' &&
                    std::string_view(":.=").find(glob[i + 1]) != std::string_view::npos
                ? glob.find(std::string{glob[i + 1], ']'}, i + 2)
                : std::string_view::npos;
        if (named != std::string_view::npos)
            i = named + 2;
        else
            i += glob[i] == '\\' ? 2 : 1;
    }
    return at;
}

Automaton automaton_of(std::string_view glob) {
    Automaton a{.atoms = {}, .loops = {false}};
    for (std::size_t i = 0; i < glob.size();) {
        std::size_t end = i + 1;
        if (glob[i] == '*') {
            a.loops.back() = true;
            i = end;
            continue;
        }
        if (glob[i] == '\\') end = i + 2;
        if (glob[i] == '[') end = std::max(end, bracket_end(glob, i));
        std::string atom(glob.substr(i, end - i));
        if (atom == "[") atom = "\\[";
        a.atoms.push_back(std::move(atom));
        a.loops.push_back(false);
        i = end;
    }
    return a;
}

void place(const Automaton& a, std::size_t first, sp_globs& group) {
    const auto bit = [first](std::size_t state) { return std::uint64_t{1} << (first + state); };
    group.starts |= bit(0);
    group.accepts |= bit(a.atoms.size());
    for (std::size_t state = 0; state < a.loops.size(); ++state)
        if (a.loops[state]) group.loops |= bit(state);
    for (std::size_t state = 0; state < a.atoms.size(); ++state)
        for (unsigned c = 1; c < 256; ++c) {
            const char text[] = {static_cast<char>(c), 0};
            if (::fnmatch(a.atoms[state].c_str(), text, 0) == 0) group.takes[c] |= bit(state);
        }
}

} // namespace

Result<std::vector<sp_globs>> compile_globs(const std::vector<std::string>& globs) {
    std::vector<sp_globs> groups;
    std::size_t used = kStates;
    for (const std::string& glob : globs) {
        const Automaton a = automaton_of(glob);
        if (a.atoms.size() > kNameMax) continue; // longer than any name
        if (used + a.loops.size() > kStates) {
            if (groups.size() == SP_GLOB_GROUPS)
                return fail(ErrorKind::invalid_input,
                            fmt::format("[host] interfaces has more names and globs than the "
                                        "kernel's table takes ({} words of 64 characters)",
                                        SP_GLOB_GROUPS),
                            "let one glob stand for several names");
            groups.emplace_back();
            used = 0;
        }
        place(a, used, groups.back());
        used += a.loops.size();
    }
    return groups;
}

bool matches(const std::vector<sp_globs>& groups, std::string_view name) {
    for (const sp_globs& group : groups) {
        std::uint64_t at = group.starts;
        for (const char c : name)
            at = (at & group.takes[static_cast<unsigned char>(c)]) << 1 | (at & group.loops);
        if (at & group.accepts) return true;
    }
    return false;
}

} // namespace sallyport
