// SPDX-License-Identifier: Apache-2.0
#include "support/frames.h"
#include "support/reference_packet.h"

#include <algorithm>

namespace sallyport::test {
namespace {

constexpr std::size_t kLongest = 1514;

// Values at which code that counts goes wrong.
const std::vector<std::uint8_t> kBytes{0, 1, 2, 3, 4, 5, 7, 8, 20, 40, 60, 127, 128, 254, 255};
const std::vector<std::uint8_t> kProtocols{0,  1,  2,  4,  6,  17,  41,  43,  44,  47, 50,
                                           51, 58, 59, 60, 89, 132, 135, 136, 139, 255};
const std::vector<std::uint8_t> kIcmpTypes{0,   1,   2,   3,   4,   5,   6,   8,   11,  12,
                                           13,  15,  30,  39,  40,  127, 128, 129, 130, 133,
                                           134, 135, 136, 137, 138, 139, 143, 255};
const std::vector<std::uint16_t> kEtherTypes{0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8,
                                             0x9100, 0x8847, 0x8864, 0x88cc, 0x888e,
                                             0x8809, 0x88f7, 0x0026, 0x05ff, 0x0600};
const std::vector<std::uint16_t> kPorts{0, 22, 53, 67, 68, 80, 443, 546, 547, 5353, 40000, 65535};
const std::vector<const char*> kMacs{kHostMac,
                                     kPeerMac,
                                     kBroadcastMac,
                                     "01:80:c2:00:00:0e",
                                     "01:80:c2:00:00:10",
                                     "01:1b:19:00:00:00",
                                     "33:33:00:00:00:01"};
const std::vector<const char*> kAddresses4{kHost4,
                                           kPeer4,
                                           "0.0.0.0",
                                           "0.0.0.1",
                                           "127.0.0.1",
                                           "169.254.169.254",
                                           "224.0.0.1",
                                           "239.255.255.255",
                                           "255.255.255.255",
                                           "10.0.0.1",
                                           "203.0.113.9"};
const std::vector<const char*> kAddresses6{
    kHost6,         kPeer6,    kHostLink6,         kPeerLink6,
    "::",           "::1",     "::ffff:192.0.2.1", "::192.0.2.1",
    "ff02::1",      "ff05::2", "fd00:ec2::254",    "fd00::1",
    "2001:db8:2::1"};

class Changer {
  public:
    Changer(Dice& dice, Bytes frame, const std::vector<Bytes>& others)
        : dice_(dice), frame_(std::move(frame)), others_(others) {}

    void change() {
        switch (dice_.roll(12)) {
        case 0:
            if (!frame_.empty()) frame_[place()] ^= static_cast<std::uint8_t>(1u << dice_.roll(8));
            break;
        case 1:
            if (!frame_.empty()) frame_[place()] = dice_.pick(kBytes);
            break;
        case 2:
            if (!frame_.empty()) frame_[place()] = static_cast<std::uint8_t>(dice_.number());
            break;
        case 3:
            frame_.resize(dice_.roll(frame_.size() + 1));
            break;
        case 4:
            insert();
            break;
        case 5:
            leave_out();
            break;
        case 6:
            splice();
            break;
        default: // what a random byte seldom hits
            change_field();
        }
        if (frame_.size() > kLongest) frame_.resize(kLongest);
    }
    Bytes take() { return std::move(frame_); }

  private:
    // Headers stand in front: half of the places are among the first 64.
    std::size_t place() {
        std::size_t size =
            dice_.once_in(2) ? std::min<std::size_t>(frame_.size(), 64) : frame_.size();
        return dice_.roll(size);
    }

    void insert() {
        Bytes more(1 + dice_.roll(40), dice_.pick(kBytes));
        if (dice_.once_in(2))
            for (std::uint8_t& byte : more) byte = static_cast<std::uint8_t>(dice_.number());
        auto at = frame_.begin() + static_cast<std::ptrdiff_t>(dice_.roll(frame_.size() + 1));
        frame_.insert(at, more.begin(), more.end());
    }

    void leave_out() {
        if (frame_.empty()) return;
        auto from = frame_.begin() + static_cast<std::ptrdiff_t>(place());
        auto count = static_cast<std::ptrdiff_t>(1 + dice_.roll(20));
        frame_.erase(from, from + std::min(count, frame_.end() - from));
    }

    void splice() {
        const Bytes& other = dice_.pick(others_);
        frame_.resize(dice_.roll(frame_.size() + 1));
        auto from = other.begin() + static_cast<std::ptrdiff_t>(dice_.roll(other.size() + 1));
        frame_.insert(frame_.end(), from, other.end());
    }

    void put8(std::size_t at, std::uint8_t value) {
        if (at < frame_.size()) frame_[at] = value;
    }
    void put16(std::size_t at, std::size_t value) {
        put8(at, static_cast<std::uint8_t>(value >> 8));
        put8(at + 1, static_cast<std::uint8_t>(value));
    }
    void put(std::size_t at, const Bytes& bytes) {
        for (std::size_t i = 0; i < bytes.size(); ++i) put8(at + i, bytes[i]);
    }
    // A length near the true one, or one from the ends of its range.
    std::size_t lie(std::size_t truth) {
        if (dice_.once_in(3)) return dice_.once_in(2) ? dice_.pick(kBytes) : 65535 - dice_.roll(3);
        return truth + dice_.roll(17) - 8;
    }

    void change_field() {
        ReferencePacket p =
            read_frame(frame_, dice_.once_in(8) ? Carrier::bare_ip : Carrier::ethernet);
        if (p.version == 0 || dice_.once_in(10)) {
            change_link(p);
        } else if (p.body_at != 0 && dice_.once_in(2)) {
            change_transport(p);
        } else if (p.version == 4) {
            change_v4(p.ip_at);
        } else {
            change_v6(p);
        }
    }

    void change_link(const ReferencePacket& p) {
        switch (dice_.roll(3)) {
        case 0:
            put(0, mac_bytes(dice_.pick(kMacs)));
            break;
        case 1:
            put16(p.ip_at >= 2 ? p.ip_at - 2 : 12, dice_.pick(kEtherTypes));
            break;
        default:
            if (frame_.size() < 14) return;
            Bytes tag{0x81, 0, 0, static_cast<std::uint8_t>(dice_.roll(3))};
            frame_.insert(frame_.begin() + 12, tag.begin(), tag.end());
        }
    }

    void change_v4(std::size_t at) {
        switch (dice_.roll(8)) {
        case 0:
            put8(at, static_cast<std::uint8_t>((dice_.once_in(4) ? dice_.roll(16) : 4) << 4 |
                                               dice_.roll(16)));
            break;
        case 1:
            put16(at + 2, lie(frame_.size() - std::min(at, frame_.size())));
            break;
        case 2:
            put16(at + 6, dice_.once_in(2) ? dice_.roll(8) << 13 : dice_.roll(65536));
            break;
        case 3:
            put8(at + 8, dice_.pick(kBytes));
            break;
        case 4:
            put8(at + 9, dice_.pick(kProtocols));
            break;
        case 5:
            put(at + 12, address_bytes(dice_.pick(kAddresses4)));
            break;
        case 6:
            put(at + 16, address_bytes(dice_.pick(kAddresses4)));
            break;
        default:
            put_options(at);
        }
    }

    // Options that are there make room for others; lengths are made to hold.
    void put_options(std::size_t at) {
        if (at + 20 > frame_.size()) return;
        static const std::vector<Bytes> kOptions{
            {1},           {0},    {131, 3, 4}, {137, 7, 4, 1, 2, 3, 4}, {7, 3, 4}, {148, 4, 0, 0},
            {68, 4, 5, 0}, {7, 0}, {7, 40}};
        Bytes options;
        while (options.size() < 37 && !dice_.once_in(4)) {
            const Bytes& one = dice_.pick(kOptions);
            options.insert(options.end(), one.begin(), one.end());
        }
        options.resize(std::min<std::size_t>((options.size() + 3) / 4 * 4, 40), 0);
        auto here = frame_.begin() + static_cast<std::ptrdiff_t>(at + 20);
        frame_.insert(here, options.begin(), options.end());
        put8(at, static_cast<std::uint8_t>(0x45 + options.size() / 4));
        put16(at + 2, frame_.size() - at);
    }

    void change_v6(const ReferencePacket& p) {
        std::size_t at = p.ip_at;
        switch (dice_.roll(8)) {
        case 0:
            put8(at, static_cast<std::uint8_t>(dice_.roll(256)));
            break;
        case 1:
            put16(at + 4, lie(frame_.size() - std::min(at + 40, frame_.size())));
            break;
        case 2:
            put8(at + 6, dice_.pick(kProtocols));
            break;
        case 3:
            put8(at + 7, dice_.pick(kBytes));
            break;
        case 4:
            put(at + 8, address_bytes(dice_.pick(kAddresses6)));
            break;
        case 5:
            put(at + 24, address_bytes(dice_.pick(kAddresses6)));
            break;
        case 6:
            put_extension(p);
            break;
        default:
            if (p.extensions.empty()) return;
            const Extension& one = dice_.pick(p.extensions);
            put8(one.at + dice_.roll(4),
                 dice_.once_in(2) ? dice_.pick(kBytes) : dice_.pick(kProtocols));
        }
    }

    // One header more, behind the IPv6 header; lengths and the chain are made to hold.
    void put_extension(const ReferencePacket& p) {
        std::size_t at = p.ip_at;
        if (at + 40 > frame_.size()) return;
        static const std::vector<std::uint8_t> kKinds{0, 43, 44, 51, 60, 60};
        Bytes header(8 * (1 + dice_.roll(3)), 0);
        header[0] = frame_[at + 6];
        header[1] = static_cast<std::uint8_t>(header.size() / 8 - 1);
        for (std::size_t i = 2; i < header.size(); ++i)
            header[i] = dice_.once_in(3) ? dice_.pick(kBytes) : std::uint8_t{0};
        frame_[at + 6] = dice_.pick(kKinds);
        auto here = frame_.begin() + static_cast<std::ptrdiff_t>(at + 40);
        frame_.insert(here, header.begin(), header.end());
        put16(at + 4, frame_.size() - at - 40);
    }

    void change_transport(const ReferencePacket& p) {
        std::size_t at = p.body_at;
        if (p.is_icmp()) {
            if (dice_.once_in(3))
                put8(at + 8 + dice_.roll(48), static_cast<std::uint8_t>(dice_.number())); // a quote
            else
                put8(at + dice_.roll(2), dice_.pick(kIcmpTypes));
            return;
        }
        switch (dice_.roll(5)) {
        case 0:
            put16(at, dice_.pick(kPorts));
            break;
        case 1:
            put16(at + 2, dice_.pick(kPorts));
            break;
        case 2:
            put16(at + 4, lie(frame_.size() - std::min(at, frame_.size())));
            break;
        case 3:
            put8(at + 12, static_cast<std::uint8_t>(dice_.roll(256)));
            break;
        default:
            put8(at + 13, static_cast<std::uint8_t>(dice_.roll(256)));
        }
    }

    Dice& dice_;
    Bytes frame_;
    const std::vector<Bytes>& others_;
};

} // namespace

Bytes changed(Dice& dice, Bytes frame, const std::vector<Bytes>& others) {
    Changer changer(dice, std::move(frame), others);
    for (std::size_t n = 1 + dice.roll(6); n > 0; --n) changer.change();
    return changer.take();
}

Bytes shrink_frame(Bytes frame, const std::function<bool(const Bytes&)>& fails) {
    int questions = 4000;
    auto take_if = [&](Bytes smaller) {
        if (smaller == frame || questions-- <= 0 || !fails(smaller)) return false;
        frame = std::move(smaller);
        return true;
    };
    for (std::size_t piece = 64; piece >= 1; piece /= 2) {
        for (std::size_t at = frame.size(); at > 0;) {
            at = at > piece ? at - piece : 0;
            Bytes smaller = frame;
            auto from = smaller.begin() + static_cast<std::ptrdiff_t>(std::min(at, smaller.size()));
            smaller.erase(
                from, from + std::min(static_cast<std::ptrdiff_t>(piece), smaller.end() - from));
            take_if(std::move(smaller));
        }
    }
    for (std::size_t at = 0; at < frame.size(); ++at) {
        Bytes cleared = frame;
        cleared[at] = 0;
        take_if(std::move(cleared));
    }
    return frame;
}

} // namespace sallyport::test
