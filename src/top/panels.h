// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a panel lists, and how.
#include "top/line.h"
#include "top/model.h"
#include "top/view.h"

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::top {

[[nodiscard]] std::string_view title_of(Panel panel);
// What the filter lets through, in the order that was asked for.
[[nodiscard]] std::vector<Talker> rows_of(const Model& model, Panel panel, const View& view,
                                          SteadyTime now);
// `height` lines of `width` columns each, one of `rows` a line; `is_whole`: the panel has the
// screen for itself, and is scrolled to view.first.
struct Box {
    std::size_t width = 0;
    std::size_t height = 0;
    bool is_whole = false;
};
[[nodiscard]] std::vector<std::string> draw_panel(Panel panel, const std::vector<Talker>& rows,
                                                  const View& view, const Box& box,
                                                  const Look& look);
// "03:04:05"; "-" for never.
[[nodiscard]] std::string time_text(WallTime at, Zone zone);

} // namespace sallyport::top
