// SPDX-License-Identifier: Apache-2.0
// A look at a document before toml++ reads it, at what stands outside of strings
// and comments: a key of a hundred thousand parts makes a tree so deep that
// walking it takes all the stack.
#include "config/toml_guard.h"

#include "base/text.h"

#include <algorithm>

namespace sallyport::config {

namespace {

constexpr unsigned kKeyParts = 16;

class Guard {
  public:
    explicit Guard(std::string_view text) : text_(text) {}

    [[nodiscard]] std::optional<Objection> look() {
        unsigned dots = 0;
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '"' || c == '\'') {
                skip_string(c);
            } else if (c == '#') {
                at_ = std::min(text_.find('\n', at_), text_.size());
                dots = 0;
            } else if (c == '.') {
                if (++dots >= kKeyParts)
                    return objection("a key of more than " + std::to_string(kKeyParts) + " parts");
            } else if (std::string_view("\n=,{}[]").find(c) != std::string_view::npos) {
                dots = 0;
            }
        }
        return std::nullopt;
    }

  private:
    // Leaves at_ at the string's last byte. One that is not closed ends with its line.
    void skip_string(char quote) {
        const bool multi = text_.substr(at_).starts_with(std::string(3, quote));
        const std::string end(multi ? 3 : 1, quote);
        for (at_ += end.size(); at_ < text_.size(); ++at_) {
            if (text_[at_] == '\\' && quote == '"')
                ++at_;
            else if (text_[at_] == '\n' && !multi)
                return;
            else if (text_.substr(at_).starts_with(end)) {
                at_ += end.size() - 1;
                // Up to two quotes before the closing three belong to the text.
                for (int i = 0; multi && i < 2 && text_.substr(at_ + 1).starts_with(quote); ++i)
                    ++at_;
                return;
            }
        }
    }

    [[nodiscard]] Objection objection(std::string message) const {
        const std::string_view before = text_.substr(0, at_);
        Place place{.line =
                        static_cast<unsigned>(1 + std::count(before.begin(), before.end(), '\n')),
                    .column = 1};
        for (std::size_t at = before.rfind('\n') + 1; at < before.size();
             ++place.column) // npos + 1 is 0
            at += character_at(before, at).bytes.size();
        return Objection{.place = place, .message = std::move(message)};
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

} // namespace

std::optional<Objection> objection_to(std::string_view text) {
    return Guard(text).look();
}

} // namespace sallyport::config
