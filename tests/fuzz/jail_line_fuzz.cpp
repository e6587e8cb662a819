// SPDX-License-Identifier: Apache-2.0
// Lines of any bytes to a jail: no crash, nobody is banned who is no address, and an
// address stands in the line that accuses it.
#include "jail/jail.h"

#include <cstdint>
#include <cstdlib>

using namespace sallyport;
using namespace sallyport::jail;

namespace {

constexpr LogTime kNow{std::chrono::seconds(1'767'322'800)};

void require(bool holds) {
    if (!holds) std::abort();
}

JailSettings settings() {
    JailSettings made;
    made.name = "fuzz";
    made.max_retry = 2;
    made.filter.name = "fuzz";
    made.filter.zone_minutes = 0;
    made.filter.prefregex = Pattern{
        R"(^(?:\[\])?\s*<F-MLFID>(?:\S+ )?app\[\d+\]:</F-MLFID> <F-CONTENT>.+</F-CONTENT>$)",
        {},
        "prefregex",
        1};
    for (
        const char* text :
        {R"(^Failed \S+ for (?P<cond_inv>invalid user )?<F-USER>(?P<cond_user>\S+)|(?(cond_inv)(?:(?! from ).)*?|[^:]+)</F-USER> from <HOST>(?: port \d+)?$)",
         R"(^<F-NOFAIL>Connection from</F-NOFAIL> <ADDR>)", R"(^locked$)",
         R"(^<F-MLFFORGET><F-MLFGAINED>Accepted</F-MLFGAINED></F-MLFFORGET> <F-USER>\S+</F-USER>)",
         R"(^net <SUBNET>$)", R"(^(\w+\s?)+: <HOST>$)"})
        made.filter.failregex.push_back({text, {}, "failregex", 1});
    // The default detectors are thirty expressions, compiled anew for each input.
    for (const char* text : {R"({^LN-BEG}%ExY-%m-%d[T ]%H:%M:%S(?:\.%f)?(?:\s*%Exz)?)",
                             R"((?:%a )?%b %d %k:%M:%S(?: %ExY)?)", "{LEPOCH}", "^%H:%M:%S %p"})
        made.filter.datepatterns.push_back({text, {}, "datepattern", 1});
    made.filter.ignoreregex.push_back({"spare", {}, "ignoreregex", 1});
    return made;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Result<Jail> jail = Jail::make(settings());
    require(jail.has_value());
    std::string_view text(reinterpret_cast<const char*>(data), size);
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const LineResult result = jail->take(text.substr(0, end), kNow);
        for (const Told& told : result.told) {
            require(told.failure.is_failure);
            require(told.fate == Fate::no_address || told.failure.network.has_value());
        }
        for (const BanRequest& ban : result.bans) {
            require(ban.source.length >= (ban.source.is_v4() ? 96u + 16u : 32u));
            require(ban.at <= kNow && ban.failures >= 2 && ban.line.size() <= 512);
        }
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return 0;
}
