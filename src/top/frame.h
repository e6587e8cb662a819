// SPDX-License-Identifier: Apache-2.0
#pragma once
// The whole screen as lines.
#include "top/line.h"
#include "top/model.h"
#include "top/view.h"

#include <cstddef>
#include <string>
#include <vector>

namespace sallyport::top {

struct Size {
    std::size_t columns = 80;
    std::size_t rows = 24;
    bool operator==(const Size&) const = default;
};

// As of when.
struct Moment {
    WallTime wall{};
    SteadyTime steady{};
};

// size.rows lines, each of size.columns columns or less. Of `view` it sets the page and keeps
// what is scrolled past within what there is.
[[nodiscard]] std::vector<std::string> draw(const Model& model, View& view, const Moment& now,
                                            const Size& size, const Look& look);

} // namespace sallyport::top
