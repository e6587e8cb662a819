// SPDX-License-Identifier: Apache-2.0
#pragma once
// Typed access to one table of a policy file. Asking for a key makes it known;
// finish() reports what nobody asked for. Every finding points at what it is about.
#include "config/document.h"
#include "config/findings.h"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::config {

class Fields {
  public:
    // `title` names the table in messages: "[host]", "rule \"ssh\"". Both the value
    // and the findings must outlive this.
    Fields(const Value& table, std::string title, Findings& findings);

    [[nodiscard]] const std::string& title() const { return title_; }
    [[nodiscard]] const Value& table() const { return table_; }
    [[nodiscard]] Findings& findings() const { return findings_; }

    // Null when the key is not there.
    [[nodiscard]] const Value* get(std::string_view key);
    // The same, and an error when it is not there.
    [[nodiscard]] const Value* need(std::string_view key, std::string hint = {});
    // Of that kind, or null, with an error when it is of another.
    [[nodiscard]] const Value* get(std::string_view key, ValueKind kind);

    [[nodiscard]] bool flag(std::string_view key, bool otherwise);
    [[nodiscard]] std::uint32_t number(std::string_view key, std::uint32_t otherwise,
                                       std::uint32_t least, std::uint32_t most);
    [[nodiscard]] std::chrono::seconds duration(std::string_view key,
                                                std::chrono::seconds otherwise,
                                                std::chrono::seconds least,
                                                std::chrono::seconds most);

    template <typename T> using Choices = std::initializer_list<std::pair<std::string_view, T>>;
    // One of some words.
    template <typename T>
    [[nodiscard]] T choice(std::string_view key, T otherwise, Choices<T> choices) {
        const Value* value = get(key, ValueKind::string);
        if (value == nullptr) return otherwise;
        std::vector<std::string> words;
        for (const auto& [word, meaning] : choices) {
            if (value->text == word) return meaning;
            words.emplace_back(word);
        }
        wrong_choice(key, *value, words);
        return otherwise;
    }

    // Errors for keys that exist elsewhere and make no sense here.
    void not_here(std::initializer_list<std::string_view> keys, const std::string& why);

    // Reports unknown keys, with the near one among those that were asked for.
    void finish();

  private:
    void wrong_choice(std::string_view key, const Value& value,
                      const std::vector<std::string>& words);

    const Value& table_;
    std::string title_;
    Findings& findings_;
    std::vector<std::string> known_;
    std::vector<std::string> refused_; // already reported, so that they are never suggested
};

// "text", for messages.
[[nodiscard]] std::string quoted(std::string_view text);
// An error unless the value is of that kind.
[[nodiscard]] bool has_kind(const Value& value, ValueKind kind, std::string_view key,
                            Findings& findings);
// The strings of a list; an error for the value when it is none, and for each item that is none.
[[nodiscard]] std::vector<const Value*> strings_of(const Value& value, std::string_view key,
                                                   Findings& findings);
// Names of rules and zones: not empty, at most 64 bytes, printable.
[[nodiscard]] bool is_good_name(const std::string& name, Place place, std::string_view what,
                                Findings& findings);

} // namespace sallyport::config
