// SPDX-License-Identifier: Apache-2.0
// Sizes first, in 64 bits, then one allocation, then the words.
#include "compile/cells.h"

#include "compile/matching.h"

#include <algorithm>
#include <string>

namespace sallyport {

namespace {

struct Merged {
    std::vector<std::uint32_t> final_of; // by address class
    std::vector<std::uint32_t> first_of; // by final class: an address class of it
};

// Class 0, which no rule and no mark sees, stays 0.
Merged merge_classes(const DirectionTables& tables, const Marks& marks) {
    Merged merged;
    Interner known;
    std::vector<std::uint32_t> words;
    for (std::size_t number = 0; number < tables[0].near_of.size(); ++number) {
        words.clear();
        for (const DirectionTable& table : tables) words.push_back(table.near_of[number]);
        for (const DirectionTable& table : tables)
            if (!table.far_of.empty()) words.push_back(table.far_of[number]);
        for (std::size_t i = 0; i < marks.n_ifaces; ++i)
            words.push_back(marks.words[number * marks.n_ifaces + i]);
        const std::uint32_t before = known.size();
        merged.final_of.push_back(known.id_of_row(words));
        if (merged.final_of.back() == before || number == 0)
            merged.first_of.push_back(static_cast<std::uint32_t>(number));
    }
    return merged;
}

class Layout {
  public:
    Layout(const Merged& merged, std::uint32_t n_ifaces)
        : merged_(merged), n_ifaces_(n_ifaces), n_classes_(merged.first_of.size()) {}

    // The places of a direction's tables.
    sp_dims place(const DirectionTable& table) {
        sp_dims dims{};
        dims.n_near = table.nears.size();
        dims.n_ports = table.ports.count;
        dims.n_second = table.n_second;
        dims.near_at = take(n_classes_);
        dims.first_at = take(std::uint64_t{n_ifaces_} * dims.n_near * dims.n_ports);
        if (!table.far_of.empty()) dims.far_at = take(n_classes_);
        if (dims.n_second > 1)
            dims.second_at = take(std::uint64_t{table.seconds.size()} * dims.n_second);
        return dims;
    }

    std::uint32_t place_marks() { return take(n_classes_ * n_ifaces_); }
    [[nodiscard]] std::uint64_t words() const { return words_; }

    void allocate(MapImage& image) {
        image.cells.assign(
            std::max<std::uint64_t>(1, (words_ + SP_CHUNK_WORDS - 1) / SP_CHUNK_WORDS), {});
        cells_ = &image.cells;
    }

    void write(const sp_dims& dims, const DirectionTable& table) {
        for (std::uint32_t number = 0; number < n_classes_; ++number) {
            put(dims.near_at + number, table.near_of[merged_.first_of[number]]);
            if (!table.far_of.empty())
                put(dims.far_at + number, table.far_of[merged_.first_of[number]]);
        }
        for (std::uint32_t near = 0; near < dims.n_near; ++near) write_near(dims, table, near);
        for (std::uint32_t row = 0; dims.n_second > 1 && row < table.seconds.size(); ++row) {
            const auto cells = table.seconds.at(row);
            for (std::uint32_t i = 0; i < cells.size(); ++i)
                put(dims.second_at + row * dims.n_second + i, cells[i]);
        }
    }

    void write_marks(std::uint32_t at, const Marks& marks) {
        for (std::uint32_t number = 0; number < n_classes_; ++number)
            for (std::uint32_t i = 0; i < n_ifaces_; ++i)
                put(at + i * static_cast<std::uint32_t>(n_classes_) + number,
                    marks.words[merged_.first_of[number] * n_ifaces_ + i]);
    }

  private:
    std::uint32_t take(std::uint64_t words) {
        const std::uint64_t at = words_;
        words_ += words;
        return static_cast<std::uint32_t>(at); // checked against SP_CELLS_MAX before it is used
    }

    void put(std::uint32_t at, std::uint32_t word) {
        (*cells_)[at / SP_CHUNK_WORDS].words[at % SP_CHUNK_WORDS] = static_cast<__u16>(word);
    }

    void write_near(const sp_dims& dims, const DirectionTable& table, std::uint32_t near) {
        const auto row_on = table.nears.at(near);
        for (std::uint32_t i = 0; i < row_on.size(); ++i) {
            const std::uint32_t at = dims.first_at + (i * dims.n_near + near) * dims.n_ports;
            const auto row = table.rows.at(row_on[i]);
            for (std::size_t pair = 0; pair < row.size(); pair += 2)
                put(at + row[pair], row[pair + 1]);
        }
    }

    const Merged& merged_;
    std::uint32_t n_ifaces_;
    std::uint64_t n_classes_;
    std::uint64_t words_ = 0;
    std::vector<sp_chunk>* cells_ = nullptr;
};

std::vector<sp_chunk> port_chunks(const DirectionTables& tables) {
    std::vector<sp_chunk> chunks(SP_PORT_CHUNKS);
    std::uint32_t at = 0;
    for (const DirectionTable& table : tables)
        for (const std::uint16_t number : table.ports.line) {
            chunks[at / SP_CHUNK_WORDS].words[at % SP_CHUNK_WORDS] = number;
            ++at;
        }
    return chunks;
}

} // namespace

static_assert(SP_MARK_INSIDE == 1u << 0 && SP_MARK_PING == 1u << 1 && SP_MARK_ROUTER == 1u << 2);

Marks mark_addresses(const Marked& marked, const Peers& peers, const AddressClasses& addresses,
                     const InterfaceClasses& interfaces) {
    PeerIndex index(peers.atoms(), marked);
    Marks marks{.n_ifaces = interfaces.count, .words = {}};
    for (std::uint32_t number = 0; number < addresses.classes.size(); ++number)
        for (const std::vector<bool>& interface : interfaces.matches) {
            unsigned word = 0;
            for (const Match& match : index.matching(addresses.classes.at(number), interface))
                word |= 1u << match.set;
            marks.words.push_back(static_cast<std::uint16_t>(word));
        }
    return marks;
}

Result<std::vector<std::uint32_t>> write_cells(const DirectionTables& tables, const Marks& marks,
                                               MapImage& image) {
    Merged merged = merge_classes(tables, marks);
    if (merged.first_of.size() > UINT16_MAX)
        return fail(
            ErrorKind::invalid_input,
            "the rules tell apart " + std::to_string(merged.first_of.size()) +
                " groups of addresses, and a policy has room for 65535",
            "let rules share their networks: addresses that all rules treat alike are one group");
    Layout layout(merged, marks.n_ifaces);
    for (std::size_t d = 0; d < tables.size(); ++d) image.slot.dims[d] = layout.place(tables[d]);
    image.slot.marks_at = layout.place_marks();
    if (layout.words() > SP_CELLS_MAX)
        return fail(ErrorKind::invalid_input,
                    "the policy's decision tables have " + std::to_string(layout.words()) +
                        " words, and there is room for " + std::to_string(SP_CELLS_MAX),
                    "let rules share their ports, networks or identities");
    image.slot.n_classes = static_cast<std::uint32_t>(merged.first_of.size());
    image.slot.n_ifaces = marks.n_ifaces;
    layout.allocate(image);
    for (std::size_t d = 0; d < tables.size(); ++d) layout.write(image.slot.dims[d], tables[d]);
    layout.write_marks(image.slot.marks_at, marks);
    image.ports = port_chunks(tables);
    return std::move(merged.final_of);
}

} // namespace sallyport
