// SPDX-License-Identifier: Apache-2.0
#include "explain/answer.h"

#include "base/text.h"
#include "event/names.h"
#include "sallyport/abi/event.h"
#include "sallyport/abi/reason.h"

#include <fmt/format.h>

namespace sallyport::explain {
namespace {

std::string reason_slug(const Answer& a) {
    return reason_name(static_cast<std::uint8_t>(a.judged.verdict.reason));
}

std::string in_words(const AskedOf& asked, const Judged& judged) {
    std::string text = to_string(asked.way);
    text += " " + (asked.fields ? to_string(*asked.fields)
                                : fmt::format("a packet of {} bytes", asked.packet.bytes.size()));
    if (!judged.on.empty()) text += " on " + judged.on;
    if (!judged.to.empty() && judged.verdict.direction == SP_FORWARD) text += " to " + judged.to;
    return text;
}

// What is no segment of an opening, asked again as one.
Result<std::optional<bool>> opening_passes(WallAsked& wall, const AskedOf& asked) {
    if (!asked.fields || is_opening(*asked.fields)) return std::optional<bool>{};
    AskedOf opening = asked;
    opening.fields->tcp_flags = kSyn;
    opening.packet = {.layer = Layer::ip, .bytes = to_bytes(*opening.fields)};
    const Judged judged = SP_TRY(wall.judge(opening));
    return std::optional<bool>{judged.verdict.reason == SP_REASON_NONE};
}

std::string why_it_passes(const Answer& a) {
    if (!a.judged.why.empty()) return a.judged.why;
    if (a.judged.by_flow) return "part of a connection or flow that is known here";
    return a.rule ? "" : "no rule was asked: [essentials], an answer, or what follows a flow";
}

std::string verdict_word(const Answer& a) {
    if (is_dropped(a)) return "drop";
    return a.judged.verdict.reason == SP_REASON_NONE ? "pass" : "would-drop";
}

std::string place_of(const Answer& a) {
    if (a.file.empty()) return "";
    std::string text = ", " + escaped(a.file);
    if (a.rule && a.rule->line != 0) text += fmt::format(":{}", a.rule->line);
    return text;
}

std::string rule_line(const Answer& a) {
    if (!a.rule) return "";
    return fmt::format("  rule:   \"{}\" ({}{}){}\n", escaped(a.rule->name),
                       sallyport::to_string(a.rule->direction), a.rule->deny ? ", deny" : "",
                       place_of(a));
}

} // namespace

bool is_dropped(const Answer& answer) {
    return !answer.judged.verdict.pass;
}

Result<Answer> answer(WallAsked& wall, const PolicyPlace& place, const AskedOf& asked) {
    Answer a;
    a.judged = SP_TRY(wall.judge(asked));
    a.question = in_words(asked, a.judged);
    const Judgement& verdict = a.judged.verdict;
    a.generation = wall.generation();
    if (verdict.settled && verdict.generation != a.generation)
        return fail(ErrorKind::conflict, "the policy was switched meanwhile", "ask again");
    a.rule = place.rule(verdict.rule);
    a.file = place.file;
    a.changed = place.changed;
    if (asked.packet.wire_size > asked.packet.bytes.size() + 20)
        a.notes.push_back(fmt::format("the capture holds {} of its {} bytes",
                                      asked.packet.bytes.size(), asked.packet.wire_size));
    if (place.changed)
        a.notes.push_back("the policy file has changed since it was applied; lines are today's");
    else if (!place.unread.empty())
        a.notes.push_back("the policy file: " + place.unread);
    else if (place.file.empty())
        a.notes.push_back("the state directory does not say which policy file is in force; rules "
                          "have numbers only");
    if (verdict.reason == SP_REASON_NONE) return a;
    Dropped dropped{.reason = verdict.reason, .direction = verdict.direction};
    dropped.rule = a.rule;
    dropped.packet = asked.fields;
    dropped.sender = asked.sender;
    if (verdict.reason == SP_REASON_NO_FLOW)
        dropped.opening_passes = SP_TRY(opening_passes(wall, asked));
    a.advice = advise(dropped, place);
    return a;
}

std::string to_text(const Answer& a) {
    const Judgement& v = a.judged.verdict;
    const char* head = is_dropped(a)                ? "would be dropped"
                       : v.reason == SP_REASON_NONE ? "would pass"
                                                    : "would pass, observed: dropped if enforced";
    std::string text = fmt::format("{}: {}\n", head, a.question);
    if (v.reason != SP_REASON_NONE)
        text += fmt::format("  reason: {}: {}\n", reason_slug(a),
                            reason_meaning(static_cast<std::uint8_t>(v.reason)));
    else if (const std::string why = why_it_passes(a); !why.empty())
        text += "  why:    " + why + "\n";
    text += rule_line(a);
    if (v.settled)
        text += fmt::format("  at:     {}, {} rules, generation {}\n",
                            hook_name(static_cast<std::uint8_t>(v.hook)),
                            direction_name(static_cast<std::uint8_t>(v.direction)), v.generation);
    for (const std::string& note : a.notes) text += "  note:   " + note + "\n";
    if (!a.advice) return text;
    text += "  next:   " + a.advice->text + "\n";
    if (!a.advice->toml.empty()) text += "\n" + a.advice->toml + "\n";
    return text;
}

nlohmann::ordered_json to_json(const Answer& a) {
    const Judgement& v = a.judged.verdict;
    nlohmann::ordered_json json{{"question", a.question},
                                {"verdict", verdict_word(a)},
                                {"reason", nullptr},
                                {"meaning", nullptr},
                                {"why", nullptr},
                                {"rule", nullptr},
                                {"hook", nullptr},
                                {"direction", nullptr},
                                {"iface", a.judged.on},
                                {"generation", a.generation},
                                {"policy", {{"file", nullptr}, {"changed", a.changed}}},
                                {"notes", a.notes},
                                {"next", nullptr},
                                {"allow", nullptr}};
    if (v.reason != SP_REASON_NONE) {
        json["reason"] = reason_slug(a);
        json["meaning"] = reason_meaning(static_cast<std::uint8_t>(v.reason));
    } else if (const std::string why = why_it_passes(a); !why.empty()) {
        json["why"] = why;
    }
    if (a.rule) {
        json["rule"] = {{"name", a.rule->name},
                        {"direction", sallyport::to_string(a.rule->direction)},
                        {"line", nullptr}};
        if (a.rule->line != 0) json["rule"]["line"] = a.rule->line;
    }
    if (v.settled) {
        json["hook"] = hook_name(static_cast<std::uint8_t>(v.hook));
        json["direction"] = direction_name(static_cast<std::uint8_t>(v.direction));
    }
    if (!a.file.empty()) json["policy"]["file"] = a.file;
    if (a.advice) {
        json["next"] = a.advice->text;
        if (!a.advice->toml.empty()) json["allow"] = a.advice->toml;
    }
    return json;
}

} // namespace sallyport::explain
