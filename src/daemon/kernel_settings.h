// SPDX-License-Identifier: Apache-2.0
#pragma once
// [host] sysctls = "set": settings of the kernel that a policy's features ask for, set
// while they are asked for and put back after that. What was there is written down
// first, so that `down` restores it after any crash. A setting that somebody else has
// changed since is left as he wants it.
#include "policy/policy.h"

#include <map>
#include <string>
#include <vector>

namespace sallyport {

// May a limit of this rule answer by SYN cookies?
[[nodiscard]] bool may_answer_by_cookies(const Rule& rule);

// By name under `root`, what the policy wants: nothing unless it says sysctls = "set".
[[nodiscard]] std::map<std::string, std::string> settings_wanted(const Policy& policy);

class KernelSettings {
  public:
    // Reads what an earlier process has set; a broken file is none.
    explicit KernelSettings(const std::string& state_dir, std::string root = "/proc/sys/");
    // Notes are for the operator. What cannot be set is told and is no error.
    void follow(const Policy& policy, std::vector<std::string>& notes);
    void restore();

  private:
    struct Setting {
        std::string before;
        std::string ours;
    };
    [[nodiscard]] bool save(std::vector<std::string>& notes) const;
    void put_back(const std::string& name, const Setting& setting,
                  std::vector<std::string>& notes) const;
    std::string file_;
    std::string root_;
    std::map<std::string, Setting> set_; // by name
};

} // namespace sallyport
