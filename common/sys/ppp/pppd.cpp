// SPDX-License-Identifier: MIT
#include "sys/ppp/pppd.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/text.hpp"
#include "sys/config_file.hpp"

namespace longline::sys {
namespace {

constexpr const char* kFolder = "/etc/ppp";
constexpr std::size_t kLargestPlan = 1 << 20;

Error missing(std::string what, std::string hint) {
  return Error(Errc::no_ppp, std::move(what), Stage::ppp).with_hint(std::move(hint));
}

std::string path_of_pppd() {
  for (const char* folder : {"/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin"}) {
    const std::string path = std::string(folder) + "/pppd";
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

/// "pppd version 2.4.9" as 20409; 0 when it cannot be told.
int version_number(std::string_view text) {
  const std::size_t at = text.find("version ");
  if (at == std::string_view::npos) return 0;
  int number = 0;
  const std::vector<std::string_view> parts = split(trim(text.substr(at + 8)), '.');
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string_view part = i < parts.size() ? parts[i].substr(0, parts[i].find_first_not_of("0123456789")) : "0";
    number = number * 100 + static_cast<int>(std::min<std::int64_t>(99, parse_integer(part).value_or(0)));
  }
  return number;
}

void put(std::string& out, std::string_view text) {
  out += fmt::format("{}\n", text.size());
  out += text;
}

std::optional<std::string> take(std::string_view& in) {
  const std::size_t end = in.find('\n');
  const std::optional<std::int64_t> size = end == std::string_view::npos ? std::nullopt : parse_integer(in.substr(0, end));
  if (!size || *size < 0 || static_cast<std::size_t>(*size) > in.size() - end - 1) return std::nullopt;
  std::string out(in.substr(end + 1, static_cast<std::size_t>(*size)));
  in.remove_prefix(end + 1 + static_cast<std::size_t>(*size));
  return out;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put <= 0 && errno != EINTR) return false;
    if (put > 0) text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

Error failed(const char* what) { return system_error(errno, what, Errc::no_ppp).in_stage(Stage::ppp); }

Result<UniqueFd> open_master(UniqueFd& slave) {
  UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  char name[64];
  if (!master || ::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0 || ::ptsname_r(master.get(), name, sizeof name) != 0) {
    return system_error(errno, "pseudo-terminal", Errc::os).in_stage(Stage::ppp);
  }
  slave = UniqueFd(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios raw{};
  if (!slave || ::tcgetattr(slave.get(), &raw) != 0) return system_error(errno, name, Errc::os).in_stage(Stage::ppp);
  ::cfmakeraw(&raw);
  ::tcsetattr(slave.get(), TCSANOW, &raw);
  return master;
}

}  // namespace

Result<std::string> find_pppd() {
  if (::geteuid() != 0) return missing("PPP needs root: pppd makes a network interface", "run it as root, or use network = \"stream\"");
  const std::string path = path_of_pppd();
  if (path.empty()) return missing("there is no pppd on this host", "apt-get install ppp");
  constexpr int kOldest = 20407;
  const Result<std::string> said = run_and_read({path, "--version"}, Duration(5'000), 4096);
  const int version = said ? version_number(*said) : 0;
  if (version != 0 && version < kOldest) {
    return missing(fmt::format("{} is too old: {}", path, escape_at_most(trim(*said), 80)), "longline needs pppd 2.4.7 or later");
  }
  const UniqueFd device(::open("/dev/ppp", O_RDWR | O_CLOEXEC));
  if (!device) {
    return missing(fmt::format("the kernel has no PPP: /dev/ppp: {}", std::strerror(errno)),
                   "modprobe ppp_async; in a container the host must pass /dev/ppp in");
  }
  struct stat folder{};
  if (::stat(kFolder, &folder) != 0 || !S_ISDIR(folder.st_mode)) return missing("there is no folder /etc/ppp", "mkdir /etc/ppp");
  return path;
}

Result<Pppd> start_pppd(link::PppPlan plan, const std::string& ip_down) {
  LONGLINE_TRY(plan.argv.front(), find_pppd());
  // Set whole, or not there: we look while it is being written.
  plan.files.push_back({"auth-up", "#!/bin/sh\nprintf %s \"$2\" > /etc/ppp/peer.new && mv /etc/ppp/peer.new /etc/ppp/peer\n"});
  if (!ip_down.empty()) plan.files.push_back({"ip-down", "#!/bin/sh\n" + ip_down + "\n"});
  std::string text;
  put(text, std::to_string(::getpid()));
  put(text, std::to_string(plan.files.size()));
  for (const link::PppFile& file : plan.files) {
    put(text, file.name);
    put(text, file.text);
  }
  for (const std::string& word : plan.argv) put(text, word);
  UniqueFd paper(::memfd_create("pppd-plan", MFD_CLOEXEC));
  if (!paper || !write_all(paper.get(), text) || ::lseek(paper.get(), 0, SEEK_SET) != 0) {
    return system_error(errno, "memfd", Errc::os).in_stage(Stage::ppp);
  }
  UniqueFd slave;
  LONGLINE_TRY(UniqueFd master, open_master(slave));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return system_error(errno, "pipe", Errc::os).in_stage(Stage::ppp);
  UniqueFd log(ends[0]), log_writer(ends[1]);
  ::fcntl(log_writer.get(), F_SETFL, 0);
  const UniqueFd nothing(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  std::error_code failure;
  SpawnOptions spawn;
  spawn.argv = {std::filesystem::read_symlink("/proc/self/exe", failure).string(), "become-pppd"};
  if (failure) return system_error(failure.value(), "/proc/self/exe", Errc::os).in_stage(Stage::ppp);
  spawn.stdin_fd = slave.get();
  spawn.stdout_fd = nothing.get();
  spawn.stderr_fd = log_writer.get();
  spawn.inherited = {paper.get()};
  // Not a session of its own: its leader would make the pseudo-terminal its controlling terminal and be hung up with it. pppd hears of the end
  // of its line from the line alone; a signal behind that makes it kill the ip-down that puts the host back.
  spawn.new_process_group = true;
  LONGLINE_TRY(ChildProcess child, ChildProcess::spawn(spawn));
  return Pppd{std::move(child), std::move(master), std::move(log)};
}

std::string read_of_pppd(pid_t pid, std::string_view name) {
  constexpr std::size_t kMost = 4096;
  return read_file(fmt::format("/proc/{}/root{}/{}", pid, kFolder, name), kMost).value_or("");
}

Error become_pppd(int plan_fd) {
  std::string text(kLargestPlan, '\0');
  const ssize_t got = ::read(plan_fd, text.data(), text.size());
  ::close(plan_fd);
  std::string_view rest(text.data(), static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  const Error malformed(Errc::usage, "become-pppd is for the supervisor only", Stage::ppp);
  const std::optional<std::string> parent = take(rest), count = take(rest);
  const std::optional<std::int64_t> files = count ? parse_integer(*count) : std::nullopt;
  if (!files || *files < 0 || *files > 16) return malformed;
  if (::unshare(CLONE_NEWNS) != 0) return failed("a mount namespace of its own");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return failed("private mounts");
  if (::mount("longline", kFolder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m") != 0) return failed("a private /etc/ppp");
  for (std::int64_t i = 0; i < *files; ++i) {
    const std::optional<std::string> name = take(rest), content = take(rest);
    if (!name || !content || name->find('/') != std::string::npos) return malformed;
    const bool script = content->starts_with("#!");
    const UniqueFd file(::open((std::string(kFolder) + "/" + *name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, script ? 0700 : 0600));
    if (!file || !write_all(file.get(), *content)) return failed(name->c_str());
  }
  std::vector<std::string> words;
  while (!rest.empty()) {
    std::optional<std::string> word = take(rest);
    if (!word) return malformed;
    words.push_back(std::move(*word));
  }
  if (words.empty()) return malformed;
  if (std::to_string(::getppid()) != *parent) return Error(Errc::interrupted, "the supervisor has gone", Stage::ppp);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  // Scripts get their PATH from pppd itself; of ours nothing matters.
  ::umask(022);
  ::execv(argv.front(), argv.data());
  return failed(argv.front());
}

}  // namespace longline::sys
