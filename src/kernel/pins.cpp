// SPDX-License-Identifier: Apache-2.0
#include "kernel/pins.h"

#include "kernel/apply.h"
#include "sallyport/abi/control.h"
#include "sallyport/abi/limits.h"

#include <algorithm>
#include <array>
#include <bpf/bpf.h>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <thread>

namespace sallyport {
namespace {

namespace fs = std::filesystem;

constexpr std::array kParts{"/maps", "/links", "/programs"};

bool is_bpffs(const std::string& path) {
    struct statfs info{};
    return statfs(path.c_str(), &info) == 0 && info.f_type == BPF_FS_MAGIC;
}

// The nearest ancestor that exists already.
std::string existing_parent(fs::path path) {
    std::error_code error;
    while (!fs::exists(path, error) && path.has_parent_path() && path != path.root_path())
        path = path.parent_path();
    return path.string();
}

Status ensure_bpffs(const std::string& directory) {
    const std::string parent = existing_parent(directory);
    if (is_bpffs(parent)) return {};
    const std::string root = "/sys/fs/bpf";
    const std::string hint =
        "mount one: mount -t bpf bpf /sys/fs/bpf; or name another place in SALLYPORT_BPFFS";
    if (directory.rfind(root + "/", 0) != 0)
        return fail(ErrorKind::not_supported,
                    fmt::format("{} is not on a bpf filesystem", directory), hint);
    if (mount("bpf", root.c_str(), "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0)
        return fail_errno(errno, "mounting a bpf filesystem at " + root, hint);
    return {};
}

// Is what was opened still what the path names?
bool is_at(const Fd& opened, const std::string& path) {
    struct stat held{};
    struct stat there{};
    return fstat(opened.get(), &held) == 0 && stat(path.c_str(), &there) == 0 &&
           held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

Status make_parts(const std::string& layout_dir) {
    for (const char* part : kParts) {
        std::error_code error;
        fs::create_directories(layout_dir + part, error);
        if (error) return fail_errno(error.value(), "making " + layout_dir + part);
    }
    return {};
}

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, error))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace

std::string layout_dir_of(const std::string& directory) {
    return fmt::format("{}/v{}", directory, SP_LAYOUT);
}

Pins::Pins(std::string directory, Fd lock)
    : directory_(std::move(directory)), layout_dir_(layout_dir_of(directory_)),
      lock_(std::move(lock)) {}

Status Pins::take(std::chrono::milliseconds patience) {
    SP_TRY(ensure_bpffs(directory_));
    const auto until = std::chrono::steady_clock::now() + patience;
    do {
        std::error_code error;
        fs::create_directories(directory_, error);
        if (error) return fail_errno(error.value(), "making " + directory_);
        if (chmod(directory_.c_str(), 0700) != 0)
            return fail_errno(errno, "closing " + directory_ + " to others");
        Fd fd(open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!fd) return fail_errno(errno, "opening " + directory_);
        while (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK) return fail_errno(errno, "locking " + directory_);
            if (std::chrono::steady_clock::now() >= until)
                return fail(
                    ErrorKind::conflict,
                    fmt::format("another sallyport daemon is already running over the pins in {}",
                                directory_),
                    "stop it first, or give this one pins of its own with SALLYPORT_BPFFS");
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        lock_ = std::move(fd);
        // A `down` that held it till now has removed the directory: that lock keeps nobody out.
    } while (!is_at(lock_, directory_));
    return make_parts(layout_dir_);
}

Result<Pins> Pins::lock(const std::string& directory, std::chrono::milliseconds patience) {
    Pins pins(directory, Fd());
    SP_TRY(pins.take(patience));
    return pins;
}

Status Pins::restore() {
    if (!is_at(lock_, directory_)) return take(std::chrono::milliseconds(0));
    std::error_code error;
    const bool whole = std::ranges::all_of(
        kParts, [&](const char* part) { return fs::is_directory(layout_dir_ + part, error); });
    return whole ? Status{} : make_parts(layout_dir_);
}

bool Pins::stands() const {
    const Fd control(bpf_obj_get(map("sp_control").c_str()));
    const Fd slots(bpf_obj_get(map("sp_slots").c_str()));
    const std::uint32_t zero = 0;
    sp_control word{};
    if (!control || !slots || bpf_map_lookup_elem(control.get(), &zero, &word) != 0) return false;
    const std::uint32_t active = sp_control_active(word.word);
    sp_slot slot{};
    if (active == 0 || bpf_map_lookup_elem(slots.get(), &active, &slot) != 0) return false;
    return !is_aside(slot);
}

std::string file_of_pin(std::string name) {
    std::ranges::replace(name, '.', ':');
    return name;
}

std::string pin_of_file(std::string file) {
    std::ranges::replace(file, ':', '.');
    return file;
}

std::vector<std::string> Pins::links() const {
    std::vector<std::string> names = names_in(layout_dir_ + "/links");
    for (std::string& name : names) name = pin_of_file(std::move(name));
    return names;
}

Status Pins::clear() const {
    std::string stuck;
    const auto remove_all = [&stuck](const std::string& path) {
        std::error_code error;
        fs::remove_all(path, error);
        if (error && error.value() != ENOENT)
            stuck += fmt::format("{}{}: {}", stuck.empty() ? "" : "; ", path, error.message());
    };
    const Fd control(bpf_obj_get(map("sp_control").c_str()));
    const Fd slots(bpf_obj_get(map("sp_slots").c_str()));
    Maps maps;
    maps.control = control.get();
    maps.slots = slots.get();
    // When even that is refused the hooks still go, one by one.
    if (control && slots) static_cast<void>(stand_aside(maps));
    // Detached by word: the last reference to a link goes with its inode, an RCU
    // grace period after the unlink, and the hook would still judge till then.
    // Tracepoint links cannot be detached so; they judge nothing.
    for (const std::string& name : links()) {
        const Fd held(bpf_obj_get(link(name).c_str()));
        if (held) static_cast<void>(bpf_link_detach(held.get()));
        remove_all(link(name));
    }
    for (const std::string& name : names_in(layout_dir_ + "/programs")) remove_all(program(name));
    for (const std::string& name : names_in(layout_dir_ + "/maps")) remove_all(map(name));
    if (!stuck.empty()) return fail(ErrorKind::kernel, "removing the pins: " + stuck);
    return {};
}

Status Pins::remove() const {
    Status cleared = clear();
    remove_if_empty();
    return cleared;
}

void Pins::remove_if_empty() const {
    std::error_code ignored;
    for (const std::string& path : {layout_dir_ + "/links", layout_dir_ + "/programs",
                                    layout_dir_ + "/maps", layout_dir_, directory_})
        fs::remove(path, ignored); // other layouts' pins may keep the last
}

} // namespace sallyport
