// SPDX-License-Identifier: MIT
#include "x400/presentation.hpp"

#include "x400/ber_reader.hpp"
#include "x400/ber_writer.hpp"

namespace longline::x400 {
namespace {

constexpr Tag kFullyEncoded = application(1);
constexpr Tag kSimplyEncoded = application(0);
constexpr std::int64_t kNormalMode = 1;
constexpr std::size_t kMostContexts = 64;
constexpr std::size_t kMostValues = 64;

void write_user_data(BerWriter& out, const std::vector<Pdv>& values) {
  if (values.empty()) return;
  out.constructed(kFullyEncoded, [&] {
    for (const Pdv& value : values) {
      out.sequence([&] {
        out.integer(value.context);
        out.constructed(context(0), [&] { out.raw(value.value); });
      });
    }
  });
}

/// PDV-list: the context, and the CHOICE of how the value is encoded.
struct PdvList {
  std::int64_t context = 0;
  BerElement value;
};

Result<PdvList> read_pdv_list(const BerElement& list) {
  LONGLINE_TRY(const auto parts, list.children());
  LONGLINE_TRY(const auto id, require(parts, tags::kInteger, "a presentation data value"));
  LONGLINE_TRY(const std::int64_t number, id.integer());
  for (const std::uint32_t form : {0u, 1u}) {
    if (const BerElement* value = find(parts, context(form))) return PdvList{number, *value};
  }
  return Error(Errc::malformed, "a presentation data value is neither one ASN.1 type nor aligned octets");
}

Result<Pdv> read_pdv(const BerElement& list) {
  LONGLINE_TRY(const PdvList read, read_pdv_list(list));
  if (read.value.is(context(0))) {
    LONGLINE_TRY(const auto value, read.value.child());
    return Pdv{read.context, std::string(value.whole)};
  }
  LONGLINE_TRY(auto octets, read.value.octets());
  LONGLINE_CHECK(BerReader::only(octets));
  return Pdv{read.context, std::move(octets)};
}

Result<std::vector<BerElement>> pdv_lists(const BerElement& element) {
  if (element.is(kSimplyEncoded)) return Error(Errc::malformed, "simply encoded presentation data, where contexts are needed");
  if (!element.is(kFullyEncoded)) return Error(Errc::malformed, to_string(element.tag) + " where presentation data were expected");
  LONGLINE_TRY(auto lists, element.children());
  if (lists.empty() || lists.size() > kMostValues) return Error(Errc::malformed, "no presentation data value, or too many");
  return lists;
}

Result<std::vector<Pdv>> read_user_data(const BerElement& element) {
  LONGLINE_TRY(const auto lists, pdv_lists(element));
  std::vector<Pdv> values;
  for (const BerElement& list : lists) {
    LONGLINE_TRY(auto value, read_pdv(list));
    values.push_back(std::move(value));
  }
  return values;
}

/// The user data among the parameters of a PPDU, where there are some.
Result<std::vector<Pdv>> find_user_data(const std::vector<BerElement>& parameters) {
  for (const BerElement& parameter : parameters) {
    if (parameter.tag.tag_class == TagClass::application) return read_user_data(parameter);
  }
  return std::vector<Pdv>{};
}

Result<std::string> find_octets(const std::vector<BerElement>& parameters, Tag tag) {
  const BerElement* found = find(parameters, tag);
  if (!found) return std::string();
  return found->octets();
}

Result<std::optional<std::int64_t>> find_integer(const std::vector<BerElement>& parameters, Tag tag) {
  const BerElement* found = find(parameters, tag);
  if (!found) return std::optional<std::int64_t>();
  LONGLINE_TRY(const std::int64_t number, found->integer());
  return std::optional<std::int64_t>(number);
}

void write_mode(BerWriter& out) {
  out.constructed(context(0), [&] { out.integer(kNormalMode, context(0)); });
}

/// The mode selector of CP and CPA.
Result<bool> is_normal_mode(const std::vector<BerElement>& parts) {
  LONGLINE_TRY(const auto selector, require(parts, context(0), "a presentation connection"));
  LONGLINE_TRY(const auto inside, selector.children());
  LONGLINE_TRY(const auto mode, require(inside, context(0), "the mode selector"));
  LONGLINE_TRY(const std::int64_t number, mode.integer());
  return number == kNormalMode;
}

Result<std::vector<PresentationContext>> read_contexts(const BerElement& list) {
  LONGLINE_TRY(const auto items, list.children());
  if (items.size() > kMostContexts) return Error(Errc::malformed, "too many presentation contexts");
  std::vector<PresentationContext> contexts;
  for (const BerElement& item : items) {
    LONGLINE_TRY(const auto parts, item.children());
    PresentationContext one;
    LONGLINE_TRY(const auto id, require(parts, tags::kInteger, "a presentation context"));
    LONGLINE_TRY(one.id, id.integer());
    LONGLINE_TRY(const auto abstract, require(parts, tags::kOid, "a presentation context"));
    LONGLINE_TRY(one.abstract_syntax, abstract.oid());
    LONGLINE_TRY(const auto transfer, require(parts, tags::kSequence, "a presentation context"));
    LONGLINE_TRY(const auto names, transfer.children());
    if (names.size() > kMostContexts) return Error(Errc::malformed, "too many transfer syntaxes");
    for (const BerElement& name : names) {
      LONGLINE_TRY(auto oid, name.oid());
      one.transfer_syntaxes.push_back(std::move(oid));
    }
    contexts.push_back(std::move(one));
  }
  return contexts;
}

void write_results(BerWriter& out, const std::vector<ContextResult>& results) {
  if (results.empty()) return;
  out.constructed(context(5), [&] {
    for (const ContextResult& one : results) {
      out.sequence([&] {
        out.integer(one.result, context(0));
        if (!one.transfer_syntax.empty()) out.oid(one.transfer_syntax, context(1));
        if (one.reason) out.integer(*one.reason, context(2));
      });
    }
  });
}

Result<std::vector<ContextResult>> find_results(const std::vector<BerElement>& parameters) {
  std::vector<ContextResult> results;
  const BerElement* list = find(parameters, context(5));
  if (!list) return results;
  LONGLINE_TRY(const auto items, list->children());
  if (items.size() > kMostContexts) return Error(Errc::malformed, "too many presentation contexts");
  for (const BerElement& item : items) {
    LONGLINE_TRY(const auto parts, item.children());
    ContextResult one;
    LONGLINE_TRY(const auto result, require(parts, context(0), "the answer to a presentation context"));
    LONGLINE_TRY(one.result, result.integer());
    if (const BerElement* name = find(parts, context(1))) {
      LONGLINE_TRY(one.transfer_syntax, name->oid());
    }
    LONGLINE_TRY(one.reason, find_integer(parts, context(2)));
    results.push_back(std::move(one));
  }
  return results;
}

/// The parameters of normal mode in a CP or CPA: the SEQUENCE [2]. Empty where it is left out.
Result<std::vector<BerElement>> normal_parameters(const std::vector<BerElement>& parts) {
  const BerElement* parameters = find(parts, context(2));
  if (!parameters) return std::vector<BerElement>{};
  return parameters->children();
}

}  // namespace

std::string encode_user_data(const std::vector<Pdv>& values) {
  BerWriter out;
  write_user_data(out, values);
  return out.take();
}

Result<std::vector<Pdv>> decode_user_data(std::string_view bytes) {
  LONGLINE_TRY(const auto element, BerReader::only(bytes));
  return read_user_data(element);
}

std::string encode_segment(std::int64_t id, std::string_view segment) {
  BerWriter number;
  number.integer(id);
  const std::size_t octets = header_size(tags::kOctetString, segment.size()) + segment.size();
  const std::size_t value = header_size(context(0), octets) + octets;
  const std::size_t list = number.bytes().size() + value;
  BerWriter head;
  head.header(kFullyEncoded, true, header_size(tags::kSequence, list) + list);
  head.header(tags::kSequence, true, list);
  head.raw(number.bytes());
  head.header(context(0), true, octets);
  head.header(tags::kOctetString, false, segment.size());
  std::string out;
  out.reserve(head.bytes().size() + segment.size());
  out += head.bytes();
  out += segment;
  return out;
}

Result<Segment> decode_segment(std::string_view bytes) {
  LONGLINE_TRY(const auto element, BerReader::only(bytes));
  LONGLINE_TRY(const auto lists, pdv_lists(element));
  if (lists.size() != 1) return Error(Errc::malformed, "several values in one segment of a transfer");
  LONGLINE_TRY(const PdvList read, read_pdv_list(lists.front()));
  BerElement octets = read.value;
  if (octets.is(context(1))) {
    LONGLINE_TRY(const std::string inside, octets.octets());
    LONGLINE_TRY(const auto whole, BerReader::only(inside));
    if (!whole.is(tags::kOctetString)) return Error(Errc::malformed, to_string(whole.tag) + " where a segment of a transfer was expected");
    LONGLINE_TRY(auto segment, whole.octets());
    return Segment{read.context, std::move(segment)};
  }
  LONGLINE_TRY(octets, read.value.child());
  if (!octets.is(tags::kOctetString)) return Error(Errc::malformed, to_string(octets.tag) + " where a segment of a transfer was expected");
  LONGLINE_TRY(auto segment, octets.octets());
  return Segment{read.context, std::move(segment)};
}

std::string encode_connect(const ConnectPpdu& connect) {
  BerWriter out;
  out.set([&] {
    write_mode(out);
    out.constructed(context(2), [&] {
      if (!connect.calling_selector.empty()) out.octets(connect.calling_selector, context(1));
      if (!connect.called_selector.empty()) out.octets(connect.called_selector, context(2));
      if (!connect.contexts.empty()) {
        out.constructed(context(4), [&] {
          for (const PresentationContext& one : connect.contexts) {
            out.sequence([&] {
              out.integer(one.id);
              out.oid(one.abstract_syntax);
              out.sequence([&] {
                for (const std::string& name : one.transfer_syntaxes) out.oid(name);
              });
            });
          }
        });
      }
      write_user_data(out, connect.user_data);
    });
  });
  return out.take();
}

Result<ConnectPpdu> decode_connect(std::string_view bytes) {
  LONGLINE_TRY(const auto whole, BerReader::only(bytes));
  if (!whole.is(tags::kSet)) return Error(Errc::malformed, to_string(whole.tag) + " where a presentation connection was expected");
  LONGLINE_TRY(const auto parts, whole.children());
  ConnectPpdu connect;
  LONGLINE_TRY(connect.normal_mode, is_normal_mode(parts));
  if (!connect.normal_mode) return connect;
  LONGLINE_TRY(const auto parameters, normal_parameters(parts));
  LONGLINE_TRY(connect.calling_selector, find_octets(parameters, context(1)));
  LONGLINE_TRY(connect.called_selector, find_octets(parameters, context(2)));
  if (const BerElement* list = find(parameters, context(4))) {
    LONGLINE_TRY(connect.contexts, read_contexts(*list));
  }
  LONGLINE_TRY(connect.user_data, find_user_data(parameters));
  return connect;
}

std::string encode_accept(const AcceptPpdu& accept) {
  BerWriter out;
  out.set([&] {
    write_mode(out);
    out.constructed(context(2), [&] {
      write_results(out, accept.results);
      write_user_data(out, accept.user_data);
    });
  });
  return out.take();
}

Result<AcceptPpdu> decode_accept(std::string_view bytes) {
  LONGLINE_TRY(const auto whole, BerReader::only(bytes));
  if (!whole.is(tags::kSet)) return Error(Errc::malformed, to_string(whole.tag) + " where the presentation's answer was expected");
  LONGLINE_TRY(const auto parts, whole.children());
  AcceptPpdu accept;
  LONGLINE_TRY(accept.normal_mode, is_normal_mode(parts));
  if (!accept.normal_mode) return accept;
  LONGLINE_TRY(const auto parameters, normal_parameters(parts));
  LONGLINE_TRY(accept.results, find_results(parameters));
  LONGLINE_TRY(accept.user_data, find_user_data(parameters));
  return accept;
}

std::string encode_refuse(const RefusePpdu& refuse) {
  BerWriter out;
  if (!refuse.normal_mode) {
    out.set([&] { out.integer(refuse.x410_reason.value_or(0), context(0)); });
    return out.take();
  }
  out.sequence([&] {
    write_results(out, refuse.results);
    if (refuse.provider_reason) out.integer(*refuse.provider_reason, context(10));
    write_user_data(out, refuse.user_data);
  });
  return out.take();
}

Result<RefusePpdu> decode_refuse(std::string_view bytes) {
  LONGLINE_TRY(const auto whole, BerReader::only(bytes));
  RefusePpdu refuse;
  refuse.normal_mode = !whole.is(tags::kSet);
  if (refuse.normal_mode && !whole.is(tags::kSequence)) {
    return Error(Errc::malformed, to_string(whole.tag) + " where the presentation's refusal was expected");
  }
  LONGLINE_TRY(const auto parameters, whole.children());
  if (!refuse.normal_mode) {
    LONGLINE_TRY(refuse.x410_reason, find_integer(parameters, context(0)));
    return refuse;
  }
  LONGLINE_TRY(refuse.results, find_results(parameters));
  LONGLINE_TRY(refuse.provider_reason, find_integer(parameters, context(10)));
  LONGLINE_TRY(refuse.user_data, find_user_data(parameters));
  return refuse;
}

std::string encode_abort(const AbortPpdu& abort) {
  BerWriter out;
  if (abort.by_provider) {
    out.sequence([&] {
      if (abort.reason) out.integer(*abort.reason, context(0));
    });
  } else {
    out.constructed(context(0), [&] { write_user_data(out, abort.user_data); });
  }
  return out.take();
}

Result<AbortPpdu> decode_abort(std::string_view bytes) {
  LONGLINE_TRY(const auto whole, BerReader::only(bytes));
  AbortPpdu abort;
  LONGLINE_TRY(const auto parameters, whole.children());
  if (whole.is(tags::kSequence) || whole.is(tags::kSet)) {
    abort.by_provider = whole.is(tags::kSequence);
    LONGLINE_TRY(abort.reason, find_integer(parameters, context(0)));
    return abort;
  }
  if (!whole.is(context(0))) return Error(Errc::malformed, to_string(whole.tag) + " where a presentation abort was expected");
  LONGLINE_TRY(abort.user_data, find_user_data(parameters));
  return abort;
}

std::string_view provider_reason_text(std::int64_t reason) {
  switch (reason) {
    case 1: return "congested for now";
    case 2: return "a local limit is exceeded";
    case 3: return "the presentation address is not known there";
    case 4: return "the protocol version is not supported";
    case 5: return "the default context is not supported";
    case 6: return "the user data could not be read";
    case 7: return "nobody serves this presentation address now";
    default: return "no reason was given";
  }
}

}  // namespace longline::x400
