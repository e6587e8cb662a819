// SPDX-License-Identifier: Apache-2.0
// TOML text to our own tree, through toml++. Its headers are compiled in here,
// without exceptions, rather than its shared library, which throws.
//
// toml++ stops at the first error. For one kind that would hide too much, a key
// that is there twice: the second one is given another name, of the same length
// so that all places hold, and the text is read again.
#include "config/document.h"

#include <algorithm>
#include <cstdlib>

#include "config/toml_guard.h"

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 32
// toml++ 3.3 and 3.4 assert, and tell the optimiser, what "[[[" and "[)" make
// false, though the code behind is right for them: neither is to be believed.
#define TOML_ASSERT(expression) static_assert(true)
// And it calls unreachable what a letter like "ü" outside of quotes reaches, in
// functions that ask whether a character is a space: it is none.
#if __has_include(<toml++/impl/preprocessor.hpp>)
#include <toml++/impl/preprocessor.hpp>
#define SP_TOML_UNICODE <toml++/impl/unicode.hpp>
#else
#include <toml++/impl/preprocessor.h>
#define SP_TOML_UNICODE <toml++/impl/unicode.h>
#endif
#undef TOML_ASSERT_ASSUME
#define TOML_ASSERT_ASSUME(expression) static_assert(true)
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE return false
#include SP_TOML_UNICODE
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE std::abort()
#include <toml++/toml.h>

namespace sallyport::config {

namespace {

constexpr int kRenames = 100;

Place place_of(const toml::source_position& position) {
    return Place{.line = position.line, .column = position.column};
}

Value converted(const toml::node& node);

void convert_children(const toml::node& node, Value& value) {
    if (const toml::array* array = node.as_array()) {
        value.kind = ValueKind::list;
        value.items.reserve(array->size());
        for (const toml::node& item : *array) value.items.push_back(converted(item));
    } else if (const toml::table* table = node.as_table()) {
        value.kind = ValueKind::table;
        for (auto&& [key, child] : *table)
            value.entries.push_back(Entry{.key = std::string(key.str()),
                                          .place = place_of(key.source().begin),
                                          .value = converted(child)});
    }
}

Value converted(const toml::node& node) {
    Value value;
    value.place = place_of(node.source().begin);
    if (const toml::value<std::string>* text = node.as_string()) {
        value.kind = ValueKind::string;
        value.text = text->get();
    } else if (const toml::value<std::int64_t>* number = node.as_integer()) {
        value.kind = ValueKind::integer;
        value.number = number->get();
    } else if (const toml::value<bool>* truth = node.as_boolean()) {
        value.kind = ValueKind::boolean;
        value.number = truth->get() ? 1 : 0;
    } else if (node.is_floating_point()) {
        value.kind = ValueKind::fraction;
    } else if (node.is_date() || node.is_time() || node.is_date_time()) {
        value.kind = ValueKind::time;
    } else {
        convert_children(node, value);
    }
    return value;
}

bool is_bare(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// A key in its line: the bytes between its quotes, if it has any.
struct KeySpan {
    std::size_t begin;
    std::size_t end;
    bool quoted;
};

// The last part of the key that ends before `end`, blanks aside.
std::optional<KeySpan> key_before(std::string_view line, std::size_t end) {
    while (end > 0 && (line[end - 1] == ' ' || line[end - 1] == '\t')) --end;
    if (end == 0) return std::nullopt;
    KeySpan span{.begin = end, .end = end, .quoted = false};
    const char last = line[end - 1];
    if (last == '"' || last == '\'') {
        span.quoted = true;
        span.end = span.begin = end - 1;
        while (span.begin > 0 && line[span.begin - 1] != last) --span.begin;
        if (span.begin == 0) return std::nullopt;
    } else {
        while (span.begin > 0 && is_bare(line[span.begin - 1])) --span.begin;
    }
    if (span.begin == span.end) return std::nullopt;
    return span;
}

// The key of which toml++ says at `error` that it is defined already: it points
// at the value of a pair, and at the bracket of a header.
std::optional<KeySpan> repeated_key(std::string_view line, std::size_t error) {
    if (error >= line.size()) return std::nullopt;
    if (line.substr(0, error).find_first_not_of(" \t") == std::string_view::npos && line[error] == '[') {
        const std::size_t close = line.find(']', error);
        return close == std::string_view::npos ? std::nullopt : key_before(line, close);
    }
    const std::size_t equals = line.rfind('=', error);
    return equals == std::string_view::npos ? std::nullopt : key_before(line, equals);
}

// Letters that no key of a policy has, so that the new name is no other key's.
void rename(std::string& text, std::size_t at) {
    text[at] = text[at] > 'A' && text[at] <= 'Z' ? static_cast<char>(text[at] - 1) : 'Z';
}

class Reader {
  public:
    Reader(std::string_view text, Findings& findings) : text_(text), findings_(findings) {}

    [[nodiscard]] std::optional<Value> read() {
        for (int i = 0; i <= kRenames; ++i) {
            const toml::parse_result result = toml::parse(std::string_view(text_));
            if (result) return converted(result.table());
            const toml::parse_error& error = result.error();
            const std::string_view what = error.description();
            if (what.find("cannot redefine existing") != std::string_view::npos &&
                rename_repeated(place_of(error.source().begin)))
                continue;
            report(what, place_of(error.source().begin));
            break;
        }
        return std::nullopt;
    }

  private:
    // False when the key could not be found in the text.
    bool rename_repeated(Place error) {
        const std::string_view line = findings_.line(error.line);
        const std::optional<KeySpan> key = repeated_key(line, findings_.byte_of(error));
        if (!key) return false;
        const std::string_view name = line.substr(key->begin, key->end - key->begin);
        // Another last letter would not do behind a backslash or within a wide character.
        if (name.find('\\') != std::string_view::npos || !is_ascii(name.back())) return false;
        unsigned char_column = 1;
        for (std::size_t at = 0; at < key->begin - (key->quoted ? 1 : 0); ++at)
            if ((static_cast<unsigned char>(line[at]) & 0xc0) != 0x80) ++char_column;
        const Place place{.line = error.line, .column = char_column};
        if (std::find(renamed_.begin(), renamed_.end(), place) == renamed_.end()) {
            findings_.error(place, "\"" + std::string(name) + "\" is defined twice");
            findings_.silence(place);
            renamed_.push_back(place);
        }
        rename(text_, static_cast<std::size_t>(line.data() - findings_.line(1).data()) + key->end - 1);
        return true;
    }

    void report(std::string_view what, Place place) {
        constexpr std::string_view kPrefix = "Error while parsing ";
        std::string message = "not TOML: ";
        if (what.starts_with(kPrefix)) what.remove_prefix(kPrefix.size());
        findings_.error(place, message + std::string(what));
    }

    std::string text_;
    Findings& findings_;
    std::vector<Place> renamed_;
};

} // namespace

const Entry* Value::find(std::string_view key) const {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const Entry& entry) { return entry.key == key; });
    return found == entries.end() ? nullptr : &*found;
}

const char* kind_name(ValueKind kind) {
    switch (kind) {
    case ValueKind::string:
        return "a string";
    case ValueKind::integer:
        return "a number";
    case ValueKind::fraction:
        return "a fraction";
    case ValueKind::boolean:
        return "true or false";
    case ValueKind::time:
        return "a date or time";
    case ValueKind::list:
        return "a list";
    case ValueKind::table:
        return "a table";
    }
    return "nothing";
}

std::optional<Value> read_toml(std::string_view text, Findings& findings) {
    if (const std::optional<Objection> objection = objection_to(text)) {
        findings.error(objection->place, objection->message);
        return std::nullopt;
    }
    return Reader(text, findings).read();
}

} // namespace sallyport::config
