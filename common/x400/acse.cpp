// SPDX-License-Identifier: MIT
#include "x400/acse.hpp"

#include "x400/ber_reader.hpp"
#include "x400/ber_writer.hpp"
#include "x400/presentation.hpp"

namespace longline::x400 {
namespace {

constexpr Tag kUserInformation = context(30);

void write_data(BerWriter& out, const std::optional<AssociationData>& data) {
  if (!data) return;
  out.constructed(kUserInformation, [&] {
    out.constructed(tags::kExternal, [&] {
      out.oid(kBerSyntax);
      out.integer(data->context);
      out.constructed(context(0), [&] { out.raw(data->value); });
    });
  });
}

Result<std::optional<AssociationData>> find_data(const std::vector<BerElement>& parts) {
  const BerElement* information = find(parts, kUserInformation);
  if (!information) return std::optional<AssociationData>();
  LONGLINE_TRY(const auto externals, information->children());
  if (externals.empty()) return std::optional<AssociationData>();
  const BerElement& external = externals.front();
  if (!external.is(tags::kExternal)) return Error(Errc::malformed, to_string(external.tag) + " where an association's user information was expected");
  LONGLINE_TRY(const auto inside, external.children());
  AssociationData data;
  LONGLINE_TRY(const auto id, require(inside, tags::kInteger, "an association's user information"));
  LONGLINE_TRY(data.context, id.integer());
  if (const BerElement* single = find(inside, context(0))) {
    LONGLINE_TRY(const auto value, single->child());
    data.value = value.whole;
  } else {
    LONGLINE_TRY(const auto octets, require(inside, context(1), "an association's user information"));
    LONGLINE_TRY(data.value, octets.octets());
    LONGLINE_CHECK(BerReader::only(data.value));
  }
  return std::optional<AssociationData>(std::move(data));
}

Result<std::string> context_name(const std::vector<BerElement>& parts) {
  LONGLINE_TRY(const auto name, require(parts, context(1), "an association"));
  LONGLINE_TRY(const auto oid, name.child());
  return oid.oid();
}

Result<std::int64_t> reason(const std::vector<BerElement>& parts) {
  const BerElement* found = find(parts, context(0));
  if (!found) return std::int64_t{0};
  return found->integer();
}

void write(BerWriter& out, const AssociateRequest& request) {
  out.constructed(application(0), [&] {
    out.constructed(context(1), [&] { out.oid(request.context_name); });
    write_data(out, request.data);
  });
}

void write(BerWriter& out, const AssociateResponse& response) {
  out.constructed(application(1), [&] {
    out.constructed(context(1), [&] { out.oid(response.context_name); });
    out.constructed(context(2), [&] { out.integer(response.result); });
    out.constructed(context(3), [&] {
      out.constructed(context(response.by_provider ? 2 : 1), [&] { out.integer(response.diagnostic); });
    });
    write_data(out, response.data);
  });
}

void write(BerWriter& out, const ReleaseRequest& request) {
  out.constructed(application(2), [&] { out.integer(request.reason, context(0)); });
}

void write(BerWriter& out, const ReleaseResponse& response) {
  out.constructed(application(3), [&] { out.integer(response.reason, context(0)); });
}

void write(BerWriter& out, const AssociationAbort& abort) {
  out.constructed(application(4), [&] {
    out.integer(abort.by_provider ? 1 : 0, context(0));
    write_data(out, abort.data);
  });
}

Result<AcseApdu> read_response(const std::vector<BerElement>& parts) {
  AssociateResponse response;
  LONGLINE_TRY(response.context_name, context_name(parts));
  LONGLINE_TRY(const auto result, require(parts, context(2), "an association's answer"));
  LONGLINE_TRY(const auto number, result.child());
  LONGLINE_TRY(response.result, number.integer());
  if (const BerElement* source = find(parts, context(3))) {
    LONGLINE_TRY(const auto whose, source->child());
    LONGLINE_TRY(const auto diagnostic, whose.child());
    response.by_provider = whose.is(context(2));
    LONGLINE_TRY(response.diagnostic, diagnostic.integer());
  }
  LONGLINE_TRY(response.data, find_data(parts));
  return AcseApdu(std::move(response));
}

}  // namespace

std::string encode_acse(const AcseApdu& apdu) {
  BerWriter out;
  std::visit([&](const auto& one) { write(out, one); }, apdu);
  return out.take();
}

Result<AcseApdu> decode_acse(std::string_view bytes) {
  LONGLINE_TRY(const auto whole, BerReader::only(bytes));
  if (whole.tag.tag_class != TagClass::application || whole.tag.number > 4) {
    return Error(Errc::malformed, to_string(whole.tag) + " where association control was expected");
  }
  LONGLINE_TRY(const auto parts, whole.children());
  switch (whole.tag.number) {
    case 0: {
      AssociateRequest request;
      LONGLINE_TRY(request.context_name, context_name(parts));
      LONGLINE_TRY(request.data, find_data(parts));
      return AcseApdu(std::move(request));
    }
    case 1: return read_response(parts);
    case 2: {
      LONGLINE_TRY(const std::int64_t why, reason(parts));
      return AcseApdu(ReleaseRequest{why});
    }
    case 3: {
      LONGLINE_TRY(const std::int64_t why, reason(parts));
      return AcseApdu(ReleaseResponse{why});
    }
    default: {
      AssociationAbort abort;
      LONGLINE_TRY(const std::int64_t source, reason(parts));
      abort.by_provider = source == 1;
      LONGLINE_TRY(abort.data, find_data(parts));
      return AcseApdu(std::move(abort));
    }
  }
}

std::string_view diagnostic_text(bool by_provider, std::int64_t diagnostic) {
  if (by_provider) return diagnostic == 2 ? "no common version of association control" : "association control gives no reason";
  switch (diagnostic) {
    case 2: return "the application context is not supported";
    case 3: return "it does not know our application process title";
    case 4: return "it does not know our application process invocation";
    case 5: return "it does not know our application entity qualifier";
    case 6: return "it does not know our application entity invocation";
    case 7: return "it does not know the application process title that we called";
    case 8: return "it does not know the application process invocation that we called";
    case 9: return "it does not know the application entity qualifier that we called";
    case 10: return "it does not know the application entity invocation that we called";
    default: return "no reason was given";
  }
}

}  // namespace longline::x400
