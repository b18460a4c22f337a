// How many CPUs a process may use: trees of control groups as the kernel and containers show them, and real affinity.
#include <doctest/doctest.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "kernels/cpu_share.h"

namespace cairn {
namespace {

namespace fs = std::filesystem;

// A file system of its own, in which a machine's control groups are laid out.
struct Tree {
  Tree() {
    std::string name = (fs::temp_directory_path() / "cairn-groups-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    root = name;
  }
  ~Tree() {
    std::error_code ignored;
    fs::remove_all(root, ignored);
  }
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(root + path).parent_path());
    std::ofstream(root + path) << text;
  }
  // The process' groups, and what is mounted where.
  Tree& process(const std::string& groups, const std::string& mounts) {
    write("/proc/self/cgroup", groups);
    write("/proc/self/mountinfo", "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n" + mounts);
    return *this;
  }
  double quota() const { return control_group_quota(root); }

  std::string root;
};

const char* const kUnified = "31 22 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const char* const kLegacy =
    "41 22 0:30 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n"
    "42 22 0:31 / /sys/fs/cgroup/cpuset rw,nosuid - cgroup cgroup rw,cpuset\n"
    "43 22 0:32 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:12 master:2 - cgroup cgroup rw,cpu,cpuacct\n";

}  // namespace

TEST_CASE("version 2: the quota of the process' group") {
  Tree tree;
  tree.process("0::/user.slice/job\n", kUnified);
  CHECK(tree.quota() == 0);  // no file: the controller is not enabled there
  tree.write("/sys/fs/cgroup/user.slice/job/cpu.max", "150000 100000\n");
  CHECK(tree.quota() == 1.5);
  tree.write("/sys/fs/cgroup/user.slice/job/cpu.max", "max 100000\n");
  CHECK(tree.quota() == 0);
}

TEST_CASE("version 2: the least on the way up counts, and nothing beside it") {
  Tree tree;
  tree.process("0::/a/b/c\n", kUnified);
  tree.write("/sys/fs/cgroup/a/b/c/cpu.max", "800000 100000\n");
  tree.write("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  tree.write("/sys/fs/cgroup/a/cpu.max", "100000 50000\n");
  tree.write("/sys/fs/cgroup/other/cpu.max", "10000 100000\n");
  CHECK(tree.quota() == 2);
  tree.write("/sys/fs/cgroup/cpu.max", "25000 100000\n");  // a container's own root has the file
  CHECK(tree.quota() == 0.25);
}

TEST_CASE("version 1: two files of microseconds, under the mount of the cpu controller") {
  Tree tree;
  tree.process("9:memory:/wrong\n4:cpu,cpuacct:/docker/0123\n3:cpuset:/wrong\n", kLegacy);
  tree.write("/sys/fs/cgroup/cpuset/docker/0123/cpu.cfs_quota_us", "1000\n");
  tree.write("/sys/fs/cgroup/cpu,cpuacct/docker/0123/cpu.cfs_quota_us", "-1\n");
  tree.write("/sys/fs/cgroup/cpu,cpuacct/docker/0123/cpu.cfs_period_us", "100000\n");
  CHECK(tree.quota() == 0);
  tree.write("/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "300000\n");
  tree.write("/sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n");
  CHECK(tree.quota() == 3);
}

TEST_CASE("both versions at once: the lesser quota") {
  Tree tree;
  tree.process("4:cpu,cpuacct:/job\n0::/job\n", std::string(kLegacy) + kUnified);
  tree.write("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "200000\n");
  tree.write("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  CHECK(tree.quota() == 2);
  tree.write("/sys/fs/cgroup/job/cpu.max", "120000 100000\n");
  CHECK(tree.quota() == 1.2);
}

TEST_CASE("a container whose groups are named as the host sees them") {
  Tree tree;  // the group itself is what is mounted
  tree.process("0::/docker/0123/inner\n", "31 22 0:27 /docker/0123 /sys/fs/cgroup ro - cgroup2 cgroup ro\n");
  tree.write("/sys/fs/cgroup/cpu.max", "400000 100000\n");
  tree.write("/sys/fs/cgroup/inner/cpu.max", "300000 100000\n");
  CHECK(tree.quota() == 3);
  // A group outside of what is mounted, and one whose name only begins alike.
  tree.process("0::/docker/01234/inner\n", "31 22 0:27 /docker/0123 /sys/fs/cgroup ro - cgroup2 cgroup ro\n");
  CHECK(tree.quota() == 4);
  tree.process("0::/../sibling\n", "31 22 0:27 / /sys/fs/cgroup ro - cgroup2 cgroup ro\n");
  CHECK(tree.quota() == 4);
}

TEST_CASE("a mount point with a blank in its name") {
  Tree tree;
  tree.process("0::/job\n", "31 22 0:27 / /mnt/control\\040groups rw - cgroup2 cgroup2 rw\n");
  tree.write("/mnt/control groups/job/cpu.max", "50000 100000\n");
  CHECK(tree.quota() == 0.5);
}

TEST_CASE("what cannot be read sets no limit") {
  Tree tree;
  CHECK(tree.quota() == 0);  // no /proc at all
  for (const char* groups : {"", "\n", "nonsense\n", "0:\n", "0::\n", "0::/job"})
    for (const char* mounts : {"", "\n", " - \n", "31 22 - cgroup2\n", kUnified}) {
      tree.process(groups, mounts);
      CHECK_MESSAGE(tree.quota() == 0, groups << mounts);
    }
  tree.process("0::/job\n", kUnified);
  for (const char* text :
       {"", "max", "100000", "x y", "0 100000", "100000 0", "-5 100000", "nan 100000", "1e999 1", "max max"}) {
    tree.write("/sys/fs/cgroup/job/cpu.max", text);
    CHECK_MESSAGE(tree.quota() == 0, text);
  }
}

TEST_CASE("a quota is rounded down, but not to nothing") {
  CHECK(CpuShare{8, 0}.cpus() == 8);
  CHECK(CpuShare{8, 3.9}.cpus() == 3);
  CHECK(CpuShare{8, 3}.cpus() == 3);
  CHECK(CpuShare{8, 0.2}.cpus() == 1);
  CHECK(CpuShare{2, 16}.cpus() == 2);
  CHECK(CpuShare{2, 1e300}.cpus() == 2);
  CHECK(CpuShare{2, 0}.text() == "2 CPUs by its affinity");
  CHECK(CpuShare{1, 1.5}.text() == "1 CPU by its affinity");
  CHECK(CpuShare{2, 1.5}.text() == "1.5 CPUs by its control group's quota");
}

TEST_CASE("affinity counts, not the number of cores") {
  cpu_set_t before, one;
  REQUIRE(sched_getaffinity(0, sizeof before, &before) == 0);
  CHECK(cpu_share().affinity == CPU_COUNT(&before));
  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  const pid_t child = fork();
  if (child == 0)
    _exit(sched_setaffinity(0, sizeof one, &one) == 0 ? cpu_share().affinity * 10 + cpu_share().cpus() : 99);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 11);
}

}  // namespace cairn
