// SPDX-License-Identifier: Apache-2.0
// Pins: who holds one, or may write its map, decides. They are root's alone.
#include "cli/drift_world.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <set>
#include <sys/stat.h>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

class PinsCheck {
  public:
    PinsCheck(const StandingWall& wall, drift::Report& report) : wall_(wall), report_(report) {}

    // `forbidden`: bits of the mode that nobody but root may have.
    void check(const std::string& path, unsigned forbidden, unsigned wanted) {
        struct stat info{};
        if (lstat(path.c_str(), &info) != 0) {
            add(path, fmt::format("it cannot be looked at: {}", std::strerror(errno)),
                wall_.mend());
            return;
        }
        report_.compared.pins++;
        const unsigned mode = info.st_mode & 07777u;
        if (info.st_uid != 0)
            add(path,
                fmt::format("it belongs to uid {}, who may do with it what root may", info.st_uid),
                "chown root:root " + path);
        if ((mode & forbidden) != 0)
            add(path,
                fmt::format("its mode is {:04o}: others than root may {}", mode,
                            (mode & 022u) != 0 ? "write it" : "reach it"),
                fmt::format("chmod {:04o} {}", wanted, path));
    }
    void missing(const std::string& path) { add(path, "the pin is missing", wall_.mend()); }
    void strange(const std::string& path) {
        add(path, "a pin that this version does not make", "see what it is, then: rm " + path);
    }

  private:
    void add(const std::string& path, std::string text, std::string next) {
        report_.findings.push_back({.id = "pin",
                                    .about = path,
                                    .level = drift::Level::drift,
                                    .text = std::move(text),
                                    .details = {},
                                    .more = 0,
                                    .next = std::move(next)});
    }
    const StandingWall& wall_;
    drift::Report& report_;
};

std::set<std::string> files_in(const std::string& directory) {
    std::set<std::string> names;
    std::error_code error;
    for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
        names.insert(at->path().filename());
    return names;
}

} // namespace

void compare_pins(const StandingWall& wall, const Paths& paths, drift::Report& report) {
    PinsCheck check(wall, report);
    check.check(paths.bpffs, 077, 0700);
    check.check(wall.layout, 022, 0755);
    for (const char* part : {"/maps", "/links", "/programs"}) {
        check.check(wall.layout + part, 022, 0755);
        for (const std::string& name : files_in(wall.layout + part))
            check.check(wall.layout + part + "/" + name, 077, 0600);
    }
    const auto compare_names = [&](const std::string& part, std::vector<std::string> wanted) {
        std::set<std::string> there = files_in(wall.layout + part);
        for (const std::string& name : wanted)
            if (there.erase(name) == 0) check.missing(wall.layout + part + "/" + name);
        for (const std::string& name : there) check.strange(wall.layout + part + "/" + name);
    };
    std::vector<std::string> maps = wall.maps.missing;
    for (const auto& [name, fd] : wall.maps.held) maps.push_back(name);
    compare_names("/maps", std::move(maps));
    compare_names("/programs", names_of_pinned_programs());
}

} // namespace sallyport
