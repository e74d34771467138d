// SPDX-License-Identifier: MIT
#include "link/explanation.hpp"

namespace longline::link {

const std::vector<EventMeaning>& event_meanings() {
  static const std::vector<EventMeaning> kMeanings = {
      {"answer.ready", "The modem of dialctl answer is initialised and waits for calls.", ""},
      {"call.answered", "A call that came in is connected.", ""},
      {"call.connected", "The modem said CONNECT.", ""},
      {"call.failed", "An attempt to reach a number failed (4106).", "dialctl explain with the event's ras number; stage and text say where"},
      {"call.missed", "It rang, and no connection came of it.",
       "'rings' and 'dial-timeout'; a person who called the modem's number; a noisy line"},
      {"call.refused",
       "A caller was refused: it could not say who it is, or may not call in.",
       "the name that it gave; caller-password-file of the link of that name"},
      {"call.ringing", "The modem heard a call that comes in.", ""},
      {"connector.failover",
       "A connector's retries are spent; the mail that it left goes through the connector of the next cost.",
       "the text says why; mtaq flush --connector NAME tries it at once"},
      {"demand.call", "Traffic to the routes of a link made dialctl demand call.",
       "what sends there, if it calls too often: tcpdump -ni LINK"},
      {"demand.ended", "dialctl demand has ended; its interface is gone.", ""},
      {"demand.hidden", "The routes of a link are hidden while it cannot be called: it backs off, or its hours are over.", "dialctl status LINK"},
      {"demand.ready", "The interface of dialctl demand is there and waits for traffic.", ""},
      {"ledger.failed",
       "The ledger of calls could not be written or read. The link works all the same.",
       "free space and rights of the folder of calls.db"},
      {"link.down", "The link went down; with a text when it was not asked to.", "seconds and bytes of the call; the text"},
      {"link.nothing-moved",
       "The link was up and mail was due, but nothing moved: money for nothing (9316, Q158279). It counts against the backoff.",
       "the names: 'peer-name' of the connector, and the name that the peer expects of us ('helo', 'mta-name')|mtaq list: the reasons of "
       "what was left|the events mail.deferred and queue.flushed of that call"},
      {"link.restored", "What a call changed on this host (default route, name servers) was put back later: the call had been killed.",
       "what killed it: dmesg, the events before"},
      {"link.unreachable", "A call failed, and the link is left alone for a while, as its 'backoff' says.",
       "'until' in the event; dialctl status LINK; dialctl up --now LINK calls in spite of it"},
      {"link.up", "The link can be used.", ""},
      {"login.failed",
       "The login script did not succeed (4106).",
       "the file in 'transcript': chatrun replay SCRIPT FILE shows where script and host part"},
      {"mail.bounced", "The peer refused a message for good; its sender gets a notice.", "the reply in the text"},
      {"mail.caller-refused",
       "An MTA called over X.400 and was not let in: its address (9301), its name (51), its password (48), or another reason (1293).",
       "the text says who came and who was expected: 'host', 'peer-mta-name', 'peer-password-file' of the connector|the other end: 'mta-name', "
       "'mta-password-file', 'source-address'"},
      {"mail.deferred", "The peer refused a message for now; it is tried again.", "the reply in the text"},
      {"mail.drop-refused", "A file in the drop folder was no message and was taken away.", "who has the uid of the event, and what writes there"},
      {"mail.dropped", "A message that a user left in the drop folder was taken into the spool.", ""},
      {"mail.duplicate", "A message came again that had been taken in: its sender had not heard so. It was accepted and dropped.",
       "nothing: it was delivered once"},
      {"mail.in-doubt",
       "The line was cut between a message's last byte and the reply; it is sent again with the same Message-ID.",
       "nothing: a copy is possible, a loss is not"},
      {"mail.left", "A message was not tried: the session ended before its turn.", "the event queue.flushed of that session"},
      {"mail.notified", "A notice to a sender was put into the queue.", ""},
      {"mail.received", "A message was taken in.", ""},
      {"mail.refused", "A message that was received could not be stored; the peer keeps it.", "the disk of the spool"},
      {"mail.reported", "An X.400 peer reported what became of a message; its sender gets a notice if he wants one.", ""},
      {"mail.resumed", "A transfer over X.400 went on behind its last checkpoint.", "nothing: what was there is not sent again"},
      {"mail.retrieve-failed", "The mail that waits at a peer could not be fetched; mtaq(1) says when it is due again.",
       "the reply in the text; 'retrieve', user and password of the connector|mtaq --verbose retrieve --connector NAME shows the dialogue"},
      {"mail.retrieved", "A peer was asked for the mail that it keeps for us, and what it handed over on the spot was taken in.", ""},
      {"mail.sent", "The peer took responsibility for a message.", ""},
      {"mail.tls-failed",
       "TLS was offered and failed; with tls = \"opportunistic\" the mail goes in clear text.",
       "the text; openssl s_client -starttls smtp -connect HOST:PORT|tls = \"required\" where clear text will not do"},
      {"mail.unreachable",
       "The connection to the next hop could not be opened (289).",
       "is the link up; host and port of the connector; routeadd get ADDRESS"},
      {"modem.recovery",
       "A modem that did not answer was brought back, or not, by a step of the recovery ladder.",
       "a modem that needs it often: power, cable, firmware; 'reset-command' in the configuration"},
      {"modem.trouble", "The modem that is to wait for calls is silent, refuses its initialisation, or is gone; it is tried again.",
       "power and cable; dialctl unlock PORT; 'init' against the modem's manual"},
      {"network.failed", "PPP did not come up over a call that was connected and logged in (4106).",
       "dialctl explain with the event's ras number|dialctl --verbose up LINK shows what pppd says"},
      {"queue.bounced", "Somebody gave a message up; its sender was told.", ""},
      {"queue.flushed", "A session with a next hop is over.", "due against sent"},
      {"queue.held", "Somebody held a message.", ""},
      {"queue.released", "Somebody released a message that was held.", ""},
      {"queue.removed", "Somebody removed a message.", ""},
      {"queue.requeued", "Somebody put a message back into the queue.", ""},
      {"route.conflict", "A foreign route has the network and metric of one of ours.", "routeadd check; ip route"},
      {"route.failed", "A link is up, but its routes, its default route or its name servers could not be set, or put back.",
       "the text; routeadd check; ip route"},
      {"route.installed", "Routes of ours were put into the kernel.", ""},
      {"route.refused", "The kernel refused a route, or the file of routes could not be read.", "routeadd plan"},
      {"route.removed", "Routes of ours were taken out of the kernel.", ""},
      {"route.restored", "An apply --confirm was not confirmed, and the old table is back.", "the text says why"},
  };
  return kMeanings;
}

const std::vector<EventMeaning>& event_id_meanings() {
  static const std::vector<EventMeaning> kMeanings = {
      {"289",
       "Exchange MTA: a connection to the remote MTA could not be opened. Here: mail.unreachable.",
       "is the link up; the peer's host name or address; for X.400 the TSAP selectors|with 1294 and 9316 beside it: the names of the "
       "MTAs do not match (Q158279)"},
      {"1294",
       "Exchange MTA: an association with the remote MTA ended abnormally. Here: a session that was cut; the mail stays.",
       "the line: link.down of the same time|names and passwords of the MTAs on both sides; association timers of a slow line (Q255991)"},
      {"4106",
       "Exchange Internet Mail Service: the dial-up connection could not be made. Here: call.failed and login.failed.",
       "the event's stage and ras number: dialctl explain NUMBER|a script that never ends and keeps the port (KB175410): chatrun check "
       "SCRIPT"},
      {"9301",
       "Exchange MTA: a caller's network address belongs to no connector that is known, and the association was refused.",
       "the address that the peer sees: a dual-homed host calls from the wrong one; 'source-address' of the connector (Q255991)|the "
       "peer's list of addresses; name resolution of the caller's address there"},
      {"9311",
       "Exchange MTA: a RAS communications error of a Dynamic RAS connector; it carries a RAS number.",
       "dialctl explain with that number; 0 means that RAS itself was fine and the MTA's session failed|the event call.failed or "
       "login.failed of the same time"},
      {"9316",
       "Exchange MTA: a communications error; no data was sent over the connection. Here: link.nothing-moved.",
       "the names of both MTAs: the name that the peer expects is not the name that ours gives (Q158279)|'peer-name' and 'helo' of the "
       "connector; mtaq list for the reasons"},
  };
  return kMeanings;
}

}  // namespace longline::link
