// SPDX-License-Identifier: Apache-2.0
// A filter from what a user typed, to and from the tail request, and its use.
#include "event/filter.h"

#include "base/text.h"
#include "event/names.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sallyport {
namespace {

using nlohmann::json;

// A reader's request is bounded in bytes; this bounds the work of a match.
constexpr std::size_t kMaxValues = 256;

template <typename Value> bool one_of(const std::vector<Value>& wanted, const Value& value) {
    return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

bool covered(const std::vector<Prefix>& wanted, const std::optional<Address>& address) {
    if (wanted.empty()) return true;
    return address &&
           std::ranges::any_of(wanted, [&](const Prefix& p) { return p.covers(*address); });
}

bool has_port(const std::vector<std::uint16_t>& wanted, const Event& event) {
    if (wanted.empty()) return true;
    const auto is = [&](std::optional<std::uint16_t> port) {
        return port && std::ranges::find(wanted, *port) != wanted.end();
    };
    return is(event.src_port) || is(event.dst_port);
}

std::unexpected<Error> unknown(std::string_view what, const std::string& value,
                               const std::vector<std::string>& known) {
    const std::string near = nearest(value, known);
    return fail(ErrorKind::invalid_input,
                fmt::format("{} \"{}\" is not known", what, escaped(value)),
                near.empty() ? fmt::format("one of: {}", fmt::join(known, ", "))
                             : fmt::format("did you mean \"{}\"?", near));
}

Result<std::uint8_t> reason_of(const std::string& name) {
    if (const auto reason = parse_reason(name)) return *reason;
    std::vector<std::string> all;
    for (const std::uint8_t reason : all_reasons()) all.push_back(reason_name(reason));
    return unknown("reason", name, all);
}

Result<std::uint8_t> direction_of(const std::string& name) {
    if (const auto direction = parse_direction(name)) return *direction;
    return unknown("direction", name, {"ingress", "egress", "forward"});
}

Result<std::uint16_t> port_of(const std::string& text) {
    std::uint16_t port = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, port);
    if (error != std::errc{} || stop != end)
        return fail(ErrorKind::invalid_input,
                    fmt::format("port \"{}\" is not a number up to 65535", escaped(text)));
    return port;
}

template <typename Value, typename Parse>
Result<std::vector<Value>> parse_all(const std::vector<std::string>& texts, Parse parse) {
    if (texts.size() > kMaxValues)
        return fail(ErrorKind::invalid_input,
                    fmt::format("more than {} values for one filter", kMaxValues));
    std::vector<Value> values;
    for (const std::string& text : texts) values.push_back(SP_TRY(parse(text)));
    return values;
}

// A string, a number or a list of these, as texts.
Result<std::vector<std::string>> texts_in(const json& object, const char* key) {
    std::vector<std::string> texts;
    const auto at = object.find(key);
    if (at == object.end()) return texts;
    const json list = at->is_array() ? *at : json::array({*at});
    for (const json& item : list) {
        if (item.is_string())
            texts.push_back(item.get<std::string>());
        else if (item.is_number_integer())
            texts.push_back(item.dump());
        else
            return fail(ErrorKind::invalid_input,
                        fmt::format("filter \"{}\" holds neither text nor whole number", key));
    }
    return texts;
}

} // namespace

bool EventFilter::is_empty() const {
    return *this == EventFilter{};
}

bool matches(const EventFilter& filter, const Event& event) {
    if (event.kind == EventKind::lost || filter.is_empty()) return true;
    if (filter.exfil && !event.exfil) return false;
    if (!one_of(filter.reasons, event.reason) || !one_of(filter.rules, event.rule)) return false;
    if (!filter.directions.empty() &&
        (!event.direction || !one_of(filter.directions, *event.direction)))
        return false;
    return covered(filter.src, event.src) && covered(filter.dst, event.dst) &&
           has_port(filter.ports, event);
}

Result<EventFilter> parse_filter(const FilterText& text) {
    EventFilter filter;
    filter.reasons = SP_TRY(parse_all<std::uint8_t>(text.reasons, reason_of));
    filter.rules = SP_TRY(parse_all<std::string>(
        text.rules, [](const std::string& name) { return Result<std::string>(name); }));
    filter.src = SP_TRY(parse_all<Prefix>(text.src, parse_prefix).context("src"));
    filter.dst = SP_TRY(parse_all<Prefix>(text.dst, parse_prefix).context("dst"));
    filter.ports = SP_TRY(parse_all<std::uint16_t>(text.ports, port_of));
    filter.directions = SP_TRY(parse_all<std::uint8_t>(text.directions, direction_of));
    filter.exfil = text.exfil;
    return filter;
}

json filter_to_json(const EventFilter& filter) {
    json object = json::object();
    for (const std::uint8_t reason : filter.reasons)
        object["reason"].push_back(reason_name(reason));
    for (const std::string& rule : filter.rules) object["rule"].push_back(rule);
    for (const Prefix& prefix : filter.src) object["src"].push_back(to_string(prefix));
    for (const Prefix& prefix : filter.dst) object["dst"].push_back(to_string(prefix));
    for (const std::uint16_t port : filter.ports) object["port"].push_back(port);
    for (const std::uint8_t d : filter.directions) object["direction"].push_back(direction_name(d));
    if (filter.exfil) object["exfil"] = true;
    return object;
}

Result<EventFilter> filter_from_json(const json& object) {
    if (!object.is_object()) return fail(ErrorKind::invalid_input, "a filter is an object");
    for (const auto& [key, value] : object.items()) {
        constexpr std::string_view known[] = {"reason", "rule",      "src",  "dst",
                                              "port",   "direction", "exfil"};
        if (std::ranges::find(known, key) == std::end(known))
            return fail(ErrorKind::invalid_input,
                        fmt::format("filter \"{}\" is not known", escaped(key)));
    }
    const auto exfil = object.find("exfil");
    if (exfil != object.end() && !exfil->is_boolean())
        return fail(ErrorKind::invalid_input, "filter \"exfil\" is true or false");
    // One after the other: g++ 12 forgets the members made so far when SP_TRY
    // leaves from within braces.
    FilterText text;
    text.reasons = SP_TRY(texts_in(object, "reason"));
    text.rules = SP_TRY(texts_in(object, "rule"));
    text.src = SP_TRY(texts_in(object, "src"));
    text.dst = SP_TRY(texts_in(object, "dst"));
    text.ports = SP_TRY(texts_in(object, "port"));
    text.directions = SP_TRY(texts_in(object, "direction"));
    text.exfil = exfil != object.end() && exfil->get<bool>();
    return parse_filter(text);
}

} // namespace sallyport
