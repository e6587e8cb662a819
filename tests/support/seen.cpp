// SPDX-License-Identifier: Apache-2.0
#include "support/seen.h"

namespace sallyport::test {

bool operator==(const Seen& seen, const Expected& expected) {
    return seen.disagreements.empty() && seen.passed == expected.passed &&
           seen.reason == expected.reason && seen.would_drop == expected.would_drop;
}

const char* slug_of(sp_reason reason) {
    switch (reason) {
    case SP_REASON_NONE:
        return "none";
#define X(name, number, slug, meaning)                                                             \
    case SP_REASON_##name:                                                                         \
        return slug;
        SP_REASONS(X)
#undef X
    case SP_REASON_END:
        break;
    }
    return "unknown";
}

namespace {

void put(std::ostream& out, bool passed, bool would_drop, sp_reason reason) {
    out << (would_drop ? "would be dropped" : passed ? "passes" : "dropped");
    if (reason != SP_REASON_NONE) out << ": " << slug_of(reason);
}

} // namespace

std::ostream& operator<<(std::ostream& out, const Expected& expected) {
    put(out, expected.passed, expected.would_drop, expected.reason);
    return out;
}

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
    put(out, seen.passed, seen.would_drop, seen.reason);
    if (!seen.rule.empty()) out << " by \"" << seen.rule << '"';
    for (const std::string& what : seen.disagreements) out << "; BUT " << what;
    return out;
}

} // namespace sallyport::test
