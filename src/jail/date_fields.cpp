// SPDX-License-Identifier: Apache-2.0
#include "jail/date_fields.h"

#include "jail/ini.h"

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <string>

namespace sallyport::jail {

namespace {

using namespace std::chrono;

constexpr std::array<const char*, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                 "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<const char*, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

// Days and months are told apart by their first three letters.
template <std::size_t N>
std::optional<int> index_in(const std::array<const char*, N>& names, std::string_view text) {
    const std::string head = lower(text.substr(0, 3));
    for (std::size_t i = 0; i < N; ++i)
        if (head == names[i]) return static_cast<int>(i);
    return std::nullopt;
}

struct Fields {
    std::optional<int> year, month, day, weekday, yearday, week, zone;
    bool week_from_monday = true;
    int hour = 0, minute = 0, second = 0;
};

class Reader {
  public:
    explicit Reader(const Regex& regex) : regex_(regex) {}

    std::optional<Fields> read() {
        Fields made;
        made.year = number("Y");
        if (const std::optional<int> two = number("y")) made.year = 2000 + *two;
        made.month = number("m");
        for (const char* name : {"b", "B"})
            if (const auto text = regex_.group(name))
                if (const std::optional<int> index = index_in(kMonths, *text))
                    made.month = *index + 1;
        made.day = number("d");
        made.hour = hour();
        made.minute = number("M").value_or(0);
        made.second = number("S").value_or(0);
        for (const char* name : {"a", "A"})
            if (const auto text = regex_.group(name)) made.weekday = index_in(kDays, *text);
        if (const std::optional<int> from_sunday = number("w"))
            made.weekday = (*from_sunday + 6) % 7;
        if (const std::optional<int> from_monday = number("u")) made.weekday = *from_monday - 1;
        made.yearday = number("j");
        made.week = number("W");
        if (const std::optional<int> week = number("U")) {
            made.week = week;
            made.week_from_monday = false;
        }
        for (const char* name : {"z", "Z"})
            if (const auto text = regex_.group(name)) {
                made.zone = parse_zone(*text);
                if (!made.zone) return std::nullopt;
            }
        return made;
    }

  private:
    [[nodiscard]] std::optional<int> number(std::string_view name) const {
        const std::optional<std::string_view> text = regex_.group(name);
        if (!text) return std::nullopt;
        const std::string_view digits = trimmed(*text);
        int value = 0;
        const auto [past, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value);
        // Digits of other scripts match \d and are no number here.
        if (error != std::errc() || past != digits.data() + digits.size()) return std::nullopt;
        return value;
    }

    [[nodiscard]] int hour() const {
        const std::optional<int> of_twelve = number("I");
        if (!of_twelve) return number("H").value_or(0);
        const bool is_afternoon = lower(regex_.group("p").value_or("")) == "pm";
        return *of_twelve % 12 + (is_afternoon ? 12 : 0) + (*of_twelve > 12 ? 12 : 0);
    }

    const Regex& regex_;
};

// The day of the year from a week's number and a day, as %U and %W count.
std::optional<int> yearday_of(int in_year, int week, int weekday, bool from_monday) {
    const std::chrono::weekday first{sys_days(year(in_year) / January / 1)};
    int start = static_cast<int>(first.iso_encoding()) - 1; // Monday is 0
    int day = weekday;
    if (!from_monday) {
        start = (start + 1) % 7;
        day = (weekday + 1) % 7;
    }
    const int before_week_one = (7 - start) % 7;
    return week == 0 ? 1 + day - start : 1 + before_week_one + 7 * (week - 1) + day;
}

std::optional<sys_seconds> instant(const Fields& fields, std::optional<int> zone) {
    const year_month_day date{year(*fields.year), month(static_cast<unsigned>(*fields.month)),
                              day(static_cast<unsigned>(*fields.day))};
    if (*fields.year < 1 || *fields.month < 1 || *fields.day < 1 || !date.ok() ||
        fields.hour > 23 || fields.minute > 59 || fields.second > 59)
        return std::nullopt;
    if (zone)
        return sys_days(date) + hours(fields.hour) + minutes(fields.minute - *zone) +
               seconds(fields.second);
    std::tm local{};
    local.tm_year = *fields.year - 1900;
    local.tm_mon = *fields.month - 1;
    local.tm_mday = *fields.day;
    local.tm_hour = fields.hour;
    local.tm_min = fields.minute;
    local.tm_sec = fields.second;
    local.tm_isdst = -1;
    return sys_seconds(seconds(std::mktime(&local)));
}

std::tm local_day(LogTime now) {
    const std::time_t at = static_cast<std::time_t>(floor<seconds>(now).time_since_epoch().count());
    std::tm made{};
    ::localtime_r(&at, &made);
    return made;
}

// Years are dates alone; nothing else of a line tells them.
std::optional<LogTime> complete(Fields fields, LogTime now, std::optional<int> zone) {
    const std::tm today = local_day(now);
    const bool any_year = !fields.year;
    if (any_year) fields.year = today.tm_year + 1900;
    if ((!fields.month || !fields.day) && !fields.yearday && fields.week && fields.weekday)
        fields.yearday =
            yearday_of(*fields.year, *fields.week, *fields.weekday, fields.week_from_monday);
    if ((!fields.month || !fields.day) && fields.yearday) {
        const year_month_day date{sys_days(year(*fields.year) / January / 1) +
                                  days(*fields.yearday - 1)};
        fields.year = static_cast<int>(date.year());
        fields.month = static_cast<int>(static_cast<unsigned>(date.month()));
        fields.day = static_cast<int>(static_cast<unsigned>(date.day()));
    }
    const bool any_day = !fields.month && !fields.day;
    if (any_day) {
        fields.month = today.tm_mon + 1;
        fields.day = today.tm_mday;
    }
    if (!fields.month || !fields.day) return std::nullopt;
    std::optional<sys_seconds> made = instant(fields, fields.zone ? fields.zone : zone);
    if (made && any_day && *made > now) *made -= days(1);
    if (made && any_year && *made > now + days(1)) {
        fields.year = *fields.year - 1;
        made = instant(fields, fields.zone ? fields.zone : zone);
    }
    return made;
}

std::optional<LogTime> epoch_of(std::string_view text, bool is_long) {
    double value = 0;
    const auto [past, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) return std::nullopt;
    if (is_long && text.size() >= 16 && !text.contains('.'))
        value /= 1e6;
    else if (is_long && text.size() >= 13)
        value /= 1e3;
    if (!(value < 1e12)) return std::nullopt;
    return LogTime(microseconds(std::llround(value * 1e6)));
}

// "@" and 24 digits; the fifteen after the first are the seconds.
std::optional<LogTime> tai64n_of(std::string_view text) {
    if (text.size() < 17) return std::nullopt;
    std::int64_t value = 0;
    const auto [past, error] = std::from_chars(text.data() + 2, text.data() + 17, value, 16);
    if (error != std::errc() || value > 1'000'000'000'000) return std::nullopt;
    return LogTime(seconds(value));
}

} // namespace

std::optional<LogTime> time_of(const DateTemplate& found, LogTime now,
                               std::optional<int> zone_minutes) {
    const std::string_view value = found.regex.group(found.value_group).value_or("");
    switch (found.kind) {
    case DateKind::epoch:
        return epoch_of(value, false);
    case DateKind::long_epoch:
        return epoch_of(value, true);
    case DateKind::tai64n:
        return tai64n_of(value);
    case DateKind::fields: {
        const std::optional<Fields> fields = Reader(found.regex).read();
        return fields ? complete(*fields, now, zone_minutes) : std::nullopt;
    }
    }
    return std::nullopt;
}

} // namespace sallyport::jail
