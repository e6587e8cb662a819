// SPDX-License-Identifier: Apache-2.0
#include "config/ban_after.h"

#include <charconv>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace sallyport::config {
namespace {

using std::chrono::days;
using std::chrono::seconds;

constexpr std::uint32_t kMostCount = 1000;
constexpr const char* kHint = "write \"off\", or as \"50 in 10m for 1h\"";

std::optional<std::uint32_t> count_of(const std::string& text) {
    std::uint32_t count = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc() || stop != end) return std::nullopt;
    return count;
}

std::optional<BanAfter> parse(const std::string& text) {
    std::istringstream stream(text);
    const std::vector<std::string> words{std::istream_iterator<std::string>(stream), {}};
    if (words.size() != 5 || words[1] != "in" || words[3] != "for") return std::nullopt;
    const std::optional<std::uint32_t> count = count_of(words[0]);
    const Result<seconds> find = parse_duration(words[2]);
    const Result<seconds> ban = parse_duration(words[4]);
    if (!count || !find || !ban) return std::nullopt;
    return BanAfter{.count = *count, .find = *find, .ban = *ban};
}

} // namespace

std::optional<BanAfter> read_ban_after(Fields& fields, std::string_view key) {
    const Value* const value = fields.get(key, ValueKind::string);
    if (value == nullptr || value->text == "off") return std::nullopt;
    const std::optional<BanAfter> after = parse(value->text);
    const auto wrong = [&](const std::string& what) {
        fields.findings().error(value->place, quoted(key) + what, kHint);
        return std::nullopt;
    };
    if (!after) return wrong(" is neither \"off\" nor a number in a span for a time");
    if (after->count < 1 || after->count > kMostCount)
        return wrong(" counts from 1 to " + std::to_string(kMostCount));
    if (after->find < seconds(1) || after->find > days(1))
        return wrong(" counts in a span of 1s to 1d");
    if (after->ban < seconds(1) || after->ban > days(36500)) return wrong(" bans for 1s to 36500d");
    return after;
}

} // namespace sallyport::config
