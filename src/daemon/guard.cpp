// SPDX-License-Identifier: Apache-2.0
#include "daemon/guard.h"

#include "kernel/pins.h"

#include <filesystem>

namespace sallyport {
namespace {

// Others that guard hold the pins for milliseconds each, and there may be many: all NICs of a card.
constexpr std::chrono::milliseconds kPatience{3000};

nlohmann::ordered_json or_null(const std::string& text) {
    return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(text);
}

// Early in a boot there is none yet: whoever raises it guards what is there then.
Wall::Guarded no_wall(const Paths& paths) {
    if (!other_layouts(paths.bpffs).empty())
        return {.guarded = false,
                .mode = "",
                .why = "the wall that stands is of another version: run takes it over"};
    return {.guarded = false, .mode = "", .why = "no wall stands in " + paths.bpffs};
}

} // namespace

nlohmann::ordered_json to_json(const Wall::Guarded& guarded) {
    return {{"guarded", guarded.guarded},
            {"mode", or_null(guarded.mode)},
            {"why", or_null(guarded.why)}};
}

Result<Wall::Guarded> guard_by_pins(const Paths& paths, const std::string& name) {
    // Looked at first: a lock would make the directory.
    std::error_code error;
    if (!std::filesystem::exists(layout_dir_of(paths.bpffs) + "/maps/sp_control", error)) {
        if (error && error.value() == EACCES)
            return fail(ErrorKind::permission, "the pins are for root only", "run it as root");
        return no_wall(paths);
    }
    Pins pins = SP_TRY(Pins::lock(paths.bpffs, kPatience));
    if (!pins.stands()) { // a `down` came between, and our lock has made the directory anew
        pins.remove_if_empty();
        return no_wall(paths);
    }
    return Wall::guard_one(std::move(pins), paths.state_dir, name);
}

} // namespace sallyport
