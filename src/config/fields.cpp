// SPDX-License-Identifier: Apache-2.0
// Typed access to one table of a policy file.
#include "config/fields.h"

#include "base/duration.h"
#include "base/text.h"

#include <algorithm>

namespace sallyport::config {

namespace {

constexpr std::size_t kNameMax = 64;

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
    const std::string near = nearest(name, candidates);
    return near.empty() ? std::string() : "did you mean " + quoted(near) + "?";
}

} // namespace

std::string quoted(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

bool has_kind(const Value& value, ValueKind kind, std::string_view key, Findings& findings) {
    if (value.kind == kind) return true;
    findings.error(value.place,
                   quoted(key) + " must be " + kind_name(kind) + ", not " + kind_name(value.kind));
    return false;
}

std::vector<const Value*> strings_of(const Value& value, std::string_view key, Findings& findings) {
    std::vector<const Value*> strings;
    if (value.kind == ValueKind::string) {
        findings.error(value.place, quoted(key) + " must be a list, not a string",
                       "write [" + quoted(value.text) + "]");
        return strings;
    }
    if (!has_kind(value, ValueKind::list, key, findings)) return strings;
    for (const Value& item : value.items) {
        if (item.kind == ValueKind::string)
            strings.push_back(&item);
        else
            findings.error(item.place, quoted(key) + " is a list of strings, and this is " +
                                           kind_name(item.kind));
    }
    return strings;
}

bool is_good_name(const std::string& name, Place place, std::string_view what, Findings& findings) {
    const std::string subject = "the name of a " + std::string(what);
    if (name.empty())
        findings.error(place, subject + " must not be empty");
    else if (name.size() > kNameMax)
        findings.error(place, subject + " must not be longer than 64 bytes");
    else if (!is_printable(name))
        findings.error(place, subject + " must not hold control characters");
    else
        return true;
    return false;
}

Fields::Fields(const Value& table, std::string title, Findings& findings)
    : table_(table), title_(std::move(title)), findings_(findings) {}

const Value* Fields::get(std::string_view key) {
    known_.emplace_back(key);
    const Entry* const entry = table_.find(key);
    return entry == nullptr ? nullptr : &entry->value;
}

const Value* Fields::need(std::string_view key, std::string hint) {
    const Value* const value = get(key);
    if (value == nullptr)
        findings_.error(table_.place, title_ + " needs " + quoted(key), std::move(hint));
    return value;
}

const Value* Fields::get(std::string_view key, ValueKind kind) {
    const Value* const value = get(key);
    return value != nullptr && has_kind(*value, kind, key, findings_) ? value : nullptr;
}

bool Fields::flag(std::string_view key, bool otherwise) {
    const Value* const value = get(key, ValueKind::boolean);
    return value == nullptr ? otherwise : value->number != 0;
}

std::uint32_t Fields::number(std::string_view key, std::uint32_t otherwise, std::uint32_t least,
                             std::uint32_t most) {
    const Value* const value = get(key, ValueKind::integer);
    if (value == nullptr) return otherwise;
    if (value->number >= least && value->number <= most)
        return static_cast<std::uint32_t>(value->number);
    findings_.error(value->place, quoted(key) + " must be from " + std::to_string(least) + " to " +
                                      std::to_string(most));
    return otherwise;
}

std::chrono::seconds Fields::duration(std::string_view key, std::chrono::seconds otherwise,
                                      std::chrono::seconds least, std::chrono::seconds most) {
    const Value* const value = get(key);
    if (value == nullptr) return otherwise;
    if (value->kind == ValueKind::integer) {
        findings_.error(value->place, quoted(key) + " needs a unit",
                        "write \"" + std::to_string(value->number) + "s\" for seconds");
        return otherwise;
    }
    if (!has_kind(*value, ValueKind::string, key, findings_)) return otherwise;
    const Result<std::chrono::seconds> duration = parse_duration(value->text);
    if (!duration)
        findings_.error(value->place, duration.error().message, duration.error().hint);
    else if (*duration < least || *duration > most)
        findings_.error(value->place, quoted(key) + " must be from " + to_string(least) + " to " +
                                          to_string(most));
    else
        return *duration;
    return otherwise;
}

void Fields::not_here(std::initializer_list<std::string_view> keys, const std::string& why) {
    for (const std::string_view key : keys) {
        const Entry* const entry = table_.find(key);
        refused_.emplace_back(key);
        if (entry != nullptr)
            findings_.error(entry->place, quoted(key) + " has no meaning here: " + why);
    }
}

void Fields::wrong_choice(std::string_view key, const Value& value,
                          const std::vector<std::string>& words) {
    std::string list;
    for (std::size_t i = 0; i < words.size(); ++i)
        list += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + quoted(words[i]);
    findings_.error(value.place, quoted(key) + " must be " + list + ", not " + quoted(value.text),
                    did_you_mean(value.text, words));
}

void Fields::finish() {
    const auto among = [](const std::vector<std::string>& list, const std::string& key) {
        return std::find(list.begin(), list.end(), key) != list.end();
    };
    std::vector<std::string> missing; // more likely meant than a key that is there already
    for (const std::string& key : known_)
        if (table_.find(key) == nullptr) missing.push_back(key);
    for (const Entry& entry : table_.entries) {
        if (among(known_, entry.key) || among(refused_, entry.key)) continue;
        std::string hint = did_you_mean(entry.key, missing);
        if (hint.empty()) hint = did_you_mean(entry.key, known_);
        findings_.error(entry.place, "unknown key " + quoted(entry.key) + " in " + title_,
                        std::move(hint));
    }
}

} // namespace sallyport::config
