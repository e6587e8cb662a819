// SPDX-License-Identifier: Apache-2.0
// The commands with their options, for tools that write about them.
#include "cli/complete.h"

#include <nlohmann/json.hpp>

namespace sallyport {
namespace {

using Json = nlohmann::ordered_json;

Json described(const CLI::Option& option) {
    return {{"name", option.get_positional() && !option.nonpositional() ? option.get_name() : ""},
            {"long", option.get_lnames()},
            {"short", option.get_snames()},
            {"type", option.get_items_expected_max() > 0 ? option.get_type_name() : ""},
            {"default", option.get_default_str()},
            {"required", option.get_required()},
            {"many", option.get_items_expected_max() > 1},
            {"group", option.get_group()},
            {"description", option.get_description()}};
}

Json described(const CLI::App& command) {
    Json options = Json::array();
    for (const CLI::Option* option : command.get_options())
        if (!option->get_group().empty()) options.push_back(described(*option));
    Json subcommands = Json::array();
    for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; }))
        if (!sub->get_group().empty()) subcommands.push_back(described(*sub));
    return {{"name", command.get_name()},
            {"description", command.get_description()},
            {"footer", command.get_footer()},
            {"options", std::move(options)},
            {"commands", std::move(subcommands)}};
}

} // namespace

std::string command_tree(const CLI::App& app) {
    return described(app).dump(2) + '\n';
}

} // namespace sallyport
