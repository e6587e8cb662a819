// SPDX-License-Identifier: Apache-2.0
#include "audit/catalogue.h"

#include "config/document.h"
#include "config/fields.h"
#include "config/findings.h"
#include "policy/policy.h"

#include <algorithm>

namespace sallyport::audit {
namespace {

using namespace config;

std::string text_of(Fields& fields, std::string_view key) {
    const Value* const value = fields.get(key, ValueKind::string);
    return value == nullptr ? std::string() : value->text;
}

std::vector<std::string> texts_of(Fields& fields, std::string_view key) {
    std::vector<std::string> texts;
    const Value* const list = fields.get(key, ValueKind::list);
    if (list == nullptr) return texts;
    for (const Value& item : list->items)
        if (has_kind(item, ValueKind::string, key, fields.findings())) texts.push_back(item.text);
    return texts;
}

std::vector<std::uint16_t> ports_of(Fields& fields) {
    std::vector<std::uint16_t> ports;
    const Value* const list = fields.get("ports", ValueKind::list);
    if (list == nullptr) return ports;
    for (const Value& item : list->items) {
        if (!has_kind(item, ValueKind::integer, "ports", fields.findings())) continue;
        if (item.number < 1 || item.number > 65535)
            fields.findings().error(item.place, "a port is a number from 1 to 65535");
        else
            ports.push_back(static_cast<std::uint16_t>(item.number));
    }
    return ports;
}

void read_match(Fields& fields, Service& service) {
    const Value* const table = fields.get("match", ValueKind::table);
    if (table == nullptr) return;
    Fields match(*table, "match of " + config::quoted(service.name), fields.findings());
    service.exe = texts_of(match, "exe");
    service.argv = texts_of(match, "argv");
    service.module = texts_of(match, "module");
    service.unit = texts_of(match, "unit");
    service.root_only = match.flag("root", false);
    match.finish();
}

Service read_service(const Value& table, Findings& findings) {
    Fields fields(table, "[[service]]", findings);
    Service service;
    const Value* const name = fields.need("name");
    if (name != nullptr && has_kind(*name, ValueKind::string, "name", findings))
        service.name = name->text;
    service.title = text_of(fields, "title");
    if (service.title.empty()) service.title = service.name;
    service.kind = text_of(fields, "kind");
    service.danger = fields.choice<Danger>("danger", Danger::medium,
                                           {{"low", Danger::low},
                                            {"medium", Danger::medium},
                                            {"high", Danger::high},
                                            {"critical", Danger::critical}});
    service.expose = fields.choice<Expose>("expose", Expose::none,
                                           {{"none", Expose::none},
                                            {"admin", Expose::admin},
                                            {"peers", Expose::peers},
                                            {"lan", Expose::lan},
                                            {"any", Expose::any}});
    service.auth = text_of(fields, "auth");
    service.why = text_of(fields, "why");
    service.ports = ports_of(fields);
    read_match(fields, service);
    fields.finish();
    return service;
}

std::string file_name(const std::string& path) {
    std::string name = path.substr(path.rfind('/') + 1); // npos + 1 is 0
    constexpr std::string_view kDeleted = " (deleted)";
    if (name.ends_with(kDeleted)) name.resize(name.size() - kDeleted.size());
    return name;
}

bool matches_any(const std::vector<std::string>& globs, const std::string& text) {
    return !text.empty() &&
           std::ranges::any_of(globs, [&](const auto& glob) { return glob_matches(glob, text); });
}

bool has_port(const Service& service, std::uint16_t port) {
    return std::ranges::find(service.ports, port) != service.ports.end();
}

// 0: it does not; otherwise the less, the better it is known.
int how_known(const Service& service, const Looks& looks, const std::string& module) {
    const bool names_process = !service.exe.empty() || !service.argv.empty() ||
                               !service.module.empty() || !service.unit.empty();
    if (!looks.is_seen || !names_process) return has_port(service, looks.port) ? 5 : 0;
    if (service.root_only && !looks.is_root) return 0;
    if (matches_any(service.exe, file_name(looks.exe))) return 1;
    if (matches_any(service.module, module)) return 2;
    if (std::ranges::any_of(looks.argv,
                            [&](const auto& one) { return matches_any(service.argv, one); }))
        return 3;
    return matches_any(service.unit, looks.unit) ? 4 : 0;
}

} // namespace

const char* to_string(Danger danger) {
    switch (danger) {
    case Danger::none:
        return "none";
    case Danger::low:
        return "low";
    case Danger::medium:
        return "medium";
    case Danger::high:
        return "high";
    case Danger::critical:
        return "critical";
    }
    return "unknown";
}

const char* to_string(Expose expose) {
    switch (expose) {
    case Expose::none:
        return "none";
    case Expose::admin:
        return "admin";
    case Expose::peers:
        return "peers";
    case Expose::lan:
        return "lan";
    case Expose::any:
        return "any";
    }
    return "unknown";
}

std::optional<std::vector<Service>> parse_services(std::string_view text, const std::string& file,
                                                   std::vector<Diagnostic>& diagnostics) {
    Findings findings(file, text);
    std::vector<Service> services;
    if (const std::optional<Value> document = read_toml(text, findings)) {
        Fields root(*document, "the catalogue", findings);
        if (const Value* const schema = root.need("schema", "begin the file with: schema = 1"))
            if (schema->kind != ValueKind::integer || schema->number != 1)
                findings.error(schema->place, "this version reads schema = 1");
        if (const Value* const list = root.get("service", ValueKind::list))
            for (const Value& item : list->items)
                if (has_kind(item, ValueKind::table, "service", findings))
                    services.push_back(read_service(item, findings));
        root.finish();
    }
    const bool is_good = !findings.has_error();
    for (Diagnostic& diagnostic : findings.take()) diagnostics.push_back(std::move(diagnostic));
    if (!is_good) return std::nullopt;
    return services;
}

std::string python_module(const std::string& exe, const std::vector<std::string>& argv) {
    if (!file_name(exe).starts_with("python") || argv.empty()) return {};
    for (std::size_t i = 1; i < argv.size(); ++i) {
        if (argv[i] == "-m") return i + 1 < argv.size() ? argv[i + 1] : std::string();
        if (argv[i] == "-c") return {};
        if (argv[i] == "-W" || argv[i] == "-X")
            ++i; // takes a value
        else if (!argv[i].starts_with('-'))
            return file_name(argv[i]);
    }
    return {};
}

const Service* recognise(const Catalogue& catalogue, const Looks& looks) {
    const std::string module = python_module(looks.exe, looks.argv);
    const Service* best = nullptr;
    std::pair<int, bool> rank;
    for (const Service& service : catalogue.services) {
        const int known = how_known(service, looks, module);
        const std::pair<int, bool> its{known, !has_port(service, looks.port)};
        if (known == 0 || (best != nullptr && its >= rank)) continue;
        best = &service;
        rank = its;
    }
    return best;
}

} // namespace sallyport::audit
