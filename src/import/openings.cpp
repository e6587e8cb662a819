// SPDX-License-Identifier: Apache-2.0
// First match to no order. A drop that something behind it would let in becomes a deny
// rule of what nothing before it let in; where a deny rule cannot say that, what it drops
// is taken out of each accept behind it.
#include "import/openings.h"

#include "import/spell.h"

#include <algorithm>
#include <iterator>

namespace sallyport::imported {

namespace {

constexpr std::size_t kMostDenies = 4;   // for one drop
constexpr std::size_t kMostPieces = 256; // of one accept

struct Cut {
    Box box;
    unsigned line = 0;
};

// What is dropped beyond some number.
struct Throttle {
    Box box;
    Often often;
    unsigned line = 0;
    std::string text;
    std::size_t rules = 0; // of ours that it holds for
};

struct Piece {
    Box box;
    std::vector<std::size_t> throttles;
    std::vector<unsigned> less_by;
};

struct Made {
    Opening opening;
    std::vector<std::size_t> throttles;
    bool lets_through = false; // what is beyond its own limit goes on to the next entry
};

template <typename List, typename Value> bool holds(const List& list, const Value& value) {
    return std::ranges::find(list, value) != list.end();
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

class Ordering {
  public:
    Ordering(const std::vector<Entry>& entries, Direction direction, Family family,
             const AskAnswers& ask_answers)
        : entries_(entries), direction_(direction), family_(family), ask_answers_(ask_answers),
          open_(openers(direction, family)) {}

    Openings take() {
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            const Entry& entry = entries_[i];
            const Box box = entry.box & open_;
            if (box.is_empty()) continue;
            switch (entry.says) {
            case Says::log:
                if (entry.unknown.empty()) logs_.push_back(box);
                break;
            case Says::drop:
                drop(i, entry, box);
                break;
            case Says::accept:
                accept(i, entry, box);
                break;
            }
        }
        share_throttles();
        return std::move(done_);
    }

  private:
    void tell(Finding::Sort sort, const Entry& entry, std::string why) {
        Finding finding{
            .sort = sort, .line = entry.line, .text = entry.text, .why = std::move(why)};
        if (!holds(done_.findings, finding)) done_.findings.push_back(std::move(finding));
    }

    // Does the entry's match hold for packets of open connections too?
    bool counts_all_packets(std::size_t index, const Entry& entry) const {
        std::vector<Box> left{entry.box & followers(family_)};
        for (std::size_t i = 0; i < index && !left.empty(); ++i) {
            const Entry& before = entries_[i];
            if (before.says == Says::log || !before.unknown.empty() || before.often) continue;
            std::vector<Box> rest;
            for (const Box& box : left)
                for (Box& piece : box - before.box) rest.push_back(std::move(piece));
            left = std::move(rest);
        }
        return std::ranges::any_of(left, [](const Box& box) { return !box.is_empty(); });
    }

    // Why the entry's limit cannot be one of ours; empty: it can.
    std::string limit_obstacle(std::size_t index, const Entry& entry) const {
        if (direction_ != Direction::ingress) return "only an ingress rule here has limits";
        if (entry.often->beyond != (entry.says == Says::drop))
            return "a limit here lets in what is within it, not what is beyond";
        if (entry.often->sort != Often::Sort::connections && counts_all_packets(index, entry))
            return "it counts each packet of an open connection, and a limit here only new ones: "
                   "put it behind the rule for ESTABLISHED";
        return {};
    }

    void drop(std::size_t index, const Entry& entry, const Box& box) {
        if (!is_asked_later(index, box)) return;
        std::vector<std::string> unknown = entry.unknown;
        if (entry.often) {
            std::string why = limit_obstacle(index, entry);
            if (why.empty() && unknown.empty()) {
                throttles_.push_back(
                    {.box = box, .often = *entry.often, .line = entry.line, .text = entry.text});
                return;
            }
            if (!why.empty()) unknown.push_back(std::move(why));
        }
        if (!unknown.empty())
            tell(Finding::Sort::narrowed, entry,
                 "it drops some packets only (" + joined(unknown) +
                     "); here all that the rest of the line matches is refused");
        std::vector<Box> refused = without_allowed({box});
        const bool can_deny = !entry.is_taken && refused.size() <= kMostDenies &&
                              std::ranges::all_of(refused, [this](const Box& piece) {
                                  return obstacle(piece, direction_, family_, true).empty();
                              });
        if (!can_deny) {
            cuts_.push_back({box, entry.line});
            return;
        }
        for (Box& piece : refused) {
            Opening deny = opening(entry, std::move(piece));
            deny.deny = true;
            done_.rules.push_back(std::move(deny));
        }
    }

    bool is_asked_later(std::size_t index, const Box& box) const {
        for (std::size_t i = index + 1; i < entries_.size(); ++i)
            if (entries_[i].says == Says::accept && entries_[i].box.meets(box)) return true;
        return false;
    }

    std::vector<Box> without_allowed(std::vector<Box> boxes) const {
        for (const Made& made : made_) {
            std::vector<Box> rest;
            for (const Box& box : boxes)
                for (Box& piece : box - made.opening.box) rest.push_back(std::move(piece));
            boxes = std::move(rest);
            if (boxes.size() > kMostPieces) break;
        }
        return boxes;
    }

    static Opening opening(const Entry& entry, Box box) {
        Opening made;
        made.box = std::move(box);
        made.line = entry.line;
        made.text = entry.text;
        made.name = entry.name;
        made.chain = entry.chain;
        made.is_policy = entry.is_policy;
        return made;
    }

    void accept(std::size_t index, const Entry& entry, const Box& box) {
        std::vector<std::string> unknown = entry.unknown;
        if (entry.often)
            if (std::string why = limit_obstacle(index, entry); !why.empty())
                unknown.push_back(std::move(why));
        if (!unknown.empty()) return tell(Finding::Sort::not_carried, entry, joined(unknown));
        std::vector<Piece> pieces{{.box = box, .throttles = {}, .less_by = {}}};
        std::size_t own = throttles_.size();
        if (entry.often) {
            throttles_.push_back(
                {.box = box, .often = *entry.often, .line = entry.line, .text = entry.text});
            pieces.front().throttles.push_back(own);
        }
        for (const Cut& cut : cuts_) pieces = without(std::move(pieces), cut.box, cut.line);
        for (std::size_t i = 0; i < own; ++i) pieces = throttled(std::move(pieces), i);
        pieces = answered(std::move(pieces), entry);
        pieces = beside_allowed(std::move(pieces), entry);
        if (pieces.size() > kMostPieces)
            return tell(Finding::Sort::not_carried, entry,
                        "what lines before it drop leaves too many parts of it");
        for (Piece& piece : pieces) carry(entry, std::move(piece));
    }

    static std::vector<Piece> without(std::vector<Piece> pieces, const Box& gone, unsigned line) {
        std::vector<Piece> kept;
        for (Piece& piece : pieces) {
            if (!piece.box.meets(gone) || kept.size() > kMostPieces) {
                kept.push_back(std::move(piece));
                continue;
            }
            for (Box& rest : piece.box - gone) {
                Piece part{
                    .box = std::move(rest), .throttles = piece.throttles, .less_by = piece.less_by};
                if (!holds(part.less_by, line)) part.less_by.push_back(line);
                kept.push_back(std::move(part));
            }
        }
        return kept;
    }

    std::vector<Piece> throttled(std::vector<Piece> pieces, std::size_t index) {
        const Box& where = throttles_[index].box;
        std::vector<Piece> split;
        for (Piece& piece : pieces) {
            if (piece.box.meets(where)) {
                Piece inside = piece;
                inside.box = piece.box & where;
                inside.throttles.push_back(index);
                split.push_back(std::move(inside));
            }
            for (Box& rest : piece.box - where)
                split.push_back({.box = std::move(rest),
                                 .throttles = piece.throttles,
                                 .less_by = piece.less_by});
        }
        return split;
    }

    // Sallyport lets pass what follows an opening; where the source does not, nothing is opened.
    std::vector<Piece> answered(std::vector<Piece> pieces, const Entry& entry) {
        std::vector<Piece> kept;
        for (Piece& piece : pieces) {
            const Unanswered gone = ask_answers_(piece.box);
            for (const unsigned line : gone.by_client_port)
                tell(Finding::Sort::note, entry,
                     "line " + std::to_string(line) +
                         " drops its packets where the client's own port is one of few; here "
                         "they pass");
            const Box whole = piece.box;
            std::vector<Piece> parts{std::move(piece)};
            for (const auto& [box, line] : gone.openings) {
                if (is_denied(box & whole)) continue;
                parts = without(std::move(parts), box, line);
                if (!parts.empty()) continue;
                tell(Finding::Sort::not_carried, entry,
                     "line " + std::to_string(line) +
                         " drops packets of its connections, or their answers, which would pass "
                         "here");
                break;
            }
            std::ranges::move(parts, std::back_inserter(kept));
        }
        return kept;
    }

    bool is_denied(const Box& box) const {
        return std::ranges::any_of(done_.rules, [&](const Opening& rule) {
            return rule.deny && rule.box.covers(box & open_);
        });
    }

    // Where a limit counts, one rule alone must match, or another would be the one that decides.
    std::vector<Piece> beside_allowed(std::vector<Piece> pieces, const Entry& entry) {
        for (const Made& made : made_) {
            std::vector<Piece> kept;
            for (Piece& piece : pieces) {
                const bool is_limited = !piece.throttles.empty() || !made.throttles.empty();
                if (made.lets_through && made.opening.box.meets(piece.box))
                    tell(Finding::Sort::narrowed, entry,
                         "it lets in what is beyond the limit of line " +
                             std::to_string(made.opening.line) + "; here that is refused");
                if (!is_limited && made.opening.box.covers(piece.box)) continue;
                if (!is_limited) {
                    kept.push_back(std::move(piece));
                    continue;
                }
                for (Box& rest : piece.box - made.opening.box)
                    kept.push_back({.box = std::move(rest),
                                    .throttles = piece.throttles,
                                    .less_by = piece.less_by});
            }
            pieces = std::move(kept);
        }
        return pieces;
    }

    void carry(const Entry& entry, Piece piece) {
        std::string why = obstacle(piece.box, direction_, family_, false);
        if (why == "it is for all protocols but some") {
            tell(Finding::Sort::narrowed, entry,
                 why + ", because of lines before it; here it is for TCP, UDP, SCTP, UDP-Lite, "
                       "echo requests, GRE, ESP and AH");
            piece.box[Dim::service] = piece.box[Dim::service] & known_services();
            why = obstacle(piece.box, direction_, family_, false);
        }
        if (why.empty()) why = throttle_obstacle(piece);
        if (!why.empty()) {
            for (const unsigned line : piece.less_by)
                why += ", and this is what line " + std::to_string(line) + " leaves of it";
            return tell(Finding::Sort::not_carried, entry, why);
        }
        Made made{.opening = opening(entry, std::move(piece.box)),
                  .throttles = std::move(piece.throttles),
                  .lets_through = entry.often.has_value()};
        made.opening.less_by = std::move(piece.less_by);
        made.opening.log_new = std::ranges::any_of(
            logs_, [&](const Box& log) { return log.covers(made.opening.box); });
        made_.push_back(made);
        done_.rules.push_back(made.opening);
        places_.push_back(done_.rules.size() - 1);
    }

    RangeSet known_services() const {
        RangeSet known;
        for (const std::uint8_t proto : {kIcmp4, kTcp, kUdp, std::uint8_t{47}, std::uint8_t{50},
                                         std::uint8_t{51}, kIcmp6, kSctp, kUdpLite})
            known = known | ports_of(proto);
        return known;
    }

    std::string throttle_obstacle(const Piece& piece) const {
        std::vector<Often::Sort> sorts;
        const Often* first = nullptr;
        for (const std::size_t i : piece.throttles) {
            const Often& often = throttles_[i].often;
            if (first != nullptr &&
                (first->prefix4 != often.prefix4 || first->prefix6 != often.prefix6))
                return "the limits of a rule here count by the same prefixes";
            if (often.sort != Often::Sort::total) first = &often;
            const Often::Sort sort =
                often.sort == Often::Sort::connections ? often.sort : Often::Sort::rate;
            if (holds(sorts, sort))
                return "a rule here has one limit, and lines before it have more";
            sorts.push_back(sort);
            if (sort == Often::Sort::connections && !ports_of(kTcp).covers(piece.box[Dim::service]))
                return "only connections of TCP are counted here";
        }
        return {};
    }

    // Each of our rules counts for itself, where the source counts for all together.
    void share_throttles() {
        for (std::size_t i = 0; i < made_.size(); ++i)
            for (const std::size_t t : made_[i].throttles)
                throttles_[t].rules += rules_for(made_[i].opening, direction_, family_);
        for (std::size_t i = 0; i < made_.size(); ++i)
            for (const std::size_t t : made_[i].throttles) {
                const Throttle& throttle = throttles_[t];
                Often often = throttle.often;
                if (throttle.rules > 1) {
                    often.count /= throttle.rules;
                    often.burst = std::max<std::uint64_t>(1, often.burst / throttle.rules);
                    done_.findings.push_back(
                        {.sort = Finding::Sort::narrowed,
                         .line = throttle.line,
                         .text = throttle.text,
                         .why = "its limit is one for " + std::to_string(throttle.rules) +
                                " rules here, and each of them has its share of the number"});
                }
                Opening& rule = done_.rules[places_[i]];
                rule.limits.push_back(often);
                rule.limit_lines.push_back(throttle.line);
            }
        std::vector<Finding> once;
        for (Finding& finding : done_.findings)
            if (!holds(once, finding)) once.push_back(std::move(finding));
        done_.findings = std::move(once);
        std::erase_if(done_.rules, [](const Opening& rule) { // a share of nothing
            return std::ranges::any_of(rule.limits, [](const Often& o) { return o.count == 0; });
        });
    }

    const std::vector<Entry>& entries_;
    Direction direction_;
    Family family_;
    const AskAnswers& ask_answers_;
    Box open_;
    std::vector<Box> logs_;
    std::vector<Cut> cuts_;
    std::vector<Throttle> throttles_;
    std::vector<Made> made_;
    std::vector<std::size_t> places_; // of made_ in done_.rules
    Openings done_;
};

} // namespace

Openings openings_of(const std::vector<Entry>& entries, Direction direction, Family family,
                     const AskAnswers& ask_answers) {
    return Ordering(entries, direction, family, ask_answers).take();
}

} // namespace sallyport::imported
