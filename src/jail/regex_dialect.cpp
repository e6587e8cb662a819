// SPDX-License-Identifier: Apache-2.0
#include "jail/regex_dialect.h"

#include <algorithm>
#include <cctype>

namespace sallyport::jail {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_octal(char c) {
    return c >= '0' && c <= '7';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hex(char c) {
    return std::isxdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_name(std::string_view text) {
    if (text.empty() || is_digit(text.front())) return false;
    for (const char c : text)
        if (!is_letter(c) && !is_digit(c) && c != '_') return false;
    return true;
}

class Translator {
  public:
    explicit Translator(std::string_view pattern) : in_(pattern) {}

    std::expected<Translated, RegexError> run() {
        std::vector<std::pair<std::size_t, std::size_t>> steps;
        while (at_ < in_.size() && !failed_) {
            steps.emplace_back(out_.size(), at_);
            step();
        }
        if (failed_) return std::unexpected(error_);
        if (flags_.empty()) return Translated{std::move(out_), std::move(steps)};
        // Flags in the middle hold for all of the pattern, as they did in Python.
        const std::string head = "(?" + flags_ + ")";
        for (auto& [out, in] : steps) out += head.size();
        return Translated{head + out_, std::move(steps)};
    }

  private:
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0';
    }
    void fail(std::string message) {
        if (!failed_) error_ = {at_, std::move(message)};
        failed_ = true;
    }
    void copy(std::size_t count) {
        out_ += in_.substr(at_, count);
        at_ += count;
    }

    void step() {
        switch (in_[at_]) {
        case '\\':
            return escape(false);
        case '[':
            return set();
        case '(':
            return group();
        case '{':
            return braces();
        default:
            return copy(1);
        }
    }

    void hexadecimal(std::size_t digits) {
        for (std::size_t i = 0; i < digits; ++i)
            if (!is_hex(peek(2 + i))) return fail("incomplete escape");
        out_ += "\\x{" + std::string(in_.substr(at_ + 2, digits)) + "}";
        at_ += 2 + digits;
    }

    // \0, \012, \123 are octal, \1 and \12 name a group.
    void number(bool in_set) {
        std::size_t count = 1;
        const bool octal = in_set || peek(1) == '0' ||
                           (is_octal(peek(1)) && is_octal(peek(2)) && is_octal(peek(3)));
        while (count < (octal ? 3u : 2u) &&
               (octal ? is_octal(peek(1 + count)) : is_digit(peek(1 + count))))
            ++count;
        const std::string digits(in_.substr(at_ + 1, count));
        if (octal && !is_octal(digits[0])) return fail("bad escape \\" + digits);
        out_ += (octal ? "\\o{" : "\\g{") + digits + "}";
        at_ += 1 + count;
    }

    void escape(bool in_set) {
        const char c = peek(1);
        if (at_ + 1 >= in_.size()) return fail("bad escape at the end");
        if (is_digit(c)) return number(in_set);
        if (!is_letter(c)) return copy(2);
        if (c == 'x') return hexadecimal(2);
        if (c == 'u') return hexadecimal(4);
        if (c == 'U') return hexadecimal(8);
        constexpr std::string_view kAlike = "afnrtdDsSwWb";
        constexpr std::string_view kOutside = "AB";
        if (c == 'v') {
            out_ += "\\x0b";
            at_ += 2;
        } else if (c == 'Z' && !in_set) {
            out_ += "\\z";
            at_ += 2;
        } else if (kAlike.contains(c) || (!in_set && kOutside.contains(c))) {
            copy(2);
        } else {
            fail(std::string("bad escape \\") + c);
        }
    }

    // In a set '[' stands for itself; to PCRE2 "[:" would begin a class of POSIX's.
    void set() {
        const std::size_t start = at_;
        copy(1);
        if (peek() == '^') copy(1);
        if (peek() == ']') {
            out_ += "\\]";
            ++at_;
        }
        while (at_ < in_.size() && !failed_) {
            if (in_[at_] == ']') return copy(1);
            if (in_[at_] == '\\') {
                escape(true);
            } else if (in_[at_] == '[') {
                out_ += "\\[";
                ++at_;
            } else {
                copy(1);
            }
        }
        if (!failed_) at_ = start;
        fail("unterminated character set");
    }

    // "{,3}" is a repeat to Python and plain text to PCRE2.
    void braces() {
        std::size_t end = at_ + 1;
        while (end < in_.size() && (is_digit(in_[end]) || in_[end] == ',')) ++end;
        if (peek(1) == ',' && end < in_.size() && in_[end] == '}' &&
            in_.substr(at_ + 2, end - at_ - 2).find(',') == std::string_view::npos) {
            out_ += "{0";
            ++at_;
            return;
        }
        copy(1);
    }

    void named() {
        const std::size_t end = in_.find('>', at_);
        if (end == std::string_view::npos) return fail("missing >, unterminated name");
        if (!is_name(in_.substr(at_ + 4, end - at_ - 4)))
            return fail("bad character in group name");
        copy(end + 1 - at_);
    }

    void conditional() {
        const std::size_t end = in_.find(')', at_);
        if (end == std::string_view::npos) return fail("missing ), unterminated name");
        const std::string name(in_.substr(at_ + 3, end - at_ - 3));
        const bool by_number =
            !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
        if (!by_number && !is_name(name)) return fail("bad character in group name");
        out_ += by_number ? "(?(" + name + ")" : "(?(<" + name + ">)";
        at_ = end + 1;
    }

    // (?i) and (?i:...). PCRE2 knows no 'u', which Python's text has anyway.
    void flags() {
        std::size_t end = at_ + 2;
        while (end < in_.size() && (is_letter(in_[end]) || in_[end] == '-')) ++end;
        std::string kept;
        for (const char c : in_.substr(at_ + 2, end - at_ - 2)) {
            if (c == 'u') continue;
            if (c != 'i' && c != 'm' && c != 's' && c != 'x' && c != '-')
                return fail(std::string("the inline flag '") + c + "' is not supported");
            kept += c;
        }
        const char closing = end < in_.size() ? in_[end] : '\0';
        if (closing == ':') {
            out_ += "(?" + kept + ":";
        } else if (closing != ')' || end == at_ + 2) {
            return fail("unknown extension");
        } else if (opens_group()) {
            out_ += "(?" + kept + ")";
        } else {
            flags_ += kept;
        }
        at_ = end + 1;
    }
    // Does what comes next stand right behind "(" or "(?:"?
    [[nodiscard]] bool opens_group() const {
        return (out_.ends_with("(") && !out_.ends_with("\\(")) || out_.ends_with("(?:");
    }

    void group() {
        if (peek(1) == '*') return fail("nothing to repeat");
        if (peek(1) != '?') return copy(1);
        const std::string_view rest = in_.substr(at_ + 2);
        if (rest.starts_with("P<")) return named();
        if (rest.starts_with("P=") || rest.starts_with("#")) {
            const std::size_t end = in_.find(')', at_);
            if (end == std::string_view::npos) return fail("missing )");
            return copy(end + 1 - at_);
        }
        if (rest.starts_with("(")) return conditional();
        if (rest.starts_with("<=") || rest.starts_with("<!")) return copy(4);
        if (rest.starts_with(":") || rest.starts_with("=") || rest.starts_with("!") ||
            rest.starts_with(">"))
            return copy(3);
        flags();
    }

    std::string_view in_;
    std::size_t at_ = 0;
    std::string out_;
    std::string flags_;
    RegexError error_;
    bool failed_ = false;
};

} // namespace

std::size_t Translated::origin_of(std::size_t at) const {
    std::size_t origin = 0;
    for (std::size_t i = 0; i < steps.size() && steps[i].first <= at; ++i) {
        origin = steps[i].second + (at - steps[i].first);
        if (i + 1 < steps.size()) origin = std::min(origin, steps[i + 1].second);
    }
    return origin;
}

std::expected<Translated, RegexError> python_to_pcre2(std::string_view pattern) {
    return Translator(pattern).run();
}

} // namespace sallyport::jail
