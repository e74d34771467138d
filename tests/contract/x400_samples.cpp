// SPDX-License-Identifier: MIT
// `x400-samples NAME`: what our encoders make, for other people's decoders (tests/cli/test_x400_decoders.py).
#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <string_view>

#include "unit/x400/p1_samples.hpp"
#include "x400/ipm.hpp"
#include "x400/or_name_mapping.hpp"

using namespace longline;
using namespace longline::x400;

namespace {

const AddressMapping kMapping{"WW", " ", "", "gate.example"};

constexpr std::string_view kHeader =
    "Received: from there.example by here.example; Thu, 26 Nov 2026 05:00:00 +0000\r\nFrom: Jo <jo@site7.example>, x@y.example\r\n"
    "Sender: boss@x.example\r\nTo: ann@hub.example, b@hub.example\r\nCc: c@hub.example\r\nReply-To: r@hub.example\r\n"
    "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <1@x.example>\r\nIn-Reply-To: <0@x.example>\r\nReferences: <0@x.example> <00@x.example>\r\n"
    "Importance: high\r\nSensitivity: private\r\n";

std::string plain_mail() {
  std::string out = std::string(kHeader) + "\r\n";
  for (int i = 0; i < 50; ++i) out += "line number " + std::to_string(i) + "\r\n";
  return out;
}

std::string whole_mail() {
  return std::string(kHeader) + "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n\r\n\xFF\xFE\r\n--b--\r\n";
}

std::string message(const std::string& stored) { return message_prefix(sample_envelope(), stored.size()) + stored; }

std::string ipm(const std::string& stored) {
  MessageEnvelope envelope = sample_envelope();
  envelope.content_type.built_in = kP22Content;
  const IpmLayout layout = layout_ipm(stored, "jo@site7.example", kMapping);
  const std::string content = layout.before + stored.substr(layout.from, layout.size) + layout.after;
  return message_prefix(envelope, content.size()) + content;
}

/// Nothing that is legal and that dumpasn1 warns of: negative integers, empty elements.
void grow(BerWriter& w, std::mt19937& random, int depth) {
  const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
  if (depth > 0 && pick(2) == 0) {
    w.constructed(pick(2) == 0 ? tags::kSequence : context(pick(200)), [&] {
      for (unsigned i = 1 + pick(4); i > 0; --i) grow(w, random, depth - 1);
    });
    return;
  }
  switch (pick(6)) {
    case 0: return w.integer(static_cast<std::int64_t>(static_cast<std::uint64_t>(random()) << pick(32)));
    case 1: return w.octets(std::string(1 + pick(400), 'o'));
    case 2: return w.oid("2.6.0." + std::to_string(pick(1'000'000)));
    case 3: return w.boolean(pick(2) == 0);
    case 4: return w.primitive(tags::kIa5String, std::string(1 + pick(130), 'i'));
    default: return w.utc_time(WallTime(std::chrono::seconds(random() % 2'000'000'000)));
  }
}

std::string tree(unsigned seed) {
  std::mt19937 random(seed);
  BerWriter w;
  w.sequence([&] {
    for (int i = 0; i < 4; ++i) grow(w, random, 5);
  });
  return w.take();
}

std::string sample(std::string_view name) {
  if (name == "message") return message(plain_mail());
  if (name == "message-indefinite") return indefinite(message(plain_mail()), 100);
  if (name == "ipm-plain") return ipm(plain_mail());
  if (name == "ipm-whole") return ipm(whole_mail());
  if (name == "report") {
    Report report = sample_report();
    report.returned_content.reset();   // tshark takes any content for BER, and finds this one malformed
    return encode_report(report);
  }
  if (name.starts_with("tree-")) return tree(static_cast<unsigned>(std::stoul(std::string(name.substr(5)))));
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string bytes = argc == 2 ? sample(argv[1]) : std::string();
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  return bytes.empty() ? 64 : 0;
}
