// SPDX-License-Identifier: Apache-2.0
// The machine's interfaces and own addresses, as the programs' maps describe them.
#include "daemon/wall.h"
#include "kernel/apply.h"
#include "kernel/counters.h"
#include "kernel/map.h"
#include "kernel/namespaces.h"
#include "kernel/trial.h"
#include "sallyport/abi/control.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace sallyport {
namespace {

sp_addr to_abi(const Address& address) {
    sp_addr a{};
    std::copy(address.bytes.begin(), address.bytes.end(), a.bytes);
    return a;
}

constexpr std::uint16_t kNoClass = 0xffff;

} // namespace

// Brings sp_local to what the machine has now: new addresses first, then those gone.
Status Wall::write_locals() {
    if (bans_) bans_->set_own(own_addresses(interfaces_));
    std::map<Address, std::uint32_t> wanted;
    for (const Interface& interface : interfaces_)
        for (const InterfaceAddress& a : interface.addresses) wanted[a.address] |= a.kind;
    if (const Result<Elsewhere> elsewhere = addresses_elsewhere())
        for (const Address& a : elsewhere->addresses) wanted[a] |= SP_LOCAL_ELSEWHERE;
    const int map = programs_.maps().local;
    for (const auto& [address, kind] : wanted) {
        const sp_addr key = to_abi(address);
        SP_TRY(map_update(map, key, kind).context("noting own addresses"));
    }
    for (const sp_addr& key : keys_of<sp_addr>(map)) {
        Address address;
        std::copy(std::begin(key.bytes), std::end(key.bytes), address.bytes.begin());
        if (!wanted.contains(address)) SP_TRY(map_delete(map, key));
    }
    return {};
}

Status Wall::write_iface(const Interface& interface, std::uint32_t slot, const MapImage* image) {
    if (interface.index >= SP_IFINDEX_MAX || interface.is_loopback) return {};
    const int map = programs_.maps().ifaces;
    sp_iface entry = SP_TRY(map_lookup<sp_iface>(map, interface.index)).value_or(sp_iface{});
    if (!image && entry.link == SP_LINK_NONE) SP_TRY(shut_until_compiled(entry));
    entry.link = static_cast<std::uint8_t>(interface.link);
    std::copy(interface.mac.begin(), interface.mac.end(), entry.mac);
    entry.guarded = matches(interface) && !master_that_covers(interface) ? 1 : 0;
    const bool was_port = (entry.marks & SP_IFACE_PORT) != 0;
    entry.marks &= ~SP_IFACE_PORT;
    if (interface.master != 0) entry.marks |= SP_IFACE_PORT;
    if (!image && routes_at_tc() && was_port != (interface.master != 0))
        SP_TRY(shut_until_compiled(entry)); // routes_as() another one now
    if (!image) {
        const ControlState control = SP_TRY(control_state(programs_.maps()));
        if (entry.iface_class[control.slot % SP_SLOTS] == kNoClass) uncompiled_ = true;
    }
    if (image) {
        entry.iface_class[slot] = 0;
        const std::string& name = routes_as(interface).name;
        for (const InterfaceClass& c : image->interfaces)
            if (c.name == name) entry.iface_class[slot] = c.number;
    }
    if (entry.guarded) {
        entry.counter = SP_TRY(nic_counter_of(interface.name));
    }
    return map_update(map, interface.index, entry);
}

// A policy that tells interfaces apart says nothing of one that it was not compiled for:
// a class beyond its classes denies.
Status Wall::shut_until_compiled(sp_iface& entry) {
    // On trial: of the policy that it may fall back to as well, with nobody awake.
    const ControlState control = SP_TRY(control_state(programs_.maps()));
    for (const std::uint32_t slot : {control.slot, control.other}) {
        const sp_slot header = SP_TRY(read_slot(programs_.maps(), slot));
        if (header.n_ifaces > 1) entry.iface_class[slot % SP_SLOTS] = kNoClass;
    }
    return {};
}

Status Wall::write_ifaces(std::uint32_t slot, const MapImage* image) {
    for (const Interface& interface : interfaces_)
        SP_TRY(write_iface(interface, slot, image).context("describing " + interface.name));
    return {};
}

// A number is a name's for as long as the NIC is there, and after it, until one that has
// come needs it: so the counters of one that comes back go on.
Result<std::uint32_t> Wall::nic_counter_of(const std::string& name) {
    std::map<std::string, std::uint32_t>& numbers = enforced_.nic_counters;
    if (const auto known = numbers.find(name); known != numbers.end()) return known->second;
    std::set<std::uint32_t> taken;
    for (const auto& [_, number] : numbers) taken.insert(number);
    std::uint32_t number = 0;
    while (taken.contains(number)) number++;
    if (number >= SP_NICS_MAX) {
        const auto gone = std::ranges::find_if(numbers, [this](const auto& entry) {
            return std::ranges::find(interfaces_, entry.first, &Interface::name) ==
                   interfaces_.end();
        });
        if (gone == numbers.end())
            return fail(ErrorKind::not_supported,
                        fmt::format("more than {} guarded interfaces", SP_NICS_MAX));
        number = gone->second;
        numbers.erase(gone);
        SP_TRY(clear_nic_count(programs_.maps(), number));
    }
    numbers[name] = number;
    return number;
}

} // namespace sallyport
