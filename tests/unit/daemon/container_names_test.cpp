// SPDX-License-Identifier: Apache-2.0
#include "daemon/container_names.h"
#include "support/temp_dir.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

using namespace sallyport;
using namespace sallyport::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const std::string kId(64, 'a');
const ContainerNames::Time kNow{1h};

// A machine's root with one file.
class Machine {
  public:
    Machine() = default;
    Machine(const std::string& path, const std::string& text) { write(path, text); }
    void write(const std::string& path, const std::string& text) const {
        fs::create_directories(fs::path(root / path).parent_path());
        std::ofstream(root / path) << text;
    }
    [[nodiscard]] std::string name(ContainerNames::Time now = kNow) const {
        return ContainerNames(root / ".").name_of(kId, now);
    }
    TempDir root;
};

const std::string kDocker = "var/lib/docker/containers/" + kId + "/config.v2.json";
const std::string kPod =
    "run/containerd/io.containerd.runtime.v2.task/k8s.io/" + kId + "/config.json";

} // namespace

TEST_CASE("each engine's own file has the name") {
    CHECK(Machine(kDocker, R"({"Name":"/rag","Config":{"Image":"x"}})").name() == "rag");
    CHECK(Machine("var/lib/containers/storage/overlay-containers/containers.json",
                  R"([{"id":"b","names":["no"]},{"id":")" + kId + R"(","names":["web","also"]}])")
              .name() == "web");
    CHECK(Machine("run/containers/storage/overlay-containers/volatile-containers.json",
                  R"([{"id":")" + kId + R"(","names":["brief"]}])")
              .name() == "brief");
    CHECK(Machine(kPod, R"({"annotations":{"io.kubernetes.cri.sandbox-namespace":"ml",)"
                        R"("io.kubernetes.cri.sandbox-name":"vllm-0",)"
                        R"("io.kubernetes.cri.container-name":"server"}})")
              .name() == "ml/vllm-0/server");
    CHECK(Machine(kPod, R"({"annotations":{"io.kubernetes.cri.sandbox-namespace":"ml",)"
                        R"("io.kubernetes.cri.sandbox-name":"vllm-0"}})")
              .name() == "ml/vllm-0"); // the pod's own
    CHECK(Machine("run/containers/storage/overlay-containers/" + kId + "/userdata/config.json",
                  R"({"annotations":{"io.kubernetes.pod.namespace":"ml",)"
                  R"("io.kubernetes.pod.name":"ray-1","io.kubernetes.container.name":"head"}})")
              .name() == "ml/ray-1/head");
    CHECK(Machine("run/containerd/io.containerd.runtime.v2.task/default/" + kId + "/config.json",
                  R"({"annotations":{"nerdctl/name":"notebook"}})")
              .name() == "notebook");
}

TEST_CASE("a file that makes no sense names nobody") {
    for (const char* text : {"", "{", "null", "[]", "7", R"({"Name":7})", R"({"Name":""})",
                             R"({"annotations":7})", R"([{"id":7}])"}) {
        CHECK(Machine(kDocker, text).name().empty());
        CHECK(Machine(kPod, text).name().empty());
        CHECK(Machine("var/lib/containers/storage/overlay-containers/containers.json", text)
                  .name()
                  .empty());
    }
    CHECK(Machine().name().empty());
}

TEST_CASE("a pipe in the place of a file is not waited for") {
    const Machine machine;
    fs::create_directories(fs::path(machine.root / kDocker).parent_path());
    REQUIRE(::mkfifo((machine.root / kDocker).c_str(), 0600) == 0);
    CHECK(machine.name().empty());
}

TEST_CASE("a name is remembered, and what has none yet is looked for again") {
    const Machine machine;
    ContainerNames names(machine.root / ".", 2);
    CHECK(names.name_of(kId, kNow).empty());
    machine.write(kDocker, R"({"Name":"/rag"})");
    CHECK(names.name_of(kId, kNow + 9s).empty());
    CHECK(names.name_of(kId, kNow + 10s) == "rag");
    fs::remove(machine.root / kDocker);
    CHECK(names.name_of(kId, kNow + 24h) == "rag");
    for (const char digit : {'b', 'c', 'd'})
        CHECK(names.name_of(std::string(64, digit), kNow).empty());
    CHECK(names.name_of(kId, kNow).empty()); // forgotten with the rest when it was full
}
