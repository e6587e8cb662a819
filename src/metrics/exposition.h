// SPDX-License-Identifier: Apache-2.0
#pragma once
// Metrics in Prometheus' text exposition format, version 0.0.4.
#include <cstdint>
#include <string>
#include <vector>

namespace sallyport {

// Counters never fall while the pins stand; their names end in `_total`.
enum class MetricKind : std::uint8_t { counter, gauge };

struct MetricLabel {
    std::string name;  // [a-zA-Z_][a-zA-Z0-9_]*
    std::string value; // any text; written as escaped() does
};

struct MetricSample {
    std::vector<MetricLabel> labels; // no two samples of a family have the same
    std::uint64_t value = 0;
};

struct MetricFamily {
    std::string name;
    std::string help; // one sentence of plain letters, without its full stop
    MetricKind kind = MetricKind::gauge;
    std::vector<MetricSample> samples; // none: the family is left out
};

[[nodiscard]] std::string to_exposition(const std::vector<MetricFamily>& families);

} // namespace sallyport
