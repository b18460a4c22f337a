// One transfer at a time over libcurl's multi interface, which, unlike the easy one, gives the loop back every 100 ms:
// time-outs and Ctrl-C are looked at there.
#include "datasets/download.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <strings.h>

#include <charconv>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "datasets/dataset.h"
#include "datasets/download_display.h"
#include "datasets/part_file.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double kSlowestBytesPerSecond = 1000;
constexpr int kRounds = 5, kPollMilliseconds = 100;

struct ContentRange {
  uint64_t start = 0;
  std::optional<uint64_t> total;
};

// "Content-Range: bytes 600-999/1000" or ".../*"; empty for any other header, or one that makes no sense.
std::optional<ContentRange> parse_content_range(const std::string& header) {
  constexpr const char* kName = "content-range:";
  if (strncasecmp(header.c_str(), kName, std::strlen(kName)) != 0) return std::nullopt;
  const size_t digits = header.find_first_of("0123456789"), slash = header.find('/');
  if (digits == std::string::npos || slash == std::string::npos || slash < digits) return std::nullopt;
  ContentRange range;
  const char* const end = header.data() + header.size();
  if (std::from_chars(header.data() + digits, end, range.start).ec != std::errc()) return std::nullopt;
  uint64_t total = 0;
  if (std::from_chars(header.data() + slash + 1, end, total).ec == std::errc()) range.total = total;
  return range;
}

uint64_t most_bytes(const RemoteFile& file) {
  constexpr uint64_t kMostUnknown = uint64_t{1} << 30;
  return file.bytes == 0 ? kMostUnknown : file.bytes;
}

// One request and its answer, written to the part as it comes.
class Transfer {
 public:
  Transfer(CURL* curl, const RemoteFile& file, PartFile& part)
      : curl_(curl), file_(file), part_(part), offset_(part.size()) {}

  // Where the answer's first byte went: 0 also for a server that cannot continue.
  uint64_t continued_from() const { return offset_; }
  // The server does not go on at the place that was asked for.
  bool range_refused() const { return range_refused_; }
  const std::string& fault() const { return fault_; }
  const std::exception_ptr& error() const { return error_; }  // this machine's, not the mirror's

  // After the answer's end; 416 comes without a body.
  void finish() {
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    if (status == 416 && offset_ != 0) range_refused_ = true;
  }

  static size_t on_header(char* bytes, size_t, size_t count, void* user) {
    Transfer& self = *static_cast<Transfer*>(user);
    const std::string header(bytes, count);
    if (header.starts_with("HTTP/")) self.range_.reset();  // the next answer, after a redirect
    if (const auto range = parse_content_range(header)) self.range_ = range;
    return count;
  }

  static size_t on_body(char* bytes, size_t, size_t count, void* user) {
    Transfer& self = *static_cast<Transfer*>(user);
    try {
      return self.receive({reinterpret_cast<const uint8_t*>(bytes), count}) ? count : 0;  // 0: curl ends the transfer
    } catch (...) {
      self.error_ = std::current_exception();
      return 0;
    }
  }

 private:
  bool receive(std::span<const uint8_t> bytes) {
    if (!std::exchange(begun_, true) && !begin()) return false;
    if (part_.size() + bytes.size() > most_bytes(file_)) {
      part_.truncate(offset_);
      fault_ = fmt::format("it serves more than the file's {} bytes", most_bytes(file_));
      return false;
    }
    part_.append(bytes);
    return true;
  }

  // Looks at the answer's head before its first byte is taken.
  bool begin() {
    long status = 0;
    curl_off_t length = -1;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    std::optional<uint64_t> total;
    if (length >= 0) total = static_cast<uint64_t>(length);
    if (status == 206) {
      const bool fits = range_ && range_->start == offset_;
      if (!fits && offset_ == 0) fault_ = "it serves a part of the file that nobody asked for";
      range_refused_ = !fits && offset_ != 0;
      if (!fits) return false;
      if (total) *total += offset_;
      if (range_->total) total = range_->total;
    }
    if (total && file_.bytes != 0 && *total != file_.bytes) {
      fault_ = fmt::format("it serves a file of {} bytes, not of {}", *total, file_.bytes);
      return false;
    }
    if (status != 206 && offset_ != 0) {
      part_.truncate(0);
      offset_ = 0;
    }
    return true;
  }

  CURL* curl_;
  const RemoteFile& file_;
  PartFile& part_;
  uint64_t offset_;
  std::optional<ContentRange> range_;
  bool begun_ = false, range_refused_ = false;
  std::string fault_;
  std::exception_ptr error_;
};

// Whether a transfer has come to a halt: too few bytes within the time allowed.
class StallWatch {
 public:
  StallWatch(std::chrono::milliseconds limit, uint64_t received) : limit_(limit), received_(received) {}

  bool stalled(uint64_t received) {
    const Clock::time_point now = Clock::now();
    if (now - since_ < limit_) return false;
    const double gained = received > received_ ? static_cast<double>(received - received_) : 0;
    since_ = now;
    received_ = received;
    return gained < kSlowestBytesPerSecond * std::chrono::duration<double>(limit_).count();
  }

 private:
  std::chrono::milliseconds limit_;
  Clock::time_point since_ = Clock::now();
  uint64_t received_;
};

class Downloader {
 public:
  explicit Downloader(const DownloadOptions& options)
      : options_(options),
        display_(options.quiet),
        multi_(curl_multi_init(), curl_multi_cleanup),
        curl_(curl_easy_init(), curl_easy_cleanup) {
    if (multi_ == nullptr || curl_ == nullptr) throw MissingDataError("libcurl cannot be started: no downloads");
  }

  // Tries the mirrors, the one that served the last file first.
  void get(const RemoteFile& file, const std::vector<std::string>& mirrors, const fs::path& destination) {
    PartFile part(destination);
    std::vector<std::string> failures(mirrors.size());
    uint64_t before = 0;
    for (int round = 0; round < kRounds && (round == 0 || part.size() > before); ++round) {
      before = part.size();
      for (size_t tried = 0; tried < mirrors.size(); ++tried) {
        const std::string url = mirrors[current_] + file.name;
        failures[current_] = get_from(url, file, part);
        if (failures[current_].empty()) return;
        display_.note("  " + failures[current_]);
        current_ = (current_ + 1) % mirrors.size();
      }
    }
    std::string text;
    for (size_t i = 0; i < mirrors.size(); ++i)
      text += fmt::format("{}{}{}: {}", i == 0 ? "" : "; ", mirrors[i], file.name, failures[i]);
    throw MissingDataError(fmt::format("{} could not be downloaded ({}){}: put the published files into {}", file.name,
                                       text, kept(part, file), destination.parent_path().string()));
  }

 private:
  static std::string kept(const PartFile& part, const RemoteFile& file) {
    if (part.size() == 0) return {};
    if (file.bytes == 0) return fmt::format(", {} bytes are kept for the next call", part.size());
    return fmt::format(", {} of {} bytes are kept for the next call", part.size(), file.bytes);
  }

  // One file from one mirror, published in the end; returns why it failed, or nothing.
  std::string get_from(const std::string& url, const RemoteFile& file, PartFile& part) {
    if (part.size() > most_bytes(file)) part.truncate(0);
    for (;;) {
      uint64_t continued_from = part.size();
      if (continued_from < file.bytes || file.bytes == 0) {
        Transfer transfer(curl_.get(), file, part);
        const std::string failure = perform(url, file, part, transfer);
        if (transfer.range_refused()) {
          part.truncate(0);
          display_.note("  it cannot continue there: beginning anew");
          continue;
        }
        if (!failure.empty()) return failure;
        continued_from = transfer.continued_from();
      }
      if (file.is(part.size(), part.sha256())) {
        part.publish();
        return {};
      }
      part.truncate(0);
      if (continued_from == 0) return "it serves a file with another sha256";
      // Whose bytes were wrong cannot be told: this mirror gets the chance to send all of them.
      display_.note("  what was there before was not its beginning: beginning anew");
    }
  }

  void prepare(const std::string& url, PartFile& part, Transfer& transfer, char* message) {
    CURL* const curl = curl_.get();
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "cairn");
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, Transfer::on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Transfer::on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    if (part.size() != 0) curl_easy_setopt(curl, CURLOPT_RANGE, fmt::format("{}-", part.size()).c_str());
  }

  // Returns why the transfer failed, or nothing: then the part has as many bytes as the file.
  std::string perform(const std::string& url, const RemoteFile& file, PartFile& part, Transfer& transfer) {
    char message[CURL_ERROR_SIZE] = "";
    prepare(url, part, transfer, message);
    display_.start(url, part.size(), file.bytes);
    StallWatch watch(options_.stall_timeout, part.size());
    curl_multi_add_handle(multi_.get(), curl_.get());
    bool stalled = false, stopped = false;
    for (int running = 1; running != 0 && !stalled && !stopped;) {
      curl_multi_perform(multi_.get(), &running);
      display_.progress(part.size());
      if (running == 0) break;
      stopped = options_.stop != nullptr && *options_.stop;
      stalled = watch.stalled(part.size());
      if (!stopped && !stalled) curl_multi_poll(multi_.get(), nullptr, 0, kPollMilliseconds, nullptr);
    }
    CURLcode code = CURLE_OK;
    int left = 0;
    while (const CURLMsg* done = curl_multi_info_read(multi_.get(), &left))
      if (done->msg == CURLMSG_DONE) code = done->data.result;
    transfer.finish();
    curl_multi_remove_handle(multi_.get(), curl_.get());
    curl_easy_setopt(curl_.get(), CURLOPT_ERRORBUFFER, nullptr);

    if (stopped) throw InterruptedError(fmt::format("interrupted{}", kept(part, file)));
    if (transfer.error()) std::rethrow_exception(transfer.error());
    if (!transfer.fault().empty()) return transfer.fault();
    if (stalled) return fmt::format("stalled: no data for {:g} s", options_.stall_timeout.count() / 1000.0);
    if (code == CURLE_PARTIAL_FILE || (code == CURLE_OK && part.size() < file.bytes))
      return fmt::format("it ended after {} of {} bytes", part.size(), file.bytes);
    return code == CURLE_OK ? std::string() : describe(code, message);
  }

  // Our own words for what mirrors do most: curl's change between its versions.
  std::string describe(CURLcode code, const char* message) const {
    if (code == CURLE_HTTP_RETURNED_ERROR) {
      long status = 0;
      curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
      return fmt::format("it answers with HTTP status {}", status);
    }
    const char* const reason = *message != '\0' ? message : curl_easy_strerror(code);
    return fmt::format("{}{}", code == CURLE_COULDNT_CONNECT ? "cannot connect: " : "", reason);
  }

  const DownloadOptions& options_;
  DownloadDisplay display_;
  std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi_;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_;
  size_t current_ = 0;
};

}  // namespace

void download_files(const std::vector<RemoteFile>& files, const std::vector<std::string>& mirrors,
                    const HeldFolder& folder, const DownloadOptions& options) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) throw MissingDataError("libcurl cannot be started: no downloads");
  Downloader downloader(options);
  for (const RemoteFile& file : files) {
    const fs::path destination = folder.path() / file.name;
    std::error_code unreadable;  // PartFile says why
    if (!fs::exists(destination, unreadable)) downloader.get(file, mirrors, destination);
  }
}

}  // namespace cairn::datasets
