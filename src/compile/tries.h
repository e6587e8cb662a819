// SPDX-License-Identifier: Apache-2.0
#pragma once
// Address classes to the tries and the bitmaps that stand before them
// (abi/types.h, "addresses").
#include "compile/addresses.h"
#include "compile/map_image.h"

#include <cstdint>
#include <span>

namespace sallyport {

// Fills the tries, bitmaps, defaults and v6_levels of the image. `merged` gives the
// final class of each of addresses.classes; a network whose class is that of the one
// around it is left out.
void write_tries(const AddressClasses& addresses, std::span<const std::uint32_t> merged,
                 MapImage& image);

} // namespace sallyport
