// SPDX-License-Identifier: Apache-2.0
#include "import/nft_rule.h"

#include "import/match.h"

#include <algorithm>
#include <set>

namespace sallyport::imported {

namespace {

constexpr std::size_t kMostBoxes = 4096;

class Reader {
  public:
    explicit Reader(const NftPlace& place) : place_(place) {
        rule_.line = place.line;
        rule_.text = place.text;
        rule_.name = place.comment;
        rule_.boxes = {everything(place.family)};
    }

    std::vector<Rule> take(const Json& expressions) {
        for (const Json& expression : expressions) {
            if (!expression.is_object() || expression.empty()) continue;
            const std::string what = expression.begin().key();
            read(what, expression.begin().value());
        }
        return std::move(made_);
    }

  private:
    void unknown(const std::string& what) { rule_.unknown.push_back(what); }

    void narrow(Rule& rule, const std::vector<Box>& to) const {
        std::vector<Box> both;
        for (const Box& box : rule.boxes)
            for (const Box& other : to)
                if (Box common = box & other; !common.is_empty()) both.push_back(std::move(common));
        if (both.size() > kMostBoxes)
            rule.unknown.emplace_back("more than can be told apart");
        else
            rule.boxes = std::move(both);
    }

    void read(const std::string& what, const Json& value) {
        static const std::set<std::string> verdicts{"accept",   "drop",   "reject", "return",
                                                    "jump",     "goto",   "queue",  "dnat",
                                                    "redirect", "tproxy", "notrack"};
        static const std::set<std::string> quiet{
            "counter",   "snat",  "masquerade", "mangle",         "flow",    "continue",
            "ct helper", "quota", "ct timeout", "ct expectation", "secmark", "dup"};
        if (what == "match")
            match(value);
        else if (what == "vmap")
            verdict_map(value);
        else if (what == "log")
            add(rule_, Target::log);
        else if (what == "limit")
            limit(value, Often::Sort::total);
        else if (what == "set" || what == "meter")
            dynamic(value);
        else if (verdicts.contains(what))
            verdict(rule_, what, value);
        else if (!quiet.contains(what) || what == "quota")
            unknown(what);
    }

    void match(const Json& value) {
        const std::string op = value.value("op", "==");
        const Json& left = value.at("left");
        const Json& right = value.at("right");
        if (left.contains("payload") && left["payload"].value("field", "") == "hoplimit" &&
            right == 255 && op == "==" && only_neighbours())
            return;
        // "in" of flags is any of them; of states it is one.
        const bool is_flags =
            left.contains("payload") && left["payload"].value("field", "") == "flags";
        if ((op != "==" && op != "!=" && op != "in") || (is_flags && op == "in"))
            return unknown(left.dump() + " " + op);
        const auto boxes =
            nft_boxes(left, flags_together(left, right), op == "!=", place_.family, *place_.sets);
        if (!boxes) return unknown(left.dump() + " " + op + " " + right.dump());
        narrow(rule_, *boxes);
    }

    // `tcp flags == fin,syn` means both at once, not either.
    static Json flags_together(const Json& left, const Json& right) {
        const bool is_mask = left.contains("&");
        const bool is_flags =
            is_mask || (left.contains("payload") && left["payload"].value("field", "") == "flags");
        if (!is_flags || !right.is_array()) return right;
        std::string names;
        for (const Json& name : right)
            names += (names.empty() ? "" : ",") + name.get<std::string>();
        return names;
    }

    bool only_neighbours() const {
        const RangeSet neighbours = ports_of(kIcmp6, 133 << 8, (137 << 8) + 255);
        return std::ranges::all_of(
            rule_.boxes, [&](const Box& box) { return neighbours.covers(box[Dim::service]); });
    }

    void limit(const Json& value, Often::Sort sort) {
        Often often{.sort = sort};
        static const std::map<std::string, unsigned> spans{
            {"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}, {"week", 604800}};
        const auto span = spans.find(value.value("per", "second"));
        if (rule_.often || span == spans.end() || value.contains("rate_unit"))
            return unknown("limit " + value.dump());
        often.count = value.value("rate", 0u);
        often.per = std::chrono::seconds(span->second);
        often.burst = value.value("burst", 5u);
        if (often.burst == 0) often.burst = 5;
        often.beyond = value.value("inv", false);
        if (often.count == 0) return unknown("limit " + value.dump());
        rule_.often = often;
    }

    // A bucket, or a count, for each source.
    void dynamic(const Json& value) {
        const Json statements = value.contains("stmt") ? value["stmt"] : Json::array();
        if (!statements.is_array()) return unknown(value.dump());
        if (statements.empty()) return; // it only remembers
        Json key = value.contains("elem") ? value["elem"] : value.value("key", Json());
        if (key.is_object() && key.contains("elem")) key = key["elem"].at("val");
        const bool is_source = key.is_object() && key.contains("payload") &&
                               key["payload"].value("field", "") == "saddr";
        const Json& statement = statements.at(0);
        if (!is_source || statements.size() != 1) return unknown(value.dump());
        if (statement.contains("limit")) return limit(statement["limit"], Often::Sort::rate);
        if (!statement.contains("ct count") || rule_.often) return unknown(value.dump());
        const Json& count = statement["ct count"];
        rule_.often = Often{.sort = Often::Sort::connections,
                            .count = count.value("val", 0u),
                            .beyond = count.value("inv", false)};
        if (rule_.often->count == 0) unknown(value.dump());
    }

    void verdict_map(const Json& value) {
        Json data = value.at("data");
        if (data.is_string() && data.get<std::string>().starts_with('@')) {
            const auto named = place_.sets->find(data.get<std::string>().substr(1));
            data = named == place_.sets->end() ? Json() : named->second;
        } else if (data.contains("set")) {
            data = data["set"];
        }
        const bool is_known = data.is_array();
        if (!is_known) {
            Rule all = rule_;
            all.unknown.push_back("a map that is not known: " + value.dump());
            return verdict(all, "drop", {});
        }
        for (const Json& pair : data) {
            Rule rule = rule_;
            const auto boxes = nft_boxes(value.at("key"), Json::array({pair.at(0)}), false,
                                         place_.family, *place_.sets);
            if (boxes)
                narrow(rule, *boxes);
            else
                rule.unknown.push_back(value.at("key").dump() + " " + pair.at(0).dump());
            const Json& its = pair.at(1);
            if (!its.is_object() || its.empty()) continue;
            verdict(rule, its.begin().key(), its.begin().value());
        }
    }

    void verdict(Rule& rule, const std::string& what, const Json& value) {
        if (what == "accept") return add(rule, Target::accept);
        if (what == "return") return add(rule, Target::back);
        if (what == "continue") return;
        if (what == "dnat" || what == "redirect" || what == "tproxy")
            return add(rule, Target::rewrite);
        if (what == "jump" || what == "goto") {
            rule.chain = place_.table + " " + value.at("target").get<std::string>();
            return add(rule, what == "jump" ? Target::jump : Target::go_to);
        }
        if (what == "queue") rule.unknown.emplace_back("queue asks a program");
        if (what == "notrack")
            rule.unknown.emplace_back("its packets have no connection, and pass by the rules for "
                                      "these");
        add(rule, Target::drop);
    }

    void add(const Rule& rule, Target target) {
        Rule made = rule;
        made.target = target;
        if (target == Target::log) made.often.reset();
        made_.push_back(std::move(made));
    }

    const NftPlace& place_;
    Rule rule_;
    std::vector<Rule> made_;
};

} // namespace

std::vector<Rule> read_nft_rule(const Json& expressions, const NftPlace& place) {
    return Reader(place).take(expressions);
}

} // namespace sallyport::imported
