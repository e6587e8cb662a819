// SPDX-License-Identifier: Apache-2.0
// pcapng: blocks, each with its type, its size before and behind, and a section's byte order.
#include "explain/capture_file.h"

#include <algorithm>
#include <fmt/format.h>

namespace sallyport::explain {
namespace {

constexpr std::uint32_t kSection = 0x0a0d0d0a, kInterface = 1, kSimple = 3, kEnhanced = 6;
constexpr std::uint32_t kOrder = 0x1a2b3c4d;
constexpr std::size_t kFrame = 12; // of a block: type, size, and the size again

std::unexpected<Error> wrong(const std::string& what, const std::string& hint) {
    return fail(ErrorKind::invalid_input, what, hint);
}

class Blocks {
  public:
    explicit Blocks(View file) : file_(file) {}

    Result<std::vector<Captured>> read() {
        while (at_ < file_.size()) SP_TRY(read_block());
        if (packets_.empty()) return wrong("the capture holds no packet", "capture one");
        return std::move(packets_);
    }

  private:
    [[nodiscard]] std::string here() const { return fmt::format("packet {}", packets_.size() + 1); }

    Status read_block() {
        if (file_.size() - at_ < kFrame)
            return wrong(here() + ": the file ends before it", "it was not written to its end");
        if (is_pcapng(file_.subspan(at_))) SP_TRY(begin_section());
        const Numbers numbers(file_, order_);
        const std::uint32_t type = numbers.at(at_);
        const std::size_t size = numbers.at(at_ + 4);
        if (size > file_.size() - at_)
            return wrong(here() + ": the file ends in it", "it was not written to its end");
        if (size < kFrame || size % 4 != 0 || numbers.at(at_ + size - 4) != size)
            return wrong(here() + ": a block whose size makes no sense", "the file is damaged");
        const View body = file_.subspan(at_ + 8, size - kFrame);
        at_ += size;
        if (type == kInterface) return add_interface(body);
        if (type == kEnhanced) return add_enhanced(body);
        if (type == kSimple) return add_simple(body);
        return {};
    }

    // Its order stands behind type and size, of which the first reads the same either way.
    Status begin_section() {
        for (const std::endian order : {std::endian::little, std::endian::big})
            if (Numbers(file_, order).at(at_ + 8) == kOrder) {
                order_ = order;
                links_.clear();
                return {};
            }
        return wrong(here() + ": a section of no byte order", "the file is damaged");
    }

    Status add_interface(View body) {
        if (body.size() < 8)
            return wrong("an interface without its link type", "the file is damaged");
        // Two bytes, and two that are reserved.
        const std::uint32_t word = Numbers(body, order_).at(0);
        links_.push_back(order_ == std::endian::big ? word >> 16 : word & 0xffff);
        return {};
    }

    Status add_enhanced(View body) {
        if (body.size() < 20) return wrong(here() + " is too short", "the file is damaged");
        const Numbers numbers(body, order_);
        return add(numbers.at(0), body.subspan(20), numbers.at(12), numbers.at(16));
    }

    // Its size is that on the wire; what is there may be less.
    Status add_simple(View body) {
        if (body.size() < 4) return wrong(here() + " is too short", "the file is damaged");
        const std::uint32_t wire = Numbers(body, order_).at(0);
        const std::size_t held = std::min<std::size_t>(wire, body.size() - 4);
        return add(0, body.subspan(4), held, wire);
    }

    Status add(std::uint32_t interface, View data, std::size_t held, std::uint32_t wire) {
        if (interface >= links_.size())
            return wrong(here() + " is of no interface of the file", "the file is damaged");
        if (held > kCapturedMax || held > data.size())
            return wrong(fmt::format("{}: {} bytes are no packet", here(), held),
                         "the file is damaged");
        const std::optional<Link> link = link_of(links_[interface]);
        if (!link)
            return wrong(fmt::format("{} is of link type {}, which is not read here", here(),
                                     links_[interface]),
                         "Ethernet, bare IP, or Linux cooked");
        if (held < link->skip) return {};
        const View bytes = data.subspan(link->skip, held - link->skip);
        packets_.push_back(
            {.layer = link->layer, .bytes = {bytes.begin(), bytes.end()}, .wire_size = wire});
        return {};
    }

    View file_;
    std::size_t at_ = 0;
    std::endian order_ = std::endian::native;
    std::vector<std::uint32_t> links_; // of the section's interfaces
    std::vector<Captured> packets_;
};

} // namespace

bool is_pcapng(View file) {
    return file.size() >= kFrame && Numbers(file, std::endian::little).at(0) == kSection;
}

Result<std::vector<Captured>> parse_pcapng(View file) {
    return Blocks(file).read();
}

} // namespace sallyport::explain
