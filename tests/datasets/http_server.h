// A web server for tests: loopback only, one connection at a time, answers told beforehand.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "datasets/bytes.h"

namespace cairn::datasets {

class HttpServer {
 public:
  struct Answer {
    Bytes body;
    size_t missing = 0;         // bytes promised by Content-Length and never sent
    std::string redirect = {};  // a 302 to this path
  };

  // Paths begin with '/'; any other path gets a 404.
  explicit HttpServer(std::map<std::string, Answer> answers);
  ~HttpServer();

  std::string url() const;                    // http://127.0.0.1:<port>/
  std::vector<std::string> requests() const;  // paths asked for so far, in order

 private:
  void serve();
  void answer(int connection);

  std::map<std::string, Answer> answers_;
  int listener_, port_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace cairn::datasets
