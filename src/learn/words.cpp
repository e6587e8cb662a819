// SPDX-License-Identifier: Apache-2.0
#include "learn/words.h"

#include "base/text.h"
#include "event/names.h"

#include <fmt/format.h>

namespace sallyport::learn {

std::string toml_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : escaped(text)) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::string toml_list(const std::vector<std::string>& texts) {
    std::string list;
    for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + toml_string(text);
    return "[" + list + "]";
}

std::string plain_name(std::string_view text, std::size_t most) {
    std::string name;
    for (const char c : text) {
        if (name.size() >= most) break;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            name += c;
        else if (c >= 'A' && c <= 'Z')
            name += static_cast<char>(c - 'A' + 'a');
        else if (!name.empty() && name.back() != '-')
            name += '-';
    }
    while (name.ends_with('-')) name.pop_back();
    return name;
}

std::string service_text(const Service& service) {
    const std::string proto = proto_name(service.proto);
    if (service.proto == 1 || service.proto == 58)
        return fmt::format("{} type {}", proto, service.port);
    if (service.port == 0) return proto;
    return fmt::format("{} {}", proto, service.port);
}

std::string owner_text(const Service& service) {
    if (!service.unit.empty()) return one_line(service.unit);
    return service.user ? fmt::format("uid {}", *service.user) : "no known process";
}

std::string time_text(WallTime at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(at - day)};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       time.hours().count(), time.minutes().count(), time.seconds().count());
}

} // namespace sallyport::learn
