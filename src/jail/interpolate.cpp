// SPDX-License-Identifier: Apache-2.0
#include "jail/interpolate.h"

#include "base/text.h"

#include <map>

namespace sallyport::jail {

namespace {

constexpr unsigned kDepthMax = 10;          // configparser's own
constexpr unsigned kTagRepeats = 25;        // fail2ban's own
constexpr std::size_t kValueMax = 1u << 20; // what a few lines may not grow into
constexpr unsigned kStepsMax = 100'000;     // nor take, when they grow into nothing

class Interpolation {
  public:
    Interpolation(const Ini& ini, std::string_view section, const Options& over)
        : ini_(ini), section_name_(section), over_(over),
          section_(section == "DEFAULT" ? nullptr : ini.find(section)) {}

    [[nodiscard]] bool has_section() const {
        return section_name_ == "DEFAULT" || section_ != nullptr;
    }

    [[nodiscard]] const Option* find(const std::string& key) const {
        if (const auto found = over_.find(key); found != over_.end()) return &found->second;
        if (section_ != nullptr)
            if (const auto found = section_->options.find(key); found != section_->options.end())
                return &found->second;
        if (const auto found = ini_.defaults.find(key); found != ini_.defaults.end())
            return &found->second;
        return nullptr;
    }

    Result<std::string> expand(const Option& option, unsigned depth = 1) {
        if (depth > kDepthMax || ++steps_ > kStepsMax)
            return wrong(option, "its interpolation is too deep or a loop");
        const std::string& text = option.value;
        std::string made;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t percent = text.find('%', at);
            made += text.substr(at, percent - at);
            if (percent == std::string::npos) break;
            if (text.compare(percent, 2, "%%") == 0) {
                made += '%';
                at = percent + 2;
                continue;
            }
            const std::size_t end = text.find(")s", percent);
            if (text.compare(percent, 2, "%(") != 0 || end == std::string::npos)
                return wrong(option, "'%' must be followed by '%' or '(name)s'");
            made += SP_TRY(value_of(option, text.substr(percent + 2, end - percent - 2), depth));
            if (made.size() > kValueMax) return wrong(option, "it grows past 1 MiB");
            at = end + 2;
        }
        return made;
    }

  private:
    static std::unexpected<Error> wrong(const Option& option, const std::string& what) {
        std::string where = to_string(option.origin);
        if (!where.empty()) where += ": ";
        return fail(ErrorKind::invalid_input, where + escaped(what));
    }

    Result<std::string> value_of(const Option& option, const std::string& name, unsigned depth) {
        const std::string key = lower(name);
        if (key == "__name__") return section_name_;
        const Option* found = find(key);
        if (found == nullptr) found = elsewhere(name);
        if (found == nullptr)
            return wrong(option, "%(" + name + ")s refers to nothing that is known");
        return expand(*found, depth + 1);
    }

    // "section/key"; falls back to [DEFAULT] when the section has no such key.
    [[nodiscard]] const Option* elsewhere(const std::string& name) const {
        const std::size_t slash = name.find('/');
        if (slash == std::string::npos) return nullptr;
        const std::string where = name.substr(0, slash);
        const std::string key = lower(name.substr(slash + 1));
        if (lower(where) != "default") {
            const bool known = lower(where) == "known";
            const Section* const section = ini_.find(known ? "KNOWN/" + section_name_ : where);
            if (section == nullptr && !known) return nullptr;
            if (section != nullptr)
                if (const auto found = section->options.find(key); found != section->options.end())
                    return &found->second;
        }
        const auto found = ini_.defaults.find(key);
        return found == ini_.defaults.end() ? nullptr : &found->second;
    }

    const Ini& ini_;
    std::string section_name_;
    const Options& over_;
    const Section* section_;
    unsigned steps_ = 0;
};

// The next "<name>" at or after `from`; npos when there is none.
std::size_t find_tag(const std::string& text, std::size_t from, std::string& name) {
    for (std::size_t at = text.find('<', from); at != std::string::npos;) {
        const std::size_t end = text.find_first_of("<> ", at + 1);
        if (end == std::string::npos) return end;
        if (text[end] == '>' && end > at + 1) {
            name = text.substr(at + 1, end - at - 1);
            return at;
        }
        at = text.find('<', text[end] == '<' ? end : at + 1);
    }
    return std::string::npos;
}

using Repeats = std::map<std::string, unsigned>;

std::size_t replace_all(std::string& text, const std::string& what, const std::string& by) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
        text.replace(at, what.size(), by);
        ++count;
        if (text.size() > kValueMax) break;
    }
    return count;
}

// One pass over a value; true when something was filled in.
Result<bool> fill_in(const std::string& key, Options& values, const std::set<std::string>& ignored,
                     const TagLookup& lookup, Repeats& repeats) {
    std::string text = values.at(key).value;
    const auto wrong = [&](const std::string& what) {
        std::string where = to_string(values.at(key).origin);
        return fail(ErrorKind::invalid_input,
                    (where.empty() ? "" : where + ": ") + escaped(key + ": " + what));
    };
    bool changed = false;
    std::string name;
    std::size_t at = find_tag(text, 0, name);
    while (at != std::string::npos) {
        const std::size_t past = at + name.size() + 2;
        if (ignored.contains(name)) {
            at = find_tag(text, past, name);
            continue;
        }
        if (name == key || repeats[name] >= kTagRepeats)
            return wrong("<" + name + "> holds itself");
        std::optional<std::string> by;
        if (const auto found = values.find(name); found != values.end()) by = found->second.value;
        if (!by) by = lookup(name);
        if (!by) {
            at = find_tag(text, past, name);
            continue;
        }
        replace_all(text, "<" + name + ">", *by);
        if (text.size() > kValueMax) return wrong("it grows past 1 MiB");
        ++repeats[name];
        changed = true;
        at = find_tag(text, at, name);
    }
    values.at(key).value = text;
    return changed;
}

} // namespace

Result<std::optional<Option>> interpolated(const Ini& ini, std::string_view section,
                                           std::string_view key, const Options& over) {
    Interpolation interpolation(ini, section, over);
    if (!interpolation.has_section()) return std::optional<Option>();
    const Option* const found = interpolation.find(lower(key));
    if (found == nullptr) return std::optional<Option>();
    std::string value = SP_TRY(interpolation.expand(*found));
    return std::optional<Option>(Option{std::move(value), found->origin});
}

Status fill_in_tags(Options& values, const std::set<std::string>& ignored,
                    const TagLookup& lookup) {
    std::map<std::string, Repeats> repeats;
    for (bool again = true; again;) {
        again = false;
        for (const auto& [key, option] : values) {
            if (ignored.contains(key) || !option.value.contains('<')) continue;
            if (SP_TRY(fill_in(key, values, ignored, lookup, repeats[key]))) again = true;
        }
    }
    return {};
}

} // namespace sallyport::jail
