// SPDX-License-Identifier: Apache-2.0
#pragma once
// What must reach an operator who cannot reach the host: on the machine's console.
#include <string>
#include <string_view>

namespace sallyport {

// At most 1 KiB, without waiting: a console that takes nothing keeps no wall from standing.
// To $SALLYPORT_CONSOLE, /dev/console without it. Each line begins with "sallyport: ".
void say_on_console(std::string_view text);

} // namespace sallyport
