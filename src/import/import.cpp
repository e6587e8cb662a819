// SPDX-License-Identifier: Apache-2.0
#include "import/import.h"

#include "import/answers.h"
#include "import/openings.h"
#include "import/render.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace sallyport::imported {

namespace {

constexpr std::array kDirections{Direction::ingress, Direction::egress, Direction::forward};

void add_once(std::vector<Finding>& findings, Finding finding) {
    if (std::ranges::find(findings, finding) == findings.end())
        findings.push_back(std::move(finding));
}

// A port that is rewritten on the way is asked for by its old number here, and the rules
// of the source are for the new one.
Status refuse_rewritten(const Ruleset& rules, Lists& lists, std::vector<Finding>& findings) {
    Ruleset seen = rules;
    for (auto& [key, chain] : seen.chains)
        for (Rule& rule : chain.rules)
            if (rule.target == Target::rewrite) rule.target = Target::drop;
    for (std::size_t i = 0; i < lists.size(); ++i) {
        std::vector<Entry> found;
        for (const std::string& base : rules.rewriting[i]) {
            const std::vector<Entry> list = SP_TRY(flatten(seen, {base}));
            std::ranges::copy_if(list, std::back_inserter(found), [](const Entry& e) {
                return e.says == Says::drop && !e.is_policy;
            });
        }
        for (Entry& entry : found) {
            add_once(findings,
                     {.sort = Finding::Sort::not_carried,
                      .line = entry.line,
                      .text = entry.text,
                      .why = "it changes where packets go before they are judged; here the address "
                             "and port that were asked for are judged, and no rule is made for "
                             "them: keep the nat table, and write that rule"});
            entry.unknown.clear();
            entry.often.reset();
            entry.is_taken = true;
        }
        lists[i].insert(lists[i].begin(), found.begin(), found.end());
    }
    return {};
}

void tell_open(const Lists& lists, std::vector<Finding>& findings) {
    static constexpr std::array kWhat{"in", "out", "through"};
    for (std::size_t i = 0; i < lists.size(); ++i)
        for (const Entry& entry : lists[i]) {
            if (!entry.is_policy || entry.says != Says::accept) continue;
            add_once(findings,
                     {.sort = Finding::Sort::note,
                      .line = entry.line,
                      .text = entry.text,
                      .why = std::string("OPEN: the source lets ") + kWhat[i] +
                             " whatever no rule of it drops, and so does the rule for \"any\" that "
                             "is made of this; replace it by rules for what is needed"});
        }
}

Status import_one(const Ruleset& rules, Draft& draft) {
    Lists lists;
    for (std::size_t i = 0; i < lists.size(); ++i)
        lists[i] = SP_TRY(flatten(rules, rules.hooks[i]));
    draft.icmp_errors = draft.icmp_errors && lets_errors(lists, rules.family);
    if (rules.family == Family::v6) draft.neighbours = lets_neighbours(lists);
    tell_open(lists, draft.findings);
    SP_TRY(refuse_rewritten(rules, lists, draft.findings));
    for (const Direction direction : kDirections) {
        Openings made = openings_of(
            lists[static_cast<std::size_t>(direction)], direction, rules.family,
            [&](const Box& box) { return unanswered(lists, direction, rules.family, box); });
        for (Opening& opening : made.rules)
            add_opening(draft, std::move(opening), direction, rules.family);
        for (Finding& finding : made.findings) add_once(draft.findings, std::move(finding));
    }
    for (const auto& [name, set] : rules.sets) draft.sets[rules.family].emplace(name, set);
    return {};
}

} // namespace

bool Imported::is_whole() const {
    return std::ranges::all_of(findings,
                               [](const Finding& f) { return f.sort == Finding::Sort::note; });
}

Result<Imported> import_rulesets(std::vector<Ruleset> rulesets, const std::string& source,
                                 const Options& options) {
    Draft draft;
    draft.source = source;
    draft.interfaces =
        options.interfaces.empty() ? std::vector<std::string>{"*"} : options.interfaces;
    for (const Ruleset& rules : rulesets) {
        for (const Finding& finding : rules.findings) add_once(draft.findings, finding);
        SP_TRY(import_one(rules, draft));
    }
    std::ranges::sort(draft.findings, {}, [](const Finding& finding) {
        return std::tie(finding.line, finding.sort, finding.text, finding.why);
    });
    Imported done;
    done.policy = render_policy(draft);
    done.rules = draft.rules.size();
    done.findings = std::move(draft.findings);
    return done;
}

} // namespace sallyport::imported
