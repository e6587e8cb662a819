// SPDX-License-Identifier: Apache-2.0
#pragma once
// Frames by the million: real ones of every kind that the programs know, and
// what becomes of them when bytes, lengths and fields are changed.
#include "support/dice.h"
#include "support/packet.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace sallyport::test {

// Whole frames, both ways and both families; some begin with an IP header.
[[nodiscard]] const std::vector<Bytes>& real_frames();

// One to six changes to a frame: bits, bytes, cuts, insertions, another's tail,
// lying lengths, and fields of the headers it has, by their names.
[[nodiscard]] Bytes changed(Dice& dice, Bytes frame, const std::vector<Bytes>& others);

// The smallest frame found by leaving out and clearing bytes for which `fails`
// still holds. It holds for `frame`; bounded in the number of questions.
[[nodiscard]] Bytes shrink_frame(Bytes frame, const std::function<bool(const Bytes&)>& fails);

} // namespace sallyport::test
