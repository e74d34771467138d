// SPDX-License-Identifier: MIT
#include "config/import.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "config/config.hpp"

using namespace longline;
using namespace longline::config;

namespace {

Config accepted(const Imported& imported) {
  const ParsedConfig parsed = parse_config({{"/f.toml", imported.toml}});
  std::string errors;
  for (const Diagnostic& d : parsed.diagnostics) errors += d.severity == Severity::error ? d.message + "\n" : "";
  CHECK(errors == "");
  return parsed.config;
}

const ImportNote* note_of(const Imported& imported, std::string_view key) {
  const auto found = std::find_if(imported.notes.begin(), imported.notes.end(), [&](const ImportNote& n) { return n.key == key; });
  return found == imported.notes.end() ? nullptr : &*found;
}

Imported pbk(std::string_view text) {
  Result<Imported> out = import_rasphone(text);
  REQUIRE(out);
  return *out;
}

Imported wvdial(std::string_view text) {
  Result<Imported> out = import_wvdial(text);
  REQUIRE(out);
  return *out;
}

constexpr std::string_view kCall = "MEDIA=serial\r\nPort=COM2\r\nDevice=Modem\r\n\r\nDEVICE=modem\r\nPhoneNumber=5551\r\n";

}  // namespace

TEST_CASE("a phonebook entry becomes a link: repeated keys are the numbers, DEVICE and Device are two keys") {
  const Imported imported = pbk("[Oz]\r\nEncoding=1\r\nType=1\r\nRedialAttempts=3\r\nRedialSeconds=45\r\nIdleDisconnectSeconds=600\r\n"
                                "IpPrioritizeRemote=1\r\nIpNameAssign=1\r\n\r\nMEDIA=serial\r\nPort=COM2\r\nDevice=Modem\r\n\r\n"
                                "DEVICE=modem\r\nPhoneNumber=5551\r\nUseDialingRules=0\r\nPhoneNumber=5552\r\n");
  const Config config = accepted(imported);
  REQUIRE(config.links.size() == 1);
  const Link& link = config.links.front();
  CHECK(link.name == "Oz");
  CHECK(link.port == "/dev/ttyS1");
  CHECK(link.numbers == std::vector<std::string>{"5551", "5552"});
  CHECK(link.attempts == 4);
  CHECK(link.interval == Duration(45'000));
  CHECK(link.idle == Duration(600'000));
  CHECK(link.default_route == DefaultRoute::beside);
  CHECK(link.dns);
  CHECK(link.network == Network::ppp);
}

TEST_CASE("names with spaces, slashes, quotes and other alphabets are quoted keys") {
  for (const std::string name : {"Büro / 2", "a.b", "\"q\" \\ ]", "電話", "x]y"}) {
    const Imported imported = pbk("[" + name + "]\r\n" + std::string(kCall));
    CHECK(imported.links == std::vector{name});
    CHECK(accepted(imported).links.front().name == name);
  }
}

TEST_CASE("ANSI names become UTF-8") {
  CHECK(accepted(pbk("[B\xFCro \x80]\r\n" + std::string(kCall))).links.front().name == "Büro €");
}

TEST_CASE("control characters in names and values become blanks") {
  const auto imported = import_rasphone("[a\x0f\x7f b]\nMEDIA=serial\nPort=COM1\nDEVICE=modem\nPhoneNumber=12\x0e\t3\n");
  REQUIRE(imported);
  const ParsedConfig parsed = parse_config({{"/f.toml", imported->toml}});
  CHECK_FALSE(has_errors(parsed.diagnostics));
  REQUIRE(parsed.config.links.size() == 1);
  CHECK(parsed.config.links[0].name.find_first_of("\x0f\x7f") == std::string::npos);
}

TEST_CASE("names that are too long or taken are changed, and that is said") {
  std::string name;
  for (int i = 0; i < 40; ++i) name += "ü";
  const Imported imported = pbk("[" + name + "]\r\n" + std::string(kCall) + "[" + name + "]\r\n" + std::string(kCall) + "[a]\r\n" +
                                std::string(kCall) + "[a-2]\r\n" + std::string(kCall) + "[a]\r\n" + std::string(kCall));
  CHECK(accepted(imported).links.size() == 5);
  CHECK(imported.links[0].size() == 64);
  CHECK(imported.links[4] == "a-3");
  CHECK(imported.notes.front().reason.starts_with("its name became"));
}

TEST_CASE("what is no call is left out; a cable needs no number; a call without a number stays a comment") {
  const Imported imported = pbk("[vpn]\r\nType=2\r\nMEDIA=rastapi\r\nPort=VPN2-0\r\nDEVICE=vpn\r\nPhoneNumber=1\r\n"
                                "[cable]\r\nType=3\r\nMEDIA=serial\r\nPort=COM1\r\nDEVICE=direct\r\n"
                                "[empty]\r\nType=1\r\nMEDIA=serial\r\nPort=COM1\r\nDEVICE=modem\r\nPhoneNumber=call me\r\n");
  CHECK(imported.links == std::vector<std::string>{"cable"});
  CHECK(accepted(imported).links.front().modem == ModemKind::none);
  CHECK(imported.toml.find("# [link.empty]") != std::string::npos);
  CHECK(note_of(imported, "PhoneNumber")->reason == "holds a character that no modem dials");
}

TEST_CASE("alternates that were not dialled by themselves are not") {
  const Imported imported = pbk("[a]\r\nDEVICE=modem\r\nPhoneNumber=1\r\nPhoneNumber=2\r\nLastSelectedPhone=1\r\nTryNextAlternateOnFail=0\r\n");
  CHECK(accepted(imported).links.front().numbers == std::vector<std::string>{"2"});
  CHECK(note_of(imported, "TryNextAlternateOnFail") != nullptr);
}

TEST_CASE("static addresses, compression and flow control are carried") {
  const Link link = accepted(pbk("[a]\r\nIpAssign=2\r\nIpAddress=192.0.2.7\r\nSwCompression=0\r\nIpHeaderCompression=0\r\nIpInterfaceMetric=5\r\n"
                                 "DEVICE=modem\r\nPhoneNumber=1\r\nHwFlowControl=0\r\n")).links.front();
  CHECK(link.ppp_options == std::vector<std::string>{"noccp", "novj", "192.0.2.7:"});
  CHECK(link.flow == Flow::none);
  CHECK(link.default_route_metric == 5);
}

TEST_CASE("what is not carried is reported: unknown keys, terminals, scripts, dialling rules, second lines") {
  const Imported imported = pbk("[a]\r\nFrob=1\r\nCallbackMode=1\r\nRedialOnLinkFailure=0\r\nDEVICE=modem\r\nPhoneNumber=1\r\nAreaCode=02\r\n"
                                "UseDialingRules=1\r\nDEVICE=switch\r\nType=Terminal\r\nDEVICE=switch\r\nType=C:\\x\\oz.scp\r\n"
                                "MEDIA=serial\r\nPort=COM4\r\nMEDIA=serial\r\nPort=COM5\r\n");
  accepted(imported);
  CHECK(note_of(imported, "Frob")->kind == ImportNote::Kind::unknown);
  CHECK(note_of(imported, "Frob")->line == 2);
  CHECK(note_of(imported, "CallbackMode")->kind == ImportNote::Kind::by_hand);
  CHECK(note_of(imported, "RedialOnLinkFailure")->kind == ImportNote::Kind::no_meaning);
  CHECK(note_of(imported, "AreaCode")->reason.starts_with("dialling rules"));
  CHECK(note_of(imported, "Type")->reason.starts_with("a terminal"));
  CHECK(note_of(imported, "MEDIA")->reason.starts_with("a second line"));
  CHECK(imported.toml.find("# script = \"oz.scp\"") != std::string::npos);
}

TEST_CASE("every key is carried or reported") {
  const std::string text = "[a]\r\nFoo=1\r\nAutoLogon=0\r\nIpDnsAddress=192.0.2.1\r\nBaseProtocol=2\r\nPreferredPort=COM1\r\n";
  const Imported imported = pbk(text);
  for (const char* key : {"Foo", "AutoLogon", "IpDnsAddress", "BaseProtocol"}) CHECK_MESSAGE(note_of(imported, key) != nullptr, key);
}

TEST_CASE("wvdial's sections stand upon Defaults") {
  const Imported imported = wvdial("[Dialer Defaults]\nModem = /dev/ttyUSB0\nBaud=460800\nInit1 = ATZ\nPhone = 5551\nUsername = alice\n"
                                   "Stupid Mode = 1\nAuto DNS = on\nIdle Seconds = 90\nDial Attempts = 4\nFlowControl = Hardware (CRTSCTS)\n"
                                   "[Dialer Pulse]\nInit2 = ATX3\nDial Command = ATDP\nPhone1 = 5552\nArea Code = 02\n");
  const Config config = accepted(imported);
  CHECK(imported.links == std::vector<std::string>{"Defaults", "Pulse"});
  const Link& first = config.links[0].name == "Defaults" ? config.links[0] : config.links[1];
  CHECK(first.port == "/dev/ttyUSB0");
  CHECK(first.speed == 460800);
  CHECK(first.attempts == 4);
  CHECK(first.dns);
  CHECK(first.idle == Duration(90'000));
  CHECK(first.flow == Flow::rtscts);
  const Link* pulse = config.find_link("Pulse");
  REQUIRE(pulse != nullptr);
  CHECK(pulse->init == std::vector<std::string>{"ATZ", "ATX3"});
  CHECK(pulse->dial == "ATDP");
  CHECK(pulse->numbers == std::vector<std::string>{"025551", "025552"});
  CHECK(pulse->user == "alice");
}

TEST_CASE("a password and a PIN are in no output") {
  const Imported imported = wvdial("[Dialer Defaults]\nModem=/dev/x\nPhone=1\nPassword = sesame\nInit2=AT+CPIN=4711\nPasswort=oops77\n");
  accepted(imported);
  for (const std::string_view secret : {"sesame", "4711", "oops77"}) {
    CHECK(imported.toml.find(secret) == std::string::npos);
    for (const ImportNote& note : imported.notes) CHECK((note.reason + note.key).find(secret) == std::string::npos);
  }
  CHECK(note_of(imported, "Password")->kind == ImportNote::Kind::secret);
  CHECK(note_of(imported, "Init2")->kind == ImportNote::Kind::secret);
  CHECK(note_of(imported, "Passwort")->kind == ImportNote::Kind::secret);
}

TEST_CASE("wvdial: sections that inherit, and those that inherit each other") {
  const Imported imported = wvdial("[Dialer a]\nInherits = b\nPhone = 1\n[Dialer b]\nInherits = a\nBaud = 9600\nPhone = 2\n");
  const Config config = accepted(imported);
  CHECK(config.find_link("a")->speed == 9600);
  CHECK(config.find_link("a")->numbers == std::vector<std::string>{"1"});
}

TEST_CASE("wvdial: a section without a number is one to be stacked") {
  const Imported imported = wvdial("[Dialer quiet]\nInit3 = ATM0\n[Dialer isp]\nPhone = 1\nOdd Key = 1\n[Other]\nx=1\nstray\n");
  CHECK(imported.links == std::vector<std::string>{"isp"});
  CHECK(note_of(imported, "Odd Key")->kind == ImportNote::Kind::unknown);
  CHECK(note_of(imported, "stray")->line == 8);
  CHECK(imported.notes.front().reason.starts_with("has no number"));
}

TEST_CASE("values out of range leave the default") {
  const Link link = accepted(wvdial("[Dialer a]\nPhone=1\nBaud=1\nDial Attempts=99999\nIdle Seconds=0\nDial Timeout=0\nModem=ttyS0\n")).links.front();
  CHECK(link.speed == 115200);
  CHECK(link.attempts == 3);
  CHECK(link.idle == Duration(300'000));
}

TEST_CASE("the format is told by name or content") {
  CHECK(guess_import_format("/x/RasPhone.PBK", "") == ImportFormat::rasphone);
  CHECK(guess_import_format("/etc/wvdial.conf", "") == ImportFormat::wvdial);
  CHECK(guess_import_format("stdin", "; x\r\n[a]\r\nMEDIA=serial\r\n") == ImportFormat::rasphone);
  CHECK(guess_import_format("stdin", "# x\n[Dialer Defaults]\n") == ImportFormat::wvdial);
  CHECK_FALSE(guess_import_format("stdin", "[link.isp]\nport = \"/dev/x\"\n"));
}

TEST_CASE("what is no text is refused") {
  CHECK_FALSE(import_rasphone("\xFF\xFE[\0a\0"));
  CHECK_FALSE(import_wvdial(std::string_view("[Dialer\0]", 9)));
  CHECK(import_rasphone("\xEF\xBB\xBF[a]\r\nDEVICE=modem\r\nPhoneNumber=1\r\n")->links == std::vector<std::string>{"a"});
}
