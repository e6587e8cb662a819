// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where an instance keeps its things. Several run side by side when each has
// directories of its own.
#include <functional>
#include <string>

namespace sallyport {

struct Paths {
    std::string bpffs = "/sys/fs/bpf/sallyport";  // pins, SALLYPORT_BPFFS
    std::string run_dir = "/run/sallyport";       // SALLYPORT_RUN_DIR
    std::string state_dir = "/var/lib/sallyport"; // SALLYPORT_STATE_DIR
    std::string log_dir = "/var/log/sallyport";   // SALLYPORT_LOG_DIR

    [[nodiscard]] std::string control_socket() const { return run_dir + "/control.sock"; }
    [[nodiscard]] std::string events_log() const { return log_dir + "/events.jsonl"; }
    bool operator==(const Paths&) const = default;
};

// A variable that is unset or empty leaves the default; trailing slashes go.
[[nodiscard]] Paths paths_from(const std::function<const char*(const char*)>& get_env);
[[nodiscard]] Paths paths_from_environment();

} // namespace sallyport
