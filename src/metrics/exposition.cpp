// SPDX-License-Identifier: Apache-2.0
#include "metrics/exposition.h"

#include "base/text.h"

#include <fmt/format.h>
#include <string_view>

namespace sallyport {
namespace {

// What steers a terminal is escaped first: who reads these lines may sit at one.
std::string in_quotes(std::string_view text) {
    std::string out = "\"";
    for (const char c : escaped(text)) {
        if (c == '\\' || c == '"') out += '\\';
        out += c;
    }
    return out + '"';
}

std::string in_braces(const std::vector<MetricLabel>& labels) {
    if (labels.empty()) return "";
    std::string out;
    for (const MetricLabel& label : labels)
        out += fmt::format("{}{}={}", out.empty() ? "{" : ",", label.name, in_quotes(label.value));
    return out + "}";
}

} // namespace

std::string to_exposition(const std::vector<MetricFamily>& families) {
    std::string out;
    for (const MetricFamily& family : families) {
        if (family.samples.empty()) continue;
        out += fmt::format("# HELP {} {}.\n# TYPE {} {}\n", family.name, family.help, family.name,
                           family.kind == MetricKind::counter ? "counter" : "gauge");
        for (const MetricSample& sample : family.samples)
            out += fmt::format("{}{} {}\n", family.name, in_braces(sample.labels), sample.value);
    }
    return out;
}

} // namespace sallyport
