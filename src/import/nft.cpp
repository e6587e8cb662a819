// SPDX-License-Identifier: Apache-2.0
// `nft -j list ruleset`: a list of tables, chains, sets and rules. "Line" is a rule's place in
// that list; its handle is said beside it.
#include "base/json_words.h"
#include "base/text.h"
#include "import/import.h"
#include "import/nft_rule.h"
#include "import/spell.h"

#include <algorithm>
#include <array>

namespace sallyport::imported {

namespace {

constexpr std::size_t kMostRules = 10'000;
constexpr int kDeepest = 64;

struct Base {
    std::string key;
    std::string hook;
    std::string type;
    long priority = 0;
};

class Reader {
  public:
    Reader(Family family, const std::set<unsigned>& ignore) : ignore_(ignore) {
        done_.family = family;
    }

    // Throws what nlohmann throws.
    Result<Ruleset> read(const Json& list) {
        for (const Json& object : list) collect(object);
        unsigned place = 0;
        for (const Json& object : list) {
            ++place;
            if (!object.contains("rule") || ignore_.contains(place)) continue;
            if (++rules_ > kMostRules)
                return fail(ErrorKind::invalid_input, "there are too many rules");
            rule(object["rule"], place);
        }
        arrange();
        return std::move(done_);
    }
    [[nodiscard]] bool has_chains() const { return !done_.chains.empty(); }

  private:
    [[nodiscard]] bool is_ours(const std::string& family) const {
        return family == "inet" || family == (done_.family == Family::v4 ? "ip" : "ip6");
    }

    static std::string table_of(const Json& object) {
        return object.value("family", "") + " " + object.value("table", "");
    }

    void collect(const Json& object) {
        if (object.contains("chain")) return chain(object["chain"]);
        for (const char* const kind : {"set", "map"})
            if (object.contains(kind)) {
                const Json& set = object[kind];
                sets_[table_of(set)][set.value("name", "")] = set.value("elem", Json::array());
                if (set.contains("timeout") ||
                    set.value("flags", Json()).dump().find("dynamic") != std::string::npos)
                    done_.findings.push_back(
                        {.sort = Finding::Sort::note,
                         .line = 0,
                         .text = "set " + table_of(set) + " " + set.value("name", ""),
                         .why = "its members come and go; they are taken as they were listed"});
            }
    }

    void chain(const Json& chain) {
        const std::string family = chain.value("family", "");
        const std::string key = table_of(chain) + " " + chain.value("name", "");
        if (!is_ours(family)) {
            if ((family == "netdev" || family == "bridge") && chain.contains("hook"))
                done_.findings.push_back(
                    {.sort = Finding::Sort::not_carried,
                     .line = 0,
                     .text = "chain " + key,
                     .why = "it judges frames, before IP is routed: what it drops is not dropped "
                            "here"});
            return;
        }
        Chain& made = done_.chains[key];
        made.name = chain.value("name", "");
        if (!chain.contains("hook")) return;
        made.policy = chain.value("policy", "accept") == "drop" ? Target::drop : Target::accept;
        const long priority = chain.value("prio", 0L);
        const auto behind = std::ranges::upper_bound(bases_, priority, {}, &Base::priority);
        bases_.insert(behind, {.key = key,
                               .hook = chain.value("hook", ""),
                               .type = chain.value("type", ""),
                               .priority = priority});
    }

    void rule(const Json& rule, unsigned place) {
        if (!is_ours(rule.value("family", ""))) return;
        const std::string table = table_of(rule);
        const auto chain = done_.chains.find(table + " " + rule.value("chain", ""));
        if (chain == done_.chains.end()) return;
        const Json expressions = rule.value("expr", Json::array());
        const NftPlace where{.family = done_.family,
                             .table = table,
                             .sets = &sets_[table],
                             .line = place,
                             .text =
                                 table + " " + rule.value("chain", "") + " handle " +
                                 std::to_string(rule.value("handle", 0)) + ": " +
                                 expressions.dump(-1, ' ', true, Json::error_handler_t::replace),
                             .comment = rule.value("comment", "")};
        for (Rule& made : read_nft_rule(expressions, where))
            chain->second.rules.push_back(std::move(made));
    }

    void arrange() {
        constexpr std::array<std::array<const char*, 3>, 3> hooks{
            {{"prerouting", "input", ""},
             {"output", "postrouting", ""},
             {"prerouting", "forward", "postrouting"}}};
        for (std::size_t i = 0; i < hooks.size(); ++i)
            for (const char* const hook : hooks[i])
                for (const Base& base : bases_) {
                    if (base.hook != hook) continue;
                    if (base.type != "nat")
                        done_.hooks[i].push_back(base.key);
                    else if (base.hook == "prerouting" || base.hook == "output")
                        done_.rewriting[i].push_back(base.key);
                }
    }

    const std::set<unsigned>& ignore_;
    std::size_t rules_ = 0;
    Ruleset done_;
    std::map<std::string, NamedElements> sets_;
    std::vector<Base> bases_;
};

Result<Imported> import_list(const Json& list, const Options& options) {
    std::vector<Ruleset> rulesets;
    for (const Family family : {Family::v4, Family::v6}) {
        Ruleset read = SP_TRY(Reader(family, options.ignore).read(list));
        if (read.chains.empty()) {
            if (!rulesets.empty() || family == Family::v4)
                read.findings.push_back(
                    {.sort = Finding::Sort::not_carried,
                     .line = 0,
                     .text = {},
                     .why = family == Family::v4
                                ? "no chain judges IPv4, so the source lets all of it pass; "
                                  "nothing of it is let in or out here"
                                : "no chain judges IPv6, so the source lets all of it pass; "
                                  "nothing of it is let in or out here"});
            for (auto& hook : read.hooks) hook = {"closed"};
            read.chains["closed"] =
                Chain{.name = "closed", .rules = {}, .policy = Target::drop, .policy_line = 0};
        }
        rulesets.push_back(std::move(read));
    }
    if (std::ranges::all_of(rulesets, [](const Ruleset& r) { return r.chains.contains("closed"); }))
        return fail(ErrorKind::invalid_input, "there is no chain in it",
                    "it should be what `nft -j list ruleset` prints");
    return import_rulesets(std::move(rulesets), "nft -j list ruleset", options);
}

} // namespace

Result<Imported> import_nft(std::string_view text, const Options& options) {
    try {
        bool is_deep = false; // what is printed of it is printed by recursion
        const Json all = Json::parse(text, [&is_deep](int depth, Json::parse_event_t, Json&) {
            is_deep = is_deep || depth > kDeepest;
            return depth <= kDeepest;
        });
        if (is_deep) return fail(ErrorKind::invalid_input, "it is nested deeper than nft prints");
        if (!all.is_object() || !all.contains("nftables") || !all["nftables"].is_array())
            return fail(ErrorKind::invalid_input, "there is no list \"nftables\" in it",
                        "it should be what `nft -j list ruleset` prints");
        return import_list(all["nftables"], options);
    } catch (const Json::exception& error) {
        return fail(ErrorKind::invalid_input,
                    std::string("this is not what nft prints: ") +
                        one_line(json_words(error.what()), 200),
                    "it should be what `nft -j list ruleset` prints");
    }
}

} // namespace sallyport::imported
