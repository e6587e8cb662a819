// SPDX-License-Identifier: Apache-2.0
#include "jail/journal.h"

#include "jail/judge.h"

#include <array>
#include <cerrno>
#include <systemd/sd-journal.h>

namespace sallyport::jail {

namespace {

constexpr std::array<const char*, 6> kFields = {
    "_HOSTNAME", "SYSLOG_IDENTIFIER", "_COMM", "SYSLOG_PID", "_PID", "MESSAGE"};

std::string field(sd_journal* journal, const char* name) {
    const void* data = nullptr;
    std::size_t size = 0;
    if (sd_journal_get_data(journal, name, &data, &size) < 0) return {};
    std::string_view text(static_cast<const char*>(data), size); // "NAME=value"
    const std::size_t equals = text.find('=');
    return equals == std::string_view::npos ? std::string() : std::string(text.substr(equals + 1));
}

Status add_matches(sd_journal* journal, const std::vector<std::vector<std::string>>& groups) {
    for (const std::vector<std::string>& group : groups) {
        if (const int added = sd_journal_add_disjunction(journal); added < 0)
            return fail_errno(-added, "cannot select journal entries");
        for (const std::string& match : group) {
            const int added = match == "+"
                                  ? sd_journal_add_disjunction(journal)
                                  : sd_journal_add_match(journal, match.data(), match.size());
            if (added < 0)
                return fail(ErrorKind::invalid_input,
                            "\"" + match + "\" selects no journal entries",
                            "write FIELD=value, as journalctl takes it");
        }
    }
    return {};
}

const std::string& value_of(const std::map<std::string, std::string>& fields, const char* name) {
    static const std::string kNone;
    const auto found = fields.find(name);
    return found == fields.end() ? kNone : found->second;
}

} // namespace

std::string journal_line(const std::map<std::string, std::string>& fields) {
    std::string line = value_of(fields, "_HOSTNAME");
    std::string by = value_of(fields, "SYSLOG_IDENTIFIER");
    if (by.empty()) by = value_of(fields, "_COMM");
    if (!by.empty()) {
        std::string pid = value_of(fields, "SYSLOG_PID");
        if (pid.empty()) pid = value_of(fields, "_PID");
        line += (line.empty() ? "" : " ") + by;
        if (!pid.empty()) line += "[" + pid + "]";
        line += ":";
    }
    if (!line.empty()) line += ' ';
    for (const char c : value_of(fields, "MESSAGE"))
        if (c == '\n')
            line += "\\n";
        else
            line += c;
    return line;
}

void JournalFollower::Closer::operator()(sd_journal* journal) const {
    sd_journal_close(journal);
}

JournalFollower::JournalFollower(Journal journal, int fd) : journal_(std::move(journal)), fd_(fd) {}

Result<JournalFollower> JournalFollower::make(const std::vector<std::vector<std::string>>& matches,
                                              LogTime from, const std::string& directory) {
    sd_journal* opened = nullptr;
    const int result = directory.empty() ? sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY)
                                         : sd_journal_open_directory(&opened, directory.c_str(), 0);
    if (result < 0) return fail_errno(-result, "cannot open the journal");
    Journal journal(opened);
    // A longer message is cut: it would not be judged.
    static_cast<void>(sd_journal_set_data_threshold(journal.get(), kLineMax));
    SP_TRY(add_matches(journal.get(), matches));
    const int fd = sd_journal_get_fd(journal.get());
    if (fd < 0) return fail_errno(-fd, "cannot follow the journal");
    const auto since = from.time_since_epoch().count();
    const int sought = sd_journal_seek_realtime_usec(
        journal.get(), since < 0 ? 0 : static_cast<std::uint64_t>(since));
    if (sought < 0) return fail_errno(-sought, "cannot read the journal");
    return JournalFollower(std::move(journal), fd);
}

bool JournalFollower::is_there() const {
    return sd_journal_has_runtime_files(journal_.get()) > 0 ||
           sd_journal_has_persistent_files(journal_.get()) > 0;
}

Result<bool> JournalFollower::pump(std::size_t entries, const Sink& sink) {
    // Takes notice of files that came, went or were rotated.
    if (const int happened = sd_journal_process(journal_.get()); happened < 0)
        return fail_errno(-happened, "cannot follow the journal");
    for (; entries > 0; --entries) {
        const int next = sd_journal_next(journal_.get());
        if (next == 0) return false;
        // An entry of a damaged file: the next call goes past it.
        if (next == -EBADMSG || next == -EIO) continue;
        if (next < 0) return fail_errno(-next, "cannot read the journal");
        std::uint64_t at = 0;
        if (sd_journal_get_realtime_usec(journal_.get(), &at) < 0) continue;
        std::map<std::string, std::string> fields;
        for (const char* name : kFields) fields[name] = field(journal_.get(), name);
        sink(journal_line(fields), LogTime(std::chrono::microseconds(at)));
    }
    return true;
}

} // namespace sallyport::jail
