// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is known of services: data files (tools/services), matched by process rather than by
// port alone. For telling and for suggestions; nothing is admitted by it.
#include "base/result.h"
#include "config/diagnostic.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::audit {

enum class Danger : std::uint8_t { none, low, medium, high, critical };
[[nodiscard]] const char* to_string(Danger danger);

// The widest circle that a suggestion opens it to.
enum class Expose : std::uint8_t { none, admin, peers, lan, any };
[[nodiscard]] const char* to_string(Expose expose);

struct Service {
    std::string name;  // "ollama"
    std::string title; // "Ollama"
    std::string kind;  // "inference", "vector-store", "database", "cluster", ...
    Danger danger = Danger::medium;
    Expose expose = Expose::none;
    std::string auth; // what asks who one is: "none", "token", ...
    std::string why;  // what happens when strangers reach it
    // Globs, of which one must match; when all are empty only `ports` are asked.
    std::vector<std::string> exe;    // the executable's file name
    std::vector<std::string> argv;   // any one argument
    std::vector<std::string> module; // python -m NAME, or the name of the script that it runs
    std::vector<std::string> unit;
    std::vector<std::uint16_t> ports; // usual ones; decide only where the process is not seen
    bool root_only = false;           // believed only of root's processes
    bool operator==(const Service&) const = default;
};

struct Catalogue {
    std::vector<Service> services; // by file, in its order
};

// One file's text; what is wrong with it goes to `diagnostics`, and nothing comes of it then.
[[nodiscard]] std::optional<std::vector<Service>>
parse_services(std::string_view text, const std::string& file,
               std::vector<Diagnostic>& diagnostics);

// What a process shows of itself.
struct Looks {
    std::string exe; // path
    std::vector<std::string> argv;
    std::string unit;
    bool is_seen = false; // false: there is no process, or it may not be read
    bool is_root = false;
    std::uint8_t proto = 0;
    std::uint16_t port = 0;
};

// The service that it looks like: by executable, module, argument, then unit; the one whose
// usual port it holds before others, then the first. By port alone only when no process is seen.
[[nodiscard]] const Service* recognise(const Catalogue& catalogue, const Looks& looks);

// The module or script that a Python process runs, "" when it is none: of
// {"python3", "-m", "vllm.entrypoints"} "vllm.entrypoints", of {"python3", "/usr/bin/jupyter-lab"}
// "jupyter-lab".
[[nodiscard]] std::string python_module(const std::string& exe,
                                        const std::vector<std::string>& argv);

} // namespace sallyport::audit
