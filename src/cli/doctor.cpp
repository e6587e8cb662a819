// SPDX-License-Identifier: Apache-2.0
// sallyport doctor: what on this machine would weaken the wall.
#include "cli/doctor_facts.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "doctor/verdicts.h"

namespace sallyport {
namespace {

struct DoctorOptions {
    bool is_strict = false;
    bool as_json = false;
};

ExitCode run_doctor(const DoctorOptions& options, const Paths& paths) {
    const std::vector<doctor::Finding> findings = doctor::examine(read_facts(paths));
    if (options.as_json)
        print_json(doctor::to_json(findings));
    else
        print_data(doctor::render(findings));
    const bool is_bad = doctor::count(findings, doctor::Level::fail) != 0 ||
                        (options.is_strict && doctor::count(findings, doctor::Level::warn) != 0);
    return is_bad ? ExitCode::no : ExitCode::done;
}

} // namespace

Verb doctor_verb(CLI::App& parent, const SharedPaths& paths) {
    const auto options = std::make_shared<DoctorOptions>();
    CLI::App* command = parent.add_subcommand(
        "doctor", "what on this machine would weaken the wall, each with a next step");
    command->add_flag("--strict", options->is_strict, "exit 1 for a warning too");
    command->add_flag("--json", options->as_json, "print JSON");
    command->footer("Exits 1 when a finding is 'fail'. Changes nothing.");
    return {.command = command, .act = [paths, options] { return run_doctor(*options, *paths); }};
}

} // namespace sallyport
