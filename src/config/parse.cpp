// SPDX-License-Identifier: Apache-2.0
// The policy file from top to bottom. Each section reads itself; all of them are
// read whatever the others hold, so that one run shows every error.
#include "config/parse.h"

#include "base/sha256.h"
#include "config/bans.h"
#include "config/document.h"
#include "config/fields.h"
#include "config/findings.h"
#include "config/jails.h"
#include "config/rules.h"
#include "config/sections.h"
#include "config/zones.h"

namespace sallyport {

namespace {

using namespace config;

constexpr std::int64_t kSchema = 1;

void check_schema(Fields& root) {
    const Value* const schema = root.get("schema");
    if (schema == nullptr)
        root.findings().error({.line = 1, .column = 1}, "the policy needs \"schema\"",
                              "begin the file with: schema = 1");
    else if (has_kind(*schema, ValueKind::integer, "schema", root.findings()) &&
             schema->number != kSchema)
        root.findings().error(schema->place,
                              "schema " + std::to_string(schema->number) +
                                  " is not known to this version",
                              "it reads schema = 1");
}

Policy read_document(const Value& document, const ParseWorld& world, Findings& findings,
                     std::vector<NamedZone>& named) {
    Policy policy;
    Fields root(document, "the policy", findings);
    check_schema(root);
    Zones zones(root.get("zones"), world, findings);
    policy.host = read_host(root);
    policy.rules = read_rules(root, zones, world);
    policy.exfil_inside = read_exfil(root, zones);
    policy.essentials = read_essentials(root, zones);
    policy.flows = read_flows(root);
    policy.events = read_events(root);
    policy.bans = read_bans(root, zones);
    policy.jails = read_jails(root, zones);
    policy.fail2ban = read_fail2ban(root);
    root.finish();
    zones.finish();
    policy.admin = zones.named("admin");
    named = zones.all();
    return policy;
}

} // namespace

ParsedPolicy parse_policy(std::string_view text, const std::string& file, const ParseWorld& world) {
    ParsedPolicy parsed;
    parsed.sha256 = sha256_hex(text);
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    Findings findings(file, text);
    if (const std::optional<Value> document = read_toml(text, findings))
        parsed.policy = read_document(*document, world, findings, parsed.zones);
    if (findings.has_error()) parsed.policy.reset();
    parsed.diagnostics = findings.take();
    return parsed;
}

} // namespace sallyport
