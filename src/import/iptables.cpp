// SPDX-License-Identifier: Apache-2.0
// iptables-save and ip6tables-save, `iptables -S`, and what is written like them.
#include "import/iptables.h"

#include "base/text.h"
#include "import/import.h"
#include "import/ipset.h"
#include "import/iptables_words.h"
#include "import/spell.h"
#include "import/words.h"

#include <algorithm>

namespace sallyport::imported {

namespace {

constexpr std::size_t kMostRules = 10'000;

class Reader {
  public:
    Reader(Family family, const Tables& how) : how_(how) { done_.family = family; }

    Result<Ruleset> read(std::string_view text) {
        if (text.find('\0') != std::string_view::npos)
            return fail(ErrorKind::invalid_input, "this is no text: it has zero bytes");
        for (const Line& line : lines_of(text)) {
            line_ = line;
            Status read = read_line();
            if (!read)
                return fail(read.error().kind,
                            "line " + std::to_string(line.number) + ": " + read.error().message,
                            read.error().hint);
        }
        if (is_open_)
            return fail(ErrorKind::invalid_input,
                        "table " + table_ + " does not end: there is no COMMIT",
                        "take the whole of what iptables-save prints");
        if (rules_ == 0 && done_.chains.empty())
            return fail(ErrorKind::invalid_input, "there is no table and no chain in it",
                        "it should be what iptables-save or ip6tables-save prints");
        arrange();
        return std::move(done_);
    }

  private:
    Status read_line() {
        std::string_view text = line_.text;
        while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
        if (text.starts_with("### tuple ###")) tuple(text);
        if (text.empty() || text.starts_with('#')) {
            if (!text.starts_with("###")) called_.clear();
            return {};
        }
        if (text.starts_with('*')) return open_table(std::string(text.substr(1)));
        const auto words = words_of(text);
        if (!words) return fail(ErrorKind::invalid_input, "a quote does not end");
        if (words->front() == "COMMIT" && words->size() == 1) {
            is_open_ = false;
            return {};
        }
        if (how_.ignore.contains(line_.number)) return {};
        if (text.starts_with(':')) return chain(*words);
        return command(*words);
    }

    // "### tuple ### allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 Nginx%20Full - in comment=..."
    void tuple(std::string_view text) {
        called_.clear();
        const auto words = words_of(text).value_or(std::vector<std::string>{});
        if (words.size() >= 12 && words[9] != "-" && !words[9].starts_with("comment=")) {
            for (std::size_t i = 0; i < words[9].size(); ++i) {
                const bool is_blank = words[9].compare(i, 3, "%20") == 0;
                called_ += is_blank ? ' ' : words[9][i];
                if (is_blank) i += 2;
            }
        }
    }

    Status open_table(std::string name) {
        if (is_open_) return fail(ErrorKind::invalid_input, "table " + table_ + " has no COMMIT");
        while (name.ends_with(' ')) name.pop_back();
        static const std::set<std::string> known{"filter", "nat", "mangle", "raw", "security"};
        if (!known.contains(name))
            return fail(ErrorKind::invalid_input, "there is no table " + one_line(name, 60));
        table_ = std::move(name);
        is_open_ = true;
        return {};
    }

    // ":INPUT DROP [0:0]", ":mine - [0:0]"
    Status chain(const std::vector<std::string>& words) {
        if (words.size() < 2) return fail(ErrorKind::invalid_input, "a chain without a policy");
        Chain& made = chain_named(words[0].substr(1));
        return policy(made, words[1]);
    }

    Status policy(Chain& chain, const std::string& what) {
        if (what == "-") return {};
        if (what != "ACCEPT" && what != "DROP")
            return fail(ErrorKind::invalid_input,
                        "a policy is ACCEPT or DROP, not " + one_line(what));
        chain.policy = what == "ACCEPT" ? Target::accept : Target::drop;
        chain.policy_line = line_.number;
        return {};
    }

    Status command(const std::vector<std::string>& words) {
        std::size_t at = 0;
        if (words[0].starts_with('[') && words[0].ends_with(']')) at = 1; // counters
        if (words.size() < at + 2) return not_such_a_line();
        const std::string& what = words[at];
        const std::string& name = words[at + 1];
        if (what == "-P" && words.size() > at + 2) return policy(chain_named(name), words[at + 2]);
        if (what == "-N") {
            chain_named(name);
            return {};
        }
        if (what != "-A" && what != "--append") return not_such_a_line();
        if (++rules_ > kMostRules)
            return fail(ErrorKind::invalid_input,
                        "there are more than " + std::to_string(kMostRules) + " rules");
        append(chain_named(name), std::span(words).subspan(at + 2));
        return {};
    }

    static Status not_such_a_line() {
        return fail(ErrorKind::invalid_input, "this is no line of iptables-save",
                    "it should be what iptables-save or ip6tables-save prints");
    }

    void append(Chain& chain, std::span<const std::string> words) {
        ReadRule read = read_iptables_rule(words, done_.family, how_.sets);
        read.rule.line = line_.number;
        if (read.rule.name.empty()) read.rule.name = called_;
        read.rule.text = how_.tag + std::string(line_.text);
        recents_.push_back({&chain, chain.rules.size(), read.recent});
        const bool is_filtering = table_ != "nat" || read.is_rewriting;
        if (read.rule.target == Target::none && read.recent.act == Recent::Act::none)
            note(read.rule, is_filtering);
        // In nat's chains to be accepted is to be left alone.
        chain.rules.push_back(std::move(read.rule));
    }

    void note(const Rule& rule, bool is_filtering) {
        if (rule.chain.empty()) return; // it only counts
        Finding finding{
            .sort = Finding::Sort::note, .line = rule.line, .text = rule.text, .why = {}};
        if (!is_filtering)
            finding.why = "it rewrites addresses, and filters nothing: keep the nat table as it is";
        else if (rule.chain == "NOTRACK" || rule.chain == "CT")
            finding.why = "it is about conntrack, and filters nothing itself";
        else
            finding.why =
                rule.chain + " changes packets, or marks them, and filters nothing itself";
        done_.findings.push_back(std::move(finding));
    }

    Chain& chain_named(const std::string& name) {
        Chain& chain = done_.chains[key(name)];
        if (chain.name.empty())
            chain.name = how_.tag + (table_ == "filter" ? name : table_ + " " + name);
        return chain;
    }

    [[nodiscard]] std::string key(const std::string& name) const { return table_ + " " + name; }

    // Names become keys; hooks are put in netfilter's order.
    void arrange() {
        for (auto& [its_key, chain] : done_.chains) {
            const std::string table = its_key.substr(0, its_key.find(' '));
            for (Rule& rule : chain.rules)
                if (rule.target == Target::jump || rule.target == Target::go_to)
                    rule.chain = table + " " + rule.chain;
        }
        settle_recents();
        const auto add = [this](std::vector<std::string>& list,
                                std::initializer_list<const char*> keys) {
            for (const char* const base : keys)
                if (done_.chains.contains(base)) list.emplace_back(base);
        };
        add(done_.hooks[0], {"raw PREROUTING", "mangle PREROUTING", "mangle INPUT", "filter INPUT",
                             "security INPUT"});
        add(done_.hooks[1], {"raw OUTPUT", "mangle OUTPUT", "filter OUTPUT", "security OUTPUT",
                             "mangle POSTROUTING"});
        add(done_.hooks[2], {"raw PREROUTING", "mangle PREROUTING", "mangle FORWARD",
                             "filter FORWARD", "security FORWARD", "mangle POSTROUTING"});
        add(done_.rewriting[0], {"nat PREROUTING"});
        add(done_.rewriting[1], {"nat OUTPUT"});
        add(done_.rewriting[2], {"nat PREROUTING"});
        done_.sets = how_.sets;
    }

    struct Seen {
        Chain* chain;
        std::size_t index;
        Recent recent;
    };

    // `--set` before the check counts the packet that is checked; behind it, it does not.
    void settle_recents() {
        std::set<std::string> before;
        for (const Seen& seen : recents_) {
            const Recent& recent = seen.recent;
            if (recent.act == Recent::Act::none) continue;
            Rule& rule = seen.chain->rules[seen.index];
            if (recent.act == Recent::Act::set) {
                before.insert(recent.list);
                continue;
            }
            const bool is_set = std::ranges::any_of(recents_, [&](const Seen& other) {
                return other.recent.act == Recent::Act::set && other.recent.list == recent.list;
            });
            const auto checks =
                static_cast<std::uint64_t>(std::ranges::count_if(recents_, [&](const Seen& other) {
                    return other.recent.act == Recent::Act::check &&
                           other.recent.list == recent.list;
                }));
            // A list that several rules check is one for all; each gets its share.
            const std::uint64_t most =
                (recent.hits - (recent.hits > 0 && before.contains(recent.list) ? 1 : 0)) / checks;
            const bool refuses = rule.target == Target::drop || rule.target == Target::jump ||
                                 rule.target == Target::go_to;
            if (refuses && checks > 1 && most > 0)
                done_.findings.push_back({.sort = Finding::Sort::narrowed,
                                          .line = rule.line,
                                          .text = rule.text,
                                          .why = "the list " + recent.list + " is one for " +
                                                 std::to_string(checks) +
                                                 " rules; here each has its share of the number"});
            if (!refuses || rule.often || !is_set || recent.seconds == 0 || most == 0) {
                rule.unknown.push_back("-m recent of the list " + recent.list);
                continue;
            }
            rule.often = Often{.sort = Often::Sort::window,
                               .count = most,
                               .per = std::chrono::seconds(recent.seconds),
                               .burst = most,
                               .beyond = true};
        }
    }

    const Tables& how_;
    Ruleset done_;
    std::string table_ = "filter";
    bool is_open_ = false;
    std::string called_; // ufw's application, of the rules below its tuple
    Line line_;
    std::size_t rules_ = 0;
    std::vector<Seen> recents_; // chains of a map stay where they are
};

} // namespace

Result<Ruleset> read_iptables(std::string_view text, Family family, const Tables& how) {
    return Reader(family, how).read(text);
}

Result<Imported> import_iptables(std::string_view text, Family family, std::string_view other,
                                 const Options& options) {
    const Family second = family == Family::v4 ? Family::v6 : Family::v4;
    std::vector<Ruleset> rulesets;
    for (const auto& [its_text, its] : {std::pair{text, family}, std::pair{other, second}}) {
        const bool is_other = its != family;
        if (is_other && its_text.empty()) continue;
        Tables how;
        if (!is_other) how.ignore = options.ignore;
        if (is_other) how.tag = its == Family::v6 ? "IPv6 " : "IPv4 ";
        std::vector<Finding> findings;
        how.sets = SP_TRY(read_ipsets(options.ipsets, its, findings));
        Result<Ruleset> read = read_iptables(its_text, its, how);
        if (!read)
            return std::unexpected<Error>(std::move(read).error().context(
                is_other ? how.tag + "file" : std::string("the file")));
        read->findings.insert(read->findings.end(), findings.begin(), findings.end());
        if (!is_other && other.empty())
            read->findings.push_back(
                {.sort = Finding::Sort::note,
                 .line = 0,
                 .text = {},
                 .why = its == Family::v4
                            ? "nothing of IPv6 is let in or out: the file has no rules of it "
                              "(--ipv6 FILE, of ip6tables-save)"
                            : "nothing of IPv4 is let in or out: the file has no rules of it "
                              "(--ipv4 FILE, of iptables-save)"});
        rulesets.push_back(*std::move(read));
    }
    return import_rulesets(std::move(rulesets),
                           family == Family::v4 ? "iptables-save" : "ip6tables-save", options);
}

} // namespace sallyport::imported
