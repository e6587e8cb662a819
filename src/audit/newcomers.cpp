// SPDX-License-Identifier: Apache-2.0
#include "audit/newcomers.h"

#include <utility>

namespace sallyport::audit {

Newcomers::Where Newcomers::where(const Listener& one) {
    return {one.place, one.proto, one.address, one.port, one.interface, one.uid};
}

std::vector<Listener> Newcomers::next(const std::vector<Listener>& current) {
    std::map<Where, Programs> now;
    std::vector<Listener> news, nameless;
    for (const Listener& one : current) {
        const auto before = known_.find(where(one));
        const auto [place, is_new_here] = now.try_emplace(where(one));
        if (!one.process) {
            if (before != known_.end())
                place->second.insert(before->second.begin(), before->second.end());
            else if (is_new_here)
                nameless.push_back(one);
            continue;
        }
        const std::string program = one.process->exe + '\0' + one.process->comm;
        const bool was_known = before != known_.end() && before->second.contains(program);
        if (place->second.insert(program).second && !was_known) news.push_back(one);
    }
    std::vector<Listener> told;
    for (Listener& late : nameless_) {
        const auto still = now.find(where(late));
        if (still == now.end() || still->second.empty()) told.push_back(std::move(late));
    }
    known_ = std::move(now);
    nameless_ = std::move(nameless);
    told.insert(told.end(), news.begin(), news.end());
    if (!std::exchange(is_first_, false)) return told;
    nameless_.clear();
    return {};
}

} // namespace sallyport::audit
