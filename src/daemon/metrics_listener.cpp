// SPDX-License-Identifier: Apache-2.0
#include "daemon/metrics_listener.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace sallyport {
namespace {

constexpr unsigned kClients = 16;
constexpr unsigned kPatienceS = 10;
constexpr const char* kNext = "give a loopback address and a port: 127.0.0.1:9434, [::1]:9434";

union SocketAddress {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
};

SocketAddress socket_address(const MetricsAddress& at) {
    SocketAddress out{};
    if (at.address.is_v4()) {
        out.v4.sin_family = AF_INET;
        out.v4.sin_port = htons(at.port);
        out.v4.sin_addr.s_addr = htonl(at.address.v4_value());
    } else {
        out.v6.sin6_family = AF_INET6;
        out.v6.sin6_port = htons(at.port);
        std::ranges::copy(at.address.bytes, out.v6.sin6_addr.s6_addr);
    }
    return out;
}

MHD_Result answer(MHD_Connection* connection, unsigned status, const std::string& text,
                  const char* type) {
    MHD_Response* response = MHD_create_response_from_buffer(
        text.size(), const_cast<char*>(text.data()), MHD_RESPMEM_MUST_COPY);
    if (response == nullptr) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    const MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

constexpr const char* kPlain = "text/plain; charset=utf-8";
constexpr const char* kExposition = "text/plain; version=0.0.4; charset=utf-8";

MHD_Result handle(void* closure, MHD_Connection* connection, const char* url, const char* method,
                  const char*, const char*, size_t* upload, void** seen) {
    // Called first when the header is whole; a body, which nobody needs, is passed over.
    if (*seen == nullptr) {
        *seen = connection;
        return MHD_YES;
    }
    if (*upload != 0) {
        *upload = 0;
        return MHD_YES;
    }
    const std::string_view verb = method;
    if (verb != MHD_HTTP_METHOD_GET && verb != MHD_HTTP_METHOD_HEAD)
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n", kPlain);
    if (std::string_view(url) != "/metrics")
        return answer(connection, MHD_HTTP_NOT_FOUND, "the metrics are at /metrics\n", kPlain);
    const Result<std::string> text = (*static_cast<MetricsListener::Source*>(closure))();
    if (!text)
        return answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE, text.error().text() + '\n', kPlain);
    return answer(connection, MHD_HTTP_OK, *text, kExposition);
}

} // namespace

Result<MetricsAddress> parse_metrics_address(std::string_view text) {
    const auto wrong = [&](const char* what) {
        return fail(ErrorKind::invalid_input, fmt::format("{}: {}", text, what), kNext);
    };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return wrong("no port");
    std::string_view host = text.substr(0, colon);
    const std::string_view number = text.substr(colon + 1);
    const bool is_bracketed = host.starts_with('[') && host.ends_with(']');
    if (is_bracketed) host = host.substr(1, host.size() - 2);
    const std::optional<Address> address = parse_address(host);
    if (!address || is_bracketed == address->is_v4()) return wrong("no address");
    MetricsAddress at{.address = *address, .port = 0};
    const auto [rest, error] =
        std::from_chars(number.data(), number.data() + number.size(), at.port);
    if (error != std::errc() || rest != number.data() + number.size() || at.port == 0)
        return wrong("no port from 1 to 65535");
    Address own_v6;
    own_v6.bytes[15] = 1;
    const bool is_loopback =
        address->is_v4() ? address->v4_value() >> 24 == 127 : *address == own_v6;
    if (!is_loopback) return wrong("others than this machine could reach it");
    return at;
}

struct MetricsListener::Impl {
    Source text;
    MHD_Daemon* server = nullptr;
    int epoll = -1;
};

Result<std::unique_ptr<MetricsListener>> MetricsListener::open(const MetricsAddress& at,
                                                               Source text) {
    auto impl = std::make_unique<Impl>();
    impl->text = std::move(text);
    const SocketAddress address = socket_address(at);
    const unsigned flags = MHD_USE_EPOLL | (at.address.is_v4() ? 0u : unsigned{MHD_USE_IPv6});
    errno = 0;
    impl->server =
        MHD_start_daemon(flags, at.port, nullptr, nullptr, &handle, &impl->text,
                         MHD_OPTION_SOCK_ADDR, &address.any, MHD_OPTION_CONNECTION_LIMIT, kClients,
                         MHD_OPTION_CONNECTION_TIMEOUT, kPatienceS, MHD_OPTION_END);
    if (impl->server == nullptr)
        return fail_errno(errno,
                          fmt::format("listening for scrapes of metrics on {} port {}",
                                      to_string(at.address), at.port),
                          "choose another port with --metrics-listen");
    const MHD_DaemonInfo* info = MHD_get_daemon_info(impl->server, MHD_DAEMON_INFO_EPOLL_FD);
    impl->epoll = info == nullptr ? -1 : info->epoll_fd;
    auto listener = std::unique_ptr<MetricsListener>(new MetricsListener(std::move(impl)));
    if (listener->epoll_fd() < 0)
        return fail(ErrorKind::not_supported, "this libmicrohttpd has no epoll");
    return listener;
}

MetricsListener::MetricsListener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

MetricsListener::~MetricsListener() {
    MHD_stop_daemon(impl_->server);
}

int MetricsListener::epoll_fd() const {
    return impl_->epoll;
}

void MetricsListener::handle_ready() {
    MHD_run(impl_->server);
}

} // namespace sallyport
