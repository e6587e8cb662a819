// SPDX-License-Identifier: Apache-2.0
#pragma once
// The direction tables and the marks, laid out as the words of sp_cells, and
// the final address classes: those that no table and no mark tells apart.
#include "base/result.h"
#include "compile/map_image.h"
#include "compile/table.h"

#include <array>
#include <cstdint>
#include <vector>

namespace sallyport {

struct Marks {
    std::uint32_t n_ifaces = 1;
    std::vector<std::uint16_t> words; // by address class * n_ifaces + interface class
};

// Whom the policy marks: by the bits of SP_MARK_*, from the lowest.
using Marked = std::array<PeerRefs, 3>;

[[nodiscard]] Marks mark_addresses(const Marked& marked, const Peers& peers,
                                   const AddressClasses& addresses,
                                   const InterfaceClasses& interfaces);

// By sp_direction.
using DirectionTables = std::array<DirectionTable, SP_DIRECTIONS>;

// Fills the image's cells and ports, and of its slot dims, marks_at, n_classes and
// n_ifaces. Returns the final class of each address class. Fails when the words are
// more than SP_CELLS_MAX or the classes more than 65535.
[[nodiscard]] Result<std::vector<std::uint32_t>> write_cells(const DirectionTables& tables,
                                                             const Marks& marks, MapImage& image);

} // namespace sallyport
