// SPDX-License-Identifier: Apache-2.0
#include "learn/why.h"

namespace sallyport::learn {

const char* to_string(Why why) {
    switch (why) {
    case Why::closed_port:
        return "closed-port";
    case Why::scanner:
        return "scanner";
    case Why::one_off:
        return "one-off";
    case Why::stranger:
        return "stranger";
    case Why::too_many:
        return "too-many";
    case Why::other_reason:
        return "other-reason";
    case Why::no_port:
        return "no-port";
    case Why::no_room:
        return "no-room";
    }
    return "";
}

const char* meaning_of(Why why) {
    switch (why) {
    case Why::closed_port:
        return "probes: nobody listens there";
    case Why::scanner:
        return "scanners: sources that touched many ports";
    case Why::one_off:
        return "one-offs: seen too seldom to tell what is usual (--min)";
    case Why::stranger:
        return "strangers: from the internet, to what the catalogue of services keeps inside";
    case Why::too_many:
        return "too many to name in a rule";
    case Why::other_reason:
        return "refused for what no allow rule mends";
    case Why::no_port:
        return "to port 0, or without its port or type: a rule cannot name that, only all ports";
    case Why::no_room:
        return "not followed: more than was kept in memory";
    }
    return "";
}

} // namespace sallyport::learn
