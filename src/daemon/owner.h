// SPDX-License-Identifier: Apache-2.0
#pragma once
// Names for the numbers by which the kernel knows an event's owner: the cgroup's
// path, its systemd unit and container, the process's executable and parent, the
// user. All of it is for reading only; no verdict rests on it.
#include "base/fd.h"
#include "daemon/container_names.h"
#include "daemon/process_names.h"
#include "daemon/user_names.h"
#include "event/event.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sallyport {

// The systemd unit of a cgroup, as a rule's `unit` sees it: the first name below
// `host_cgroup` that is no slice, when it is a unit's ("ollama.service",
// "session-3.scope"); "" otherwise. What is below a unit is its own to name, and
// says nothing.
[[nodiscard]] std::string unit_of_cgroup(std::string_view path, std::string_view host_cgroup = "/");
// The 64 hex digits that Docker, Podman, CRI-O and containerd put into a cgroup's
// name, of the outermost one; "" when there are none.
[[nodiscard]] std::string container_of_cgroup(std::string_view path);
// The slice of a cgroup: the last of the slices above its unit ("user-1000.slice"); "" when
// there is none.
[[nodiscard]] std::string slice_of_cgroup(std::string_view path,
                                          std::string_view host_cgroup = "/");
// Slurm's job and step by the cgroups that slurmd makes (cgroup v2): "123" and "0", "batch",
// "extern", "interactive". Nobody else makes cgroups below slurmd's own scope.
struct SlurmJob {
    std::string job; // "" when it is of none
    std::string step;
};
[[nodiscard]] SlurmJob slurm_job_of_cgroup(std::string_view path);
// Mount point of the cgroup2 hierarchy by a mountinfo file's text; nullopt: none.
[[nodiscard]] std::optional<std::string> cgroup2_mount(std::string_view mountinfo);

struct OwnerSources {
    std::string cgroup_root;       // where cgroup2 is mounted; "": no cgroup is found
    std::string host_cgroup = "/"; // [host] cgroup
    ProcessSources processes;
    std::string passwd = "/etc/passwd";
    std::string engines_root;       // what the container engines' own paths begin with
    std::size_t max_entries = 4096; // cgroups remembered; when full all are forgotten
};
[[nodiscard]] OwnerSources system_owner_sources(std::string host_cgroup);

class OwnerNames {
  public:
    explicit OwnerNames(OwnerSources sources);

    // The event with the names of its cgroup, process and user filled in where they can
    // be found and are not there yet.
    [[nodiscard]] Event complete(Event event);
    void tell_command_lines(bool wanted) { processes_.tell_command_lines(wanted); }
    // Path below the hierarchy's root ("/" for the root itself), nullopt when it
    // is gone or out of sight. Remembered: a cgroup's id is never used again.
    [[nodiscard]] std::optional<std::string> cgroup_path(std::uint64_t id);

  private:
    void name_cgroup(Event& event);
    enum class Search : std::uint8_t { is_final, may_be_repeated };
    struct Found {
        std::optional<std::string> path;
        Search search = Search::is_final;
    };
    [[nodiscard]] Found path_by_handle(std::uint64_t id) const;
    [[nodiscard]] Found path_by_scan(std::uint64_t id) const;

    OwnerSources sources_;
    Fd root_;
    std::unordered_map<std::uint64_t, std::optional<std::string>> cgroups_;
    ProcessNames processes_;
    UserNames users_;
    ContainerNames containers_;
};

} // namespace sallyport
