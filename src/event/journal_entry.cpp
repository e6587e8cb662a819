// SPDX-License-Identifier: Apache-2.0
#include "event/journal_entry.h"

#include "base/text.h"
#include "event/shapes.h"

#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sallyport {
namespace {

struct Id {
    EventKind kind;
    std::string_view id;
};

// Drawn at random once; never to be changed, nor given to another kind.
constexpr auto kIds = std::to_array<Id>({
    {EventKind::drop, "30b9c597c98d448cb7ac819361a7bd4f"},
    {EventKind::would_drop, "935f3a67985f4ee9a218fa6c2e9ea188"},
    {EventKind::opened, "59ead78270884b4082208f6caae9dbaa"},
    {EventKind::lost, "1552dd72d74c411e87279294016ddfb5"},
    {EventKind::policy, "8bc18b7cca1c4898a1327c3686d3bc7d"},
    {EventKind::hook, "4a2a1489853f455ab6c2c92b4c462c49"},
    {EventKind::socket, "931c69183b6943eca910f6c568e8269c"},
    {EventKind::ban, "bab7b74f57984e43a05bfc56544bf993"},
    {EventKind::unban, "718e576536b8467ab87dcbdab141fe85"},
    {EventKind::limit, "88082469a2844e2d8ee5e04f4501813b"},
});

// syslog's: 4 warning, 5 notice, 6 informational.
int priority_of(const Event& event) {
    const int severity = severity_of(event);
    return severity >= 4 ? 4 : severity == 3 ? 5 : 6;
}

void add(std::string& entry, std::string_view key, std::string_view value) {
    entry += key;
    if (value.find('\n') == std::string_view::npos) {
        entry += '=';
    } else { // its length, 64 bits, little-endian
        entry += '\n';
        std::uint64_t length = value.size();
        for (int i = 0; i < 8; ++i, length >>= 8) entry += static_cast<char>(length & 0xff);
    }
    entry += value;
    entry += '\n';
}

std::string field_name(std::string_view key) {
    std::string name = "SALLYPORT_";
    for (const char c : key) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return name;
}

} // namespace

std::string_view message_id(EventKind kind) {
    for (const Id& one : kIds)
        if (one.kind == kind) return one.id;
    return {};
}

std::string journal_entry(const Event& event, const std::string& json_line) {
    std::string entry;
    add(entry, "MESSAGE", escaped(summary_of(event)));
    if (const std::string_view id = message_id(event.kind); !id.empty())
        add(entry, "MESSAGE_ID", id);
    add(entry, "PRIORITY", fmt::to_string(priority_of(event)));
    add(entry, "SYSLOG_IDENTIFIER", "sallyport");
    const auto fields = nlohmann::ordered_json::parse(json_line, nullptr, false);
    if (!fields.is_object()) return entry;
    for (const auto& [key, value] : fields.items())
        add(entry, field_name(key), value.is_string() ? value.get<std::string>() : value.dump());
    return entry;
}

} // namespace sallyport
