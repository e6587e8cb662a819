// SPDX-License-Identifier: Apache-2.0
// sallyport metrics: the state of the wall for Prometheus, once.
#include "daemon/metrics.h"

#include "base/durable_file.h"
#include "cli/output.h"
#include "cli/status_source.h"
#include "cli/verbs.h"

namespace sallyport {
namespace {

struct MetricsOptions {
    std::string output;
    bool as_json = false;
};

nlohmann::ordered_json to_json(const std::vector<MetricFamily>& families) {
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const MetricFamily& family : families) {
        nlohmann::ordered_json samples = nlohmann::ordered_json::array();
        for (const MetricSample& sample : family.samples) {
            nlohmann::ordered_json labels = nlohmann::ordered_json::object();
            for (const MetricLabel& label : sample.labels) labels[label.name] = label.value;
            samples.push_back({{"labels", labels}, {"value", sample.value}});
        }
        all.push_back({{"name", family.name},
                       {"help", family.help},
                       {"type", family.kind == MetricKind::counter ? "counter" : "gauge"},
                       {"samples", samples}});
    }
    return {{"metrics", all}};
}

Result<std::vector<MetricFamily>> find_metrics(const Paths& paths) {
    const nlohmann::ordered_json found = SP_TRY(find_status(paths));
    return metrics_of(SP_TRY(status_from_json(found)));
}

ExitCode metrics(const MetricsOptions& options, const Paths& paths) {
    const Format format = options.as_json ? Format::json : Format::text;
    const auto families = find_metrics(paths);
    if (!families) return report_failure(families.error(), format);
    const std::string text = to_exposition(*families);
    if (!options.output.empty()) {
        // Whole or not at all, and to be read by the node exporter's user.
        const Status written = replace_durably(options.output, text, 0644);
        if (!written) return report_failure(written.error(), format);
    } else if (options.as_json) {
        print_json(to_json(*families));
    } else {
        print_data(text);
    }
    return ExitCode::done;
}

} // namespace

Verb metrics_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto options = std::make_shared<MetricsOptions>();
    CLI::App* command = parent.add_subcommand("metrics", "the wall's state in Prometheus' format");
    command->add_option("--output", options->output,
                        "into this file, for the node exporter's textfile collector");
    command->add_flag("--json", options->as_json, "print JSON");
    command->footer("'sallyport run --metrics-listen 127.0.0.1:9434' serves the same to scrapes.");
    return {.command = command, .act = [paths, options] { return metrics(*options, *paths); }};
}

} // namespace sallyport
