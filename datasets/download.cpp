// libcurl's easy interface, one file at a time: MNIST is 11 MB. Time limits are short, so that a machine without a
// network has its answer within seconds.
#include "datasets/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "datasets/dataset.h"
#include "datasets/sha256.h"
#include "framework/error.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

constexpr long kConnectSeconds = 5, kStallSeconds = 10, kStallBytesPerSecond = 1000;
constexpr size_t kMaxDownloadBytes = size_t{256} << 20;

IoError cannot_write(const fs::path& path) {
  return IoError(fmt::format("{}: cannot be written: {}", path.string(), std::strerror(errno)));
}

// A file beside its destination, gone again unless it is published.
class TemporaryFile {
 public:
  explicit TemporaryFile(const fs::path& destination) : destination_(destination) {
    path_ = destination.string() + ".XXXXXX";
    descriptor_ = mkostemp(path_.data(), O_CLOEXEC);
    if (descriptor_ < 0) throw cannot_write(destination);
  }
  ~TemporaryFile() {
    close(descriptor_);
    if (!published_) unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool append(const char* bytes, size_t count) {
    while (count > 0) {
      const ssize_t written = write(descriptor_, bytes, count);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      bytes += written;
      count -= static_cast<size_t>(written);
    }
    return true;
  }

  // Durable before it is visible; then visible at once and whole.
  void publish() {
    if (fchmod(descriptor_, 0644) != 0 || fsync(descriptor_) != 0 ||
        std::rename(path_.c_str(), destination_.c_str()) != 0) {
      throw cannot_write(destination_);
    }
    published_ = true;
  }

 private:
  fs::path destination_;
  std::string path_;
  int descriptor_;
  bool published_ = false;
};

struct Transfer {
  TemporaryFile& file;
  Sha256 hash;
  size_t bytes = 0;
  int write_error = 0;  // an errno; ours, not the mirror's
};

size_t receive(char* bytes, size_t, size_t count, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  transfer.bytes += count;
  if (transfer.bytes > kMaxDownloadBytes) return 0;  // curl then ends the transfer
  if (!transfer.file.append(bytes, count)) {
    transfer.write_error = errno;
    return 0;
  }
  transfer.hash.update({reinterpret_cast<const uint8_t*>(bytes), count});
  return count;
}

// One file from one mirror; returns why it failed, or nothing.
std::string fetch(CURL* curl, const std::string& url, const RemoteFile& remote, const fs::path& destination) {
  TemporaryFile file(destination);
  Transfer transfer{file, {}};
  char message[CURL_ERROR_SIZE] = "";
  curl_easy_reset(curl);  // keeps the connection open for the next file
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSecond);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "cairn");
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  const CURLcode code = curl_easy_perform(curl);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);

  if (transfer.write_error != 0) {
    errno = transfer.write_error;
    throw cannot_write(destination);
  }
  if (transfer.bytes > kMaxDownloadBytes) return "it serves more bytes than any data set has";
  if (code != CURLE_OK) return *message != '\0' ? message : curl_easy_strerror(code);
  if (transfer.hash.finish() != remote.sha256) return "it serves a file with another sha256";
  file.publish();
  return {};
}

}  // namespace

void download_files(const std::vector<RemoteFile>& files, const std::vector<std::string>& mirrors,
                    const fs::path& folder, bool quiet) {
  std::error_code error;
  std::vector<fs::path> new_folders;  // innermost first
  for (fs::path path = folder; !path.empty() && !fs::exists(path, error); path = path.parent_path()) {
    new_folders.push_back(path);
  }
  fs::create_directories(folder, error);
  if (error) throw IoError(fmt::format("{}: cannot be created: {}", folder.string(), error.message()));

  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  if (initialised != CURLE_OK || curl == nullptr) throw MissingDataError("libcurl cannot be started: no downloads");

  size_t current = 0;  // the mirror that served the last file is asked first for the next one
  for (const RemoteFile& file : files) {
    std::string failures;
    bool done = false;
    for (size_t tried = 0; tried < mirrors.size() && !done; ++tried) {
      const std::string url = mirrors[current] + file.name;
      if (!quiet) fmt::print(stderr, "downloading {}\n", url);
      const std::string failure = fetch(curl.get(), url, file, folder / file.name);
      done = failure.empty();
      if (done) break;
      failures += fmt::format("{}{}: {}", failures.empty() ? "" : "; ", url, failure);
      current = (current + 1) % mirrors.size();
    }
    if (!done) {
      for (const fs::path& path : new_folders) fs::remove(path, error);  // those that stayed empty
      throw MissingDataError(
          fmt::format("{} could not be downloaded ({}): put the published files into {}, or use "
                      "--dataset digits",
                      file.name, failures, folder.string()));
    }
  }
}

}  // namespace cairn::datasets
