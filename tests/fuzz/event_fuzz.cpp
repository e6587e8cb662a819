// SPDX-License-Identifier: Apache-2.0
// Events under a fuzzer, both ways in: a record of the ring, and a line of the
// stream. What must hold: it ends; what was taken is shown as one line of valid
// JSON without raw controls, and read back the same; a filter never fails on it.
#include "base/result.h"
#include "base/text.h"
#include "event/decode.h"
#include "event/filter.h"
#include "event/fold.h"
#include "event/formats.h"
#include "event/json.h"
#include "event/text.h"
#include "sallyport/abi/event.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

using namespace sallyport;

namespace {

void check_shown(const Event& event) {
    const std::string line = to_json_line(event);
    SP_CHECK(is_printable(line));
    const auto parsed = nlohmann::json::parse(line, nullptr, false);
    SP_CHECK(parsed.is_object());
    static_cast<void>(parsed.dump()); // throws when a string is not UTF-8
    const auto again = event_from_json(line);
    SP_CHECK(again.has_value());
    SP_CHECK(to_json_line(*again) == line);
    SP_CHECK(is_printable(to_text(event, Colour::never, Zone::utc)));
    SP_CHECK(to_text(event, Colour::always, Zone::utc).find('\n') == std::string::npos);
}

void check_in_other_shapes(const Event& event) {
    for (const EventFormat format : {EventFormat::eve, EventFormat::ecs, EventFormat::ocsf}) {
        const std::string line = to_line(event, format);
        SP_CHECK(std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; }));
        SP_CHECK(nlohmann::json::parse(line, nullptr, false).is_object());
    }
}

void check_folded(const Event& event) {
    Fold fold(std::chrono::seconds{1}, 2);
    const SteadyTime now{std::chrono::seconds{1}};
    std::uint64_t told = 0;
    for (int i = 0; i < 3; ++i)
        for (const Event& out : fold.add(event, now)) told += out.repeats;
    for (const Event& out : fold.flush()) told += out.repeats;
    SP_CHECK(told == event.repeats * 3);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    sp_event record{};
    std::memcpy(&record, data, std::min(size, sizeof record));
    record.version = SP_LAYOUT;
    const auto decoded =
        decode_event(std::as_bytes(std::span(&record, 1)), std::chrono::nanoseconds{0});
    SP_CHECK(decoded.has_value());
    check_shown(*decoded);
    check_in_other_shapes(*decoded);
    check_folded(*decoded);
    const auto raw =
        decode_event(std::as_bytes(std::span(data, size)), std::chrono::nanoseconds{0});
    SP_CHECK(!raw || size == sizeof record);

    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto read = event_from_json(text);
    if (read) {
        check_shown(*read);
        check_in_other_shapes(*read);
    }
    const auto json = nlohmann::json::parse(text, nullptr, false);
    const auto filter = filter_from_json(json);
    if (!filter) return 0;
    const auto same = filter_from_json(filter_to_json(*filter));
    SP_CHECK(same.has_value() && *same == *filter);
    static_cast<void>(matches(*filter, *decoded));
    return 0;
}
