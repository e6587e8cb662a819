// SPDX-License-Identifier: Apache-2.0
#pragma once
// Names of interfaces in classes: two names are of one class when the same of the globs match
// them. Every class that some name of at most 15 bytes is of, and no other; fewer when there are
// too many.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::diff {

class InterfaceClasses {
  public:
    static constexpr std::size_t kMost = 2000; // states of the walk

    explicit InterfaceClasses(std::vector<std::string> globs);

    [[nodiscard]] std::size_t count() const { return classes_.size(); }
    // Globs combine in too many ways: there are names that are of none of the classes.
    [[nodiscard]] bool is_too_many() const { return is_too_many_; }
    [[nodiscard]] std::size_t steps() const { return steps_; } // that the walk took
    // Of an unknown name, an empty one, the class that nothing matches. None: there is no such.
    [[nodiscard]] std::optional<std::size_t> class_of(const std::string& name) const;
    // Does one of these globs, all of which were given, match the names of the class?
    [[nodiscard]] bool is_matched(std::size_t one, const std::vector<std::string>& globs) const;
    // "eth0, wg*", "all but eth0"; empty when they are all.
    [[nodiscard]] std::string describe(const std::vector<std::size_t>& classes) const;

  private:
    struct Class {
        std::vector<bool> matched; // by glob
        std::string example;
    };
    [[nodiscard]] std::vector<bool> matched_by(const std::string& name) const;

    std::vector<std::string> globs_; // sorted, each once
    std::vector<Class> classes_;
    bool is_too_many_ = false;
    std::size_t steps_ = 0;
};

} // namespace sallyport::diff
