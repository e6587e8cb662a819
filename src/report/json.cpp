// SPDX-License-Identifier: Apache-2.0
#include "event/names.h"
#include "report/report.h"

namespace sallyport::report {
namespace {

using nlohmann::ordered_json;

ordered_json ranks_json(const Ranks& ranks) {
    ordered_json top = ordered_json::array();
    for (const Ranked& one : ranks.top)
        top.push_back({{"name", one.name}, {"count", one.count}, {"new", one.is_new}});
    return {{"top", std::move(top)}, {"others", ranks.others}, {"short_by", ranks.short_by}};
}

ordered_json happenings_json(const std::vector<Happening>& all) {
    ordered_json list = ordered_json::array();
    for (const Happening& one : all)
        list.push_back({{"ts", timestamp_text(one.at)}, {"text", one.text}, {"count", one.count}});
    return list;
}

} // namespace

ordered_json to_json(const Report& report) {
    ordered_json curves = ordered_json::object();
    for (std::size_t i = 0; i < kSeries; ++i) {
        const Curve& curve = report.curves[i];
        curves[std::string(name_of(static_cast<Series>(i)))] = {{"total", curve.total},
                                                                {"before", curve.total_before},
                                                                {"buckets", curve.now},
                                                                {"buckets_before", curve.before}};
    }
    return {
        {"host", report.host},
        {"from", timestamp_text(report.span.from)},
        {"to", timestamp_text(report.span.to)},
        {"bucket_seconds", report.bucket.count()},
        {"curves", std::move(curves)},
        {"attempts", happenings_json(report.attempts)},
        {"more_attempts", report.more_attempts},
        {"arriving",
         {{"sources", ranks_json(report.sources)},
          {"ports", ranks_json(report.ports)},
          {"reasons", ranks_json(report.reasons)}}},
        {"leaving",
         {{"destinations", ranks_json(report.destinations)},
          {"senders", ranks_json(report.senders)},
          {"reasons", ranks_json(report.why_not)}}},
        {"limits", ranks_json(report.limits)},
        {"banned", ranks_json(report.banned)},
        {"changes", happenings_json(report.changes)},
        {"more_changes", report.more_changes},
        {"lost", report.lost},
        {"observed_only", report.would_have_been},
        {"log",
         {{"events", report.events},
          {"unread_lines", report.unread_lines},
          {"unread_files", report.unread_files},
          {"reaches_back", report.reaches_back ? ordered_json(timestamp_text(*report.reaches_back))
                                               : ordered_json(nullptr)}}}};
}

} // namespace sallyport::report
