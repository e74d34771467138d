// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.hpp"
#include "base/time.hpp"
#include "config/name_server.hpp"
#include "config/policy.hpp"
#include "config/secret_source.hpp"
#include "config/x400.hpp"

namespace longline::config {

enum class Flow { none, rtscts, xonxoff };
enum class ModemKind { none, hayes, gsm };
enum class Network { ppp, stream };
/// What a PPP link does about the default route while it is up: nothing; one of its own beside the others, which wins by its metric
/// or not; or one instead of them, which are put back on down.
enum class DefaultRoute { none, beside, replace };

/// [link.NAME]; keys, units and defaults as in longline.toml(5).
struct Link {
  std::string name;
  Where where;
  std::string port;                   ///< "/dev/…" or "tcp:host:port"
  int speed = 115200;                 ///< bit/s between DTE and DCE
  std::string framing = "8N1";
  Flow flow = Flow::rtscts;
  ModemKind modem = ModemKind::hayes;
  std::vector<std::string> init{"ATZ", "ATE0V1Q0X4&C1&D2"};
  std::string dial = "ATDT";
  std::vector<std::string> numbers;
  Duration dial_timeout{60'000};      ///< per number, to CONNECT
  int attempts = 3;                   ///< per call of `up`, over all numbers
  Duration interval{60'000};          ///< between two attempts
  std::string script;                 ///< absolute; empty: none
  Duration login_timeout{300'000};    ///< deadline of the whole script
  std::string user;
  SecretSource password;
  Network network = Network::ppp;
  std::vector<std::string> ppp_options;
  Duration network_timeout{60'000};   ///< from the login's end until the PPP link is up
  DefaultRoute default_route = DefaultRoute::none;
  int default_route_metric = 700;
  bool dns = false;
  Duration idle{300'000};             ///< without traffic
  Duration max_call{14'400'000};
  std::string apn;                    ///< of a cellular modem; empty: it keeps what it has
  SecretSource pin;                   ///< of its SIM
  Duration registration_timeout{60'000};
  bool roaming = false;               ///< a foreign network will do
  std::vector<std::string> reset_command;  ///< argv, run when nothing else wakes the modem
  std::vector<std::string> on_failure;  ///< argv, run when a call failed for good
  std::vector<Hours> hours;           ///< empty: at any time
  bool urgent_any_hour = false;       ///< a call of grade urgent may break the hours
  std::optional<Backoff> backoff;     ///< absent: every run may dial
  Budget budget;
  Tariff tariff;
  std::string pool;                   ///< addresses for callers, "192.168.1.0/29"; address_pool.hpp reads it
  SecretSource caller_password;
  int rings = 1;                      ///< `answer` answers at this one
  bool authenticate_peer = false;
  bool forward = false;
};

enum class Protocol { smtp, x400 };
enum class TlsMode { none, opportunistic, required, implicit };

/// How mail is fetched from the peer.
struct Retrieve {
  enum class By { etrn, atrn, turn, command } by = By::etrn;
  std::vector<std::string> domains;
  std::vector<std::string> command;
  int port = 0;                       ///< of the peer; 0: the connector's, and for ATRN 366
  Duration deadline{600'000};         ///< for `command`
  Duration every{14'400'000};
};

/// When a connector's mail is worth a call: any one suffices. None: one message is enough.
struct DueTriggers {
  std::optional<std::int64_t> messages{};
  std::optional<std::int64_t> bytes{};
  std::optional<Duration> oldest{};
  bool urgent = false;                ///< one urgent message
  bool empty() const { return !messages && !bytes && !oldest && !urgent; }
};

/// [connector.NAME]
struct Connector {
  std::string name;
  Where where;
  std::vector<std::string> domains;   ///< lower case; "example.com", "*.example.com" (below it), "*" (any)
  int cost = 10;
  std::string link;                   ///< empty: reached over the LAN, never dials
  Protocol protocol = Protocol::smtp;
  std::string host;                   ///< a host's name or address; "line": the byte stream of a stream link; "mx": by DNS
  std::string peer_name;              ///< what the peer must call itself in banner and EHLO reply; empty: any
  int port = 25;
  std::string source_address;
  TlsMode tls = TlsMode::none;
  std::string tls_ca_file;            ///< absolute; PEM; empty: the authorities that the system trusts
  bool tls_verify = true;             ///< required and implicit: the certificate must be good
  std::string tls_certificate;        ///< our own, absolute, PEM with its chain; empty: none
  std::string tls_key;                ///< its key, absolute; empty: in the same file
  bool allow_plain_auth = false;      ///< the password may cross a TCP connection in clear text
  std::string helo;                   ///< empty: the host's name
  std::string user;
  SecretSource password;
  std::optional<NameServer> nameserver;  ///< for host "mx"; absent: the system's
  int max_open_retries = 7;           ///< openings that may fail in a row, beyond the first, before the next cost's turn
  Duration open_interval{120'000};    ///< after an opening that failed
  int max_transfer_retries = 2;       ///< sessions that may break off in a row with nothing moved, beyond the first
  Duration transfer_interval{120'000};
  std::vector<Hours> hours;           ///< when it may be used; empty: at any time
  Duration expire{432'000'000};       ///< counted while link and connector could be used
  Duration delay_warning{14'400'000}; ///< likewise; zero: never
  DueTriggers due;
  bool chunking = true;               ///< use BDAT where the peer offers it
  bool pipelining = true;             ///< use PIPELINING where the peer offers it
  std::optional<std::int64_t> max_size{};  ///< larger messages are refused for good before the call
  std::optional<Retrieve> retrieve{};      ///< read and checked, but not in force yet
  X400 x400{};                        ///< in force where protocol is x400
};

/// [receive]: where mail that comes in goes; at most one of them is set, none means the spool's inbox.
struct Receive {
  std::string maildir;                ///< absolute
  std::string lmtp;                   ///< "HOST:PORT", or the path of a Unix socket
  std::vector<std::string> command;   ///< argv; recipients follow as arguments
};

/// The whole configuration. Immutable once read.
struct Config {
  std::string file;                   ///< "" when a default file is missing
  std::vector<Link> links;
  std::vector<Connector> connectors;
  std::vector<std::string> local_domains;   ///< what `mtaq receive` accepts; lower case
  std::vector<std::string> relay_domains;   ///< what it takes from anybody and passes on
  std::vector<std::string> relay_from;      ///< networks of clients whose mail it passes on anywhere: "192.0.2.0/24"
  Receive receive;
  std::string postmaster = "postmaster";    ///< envelope-less notices go to this recipient
  std::string queue = "spool";              ///< of mtaq; what parse_queue_name() reads

  const Link* find_link(std::string_view name) const;
  const Connector* find_connector(std::string_view name) const;
  std::vector<std::string> link_names() const;
  std::vector<std::string> connector_names() const;
};

/// One file of the configuration, already read.
struct ConfigText {
  std::string path;     ///< absolute; relative names inside are relative to its folder
  std::string text;
};

/// The outcome of reading: a Config if there are no errors among the diagnostics, and the texts for their carets.
struct ParsedConfig {
  Config config;
  std::vector<Diagnostic> diagnostics;
  std::vector<SourceText> sources;
};

/// Parses and checks all files as one configuration. Pure: whether secret files can be read is checked by sys.
ParsedConfig parse_config(const std::vector<ConfigText>& files);

}  // namespace longline::config
