// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/json.hpp"
#include "base/text.hpp"
#include "dialctl.d/verbs.hpp"
#include "sys/port/port_holder.hpp"
#include "sys/port/port_list.hpp"
#include "sys/port/port_probe.hpp"

namespace longline::tools::dialctl {
namespace {

/// One port, of this host or of a link.
struct Row {
  sys::SerialPortInfo info;             ///< of a port that is no serial one only `device` is set
  bool present = true;
  std::vector<const config::Link*> links;
  std::optional<sys::PortHolder> holder;
  std::optional<sys::PortProbe> probe;
  std::string problem;                  ///< why it could not be probed
};

std::vector<Row> all_ports(const World& world) {
  std::vector<Row> rows;
  for (sys::SerialPortInfo& info : sys::list_serial_ports()) rows.push_back({std::move(info), true, {}, {}, {}, ""});
  for (const config::Link& link : world.config.links) {
    std::error_code missing;
    std::string device = link.port;
    if (!link.port.starts_with("tcp:")) {
      const std::filesystem::path real = std::filesystem::canonical(link.port, missing);
      if (!missing) device = real;
    }
    auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.info.device == device; });
    if (row == rows.end()) row = rows.insert(rows.end(), Row{{device, "", "", {}}, !missing, {}, {}, {}, ""});
    row->links.push_back(&link);
  }
  for (Row& row : rows) row.holder = sys::port_holder(row.info.device, world.paths.run_dir);
  return rows;
}

/// The speeds that its links say, then the usual ones.
std::vector<int> speeds_of(const Row& row) {
  std::vector<int> speeds;
  for (const config::Link* link : row.links) speeds.push_back(link->speed);
  for (const int usual : {115200, 9600, 57600, 38400, 19200}) speeds.push_back(usual);
  std::vector<int> once;
  for (const int speed : speeds) {
    if (std::find(once.begin(), once.end(), speed) == once.end()) once.push_back(speed);
  }
  return once;
}

void probe(const World& world, Row& row) {
  if (row.holder || !row.present) return;
  Result<sys::PortProbe> probed = sys::probe_port(row.info.device, world.paths.run_dir, speeds_of(row));
  if (probed) row.probe = std::move(*probed);
  else row.problem = probed.error().message();
}

JsonObject as_json(const Row& row) {
  const auto maybe = [](const std::string& s) { return s.empty() ? std::nullopt : std::optional(s); };
  JsonObject out;
  out.set("port", row.info.device).set("present", row.present).set("by_id", maybe(row.info.by_id)).set("driver", maybe(row.info.driver));
  if (const std::optional<sys::UsbIdentity>& usb = row.info.usb) {
    out.set("usb", JsonObject().set("vendor", usb->vendor).set("product", usb->product).set("manufacturer", maybe(usb->manufacturer))
                       .set("description", maybe(usb->description)).set("serial", maybe(usb->serial)));
  } else {
    out.set_null("usb");
  }
  std::vector<std::string> links;
  for (const config::Link* link : row.links) links.push_back(link->name);
  out.set("links", links);
  if (row.holder) {
    JsonObject holder;
    holder.set("pid", row.holder->pid == 0 ? std::nullopt : std::optional(row.holder->pid)).set("command", maybe(row.holder->name));
    out.set("holder", holder.set("method", row.holder->method));
  } else {
    out.set_null("holder");
  }
  out.set("probed", row.probe.has_value());
  if (row.probe && row.probe->modem.answers) {
    out.set("modem", JsonObject().set("speed", row.probe->speed).set("identity", maybe(row.probe->modem.identity))
                         .set("model", maybe(row.probe->modem.model)));
  } else {
    out.set_null("modem");
  }
  return out.set("problem", maybe(row.problem));
}

std::string as_text(const Row& row) {
  std::string out = fmt::format("{:<16}", escape(row.info.device));
  if (!row.present) out += "  not there";
  if (!row.info.driver.empty()) out += "  " + escape(row.info.driver);
  if (const std::optional<sys::UsbIdentity>& usb = row.info.usb) {
    out += fmt::format("  {}:{}", escape(usb->vendor), escape(usb->product));
    for (const std::string& text : {usb->manufacturer, usb->description, usb->serial}) {
      if (!text.empty()) out += " " + escape_at_most(text, 80);
    }
  }
  for (const config::Link* link : row.links) out += "  link " + escape(link->name);
  if (row.holder) {
    out += row.holder->pid == 0 ? "  held" : fmt::format("  held by {} ({})", row.holder->pid, escape_at_most(row.holder->name, 64));
    out += ", " + escape(row.holder->method);
  } else if (row.present) {
    out += "  free";
  }
  if (!row.info.by_id.empty()) out += "\n  " + escape(row.info.by_id);
  if (!row.problem.empty()) out += "\n  not probed: " + escape_at_most(row.problem, 200);
  if (row.probe && !row.probe->modem.answers) out += "\n  no modem answers";
  if (row.probe && row.probe->modem.answers) {
    out += "\n  a modem answers";
    if (row.probe->speed) out += fmt::format(" at {} bit/s", *row.probe->speed);
    const modem::Probed& modem = row.probe->modem;
    if (!modem.identity.empty()) out += ": " + modem.identity;
    if (!modem.model.empty()) out += ", model " + modem.model;
  }
  return out + "\n";
}

}  // namespace

Result<ExitStatus> ports(const World& world) {
  for (Row& row : all_ports(world)) {
    if (world.options.probe) probe(world, row);
    const std::string text = world.options.common.json ? as_json(row).dump() + "\n" : as_text(row);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }
  return ExitStatus::ok;
}

}  // namespace longline::tools::dialctl
