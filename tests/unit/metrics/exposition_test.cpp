// SPDX-License-Identifier: Apache-2.0
// The text format: what Prometheus' own documents say of it.
#include "metrics/exposition.h"

#include <catch2/catch_test_macros.hpp>

using namespace sallyport;

TEST_CASE("a family has its help, its type and a line for each sample") {
    const MetricFamily drops{.name = "sallyport_drops_total",
                             .help = "What was dropped",
                             .kind = MetricKind::counter,
                             .samples = {{.labels = {{.name = "reason", .value = "no-rule"},
                                                     {.name = "hook", .value = "xdp"}},
                                          .value = 18446744073709551615u},
                                         {.labels = {}, .value = 0}}};
    CHECK(to_exposition({drops}) == "# HELP sallyport_drops_total What was dropped.\n"
                                    "# TYPE sallyport_drops_total counter\n"
                                    "sallyport_drops_total{reason=\"no-rule\",hook=\"xdp\"} "
                                    "18446744073709551615\n"
                                    "sallyport_drops_total 0\n");
}

TEST_CASE("a family without samples is left out") {
    CHECK(to_exposition({{.name = "a", .help = "b", .kind = MetricKind::gauge, .samples = {}}})
              .empty());
}

TEST_CASE("no name ends its line, its quotes, or steers a terminal") {
    const auto shown = [](const std::string& value) {
        const std::string text =
            to_exposition({{.name = "a",
                            .help = "b",
                            .kind = MetricKind::gauge,
                            .samples = {{.labels = {{.name = "l", .value = value}}, .value = 1}}}});
        return text.substr(text.find("\na{") + 1);
    };
    CHECK(shown("x\"} 9\ny{z=\"") == "a{l=\"x\\\"} 9\\\\x0ay{z=\\\"\"} 1\n");
    CHECK(shown("back\\slash") == "a{l=\"back\\\\slash\"} 1\n");
    CHECK(shown("\x1b[2J") == "a{l=\"\\\\x1b[2J\"} 1\n");
    CHECK(shown("\xff") == "a{l=\"\\\\xff\"} 1\n");
    CHECK(shown("für") == "a{l=\"für\"} 1\n");
}
