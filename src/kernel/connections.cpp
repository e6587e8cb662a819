// SPDX-License-Identifier: Apache-2.0
#include "kernel/connections.h"

#include "kernel/link.h"
#include "kernel/map.h"
#include "kernel/table_call.h"
#include "sallyport/abi/types.h"

#include <ctime>

namespace sallyport {

Status recount_connections(const Programs& programs) {
    const int see = programs.fd(Program::peers_see);
    if (see < 0) return fail(ErrorKind::not_supported, "this kernel refuses the program");
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const std::uint32_t zero = 0;
    const auto round = static_cast<std::uint32_t>(now.tv_sec);
    SP_TRY(map_update(programs.maps().peer_round, zero, round));
    SP_TRY(run_iterator(see, programs.maps().counted).context("counting connections anew"));
    for (std::uint32_t first = 0; first < SP_PEER_SETS; first += SP_PEER_SETTLED)
        static_cast<void>(
            SP_TRY(call_table(programs.fd(Program::peers_settle), &first, sizeof(first))));
    return {};
}

} // namespace sallyport
