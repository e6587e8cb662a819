// SPDX-License-Identifier: Apache-2.0
// The catalogue: the files that are shipped, and how a process is recognised.
#include "audit/catalogue.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

using namespace sallyport;
using namespace sallyport::audit;

namespace {

Catalogue shipped() {
    Catalogue catalogue;
    for (const auto& file : std::filesystem::directory_iterator(SP_SOURCE_DIR "/tools/services")) {
        std::ifstream in(file.path());
        std::ostringstream text;
        text << in.rdbuf();
        std::vector<Diagnostic> diagnostics;
        const auto services = parse_services(text.str(), file.path().filename(), diagnostics);
        for (const Diagnostic& one : diagnostics) FAIL_CHECK(to_text(one));
        REQUIRE(services);
        catalogue.services.insert(catalogue.services.end(), services->begin(), services->end());
    }
    return catalogue;
}

std::string named(const std::string& exe, const std::vector<std::string>& argv, std::uint16_t port,
                  bool is_root = false) {
    static const Catalogue catalogue = shipped();
    const Service* service = recognise(catalogue, {.exe = exe,
                                                   .argv = argv,
                                                   .unit = {},
                                                   .is_seen = true,
                                                   .is_root = is_root,
                                                   .proto = 6,
                                                   .port = port});
    return service == nullptr ? "" : service->name;
}

using Words = std::vector<std::string>;
const std::string kPython = "/usr/bin/python3.11";

} // namespace

TEST_CASE("what is shipped parses, each name once, with everything that is told of it") {
    std::set<std::string> names;
    for (const Service& service : shipped().services) {
        INFO(service.name);
        CHECK(names.insert(service.name).second);
        CHECK_FALSE(service.title.empty());
        CHECK_FALSE(service.kind.empty());
        CHECK_FALSE(service.why.empty());
        CHECK_FALSE(service.auth.empty());
    }
    for (const char* known : {"ollama", "vllm", "ray", "jupyter", "redis", "ssh", "docker-api"})
        CHECK(names.contains(known));
}

TEST_CASE("a service is known by its process, wherever it listens") {
    CHECK(named("/usr/local/bin/ollama", {"ollama", "serve"}, 4711) == "ollama");
    CHECK(named(kPython, {"python3", "-m", "vllm.entrypoints.openai.api_server"}, 8000) == "vllm");
    CHECK(named(kPython, {"/usr/bin/python3", "/usr/local/bin/vllm", "serve"}, 1) == "vllm");
    CHECK(named(kPython, {"/usr/bin/python3", "/home/a/.local/bin/jupyter-lab"}, 1) == "jupyter");
    CHECK(named(kPython, {"python3", "/opt/ComfyUI/main.py", "--listen"}, 1) == "comfyui");
    CHECK(named("/usr/bin/redis-server", {"/usr/bin/redis-server *:6379"}, 6379) == "redis");
    CHECK(named("/x/gcs_server", {"gcs_server"}, 6379) == "ray"); // the same port
    CHECK(named("/usr/bin/java", {"java", "org.elasticsearch.bootstrap.Elasticsearch"}, 1) ==
          "elasticsearch");
    CHECK(named("/opt/ollama (deleted)", {}, 1) == "ollama");
    CHECK(named("/usr/bin/ipmi_sim", {"ipmi_sim"}, 623) == "bmc");
}

TEST_CASE("the ports between vLLM's own processes are told from its API") {
    for (const std::uint16_t port : std::initializer_list<std::uint16_t>{14579, 29500, 29550})
        CHECK(named(kPython, {"VLLM::EngineCore"}, port) == "vllm-internal");
    CHECK(named(kPython, {"VLLM::EngineCore"}, 41234) == "vllm"); // at random, by ZMQ
    CHECK(named(kPython, {"python3", "-m", "torch.distributed.run"}, 29500) == "torch-distributed");
}

TEST_CASE("a port alone names nothing when the process is seen to be another") {
    CHECK(named("/usr/bin/nc", {"nc", "-l", "11434"}, 11434).empty());
    CHECK(named(kPython, {"python3", "-m", "http.server", "8000"}, 8000).empty());
    CHECK(named(kPython, {"python3", "-c", "import vllm"}, 8000).empty());
}

TEST_CASE("a port alone names a service when there is no process to see") {
    static const Catalogue catalogue = shipped();
    const Service* service = recognise(catalogue, {.exe = {},
                                                   .argv = {},
                                                   .unit = {},
                                                   .is_seen = false,
                                                   .is_root = false,
                                                   .proto = 6,
                                                   .port = 2049});
    REQUIRE(service);
    CHECK(service->name == "nfs");
}

TEST_CASE("sshd is believed of root alone") {
    CHECK(named("/usr/sbin/sshd", {"sshd"}, 22, true) == "ssh");
    CHECK(named("/tmp/sshd", {"sshd"}, 22, false).empty());
}

TEST_CASE("a python module is what -m or the script says") {
    CHECK(python_module(kPython, {"python3", "-u", "-X", "dev", "-m", "a.b"}) == "a.b");
    CHECK(python_module(kPython, {"python3", "-W", "ignore", "/x/y"}) == "y");
    CHECK(python_module(kPython, {"python3", "-m"}).empty());
    CHECK(python_module(kPython, {"python3"}).empty());
    CHECK(python_module(kPython, {}).empty());
    CHECK(python_module("/bin/sh", {"sh", "-m", "a.b"}).empty());
}

TEST_CASE("a file with a mistake is named with its place and gives nothing") {
    for (const char* text :
         {"", "schema = 2\n", "schema = 1\n[[service]]\n", "schema = 1\n[[service]]\nname = 1\n",
          "schema = 1\n[[service]]\nname = \"a\"\ndanger = \"awful\"\n",
          "schema = 1\n[[service]]\nname = \"a\"\nports = [0]\n",
          "schema = 1\n[[service]]\nname = \"a\"\nprots = [1]\n", "[[["}) {
        std::vector<Diagnostic> diagnostics;
        CHECK_FALSE(parse_services(text, "x.toml", diagnostics));
        CHECK_FALSE(diagnostics.empty());
    }
    std::vector<Diagnostic> diagnostics;
    CHECK(parse_services("schema = 1\n", "x.toml", diagnostics)); // none is no mistake
    CHECK(diagnostics.empty());
}
