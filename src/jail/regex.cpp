// SPDX-License-Identifier: Apache-2.0
#include "jail/regex.h"

#include "base/text.h"

#include <algorithm>
#include <array>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace sallyport::jail {

namespace {

// Steps of one search. The dearest of fail2ban's own sample lines needs a few
// thousand; a regex bomb ends after a few milliseconds.
constexpr std::uint32_t kMatchLimit = 200'000;
constexpr std::uint32_t kDepthLimit = 20'000;
constexpr std::uint32_t kHeapKibibytes = 8 * 1024;
constexpr std::size_t kPatternMax = 256 * 1024;

template <auto Free> struct Freer {
    template <typename T> void operator()(T* pointer) const { Free(pointer); }
};
using Code = std::unique_ptr<pcre2_code, Freer<pcre2_code_free>>;
using MatchData = std::unique_ptr<pcre2_match_data, Freer<pcre2_match_data_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, Freer<pcre2_match_context_free>>;
using CompileContext = std::unique_ptr<pcre2_compile_context, Freer<pcre2_compile_context_free>>;

std::string words_of(int number) {
    if (number == PCRE2_ERROR_DUPLICATE_SUBPATTERN_NAME)
        return "a name that is there already: an expression has one <HOST>, and any group once";
    std::array<PCRE2_UCHAR, 256> buffer{};
    pcre2_get_error_message(number, buffer.data(), buffer.size());
    return reinterpret_cast<const char*>(buffer.data());
}

PCRE2_SPTR units(std::string_view text) {
    return reinterpret_cast<PCRE2_SPTR>(text.data());
}

std::vector<std::pair<std::string, std::size_t>> read_names(const pcre2_code* code) {
    std::uint32_t count = 0;
    std::uint32_t entry_size = 0;
    PCRE2_SPTR table = nullptr;
    pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &entry_size);
    pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &table);
    std::vector<std::pair<std::string, std::size_t>> names;
    for (std::uint32_t i = 0; i < count; ++i) {
        const PCRE2_SPTR entry = table + static_cast<std::size_t>(i) * entry_size;
        names.emplace_back(reinterpret_cast<const char*>(entry + 2),
                           static_cast<std::size_t>(entry[0]) << 8 | entry[1]);
    }
    return names;
}

} // namespace

struct Regex::Compiled {
    std::string pattern;
    Code code;
    MatchData found;
    MatchContext context;
    std::vector<std::pair<std::string, std::size_t>> names;
    std::string_view text;
};

Regex::Regex(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

std::expected<Regex, RegexError> Regex::compile(std::string_view pattern) {
    if (pattern.size() > kPatternMax) return std::unexpected(RegexError{0, "longer than 256 KiB"});
    std::string buffer;
    const std::string_view good = as_utf8(pattern, buffer);
    const std::expected<Translated, RegexError> translated = python_to_pcre2(good);
    if (!translated) return std::unexpected(translated.error());
    const CompileContext settings(pcre2_compile_context_create(nullptr));
    pcre2_set_newline(settings.get(), PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(settings.get(), 100);
    int error = 0;
    PCRE2_SIZE at = 0;
    auto compiled = std::make_unique<Compiled>();
    compiled->pattern = pattern;
    compiled->code.reset(pcre2_compile(units(translated->text), translated->text.size(),
                                       PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &at,
                                       settings.get()));
    if (!compiled->code)
        return std::unexpected(
            RegexError{std::min(translated->origin_of(at), pattern.size()), words_of(error)});
    // Without JIT (an architecture or a kernel that refuses it) it is slower and the same.
    static_cast<void>(pcre2_jit_compile(compiled->code.get(), PCRE2_JIT_COMPLETE));
    compiled->found.reset(pcre2_match_data_create_from_pattern(compiled->code.get(), nullptr));
    compiled->context.reset(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(compiled->context.get(), kMatchLimit);
    pcre2_set_depth_limit(compiled->context.get(), kDepthLimit);
    pcre2_set_heap_limit(compiled->context.get(), kHeapKibibytes);
    compiled->names = read_names(compiled->code.get());
    return Regex(std::move(compiled));
}

Search Regex::search(std::string_view text) {
    compiled_->text = text;
    const auto attempt = [&](std::uint32_t options) {
        return pcre2_match(compiled_->code.get(), units(text), text.size(), 0,
                           options | PCRE2_NO_UTF_CHECK, compiled_->found.get(),
                           compiled_->context.get());
    };
    int result = attempt(0);
    // The interpreter has more room than the 32 KiB that compiled code takes of the stack.
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) result = attempt(PCRE2_NO_JIT);
    if (result >= 0) return Search::found;
    return result == PCRE2_ERROR_NOMATCH ? Search::missed : Search::too_costly;
}

std::optional<Regex::Span> Regex::span(std::size_t group) const {
    if (group >= pcre2_get_ovector_count(compiled_->found.get())) return std::nullopt;
    const PCRE2_SIZE* const offsets = pcre2_get_ovector_pointer(compiled_->found.get());
    const std::size_t begin = offsets[2 * group];
    const std::size_t end = offsets[2 * group + 1];
    if (begin == PCRE2_UNSET || end < begin) return std::nullopt;
    return Span{begin, end};
}

std::optional<std::string_view> Regex::group(std::size_t number) const {
    const std::optional<Span> where = span(number);
    if (!where) return std::nullopt;
    return compiled_->text.substr(where->begin, where->end - where->begin);
}

std::optional<std::string_view> Regex::group(std::string_view name) const {
    for (const auto& [known, number] : compiled_->names)
        if (known == name) return group(number);
    return std::nullopt;
}

const std::vector<std::pair<std::string, std::size_t>>& Regex::names() const {
    return compiled_->names;
}

bool Regex::has_group(std::string_view name) const {
    return std::ranges::any_of(compiled_->names,
                               [&](const auto& known) { return known.first == name; });
}

const std::string& Regex::pattern() const {
    return compiled_->pattern;
}

std::string_view as_utf8(std::string_view text, std::string& buffer) {
    const bool is_ascii =
        std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (is_ascii) return text;
    buffer.clear();
    bool changed = false;
    for (std::size_t at = 0; at < text.size();) {
        const Character character = character_at(text, at);
        if (character.code)
            buffer += character.bytes;
        else
            buffer += "\xef\xbf\xbd", changed = true;
        at += character.bytes.size();
    }
    return changed ? std::string_view(buffer) : text;
}

} // namespace sallyport::jail
