// SPDX-License-Identifier: Apache-2.0
#pragma once
// A filter of fail2ban's filter.d, with the parameters that a jail gives it.
#include "jail/config_set.h"
#include "jail/settings.h"

#include <map>
#include <string>

namespace sallyport::jail {

// The two steps in which a jail takes up its filter: first all that the filter knows,
// for %(known/x)s in the jail; then the filter under the jail's own settings.
class FilterFile {
  public:
    // NAME under `directory`/filter.d.
    [[nodiscard]] static Result<FilterFile> read(const FileWorld& world,
                                                 const std::string& directory,
                                                 const std::string& name,
                                                 const std::map<std::string, std::string>& given);
    // A file by its path.
    [[nodiscard]] static Result<FilterFile>
    read_one(const FileWorld& world, const std::string& path,
             const std::map<std::string, std::string>& given);

    // Where the lines come from, unless the filter or its parameters say so.
    void set_logtype(bool from_journal);
    // Every value, filled in. `jail` goes before what the filter says; with `all` its
    // other keys are there too.
    [[nodiscard]] Result<Options> values(const Options& jail, bool all);

  private:
    FilterFile(ConfigSet set, const std::map<std::string, std::string>& given);
    ConfigSet set_;
    Options given_;
};

// Puts into `filter` what those values say of it; what is there goes before.
[[nodiscard]] Status take_filter_values(const Options& values, FilterSettings& filter);
// A whole filter by its path or its name under filter.d, without a jail.
[[nodiscard]] Result<FilterSettings> filter_from(FilterFile& file, const std::string& name);

} // namespace sallyport::jail
