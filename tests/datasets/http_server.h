// A web server for tests: loopback only, one connection at a time, answers told beforehand, honest or not.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "datasets/bytes.h"

namespace cairn::datasets {

class HttpServer {
 public:
  struct Answer {
    Bytes body;
    std::string redirect = {};            // a 302 to this path
    bool ranges = true;                   // false: a Range is ignored
    std::optional<size_t> close_after;    // bytes of the body after which it hangs up
    std::optional<size_t> stall_after;    // bytes of the body after which it says no more
    std::optional<size_t> claimed_size;   // of the file, instead of body.size(), in the head only
    bool announces_length = true;         // false: no Content-Length, the end is where it hangs up
    std::optional<size_t> wrong_start;    // 206 from there, whatever was asked for
    int faulty_requests = 1'000'000'000;  // after so many requests for it, it is honest: only body counts
  };

  // Paths begin with '/'; any other path gets a 404.
  explicit HttpServer(std::map<std::string, Answer> answers);
  ~HttpServer();

  std::string url() const;                    // http://127.0.0.1:<port>/
  std::vector<std::string> requests() const;  // so far, in order: the path, and " 600-" where it came with a Range

 private:
  void serve();
  void answer(int connection);

  std::map<std::string, Answer> answers_;
  std::map<std::string, int> asked_;
  int listener_, port_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace cairn::datasets
