// SPDX-License-Identifier: Apache-2.0
#include "drift/review.h"

#include "base/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace sallyport::drift {
namespace {

constexpr std::size_t kColumns = 78;

std::string ascii(const std::string& text) {
    std::string plain;
    for (const char c : escaped(text)) {
        const bool is_ascii = c >= ' ' && c <= '~';
        if (is_ascii)
            plain += c;
        else if ((static_cast<unsigned char>(c) & 0xc0u) != 0x80u) // one mark a character
            plain += '?';
    }
    return plain;
}

std::string titled(const std::string& title, const std::string& body) {
    return "\n" + title + "\n" + std::string(title.size(), '-') + "\n" +
           (body.empty() ? "none\n" : body);
}

std::string drift_text(const Review& review) {
    if (!review.drift) return wrapped("could not be looked for: " + review.drift_failed, 0);
    std::string text;
    for (const Finding& one : review.drift->findings) {
        if (one.level != Level::drift) continue;
        text += wrapped(one.id + " " + one.about + ": " + one.text, 2);
        for (const std::string& detail : one.details) text += wrapped("  " + detail, 4);
        if (one.more != 0) text += fmt::format("  and {} more\n", one.more);
        if (!one.next.empty()) text += wrapped("  next: " + one.next, 4);
    }
    return text;
}

std::string drops_text(const Drops& drops, const char* what) {
    std::string text = fmt::format("{} in all, {} in the week before\n", drops.total, drops.before);
    for (const Ranked& one : drops.top)
        text += wrapped(
            fmt::format("{:>10} {} {}", one.count, one.is_new ? "new" : "   ", one.name), 15);
    if (drops.short_by != 0)
        text += wrapped(fmt::format("So many {} came that each count may be short by up to {}.",
                                    what, drops.short_by),
                        0);
    return text;
}

std::string counts_text(const std::map<std::string, std::uint64_t>& counts) {
    std::string text;
    for (const auto& [name, count] : counts)
        text += wrapped(fmt::format("{:>10} {}", count, name), 11);
    return text;
}

std::string rules_text(const Review& review) {
    std::string text;
    for (const std::string& rule : review.unused_rules) text += wrapped("  " + rule, 4);
    if (text.empty()) return {};
    return text + wrapped("Of " + std::to_string(review.rules) +
                              " rules; counted since the wall was raised. A rule that nobody "
                              "needs is a door that nobody watches: take it out.",
                          0);
}

std::string log_text(const Review& review) {
    std::string compressed;
    if (review.compressed != 0)
        compressed = wrapped(fmt::format("{} files of these two weeks could not be read: they "
                                         "are damaged, or compressed by something else than "
                                         "gzip.",
                                         review.compressed),
                             0);
    if (review.reaches_back.empty())
        return wrapped("There is no log of events to be read: drops and bans above are of nothing.",
                       0) +
               compressed;
    std::string text = wrapped(fmt::format("{} events read", review.lines), 0);
    if (review.reaches_back > review.from)
        text += wrapped("The log reaches back to " + review.reaches_back +
                            " only: keep more of it to see a whole week.",
                        0);
    if (review.unread != 0)
        text += wrapped(fmt::format("{} lines were no events.", review.unread), 0);
    return text + compressed;
}

nlohmann::ordered_json to_json(const Drops& drops) {
    nlohmann::ordered_json top = nlohmann::ordered_json::array();
    for (const Ranked& one : drops.top)
        top.push_back({{"name", one.name}, {"count", one.count}, {"new", one.is_new}});
    return {{"total", drops.total},
            {"before", drops.before},
            {"short_by", drops.short_by},
            {"top", std::move(top)}};
}

} // namespace

std::string wrapped(const std::string& text, std::size_t indent) {
    std::string rest = ascii(text), lines;
    const std::string margin(std::min(indent, kColumns / 2), ' ');
    while (rest.size() > kColumns) {
        std::size_t at = rest.rfind(' ', kColumns);
        // Nothing is gained by a line that holds the margin alone.
        if (at == std::string::npos || rest.find_first_not_of(' ') >= at || at <= margin.size())
            at = kColumns;
        lines += rest.substr(0, at) + "\n";
        const std::size_t next = rest.find_first_not_of(' ', at);
        rest = next == std::string::npos ? "" : margin + rest.substr(next);
    }
    while (rest.ends_with(' ')) rest.pop_back();
    return rest.empty() ? lines : lines + rest + "\n";
}

std::string render(const Review& review) {
    std::string text = wrapped("Sallyport on " + review.host + ": review of the week", 2);
    text += wrapped(review.from + " to " + review.to, 2) + "\n";
    text += wrapped(review.state, 2);
    if (!review.policy.empty()) text += wrapped(review.policy, 2);
    text += titled("Drift", drift_text(review));
    text += titled("Changes of the policy", [&] {
        std::string lines;
        for (const std::string& line : review.changes) lines += wrapped(line, 4);
        return lines;
    }());
    text += titled("Rules never hit", rules_text(review));
    text += titled("Refused, arriving: sources", drops_text(review.arriving, "sources"));
    text += titled("Refused, leaving: destinations", drops_text(review.leaving, "destinations"));
    std::string bans =
        fmt::format("{} active, {} made this week\n", review.bans_active, review.bans_made);
    bans += counts_text(review.bans_by);
    if (!review.bans_ended.empty()) bans += "ended:\n" + counts_text(review.bans_ended);
    text += titled("Bans", bans);
    text += titled("Events lost", counts_text(review.lost));
    return text + titled("The log", log_text(review));
}

nlohmann::ordered_json to_json(const Review& review) {
    return {{"host", review.host},
            {"from", review.from},
            {"to", review.to},
            {"state", review.state},
            {"policy", review.policy},
            {"drift", review.drift ? to_json(*review.drift) : nlohmann::ordered_json(nullptr)},
            {"drift_failed", review.drift ? nlohmann::ordered_json(nullptr)
                                          : nlohmann::ordered_json(review.drift_failed)},
            {"changes", review.changes},
            {"rules", review.rules},
            {"unused_rules", review.unused_rules},
            {"arriving", to_json(review.arriving)},
            {"leaving", to_json(review.leaving)},
            {"bans",
             {{"active", review.bans_active},
              {"made", review.bans_made},
              {"by", review.bans_by},
              {"ended", review.bans_ended}}},
            {"lost", review.lost},
            {"log",
             {{"events", review.lines},
              {"unread", review.unread},
              {"compressed_files", review.compressed},
              {"reaches_back", review.reaches_back.empty()
                                   ? nlohmann::ordered_json(nullptr)
                                   : nlohmann::ordered_json(review.reaches_back)}}}};
}

} // namespace sallyport::drift
