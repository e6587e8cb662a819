// SPDX-License-Identifier: Apache-2.0
#include "jail/config_set.h"

#include "jail/interpolate.h"

#include <algorithm>
#include <map>

namespace sallyport::jail {

namespace {

constexpr std::size_t kFilesMax = 1000; // included over and over, in one reading
constexpr std::size_t kNestingMax = 20;

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

std::string stem_of(const std::string& path) {
    const std::size_t dot = path.rfind('.');
    const std::size_t slash = path.rfind('/');
    return dot == std::string::npos || (slash != std::string::npos && dot < slash)
               ? path
               : path.substr(0, dot);
}

// The order of the files: what is included before, the file, what is included after.
class Includes {
  public:
    explicit Includes(const FileWorld& world) : world_(world) {}

    Status add(const std::vector<std::string>& files, std::vector<std::string> seen) {
        std::vector<std::string> all;
        for (const std::string& file : files) {
            all.push_back(file);
            const std::string local = stem_of(file) + ".local";
            if (std::ranges::find(files, local) == files.end() && local != file)
                all.push_back(local);
        }
        for (const std::string& file : all) SP_TRY(add_one(file, seen));
        return {};
    }

    std::vector<std::string> order;
    std::map<std::string, Ini> parsed;

  private:
    Status add_one(const std::string& file, std::vector<std::string> seen) {
        if (order.size() >= kFilesMax || seen.size() >= kNestingMax)
            return fail(ErrorKind::invalid_input, file + " is included too often or too deep");
        if (!parsed.contains(file)) {
            const Result<std::string> text = world_.read_file(file);
            if (!text && text.error().kind == ErrorKind::not_found) return {};
            if (!text) return std::unexpected(text.error());
            parsed.emplace(file, SP_TRY(parse_ini(*text, file)));
        }
        seen.push_back(file);
        SP_TRY(add(included(file, "before", seen), seen));
        order.push_back(file);
        return add(included(file, "after", seen), seen);
    }

    [[nodiscard]] std::vector<std::string> included(const std::string& file, const char* key,
                                                    const std::vector<std::string>& seen) const {
        const Ini& ini = parsed.at(file);
        const Result<std::optional<Option>> value = interpolated(ini, "INCLUDES", key, {});
        std::vector<std::string> names;
        if (!value || !*value) return names;
        for (const std::string& line : split((*value)->value, '\n')) {
            const std::string name(trimmed(line));
            if (name.empty()) continue;
            std::string path = name.starts_with('/') ? name : directory_of(file) + name;
            if (std::ranges::find(seen, path) == seen.end()) names.push_back(std::move(path));
        }
        return names;
    }

    const FileWorld& world_;
};

std::vector<std::string> with_ending(const FileWorld& world, const std::string& directory,
                                     std::string_view ending) {
    std::vector<std::string> paths;
    for (const std::string& name : world.list(directory))
        if (name.ends_with(ending) && !name.starts_with('.'))
            paths.push_back(directory + "/" + name);
    return paths;
}

} // namespace

Result<ConfigSet> ConfigSet::read(const FileWorld& world, const std::string& base,
                                  const std::vector<std::string>& extra) {
    std::vector<std::string> files{base + ".conf"};
    for (const std::string& path : with_ending(world, base + ".d", ".conf")) files.push_back(path);
    files.push_back(base + ".local");
    for (const std::string& path : with_ending(world, base + ".d", ".local")) files.push_back(path);
    for (const std::string& path : extra)
        if (std::ranges::find(files, path) == files.end()) files.push_back(path);
    ConfigSet set;
    SP_TRY(set.merge(world, files));
    return set;
}

Result<ConfigSet> ConfigSet::read_one(const FileWorld& world, const std::string& file) {
    ConfigSet set;
    SP_TRY(set.merge(world, {file}));
    return set;
}

Status ConfigSet::merge(const FileWorld& world, const std::vector<std::string>& files) {
    Includes includes(world);
    SP_TRY(includes.add(files, {}));
    files_ = includes.order;
    if (files_.empty())
        return fail(ErrorKind::not_found, "there is no " + files.front(),
                    "the files of a filter are NAME.conf and NAME.local");
    for (const std::string& file : files_) merge_file(includes.parsed.at(file));
    return {};
}

void ConfigSet::merge_file(const Ini& file) {
    for (const auto& [key, option] : file.defaults) merged_.defaults[key] = option;
    for (const Section& section : file.sections) {
        // [Init?family=inet6]: keys of [Init] that hold on a condition.
        const std::size_t mark = section.name.find('?');
        const bool conditional = mark != std::string::npos && mark > 0;
        const std::string name = section.name.substr(0, conditional ? mark : std::string::npos);
        Options options;
        for (const auto& [key, option] : section.options)
            options[conditional ? key + section.name.substr(mark) : key] = option;
        Section* into = merged_.find(name);
        if (into == nullptr) {
            merged_.sections.push_back({name, std::move(options)});
            continue;
        }
        // What was known before stays reachable as %(known/key)s.
        Options known;
        for (const auto& [key, option] : options)
            if (const auto old = into->options.find(key); old != into->options.end())
                known[key] = old->second;
        for (const auto& [key, option] : options) into->options[key] = option;
        const std::string memory = "KNOWN/" + name;
        if (merged_.find(memory) == nullptr) merged_.sections.push_back({memory, {}});
        for (const auto& [key, option] : known) merged_.find(memory)->options[key] = option;
    }
}

Result<std::optional<Option>> ConfigSet::get(std::string_view section, std::string_view key,
                                             const Options& over) const {
    return interpolated(merged_, section, key, over);
}

Result<std::optional<Option>> ConfigSet::get_anywhere(std::string_view section,
                                                      const std::string& key,
                                                      const Options& over) const {
    const std::size_t slash = key.find('/');
    if (slash != std::string::npos && slash > 0 && slash + 1 < key.size()) {
        const std::string where = key.substr(0, slash);
        const std::string rest = key.substr(slash + 1);
        std::vector<std::string> places{where};
        if (lower(where) == "known")
            places = {"KNOWN/" + std::string(section), std::string(section)};
        else if (lower(where) == "default")
            places = {"DEFAULT"};
        for (const std::string& place : places)
            if (std::optional<Option> found = SP_TRY(interpolated(merged_, place, rest, {})))
                return found;
    }
    return interpolated(merged_, section, key, over);
}

} // namespace sallyport::jail
