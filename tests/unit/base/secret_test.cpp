// SPDX-License-Identifier: MIT
#include "base/secret.hpp"

#include <doctest/doctest.h>

using namespace longline;

TEST_CASE("a secret with parity in the eighth bit is one") {
  CHECK(mask("a \xF3\x33sa\xED\xE5 b", {Secret("s3same")}) == "a ******** b");
  CHECK(mask("caf\x69 caf\xE9", {Secret("caf\xE9")}) == "cafi ********");
}

TEST_CASE("a secret is masked at every split of the stream") {
  const std::string text = "user alice\r\npassword sesame!\r\nsesame! again";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    SecretMasker masker({Secret("sesame!"), Secret("ses")});
    std::string out = masker.feed(text.substr(0, cut));
    out += masker.feed(text.substr(cut));
    out += masker.flush();
    CHECK(out == "user alice\r\npassword ********\r\n******** again");
  }
}

TEST_CASE("the start of a secret is held back, then shown or masked") {
  SecretMasker masker({Secret("sesame!")});
  CHECK(masker.feed("open ses") == "open ");
  CHECK(masker.feed("ta") == "sesta");
  CHECK(masker.feed("sesa") == "");
  CHECK(masker.flush() == "********");
}

TEST_CASE("a secret that goes on after a pause stays masked to its end") {
  SecretMasker masker({Secret("sesame!")});
  CHECK(masker.feed("open ses") == "open ");
  CHECK(masker.flush() == "********");
  CHECK(masker.flush() == "");
  CHECK(masker.feed("ame!\r\n") == "********\r\n");
}

TEST_CASE("what a pause has shown is not shown again") {
  SecretMasker masker({Secret(":x1")});
  CHECK(masker.feed("password:") == "password");
  CHECK(masker.flush() == ":");
  CHECK(masker.feed(" ok") == " ok");
  CHECK(masker.feed(":") == "");
  CHECK(masker.flush() == ":");
  CHECK(masker.feed("x1.") == "********.");
}

TEST_CASE("a moved-from secret is empty") {
  Secret a("x1");
  const Secret b = std::move(a);
  CHECK(a.empty());  // NOLINT(bugprone-use-after-move): this is the promise
  CHECK(b.reveal() == "x1");
}
