// SPDX-License-Identifier: Apache-2.0
#include "cli/end_signals.h"

#include <csignal>
#include <sys/signalfd.h>

namespace sallyport {

Fd end_signals() {
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    sigprocmask(SIG_BLOCK, &wanted, nullptr);
    return Fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

} // namespace sallyport
