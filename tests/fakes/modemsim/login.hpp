// SPDX-License-Identifier: MIT
// The login dialogue of the host that answers: a prompt, a line of answer, the next prompt. No I/O: bytes and time in, bytes
// out. A wrong answer to "$user" and "$password" is told after the password, and the dialogue goes back to the "$user" step; a
// wrong answer to a step with a fixed text repeats that step. Either counts against the tries. An empty answer only brings the
// prompt again, as login(1) does; to "$password" it is an answer.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "faults.hpp"
#include "instant.hpp"
#include "scenario.hpp"

namespace modemsim {

class Login {
 public:
  enum class State { running, logged_in, refused, timed_out, dropped, silent };

  // Told of each step (from 1) as its prompt goes out.
  using OnPrompt = std::function<void(int step, Instant when)>;

  // Both references must outlive the login.
  Login(const LoginScenario& scenario, const Faults& faults, Instant now, OnPrompt on_prompt);

  void on_bytes(std::string_view bytes, Instant now);
  void on_time(Instant now);
  Instant deadline() const;

  State state() const { return state_; }
  const std::string& user() const { return user_; }

  // What goes to the caller; empty when there is nothing more for now.
  std::string take_output();
  // Bytes that came after the last answer: the far end's.
  std::string take_rest() { return std::exchange(rest_, {}); }
  // What of the bytes that come after the login belongs to the far end: not the LF of a last answer that ended in CR LF.
  std::string_view after_answer(std::string_view bytes);

 private:
  void enter(std::size_t step, Instant now);
  void prompt(Instant now);
  void on_byte(char c, Instant now);
  void on_line(Instant now);
  void refuse(std::size_t back_to, Instant now);
  std::size_t user_step() const;
  bool is_step(const std::optional<int>& fault) const { return fault && *fault == static_cast<int>(step_) + 1; }

  const LoginScenario& scenario_;
  const Faults& faults_;
  OnPrompt on_prompt_;
  State state_ = State::running;
  std::size_t step_ = 0;
  int tries_left_;
  Instant prompt_at_ = never;  // never: the prompt is out, an answer is awaited
  Instant give_up_at_ = never;
  std::string line_;
  bool after_cr_ = false;
  std::string user_;
  std::string output_;
  std::string rest_;
};

}  // namespace modemsim
