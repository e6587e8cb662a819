// SPDX-License-Identifier: Apache-2.0
#include "base/version.h"

namespace sallyport {

std::string_view own_version() {
    return SP_VERSION; // of the project, by the build
}

} // namespace sallyport
