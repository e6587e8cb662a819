// SPDX-License-Identifier: Apache-2.0
#include "event/dns_answer.h"

#include <algorithm>
#include <cstdint>

namespace sallyport {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kLongestName = 255; // as on the wire, with its lengths
constexpr std::size_t kMostRecords = 64;
constexpr std::size_t kMostFound = 32;
constexpr std::size_t kMostAliases = 16;
constexpr std::uint16_t kTypeA = 1, kTypeCname = 5, kTypeAaaa = 28, kTypeAny = 255, kClassIn = 1;

// A name as labels, each behind its length, in lower case: two are the same name when they are
// equal, whatever bytes are in them.
using Labels = std::string;

struct Record {
    Labels owner;
    std::uint16_t type = 0;
    std::uint16_t of_class = 0;
    std::uint32_t lives = 0;
    std::size_t data = 0; // where it begins
    std::size_t size = 0;
};

char lower(std::uint8_t byte) {
    return static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
}

class Reader {
  public:
    explicit Reader(std::span<const std::byte> message) : message_(message) {}

    std::optional<std::uint16_t> number16() {
        if (left() < 2) return std::nullopt;
        const auto value = static_cast<std::uint16_t>(byte_at(at_) << 8 | byte_at(at_ + 1));
        at_ += 2;
        return value;
    }
    std::optional<std::uint32_t> number32() {
        const auto high = number16();
        const auto low = number16();
        if (!high || !low) return std::nullopt;
        return static_cast<std::uint32_t>(*high) << 16 | *low;
    }
    // Each pointer leads to before the part that it ends, so that there is an end.
    std::optional<Labels> name() {
        Labels labels;
        std::size_t at = at_;
        std::size_t before = at_;
        bool jumped = false;
        while (at < message_.size()) {
            const std::uint8_t length = byte_at(at);
            if (length >= 0xc0) {
                if (at + 1 >= message_.size()) return std::nullopt;
                const std::size_t to = (length & 0x3fu) << 8 | byte_at(at + 1);
                if (to >= before) return std::nullopt;
                if (!jumped) at_ = at + 2;
                jumped = true;
                before = at = to;
                continue;
            }
            if (length == 0) {
                if (!jumped) at_ = at + 1;
                return labels;
            }
            if (length > kLongestLabel || at + 1 + length > message_.size() ||
                labels.size() + 1 + length + 1 > kLongestName)
                return std::nullopt;
            labels += static_cast<char>(length);
            for (std::size_t i = 1; i <= length; ++i) labels += lower(byte_at(at + i));
            at += 1u + length;
        }
        return std::nullopt;
    }
    std::optional<Record> record() {
        Record record;
        std::optional<Labels> owner = name();
        if (!owner) return std::nullopt;
        record.owner = *std::move(owner);
        const auto type = number16();
        const auto of_class = number16();
        const auto lives = number32();
        const auto size = number16();
        if (!type || !of_class || !lives || !size || left() < *size) return std::nullopt;
        record.type = *type;
        record.of_class = *of_class;
        record.lives = *lives > INT32_MAX ? 0 : *lives; // RFC 2181, 8
        record.data = at_;
        record.size = *size;
        at_ += *size;
        return record;
    }
    // The name that the record's data is.
    [[nodiscard]] std::optional<Labels> name_in(const Record& record) const {
        Reader there(message_.first(record.data + record.size));
        there.at_ = record.data;
        return there.name();
    }
    [[nodiscard]] std::uint8_t byte_at(std::size_t at) const {
        return static_cast<std::uint8_t>(message_[at]);
    }

  private:
    [[nodiscard]] std::size_t left() const { return message_.size() - at_; }
    std::span<const std::byte> message_;
    std::size_t at_ = 0;
};

// Others are not only strange on a screen: no host has such a name (RFC 952), '_' beside.
bool is_plain(std::uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
           byte == '_';
}

std::optional<std::string> text_of(const Labels& labels) {
    std::string text;
    for (std::size_t at = 0; at < labels.size();) {
        const std::size_t length = static_cast<std::uint8_t>(labels[at]);
        if (!text.empty()) text += '.';
        for (std::size_t i = 1; i <= length; ++i) {
            if (!is_plain(static_cast<std::uint8_t>(labels[at + i]))) return std::nullopt;
            text += labels[at + i];
        }
        at += 1 + length;
    }
    if (text.empty()) return std::nullopt;
    return text;
}

std::optional<Address> address_of(const Reader& reader, const Record& record) {
    Address address;
    if (record.type == kTypeAaaa && record.size == 16) {
        for (std::size_t i = 0; i < 16; ++i) address.bytes[i] = reader.byte_at(record.data + i);
        return address;
    }
    if (record.type != kTypeA || record.size != 4) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | reader.byte_at(record.data + i);
    return Address::v4(value);
}

// What the question's name is an alias of, so far.
struct Alias {
    Labels name;
    std::uint32_t lives = 0;
};

// The header says: an answer (QR), to a query (opcode), without error, and one question.
std::optional<std::uint16_t> count_of_answers(Reader& reader) {
    const auto id = reader.number16();
    const auto flags = reader.number16();
    const auto questions = reader.number16();
    const auto answers = reader.number16();
    if (!id || !reader.number32() || !answers || (*flags & 0xf80f) != 0x8000 || *questions != 1)
        return std::nullopt;
    return answers;
}

} // namespace

std::optional<DnsAnswer> parse_dns_answer(std::span<const std::byte> message) {
    if (message.size() < kHeader) return std::nullopt;
    Reader reader(message);
    const auto answers = count_of_answers(reader);
    if (!answers) return std::nullopt;
    const auto asked = reader.name();
    const auto type = reader.number16();
    const auto of_class = reader.number16();
    if (!asked || !of_class || *of_class != kClassIn ||
        (*type != kTypeA && *type != kTypeAaaa && *type != kTypeAny))
        return std::nullopt;
    const auto name = text_of(*asked);
    if (!name) return std::nullopt;

    DnsAnswer answer{.name = *name, .found = {}};
    std::vector<Alias> aliases{{.name = *asked, .lives = INT32_MAX}};
    for (std::size_t i = 0; i < std::min<std::size_t>(*answers, kMostRecords); ++i) {
        const std::optional<Record> record = reader.record();
        if (!record) break; // here the message was cut off
        const auto alias = std::ranges::find(aliases, record->owner, &Alias::name);
        if (record->of_class != kClassIn || alias == aliases.end()) continue;
        const std::uint32_t lives = std::min(alias->lives, record->lives);
        if (record->type == kTypeCname && aliases.size() < kMostAliases) {
            if (auto target = reader.name_in(*record))
                aliases.push_back({.name = *std::move(target), .lives = lives});
        } else if (const auto address = address_of(reader, *record);
                   address && answer.found.size() < kMostFound) {
            answer.found.push_back({.address = *address, .lives = std::chrono::seconds(lives)});
        }
    }
    if (answer.found.empty()) return std::nullopt;
    return answer;
}

} // namespace sallyport
