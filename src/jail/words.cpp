// SPDX-License-Identifier: Apache-2.0
#include "jail/words.h"

#include "base/text.h"
#include "jail/ini.h"

#include <charconv>
#include <cmath>

namespace sallyport::jail {

namespace {

bool is_key(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::unexpected<Error> wrong(std::string_view text, const std::string& what) {
    return fail(ErrorKind::invalid_input, escaped(std::string(text.substr(0, 80)) + ": " + what));
}

// What stands between the outermost brackets.
class OptionList {
  public:
    explicit OptionList(std::string_view text) : text_(text) {}

    Result<std::map<std::string, std::string>> read() {
        std::map<std::string, std::string> options;
        for (skip(); at_ < text_.size(); skip()) {
            const std::size_t start = at_;
            while (at_ < text_.size() && is_key(text_[at_])) ++at_;
            const std::string key(text_.substr(start, at_ - start));
            if (key.empty() || at_ >= text_.size() || text_[at_] != '=')
                return wrong(text_, "expected option=value at " + std::to_string(start + 1));
            ++at_;
            options[key] = std::string(trimmed(SP_TRY(value())));
            skip_space();
            if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ']')
                return wrong(text_, "unexpected text after option " + key);
        }
        return options;
    }

  private:
    void skip_space() {
        while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
    }
    // Between two options: a comma, or the end of one list and the start of the next.
    void skip() {
        while (at_ < text_.size() && std::string_view(" \t\r\n,][").contains(text_[at_])) ++at_;
    }
    Result<std::string_view> value() {
        const char quote = at_ < text_.size() ? text_[at_] : '\0';
        if (quote == '"' || quote == '\'') {
            const std::size_t end = text_.find(quote, at_ + 1);
            if (end == std::string_view::npos) return wrong(text_, "a quote is not closed");
            const std::string_view found = text_.substr(at_ + 1, end - at_ - 1);
            at_ = end + 1;
            return found;
        }
        const std::size_t end = std::min(text_.find_first_of(",]", at_), text_.size());
        const std::string_view found = text_.substr(at_, end - at_);
        at_ = end;
        return found;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

// Seconds in a unit, by fail2ban's abbreviations; 0 when it is none.
double unit_of(const std::string& name) {
    constexpr double kDay = 24 * 60 * 60;
    constexpr double kYear = 365.25 * kDay;
    const auto is = [&](std::initializer_list<const char*> names) {
        for (const char* known : names)
            if (name == known) return true;
        return false;
    };
    if (is({"s", "ss", "se", "sec", "second", "seconds"})) return 1;
    if (is({"m", "mm", "mi", "min", "minute", "minutes"})) return 60;
    if (is({"h", "hh", "ho", "hou", "hour", "hours"})) return 60 * 60;
    if (is({"d", "dd", "da", "day", "days"})) return kDay;
    if (is({"w", "ww", "we", "wee", "week", "weeks"})) return 7 * kDay;
    if (is({"mo", "mon", "month", "months"})) return kYear / 12;
    if (is({"y", "yy", "ye", "yea", "year", "years"})) return kYear;
    return 0;
}

} // namespace

Result<NameWithOptions> parse_name_with_options(std::string_view text) {
    text = trimmed(text);
    const std::size_t open = text.find('[');
    NameWithOptions made{.name = std::string(trimmed(text.substr(0, open))), .options = {}};
    if (made.name.empty()) return wrong(text, "there is no name");
    if (open == std::string_view::npos) return made;
    if (!text.ends_with(']')) return wrong(text, "there is no closing bracket");
    made.options = SP_TRY(OptionList(text.substr(open + 1, text.size() - open - 2)).read());
    return made;
}

std::vector<std::string> split_words(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : text) {
        if (!std::string_view(" ,\n\t\r").contains(c)) {
            word += c;
        } else if (!word.empty()) {
            words.push_back(std::move(word));
            word.clear();
        }
    }
    if (!word.empty()) words.push_back(std::move(word));
    return words;
}

Result<std::vector<std::string>> split_shell(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool in_word = false;
    char quote = '\0';
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\\' && quote != '\'' && at + 1 < text.size()) {
            word += text[++at];
            in_word = true;
        } else if (quote != '\0') {
            if (c == quote)
                quote = '\0';
            else
                word += c;
        } else if (c == '"' || c == '\'') {
            quote = c;
            in_word = true;
        } else if (std::string_view(" \t\r\n").contains(c)) {
            if (in_word) words.push_back(std::move(word));
            word.clear();
            in_word = false;
        } else {
            word += c;
            in_word = true;
        }
    }
    if (quote != '\0') return wrong(text, "a quote is not closed");
    if (in_word) words.push_back(std::move(word));
    return words;
}

Result<std::chrono::seconds> parse_time_span(std::string_view text) {
    constexpr double kMost = 100 * 366.0 * 24 * 60 * 60;
    const std::string_view all = trimmed(text);
    double sum = 0;
    bool any = false;
    for (std::size_t at = 0; at < all.size();) {
        double sign = 1;
        for (; at < all.size() && std::string_view(" \t\n+-").contains(all[at]); ++at)
            if (all[at] == '-') sign = -sign;
        double number = 0;
        const auto [past, error] = std::from_chars(all.data() + at, all.data() + all.size(), number,
                                                   std::chars_format::fixed);
        if (error != std::errc() || !is_digit(all[at]))
            return wrong(all, "no span of time; write 600, 10m or 1d 12h");
        at = static_cast<std::size_t>(past - all.data());
        std::size_t unit_at = at;
        while (unit_at < all.size() && (all[unit_at] == ' ' || all[unit_at] == '\t')) ++unit_at;
        std::size_t end = unit_at;
        while (end < all.size() && is_letter(all[end])) ++end;
        double unit = 1;
        if (end > unit_at) {
            unit = unit_of(lower(all.substr(unit_at, end - unit_at)));
            if (unit == 0) return wrong(all, "no span of time; units are s, m, h, d, w, mo and y");
            at = end;
        }
        sum += sign * number * unit;
        any = true;
        while (at < all.size() && std::string_view(" \t\n").contains(all[at])) ++at;
        if (!(std::fabs(sum) <= kMost)) return wrong(all, "longer than 100 years");
    }
    if (!any) return wrong(all, "no span of time; write 600, 10m or 1d 12h");
    return std::chrono::seconds(std::llround(sum));
}

bool parse_yes(std::string_view text) {
    const std::string word = lower(trimmed(text));
    return word == "true" || word == "yes" || word == "on" || word == "1";
}

bool parse_no(std::string_view text) {
    const std::string word = lower(trimmed(text));
    return word.empty() || word == "false" || word == "no" || word == "off" || word == "0";
}

std::optional<long> parse_integer(std::string_view text) {
    text = trimmed(text);
    long number = 0;
    const auto [past, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || past != text.data() + text.size()) return std::nullopt;
    return number;
}

} // namespace sallyport::jail
