// SPDX-License-Identifier: Apache-2.0
#include "cli/complete.h"

#include "cli/complete_values.h"
#include "cli/output.h"

#include <algorithm>
#include <optional>
#include <set>

namespace sallyport {
namespace {

constexpr const char* kPolicyFile = "/etc/sallyport/policy.toml";

// Where in the tree of commands the words before the cursor have led.
struct Position {
    const CLI::App* command;
    const CLI::Option* awaits = nullptr; // an option whose value comes next
    std::size_t positionals = 0;         // so many have been given
    bool only_positionals = false;       // behind "--"
    std::set<const CLI::Option*> given;
    std::string policy_file;
};

const CLI::Option* option_of(const CLI::App* command, const std::string& word) {
    for (; command != nullptr; command = command->get_parent())
        for (const CLI::Option* option : command->get_options()) {
            const bool is_long = word.starts_with("--");
            const std::vector<std::string>& names =
                is_long ? option->get_lnames() : option->get_snames();
            if (std::ranges::find(names, word.substr(is_long ? 2 : 1)) != names.end())
                return option;
        }
    return nullptr;
}

const CLI::App* subcommand_of(const CLI::App* command, const std::string& word) {
    for (const CLI::App* sub : command->get_subcommands([](const CLI::App*) { return true; }))
        if (sub->get_name() == word) return sub;
    return nullptr;
}

bool takes_value(const CLI::Option& option) {
    return option.get_items_expected_max() > 0;
}

void note_value(Position& at, const CLI::Option& option, const std::string& value) {
    const std::vector<std::string>& names = option.get_lnames();
    if (std::ranges::find(names, "config") != names.end() ||
        std::ranges::find(names, "policy") != names.end())
        at.policy_file = value;
}

void step(Position& at, const std::string& word) {
    if (at.awaits != nullptr) {
        if (word == "=") return; // bash has it as a word
        note_value(at, *at.awaits, word);
        at.awaits = nullptr;
        return;
    }
    if (!at.only_positionals && word == "--") {
        at.only_positionals = true;
        return;
    }
    if (!at.only_positionals && word.size() > 1 && word.starts_with('-')) {
        const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
        const CLI::Option* option = option_of(at.command, word.substr(0, equals));
        if (option == nullptr) return;
        at.given.insert(option);
        if (!takes_value(*option)) return;
        if (equals == std::string::npos)
            at.awaits = option;
        else
            note_value(at, *option, word.substr(equals + 1));
        return;
    }
    const CLI::App* sub = at.positionals == 0 ? subcommand_of(at.command, word) : nullptr;
    if (sub != nullptr)
        at.command = sub;
    else
        ++at.positionals;
}

// The first positional that has room; one that takes many is the last.
const CLI::Option* positional_of(const CLI::App& command, std::size_t number) {
    for (const CLI::Option* option : command.get_options()) {
        if (!option->get_positional() || option->nonpositional()) continue;
        if (number == 0 || option->get_items_expected_max() > 1) return option;
        --number;
    }
    return nullptr;
}

void add_options(Completion& completion, const Position& at, const std::string& word) {
    for (const CLI::App* command = at.command; command != nullptr;
         command = command->get_parent()) {
        // What every command takes is shown to who has begun to type it.
        const bool is_inherited = command != at.command;
        if (is_inherited && word.size() <= 2) return;
        for (const CLI::Option* option : command->get_options()) {
            if (option->get_group().empty()) continue;
            if (is_inherited && !takes_value(*option)) continue; // --help, --version
            if (at.given.contains(option) && option->get_items_expected_max() <= 1) continue;
            for (const std::string& name : option->get_lnames())
                if (("--" + name).starts_with(word))
                    completion.candidates.push_back({"--" + name, option->get_description()});
        }
    }
}

void add_commands(Completion& completion, const CLI::App& command, const std::string& word) {
    for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; }))
        if (!sub->get_group().empty() && sub->get_name().starts_with(word))
            completion.candidates.push_back({sub->get_name(), sub->get_description()});
}

} // namespace

Completion complete(const CLI::App& app, const std::vector<std::string>& words,
                    const std::string& policy_file) {
    Position at{.command = &app, .given = {}, .policy_file = policy_file};
    for (std::size_t i = 0; i + 1 < words.size(); ++i) step(at, words[i]);
    std::string word = words.empty() ? "" : words.back();
    if (at.awaits != nullptr) {
        if (word == "=") word.clear();
        return values_for(*at.command, *at.awaits, word, at.policy_file);
    }
    Completion completion;
    if (!at.only_positionals && word.starts_with('-')) {
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos) {
            add_options(completion, at, word);
            return completion;
        }
        const CLI::Option* option = option_of(at.command, word.substr(0, equals));
        if (option == nullptr || !takes_value(*option)) return completion;
        completion = values_for(*at.command, *option, word.substr(equals + 1), at.policy_file);
        for (Candidate& candidate : completion.candidates)
            candidate.value.insert(0, word.substr(0, equals + 1));
        return completion;
    }
    if (at.positionals == 0) add_commands(completion, *at.command, word);
    const CLI::Option* positional = positional_of(*at.command, at.positionals);
    if (positional == nullptr) return completion;
    Completion values = values_for(*at.command, *positional, word, at.policy_file);
    std::ranges::move(values.candidates, std::back_inserter(completion.candidates));
    completion.files = values.files;
    completion.directories = values.directories;
    return completion;
}

ExitCode print_completion(const CLI::App& app, const std::vector<std::string>& words) {
    if (words.size() == 1 && words.front() == "--tree") {
        print_data(command_tree(app));
        return ExitCode::done;
    }
    const Completion completion = complete(app, words, kPolicyFile);
    std::string lines;
    if (completion.files) lines += ":files\n";
    if (completion.directories) lines += ":dirs\n";
    for (const Candidate& candidate : completion.candidates) {
        lines += candidate.value;
        if (!candidate.meaning.empty()) lines += '\t' + candidate.meaning;
        lines += '\n';
    }
    print_data(lines);
    return ExitCode::done;
}

} // namespace sallyport
