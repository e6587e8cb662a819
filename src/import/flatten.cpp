// SPDX-License-Identifier: Apache-2.0
#include "import/flatten.h"

#include <algorithm>
#include <functional>

namespace sallyport::imported {

namespace {

constexpr std::size_t kMostEntries = 100'000;
constexpr std::size_t kMostBoxes = 4096; // that are left of one by returns
constexpr unsigned kDeepest = 64;

// What holds for all that a chain is asked about, because of how it came there.
struct Way {
    std::vector<std::string> unknown;
    std::optional<Often> often;
};

// Some of these packets have left the chain; which, nobody knows.
struct MayHaveLeft {
    Box box;
    std::string why;
    std::optional<Often> often; // those within it
};

class Walk {
  public:
    Walk(const Ruleset& rules, const std::vector<std::string>& stages)
        : rules_(rules), stages_(stages) {}

    Status stage(std::size_t index, const Box& box, const Way& way) {
        if (index == stages_.size()) return {};
        const Chain& chain = rules_.chains.at(stages_[index]);
        SP_TRY(walk(chain, {box}, way, index, 0));
        Rule policy;
        policy.line = chain.policy_line;
        policy.text = "policy of " + chain.name;
        policy.target = chain.policy.value_or(Target::accept);
        return ends(chain, policy, box, way, index, true);
    }
    std::vector<Entry> take() { return std::move(entries_); }

  private:
    Status add(Entry entry) {
        if (entries_.size() == kMostEntries)
            return fail(ErrorKind::invalid_input,
                        "its chains come to more than " + std::to_string(kMostEntries) + " rules");
        entries_.push_back(std::move(entry));
        return {};
    }

    // A rule that decides, or logs.
    Status ends(const Chain& chain, const Rule& rule, const Box& box, const Way& way,
                std::size_t index, bool is_policy) {
        Way its = way;
        its.unknown.insert(its.unknown.end(), rule.unknown.begin(), rule.unknown.end());
        if (rule.often && its.often)
            its.unknown.emplace_back("it stands behind two limits");
        else if (rule.often)
            its.often = rule.often;
        if (rule.target == Target::accept && index + 1 < stages_.size())
            return stage(index + 1, box, its);
        const Says says = rule.target == Target::accept ? Says::accept
                          : rule.target == Target::log  ? Says::log
                                                        : Says::drop;
        return add({.says = says,
                    .box = box,
                    .line = rule.line,
                    .text = rule.text,
                    .name = rule.name,
                    .chain = chain.name,
                    .unknown = std::move(its.unknown),
                    .often = its.often,
                    .is_policy = is_policy,
                    .is_taken = false});
    }

    // Of `boxes`, what is in the rule's; each part with what may have left before.
    Status meet(const Chain& chain, const Rule& rule, const std::vector<Box>& boxes,
                const std::vector<MayHaveLeft>& left, const Way& way, std::size_t index,
                unsigned depth) {
        for (const Box& where : boxes)
            for (const Box& asked : rule.boxes) {
                const Box box = where & asked;
                if (box.is_empty()) continue;
                SP_TRY(split(chain, rule, box, left, 0, way, index, depth));
            }
        return {};
    }

    Status split(const Chain& chain, const Rule& rule, const Box& box,
                 const std::vector<MayHaveLeft>& left, std::size_t from, const Way& way,
                 std::size_t index, unsigned depth) {
        for (std::size_t i = from; i < left.size(); ++i) {
            if (!left[i].box.meets(box)) continue;
            Way inside = way;
            if (left[i].often && !inside.often && rule.target != Target::accept) {
                inside.often = left[i].often; // what stays is beyond what may leave
                inside.often->beyond = !inside.often->beyond;
            } else {
                inside.unknown.push_back(left[i].why);
            }
            SP_TRY(split(chain, rule, box & left[i].box, left, i + 1, inside, index, depth));
            for (const Box& rest : box - left[i].box)
                SP_TRY(split(chain, rule, rest, left, i + 1, way, index, depth));
            return {};
        }
        if (rule.target != Target::jump && rule.target != Target::go_to)
            return ends(chain, rule, box, way, index, false);
        const auto called = rules_.chains.find(rule.chain);
        if (called == rules_.chains.end())
            return fail(ErrorKind::invalid_input,
                        "line " + std::to_string(rule.line) + ": there is no chain " + rule.chain);
        Way its = way;
        its.unknown.insert(its.unknown.end(), rule.unknown.begin(), rule.unknown.end());
        if (rule.often && its.often)
            its.unknown.emplace_back("it stands behind two limits");
        else if (rule.often)
            its.often = rule.often;
        return walk(called->second, {box}, its, index, depth + 1);
    }

    Status walk(const Chain& chain, std::vector<Box> boxes, const Way& way, std::size_t index,
                unsigned depth) {
        if (depth > kDeepest)
            return fail(ErrorKind::invalid_input,
                        "the chain " + chain.name + " calls itself, or is called too deep");
        if (++steps_ > kMostEntries)
            return fail(ErrorKind::invalid_input, "its chains call each other too often");
        std::vector<MayHaveLeft> left;
        for (const Rule& rule : chain.rules) {
            if (boxes.empty()) return {};
            if (rule.target == Target::none || rule.target == Target::rewrite) continue;
            if (rule.target != Target::back)
                SP_TRY(meet(chain, rule, boxes, left, way, index, depth));
            if (rule.target != Target::back && rule.target != Target::go_to) continue;
            if (!rule.unknown.empty() || rule.often) {
                for (const Box& box : rule.boxes)
                    left.push_back({box, "line " + std::to_string(rule.line) + " before it",
                                    rule.unknown.empty() ? rule.often : std::nullopt});
                continue;
            }
            for (const Box& box : rule.boxes) SP_TRY(leave(boxes, box));
        }
        return {};
    }

    static Status leave(std::vector<Box>& boxes, const Box& gone) {
        std::vector<Box> stay;
        for (const Box& box : boxes) {
            const std::vector<Box> rest = box - gone;
            stay.insert(stay.end(), rest.begin(), rest.end());
            if (stay.size() > kMostBoxes)
                return fail(ErrorKind::invalid_input, "too many rules return from one chain");
        }
        boxes = std::move(stay);
        return {};
    }

    const Ruleset& rules_;
    const std::vector<std::string>& stages_;
    std::vector<Entry> entries_;
    std::size_t steps_ = 0;
};

} // namespace

Result<std::vector<Entry>> flatten(const Ruleset& rules,
                                   const std::vector<std::string>& base_chains) {
    Walk walk(rules, base_chains);
    const Status done = walk.stage(0, everything(rules.family), {});
    if (!done) return std::unexpected<Error>(done.error());
    std::vector<Entry> entries = walk.take();
    if (base_chains.empty())
        entries.push_back({.says = Says::accept,
                           .box = everything(rules.family),
                           .line = 0,
                           .text = "no chain of the file judges these packets",
                           .name = {},
                           .chain = {},
                           .unknown = {},
                           .often = {},
                           .is_policy = true,
                           .is_taken = false});
    return entries;
}

} // namespace sallyport::imported
