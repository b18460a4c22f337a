// Plain sockets; just enough of HTTP/1.1 for a client that asks with GET.
#include "tests/datasets/http_server.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace cairn::datasets {

HttpServer::HttpServer(std::map<std::string, Answer> answers)
    : answers_(std::move(answers)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);  // port 0: any that is free
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(listener_ >= 0);
  REQUIRE(bind(listener_, generic, size) == 0);
  REQUIRE(listen(listener_, 8) == 0);
  REQUIRE(getsockname(listener_, generic, &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

HttpServer::~HttpServer() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);  // wakes accept()
  thread_.join();
  close(listener_);
}

std::string HttpServer::url() const {
  return fmt::format("http://127.0.0.1:{}/", port_);
}

std::vector<std::string> HttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void HttpServer::serve() {
  for (;;) {
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    answer(connection);
    close(connection);
  }
}

void HttpServer::answer(int connection) {
  std::string request;
  char buffer[4096];
  while (request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t count = recv(connection, buffer, sizeof buffer, 0);
    if (count <= 0) return;
    request.append(buffer, static_cast<size_t>(count));
  }
  const auto between = [&](const std::string& before, const char* after) {
    const size_t start = request.find(before);
    if (start == std::string::npos) return std::string();
    return request.substr(start + before.size(), request.find(after, start + before.size()) - start - before.size());
  };
  const std::string path = between(" ", " "), range = between("Range: bytes=", "\r\n");
  const auto found = answers_.find(path);
  const bool known = found != answers_.end();
  static const Answer honest{.body = Bytes(9, '?')};
  const Bytes& body = known ? found->second.body : honest.body;
  int asked_before;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(range.empty() ? path : path + " " + range);
    asked_before = asked_[path]++;
  }
  const Answer& answer = known && asked_before < found->second.faulty_requests ? found->second : honest;

  const size_t size = answer.claimed_size.value_or(body.size());
  size_t start = 0;
  std::string head = known ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 404 Not Found\r\n";
  if (!answer.redirect.empty()) {
    head = "HTTP/1.1 302 Found\r\nLocation: " + answer.redirect + "\r\n";
  } else if (known && !range.empty() && answer.ranges) {
    start = std::min(answer.wrong_start.value_or(std::stoul(range)), body.size());
    head = start == body.size() ? "HTTP/1.1 416 Range Not Satisfiable\r\n"
                                : fmt::format("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {}-{}/{}\r\n",
                                              start, size - 1, size);
  }
  if (answer.announces_length) head += fmt::format("Content-Length: {}\r\n", size - std::min(size, start));
  std::string reply = head + "Connection: close\r\n\r\n";
  const size_t head_size = reply.size();
  reply.append(reinterpret_cast<const char*>(body.data()) + start, body.size() - start);
  for (const std::optional<size_t>& end : {answer.close_after, answer.stall_after})
    if (end) reply.resize(std::min(reply.size(), head_size + *end));
  for (size_t sent = 0; sent < reply.size();) {
    const ssize_t count = send(connection, reply.data() + sent, reply.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return;
    sent += static_cast<size_t>(count);
  }
  // Until the client has had enough.
  pollfd closed{connection, POLLRDHUP, 0};
  while (answer.stall_after && !stopping_ && poll(&closed, 1, 20) == 0) {
  }
}

}  // namespace cairn::datasets
