// SPDX-License-Identifier: MIT
#include "far_end_child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace modemsim {

ChildPlan::ChildPlan(const FarEndScenario& scenario, const FarEnd::Caller& caller) : scenario_(scenario) {
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string entry = *each;
    if (!scenario.environment.contains(entry.substr(0, entry.find('=')))) environment_.push_back(entry);
  }
  for (const auto& [name, value] : scenario.environment) environment_.push_back(name + '=' + value);
  environment_.push_back("MODEMSIM_CALL=" + std::to_string(caller.call));
  environment_.push_back("MODEMSIM_NUMBER=" + caller.number);
  environment_.push_back("MODEMSIM_USER=" + caller.user);
  for (std::string& entry : environment_) envp_.push_back(entry.data());
  envp_.push_back(nullptr);
  for (const std::string& argument : scenario.command) argv_.push_back(const_cast<char*>(argument.c_str()));
  argv_.push_back(nullptr);
}

void ChildPlan::become(int input, int output) const {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::setsid();
  if (scenario_.pty) ::ioctl(input, TIOCSCTTY, 0);
  int error = scenario_.pty ? input : STDERR_FILENO;
  if (!scenario_.error_file.empty()) {
    error = ::open(scenario_.error_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  }
  const bool ready = ::dup2(input, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
                     (error == STDERR_FILENO || ::dup2(error, STDERR_FILENO) >= 0) &&
                     (scenario_.directory.empty() || ::chdir(scenario_.directory.c_str()) == 0);
  if (ready) ::execvpe(argv_[0], argv_.data(), envp_.data());
  ::_exit(127);
}

}  // namespace modemsim
