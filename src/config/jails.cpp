// SPDX-License-Identifier: Apache-2.0
#include "config/jails.h"

#include <algorithm>
#include <map>

namespace sallyport::config {

namespace {

using std::chrono::seconds;

constexpr seconds kShortest(1);
constexpr seconds kLongest = std::chrono::days(36500);
constexpr std::uint32_t kMostRetries = 1000;
constexpr std::size_t kMostPatterns = 2000;

// Text, or a list of texts; none of them empty.
std::vector<std::string> texts(Fields& fields, std::string_view key) {
    std::vector<std::string> made;
    const Value* const value = fields.get(key);
    if (value == nullptr) return made;
    std::vector<const Value*> items;
    if (value->kind == ValueKind::string)
        items.push_back(value);
    else
        items = strings_of(*value, key, fields.findings());
    for (const Value* item : items)
        if (item->text.empty())
            fields.findings().error(item->place, quoted(key) + " must not hold an empty text");
        else
            made.push_back(item->text);
    if (made.size() > kMostPatterns)
        fields.findings().error(value->place, quoted(key) + " holds more than 2000 texts");
    return made;
}

std::vector<std::string> paths(Fields& fields, std::string_view key, const char* example) {
    std::vector<std::string> made = texts(fields, key);
    for (const std::string& path : made)
        if (!path.starts_with('/'))
            fields.findings().error(fields.get(key)->place,
                                    quoted(key) + " is a path from the root: " + quoted(path),
                                    std::string("write ") + example);
    return made;
}

class JailReader {
  public:
    JailReader(const Value& table, Zones& zones, Findings& findings)
        : zones_(zones), findings_(findings), fields_(table, title_of(table), findings) {}

    [[nodiscard]] JailRule read() {
        JailRule jail;
        jail.line = fields_.table().place.line;
        if (const Value* name = fields_.need("name"))
            if (has_kind(*name, ValueKind::string, "name", findings_) &&
                is_good_name(name->text, name->place, "jail", findings_))
                jail.name = name->text;
        read_source(jail);
        read_patterns(jail);
        jail.max_retry = fields_.number("max-retry", jail.max_retry, 1, kMostRetries);
        jail.find_time = fields_.duration("find-time", jail.find_time, kShortest, kLongest);
        read_ban_time(jail);
        if (const Value* except = fields_.get("except"))
            jail.except = zones_.peers(*except, "except");
        jail.ipv6_prefix = fields_.number("ipv6-prefix", jail.ipv6_prefix, 32, 128);
        fields_.finish();
        return jail;
    }

  private:
    static std::string title_of(const Value& table) {
        const Entry* const name = table.find("name");
        if (name != nullptr && name->value.kind == ValueKind::string && !name->value.text.empty())
            return "jail " + quoted(name->value.text.substr(0, 64));
        return "this [[jail]]";
    }

    void read_source(JailRule& jail) {
        jail.logs = paths(fields_, "log", "/var/log/...");
        jail.journals = texts(fields_, "journal");
        const bool has_log = fields_.table().find("log") != nullptr;
        const bool has_journal = fields_.table().find("journal") != nullptr;
        if (has_log && has_journal)
            findings_.error(fields_.table().find("journal")->place,
                            fields_.title() + " has both \"log\" and \"journal\"",
                            "make it two jails");
        else if (!has_log && !has_journal)
            findings_.error(fields_.table().place, fields_.title() + " says not what to read",
                            "add log = \"/var/log/...\" or journal = \"name.service\"");
    }

    void read_patterns(JailRule& jail) {
        jail.match = texts(fields_, "match");
        jail.ignore = texts(fields_, "ignore");
        jail.date_pattern = texts(fields_, "date-pattern");
        if (const Value* filter = fields_.get("filter", ValueKind::string))
            jail.filter = filter->text;
        const bool has_match = fields_.table().find("match") != nullptr;
        const bool has_filter = fields_.table().find("filter") != nullptr;
        if (has_match && has_filter)
            findings_.error(fields_.table().find("filter")->place,
                            fields_.title() + " has both \"match\" and \"filter\"");
        else if ((has_match && jail.match.empty()) || (!has_match && !has_filter))
            findings_.error(fields_.table().place, fields_.title() + " says not what to find",
                            "add match = ['... from <HOST>'] or filter = \"sshd\"");
    }

    // "forever" is no span of time.
    void read_ban_time(JailRule& jail) {
        const Entry* const entry = fields_.table().find("ban-time");
        if (entry != nullptr && entry->value.kind == ValueKind::string &&
            entry->value.text == "forever") {
            static_cast<void>(fields_.get("ban-time"));
            jail.ban_time.reset();
        } else {
            jail.ban_time = fields_.duration("ban-time", *jail.ban_time, kShortest, kLongest);
        }
        jail.growing = fields_.flag("growing", false);
        if (fields_.table().find("ban-time-max") != nullptr)
            jail.ban_time_max = fields_.duration("ban-time-max", kLongest, kShortest, kLongest);
        if (jail.ban_time && jail.ban_time_max && *jail.ban_time_max < *jail.ban_time)
            findings_.error(fields_.table().find("ban-time-max")->value.place,
                            "\"ban-time-max\" is shorter than \"ban-time\"");
    }

    Zones& zones_;
    Findings& findings_;
    Fields fields_;
};

} // namespace

std::vector<JailRule> read_jails(Fields& root, Zones& zones) {
    std::vector<JailRule> jails;
    const Value* const list = root.get("jail");
    if (list == nullptr) return jails;
    Findings& findings = root.findings();
    if (list->kind != ValueKind::list) {
        findings.error(root.table().find("jail")->place, "\"jail\" is a list",
                       "write [[jail]] above each");
        return jails;
    }
    std::map<std::string, unsigned> lines;
    for (const Value& item : list->items) {
        if (item.kind != ValueKind::table) {
            findings.error(item.place, std::string("\"jail\" is a list of jails, and this is ") +
                                           kind_name(item.kind));
            continue;
        }
        jails.push_back(JailReader(item, zones, findings).read());
        const JailRule& jail = jails.back();
        const auto [known, is_new] = lines.emplace(jail.name, jail.line);
        if (!is_new && !jail.name.empty())
            findings.error(item.place, "there is a jail " + quoted(jail.name) + " in line " +
                                           std::to_string(known->second) + " already");
    }
    return jails;
}

Fail2banFiles read_fail2ban(Fields& root) {
    Fail2banFiles files;
    const Value* const table = root.get("fail2ban", ValueKind::table);
    if (table == nullptr) return files;
    Fields fields(*table, "[fail2ban]", root.findings());
    files.jails = paths(fields, "jails", "/etc/fail2ban/...");
    files.ipv6_prefix = fields.number("ipv6-prefix", files.ipv6_prefix, 32, 128);
    fields.finish();
    return files;
}

} // namespace sallyport::config
