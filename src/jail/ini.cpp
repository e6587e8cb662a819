// SPDX-License-Identifier: Apache-2.0
#include "jail/ini.h"

#include "base/text.h"

#include <algorithm>
#include <limits>
#include <set>

namespace sallyport::jail {

namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";

bool is_space(char c) {
    return kSpace.contains(c);
}

// Where a comment begins: a line of its own with '#' or ';', or ';' after a space.
std::size_t comment_start(std::string_view line) {
    const std::string_view rest = trimmed(line);
    if (rest.starts_with('#') || rest.starts_with(';')) return 0;
    for (std::size_t at = line.find(';'); at != std::string_view::npos; at = line.find(';', at + 1))
        if (at == 0 || is_space(line[at - 1])) return at;
    return std::string_view::npos;
}

class Reader {
  public:
    Reader(std::string_view text, const std::string& file) : text_(text), file_(file) {}

    Result<Ini> read() {
        while (!text_.empty()) {
            const std::size_t end = text_.find('\n');
            std::string_view line = text_.substr(0, end);
            text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
            if (line.ends_with('\r')) line.remove_suffix(1);
            ++number_;
            SP_TRY(take(line));
        }
        finish(ini_.defaults);
        for (Section& section : ini_.sections) finish(section.options);
        return std::move(ini_);
    }

  private:
    static void finish(Options& options) {
        for (auto& [key, option] : options)
            while (!option.value.empty() && is_space(option.value.back())) option.value.pop_back();
    }

    [[nodiscard]] std::unexpected<Error> wrong(const std::string& what) const {
        return fail(ErrorKind::invalid_input,
                    to_string(Origin{file_, number_}) + ": " + escaped(what));
    }

    Status take(std::string_view line) {
        const std::size_t comment = comment_start(line);
        const std::string_view value = trimmed(line.substr(0, comment));
        if (value.empty()) {
            if (comment == std::string_view::npos && value_ != nullptr) *value_ += '\n';
            return {};
        }
        const std::size_t indent = line.find_first_not_of(kSpace);
        if (value_ != nullptr && indent > indent_) {
            *value_ += '\n';
            *value_ += value;
            return {};
        }
        indent_ = indent;
        if (value.starts_with('[') && value.rfind(']') > 1 &&
            value.rfind(']') != std::string_view::npos)
            return section(value.substr(1, value.rfind(']') - 1));
        return option(value);
    }

    Status section(std::string_view name) {
        value_ = nullptr;
        if (name == "DEFAULT") {
            options_ = &ini_.defaults;
            prefix_ = "DEFAULT";
            return {};
        }
        if (ini_.find(name) != nullptr)
            return wrong("the section [" + std::string(name) + "] is there twice");
        ini_.sections.push_back({std::string(name), {}});
        options_ = &ini_.sections.back().options;
        prefix_ = name;
        return {};
    }

    Status option(std::string_view line) {
        if (options_ == nullptr) return wrong("text before the first [section]");
        const std::size_t at = line.find_first_of("=:");
        const std::string key = lower(trimmed(line.substr(0, at)));
        if (at == std::string_view::npos || key.empty())
            return wrong("expected \"key = value\": " + std::string(line));
        if (!seen_.emplace(prefix_, key).second)
            return wrong("\"" + key + "\" is there twice in [" + prefix_ + "]");
        Option& made = (*options_)[key];
        made = {std::string(trimmed(line.substr(at + 1))), Origin{file_, number_}};
        value_ = &made.value;
        return {};
    }

    std::string_view text_;
    const std::string& file_;
    unsigned number_ = 0;
    Ini ini_;
    Options* options_ = nullptr;
    std::string* value_ = nullptr;
    std::string prefix_;
    std::size_t indent_ = std::numeric_limits<std::size_t>::max();
    std::set<std::pair<std::string, std::string>> seen_;
};

} // namespace

const Section* Ini::find(std::string_view name) const {
    const auto found = std::ranges::find(sections, name, &Section::name);
    return found == sections.end() ? nullptr : &*found;
}

Section* Ini::find(std::string_view name) {
    const auto found = std::ranges::find(sections, name, &Section::name);
    return found == sections.end() ? nullptr : &*found;
}

Result<Ini> parse_ini(std::string_view text, const std::string& file) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    return Reader(text, file).read();
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

std::string lower(std::string_view text) {
    std::string made(text);
    for (char& c : made)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return made;
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> pieces;
    for (;;) {
        const std::size_t at = text.find(separator);
        pieces.emplace_back(text.substr(0, at));
        if (at == std::string_view::npos) return pieces;
        text.remove_prefix(at + 1);
    }
}

} // namespace sallyport::jail
