// SPDX-License-Identifier: MIT
// modemsim: an emulated modem with an Internet provider behind it. See tests/fakes/README.md.
#include <fcntl.h>
#include <getopt.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "event_log.hpp"
#include "pty_port.hpp"
#include "scenario.hpp"
#include "simulator.hpp"
#include "tcp_port.hpp"

namespace {

using namespace modemsim;

constexpr int usage_status = 64;
constexpr int config_status = 78;
constexpr int os_status = 71;

struct Options {
  std::string scenario;
  std::string link;
  std::string listen;
  std::string log;
  std::string calls;
  int most_calls = 0;
};

constexpr const char* usage_text =
    "Usage: modemsim SCENARIO.toml [--link PATH] [--listen HOST:PORT] [--log FILE]\n"
    "                [--calls FILE] [--max-calls N]\n"
    "\n"
    "Emulates a Hayes modem on a pty (or a TCP port) and the host that it calls.\n"
    "Prints 'modemsim: ready PORT' when it can be opened; ends on SIGTERM.\n"
    "\n"
    "  --link PATH         make PATH a symlink to the pty\n"
    "  --listen HOST:PORT  be a modem on a device server; port 0 is any free one\n"
    "  --log FILE          append events to FILE, one JSON object a line\n"
    "  --calls FILE        append one line for each call to FILE\n"
    "  --max-calls N       end after N calls\n"
    "\n"
    "SIGUSR1 drops the carrier, SIGUSR2 rings.\n";

bool parse(int argc, char** argv, Options& options) {
  const option known[] = {{"link", 1, nullptr, 'k'},  {"listen", 1, nullptr, 't'},    {"log", 1, nullptr, 'l'},
                          {"calls", 1, nullptr, 'c'}, {"max-calls", 1, nullptr, 'm'}, {"help", 0, nullptr, 'h'},
                          {nullptr, 0, nullptr, 0}};
  int found = 0;
  while ((found = ::getopt_long(argc, argv, "", known, nullptr)) != -1) {
    switch (found) {
      case 'k': options.link = optarg; break;
      case 't': options.listen = optarg; break;
      case 'l': options.log = optarg; break;
      case 'c': options.calls = optarg; break;
      case 'm': options.most_calls = std::atoi(optarg); break;
      case 'h': std::fputs(usage_text, stdout); std::exit(0);
      default: return false;
    }
  }
  if (optind + 1 != argc || (!options.link.empty() && !options.listen.empty())) return false;
  options.scenario = argv[optind];
  return true;
}

int complain(const std::string& what, int status) {
  std::fprintf(stderr, "modemsim: %s: %s\n", what.c_str(), std::strerror(errno));
  return status;
}

int run(const Options& options) {
  const auto scenario = read_scenario(options.scenario);
  if (const auto* error = std::get_if<ScenarioError>(&scenario)) {
    std::fprintf(stderr, "modemsim: %s\n", error->message.c_str());
    return config_status;
  }
  EventLog log;
  if (!log.open_events(options.log)) return complain(options.log, os_status);
  if (!log.open_calls(options.calls)) return complain(options.calls, os_status);
  std::unique_ptr<DtePort> port;
  if (options.listen.empty()) port = PtyPort::open(options.link);
  else port = TcpPort::open(options.listen);
  if (!port) return complain(options.listen.empty() ? "pty " + options.link : options.listen, os_status);
  const std::string ready = port->name();
  Simulator simulator(std::get<Scenario>(scenario), std::move(port), log, options.most_calls);
  if (!simulator.prepare()) return complain("signals", os_status);
  std::printf("modemsim: ready %s\n", ready.c_str());
  std::fflush(stdout);
  simulator.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  // Descriptors 0 to 2 must be taken: those of a far end are moved there.
  while (true) {
    const int fd = ::open("/dev/null", O_RDWR);
    if (fd > 2) {
      ::close(fd);
      break;
    }
    if (fd < 0) return os_status;
  }
  Options options;
  if (!parse(argc, argv, options)) {
    std::fputs(usage_text, stderr);
    return usage_status;
  }
  return run(options);
}
