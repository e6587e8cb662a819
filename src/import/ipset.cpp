// SPDX-License-Identifier: Apache-2.0
#include "import/ipset.h"

#include "base/text.h"
#include "import/match.h"
#include "import/spell.h"
#include "import/words.h"

#include <algorithm>

namespace sallyport::imported {

namespace {

struct Set {
    std::string type;
    bool is_v6 = false;
    std::vector<Range> in;
    RangeSet except;                  // nomatch
    std::vector<std::string> members; // of list:set
    bool is_timed = false;
};

Status bad_line(const Line& line, const std::string& why) {
    return fail(ErrorKind::invalid_input, "ipset, line " + std::to_string(line.number) + ": " + why,
                "it should be what `ipset save` prints");
}

bool has(const std::vector<std::string>& words, const char* word) {
    return std::ranges::find(words, word) != words.end();
}

bool is_of_addresses(const std::string& type) {
    return type == "hash:ip" || type == "hash:net" || type == "bitmap:ip";
}

Status add(Set& set, const std::vector<std::string>& words, Family family, const Line& line) {
    if (has(words, "timeout")) set.is_timed = true;
    if (set.type == "list:set") {
        set.members.push_back(words[2]);
        return {};
    }
    if (!is_of_addresses(set.type) || set.is_v6 != (family == Family::v6)) return {};
    auto range = addresses(words[2], family);
    if (!range) range = address_range(words[2], family);
    if (!range) return bad_line(line, "no address: " + one_line(words[2], 60));
    if (has(words, "nomatch"))
        set.except = set.except | *range;
    else
        set.in.insert(set.in.end(), range->ranges().begin(), range->ranges().end());
    return {};
}

} // namespace

Result<std::map<std::string, RangeSet>> read_ipsets(std::string_view text, Family family,
                                                    std::vector<Finding>& findings) {
    std::map<std::string, Set> read;
    for (const Line& line : lines_of(text)) {
        const auto words = words_of(line.text);
        if (!words) return std::unexpected<Error>(bad_line(line, "a quote does not end").error());
        if (words->empty() || words->front().starts_with('#')) continue;
        if (words->size() < 3 || (words->front() != "create" && words->front() != "add"))
            return std::unexpected<Error>(bad_line(line, "neither create nor add").error());
        const std::string& name = (*words)[1];
        if (words->front() == "create") {
            Set made;
            made.type = (*words)[2];
            made.is_v6 = has(*words, "inet6");
            read[name] = std::move(made);
            continue;
        }
        if (!read.contains(name))
            return std::unexpected<Error>(bad_line(line, "a set that was not created").error());
        SP_TRY(add(read[name], *words, family, line));
    }
    std::map<std::string, RangeSet> sets;
    for (const auto& [name, set] : read) {
        if (!is_of_addresses(set.type) || set.is_v6 != (family == Family::v6)) continue;
        sets[name] = RangeSet(set.in) - set.except;
        if (set.is_timed)
            findings.push_back({.sort = Finding::Sort::note,
                                .line = 0,
                                .text = "ipset " + name,
                                .why = "its members time out; they are taken as they were saved"});
    }
    for (const auto& [name, set] : read) {
        if (set.type != "list:set") continue;
        RangeSet all;
        bool is_known = true;
        for (const std::string& member : set.members) {
            is_known = is_known && read.contains(member) &&
                       (sets.contains(member) || is_of_addresses(read[member].type));
            if (sets.contains(member)) all = all | sets[member];
        }
        if (is_known) sets[name] = all;
    }
    return sets;
}

} // namespace sallyport::imported
