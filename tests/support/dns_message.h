// SPDX-License-Identifier: Apache-2.0
#pragma once
// DNS answers as one reads them aloud:
//
//     DnsMessage("api.example.com").a("api.example.com", 60, {203, 0, 113, 9}).bytes()
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sallyport::test {

class DnsMessage {
  public:
    using Labels = std::vector<std::string>;
    struct Pointer {
        unsigned to = 0;
    };
    struct Name { // "www.example.com", its labels, or where it stands already
        Name(std::string_view text) : is(split(text)) {}   // NOLINT
        Name(const char* text) : is(split(text)) {}        // NOLINT
        Name(const std::string& text) : is(split(text)) {} // NOLINT
        Name(Labels labels) : is(std::move(labels)) {}     // NOLINT
        Name(Pointer pointer) : is(pointer) {}             // NOLINT
        std::variant<Labels, Pointer> is;
    };

    explicit DnsMessage(const Name& asked, unsigned type = 1, unsigned of_class = 1) {
        for (const unsigned word : {7u, 0x8180u, 1u, 0u, 0u, 0u}) add16(word);
        add(asked);
        add16(type);
        add16(of_class);
    }
    DnsMessage& a(const Name& owner, std::uint32_t lives, std::array<std::uint8_t, 4> address) {
        begin(owner, 1, lives, address.size());
        bytes_.insert(bytes_.end(), address.begin(), address.end());
        return *this;
    }
    // 2001:db8::LAST
    DnsMessage& aaaa(const Name& owner, std::uint32_t lives, std::uint8_t last) {
        begin(owner, 28, lives, 16);
        for (const unsigned word : {0x2001u, 0xdb8u, 0u, 0u, 0u, 0u, 0u, unsigned{last}})
            add16(word);
        return *this;
    }
    DnsMessage& cname(const Name& owner, std::uint32_t lives, const Name& target) {
        begin(owner, 5, lives, 0);
        const std::size_t at = bytes_.size();
        add(target);
        set16(at - 2, static_cast<unsigned>(bytes_.size() - at));
        return *this;
    }
    DnsMessage& set16(std::size_t at, unsigned value) {
        bytes_.at(at) = static_cast<std::uint8_t>(value >> 8);
        bytes_.at(at + 1) = static_cast<std::uint8_t>(value);
        return *this;
    }
    [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return bytes_; }

  private:
    static Labels split(std::string_view text) {
        Labels labels;
        while (!text.empty()) {
            labels.emplace_back(text.substr(0, text.find('.')));
            text.remove_prefix(std::min(labels.back().size() + 1, text.size()));
        }
        return labels;
    }
    void add16(unsigned value) {
        bytes_.push_back(static_cast<std::uint8_t>(value >> 8));
        bytes_.push_back(static_cast<std::uint8_t>(value));
    }
    void add(const Name& name) {
        if (const auto* pointer = std::get_if<Pointer>(&name.is))
            return add16(0xc000u | pointer->to);
        for (const std::string& label : std::get<Labels>(name.is)) {
            bytes_.push_back(static_cast<std::uint8_t>(label.size()));
            bytes_.insert(bytes_.end(), label.begin(), label.end());
        }
        bytes_.push_back(0);
    }
    void begin(const Name& owner, unsigned type, std::uint32_t lives, std::size_t size) {
        ++answers_;
        set16(6, answers_);
        add(owner);
        for (const unsigned word : {type, 1u, lives >> 16, lives & 0xffffu}) add16(word);
        add16(static_cast<unsigned>(size));
    }
    std::vector<std::uint8_t> bytes_;
    unsigned answers_ = 0;
};

} // namespace sallyport::test
