// SPDX-License-Identifier: Apache-2.0
#pragma once
// What was said of one connection (<F-MLFID>) over several lines: sshd names the
// address in one line and the failure in another.
//
// Bounded: 4096 connections and 4 MiB of their text; when full, the one that has been
// silent the longest is forgotten, and so are those silent for five minutes.
#include "jail/date_fields.h"
#include "jail/fail_regex.h"

#include <list>
#include <map>
#include <set>
#include <string>

namespace sallyport::jail {

struct Facts {
    Groups groups;
    std::set<std::string> users; // all names that one connection has tried, up to 16
    unsigned matches = 0;        // lines that count as failures
    unsigned nofail_matches = 0; // lines that will, when a failure follows
    bool is_pending = false;     // failed, and not known who
};

class Connections {
  public:
    // Merges what a line says into what is known of its connection, and returns both.
    // <F-NOFAIL> makes it no failure, <F-MLFGAINED> ends what was pending, unless
    // several users were tried; <F-MLFFORGET> forgets the connection.
    [[nodiscard]] Facts merge(const std::string& id, Groups line, LogTime now);
    // Failed, and by whom is not known yet.
    void set_pending(const std::string& id);

    [[nodiscard]] std::size_t size() const { return by_id_.size(); }

  private:
    struct Known {
        std::string id;
        LogTime seen;
        Facts facts;
        std::size_t bytes = 0;
    };
    void expire(LogTime now);
    void forget(std::list<Known>::iterator known);

    std::list<Known> by_age_; // the one heard of last is at the end
    std::map<std::string, std::list<Known>::iterator, std::less<>> by_id_;
    std::size_t bytes_ = 0;
};

} // namespace sallyport::jail
