// SPDX-License-Identifier: MIT
#include "sys/tls/tls_certificate.hpp"

#include <fmt/format.h>

#include <ctime>

#include "base/text.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kLongestName = 100;
constexpr int kMostNames = 5;

std::string common_name(const TlsLibrary& ssl, X509_NAME* name) {
  char text[256];
  const int length = name == nullptr ? -1 : ssl.X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof text);
  return length < 0 ? "?" : escape_at_most(std::string_view(text, static_cast<std::size_t>(length)), kLongestName);
}

std::string date(const TlsLibrary& ssl, const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ssl.ASN1_TIME_to_tm(time, &parts) != 1) return "an unreadable date";
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

/// The host names that a certificate is for.
std::string names(const TlsLibrary& ssl, X509* certificate) {
  auto* all = static_cast<GENERAL_NAMES*>(ssl.X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (all == nullptr) return "'" + common_name(ssl, ssl.X509_get_subject_name(certificate)) + "'";
  std::string out;
  const auto* stack = reinterpret_cast<const OPENSSL_STACK*>(all);
  int shown = 0;
  for (int i = 0; i < ssl.OPENSSL_sk_num(stack); ++i) {
    const auto* name = static_cast<const GENERAL_NAME*>(ssl.OPENSSL_sk_value(stack, i));
    if (name->type != GEN_DNS) continue;
    if (++shown > kMostNames) {
      out += " and others";
      break;
    }
    const auto* bytes = reinterpret_cast<const char*>(ssl.ASN1_STRING_get0_data(name->d.dNSName));
    const auto length = static_cast<std::size_t>(ssl.ASN1_STRING_length(name->d.dNSName));
    out += fmt::format("{}'{}'", out.empty() ? "" : ", ", escape_at_most(std::string_view(bytes, length), kLongestName));
  }
  ssl.GENERAL_NAMES_free(all);
  return out.empty() ? "no host name" : out;
}

}  // namespace

std::string certificate_fault(const TlsLibrary& ssl, int error, int depth, X509* certificate, const std::string& name) {
  const std::string peer = name.empty() ? "the peer" : escape_at_most(name, kLongestName);
  std::string which = "the certificate of " + peer;
  if (certificate == nullptr) return which + ": " + ssl.X509_verify_cert_error_string(error);
  if (depth > 0) which = fmt::format("a certificate behind that of {} ('{}')", peer, common_name(ssl, ssl.X509_get_subject_name(certificate)));
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return fmt::format("{} expired on {}", which, date(ssl, ssl.X509_get0_notAfter(certificate)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format("{} is not valid before {}; this host's clock may be wrong", which, date(ssl, ssl.X509_get0_notBefore(certificate)));
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return which + " is self-signed";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return fmt::format("{} is signed by '{}', which is not trusted", which, common_name(ssl, ssl.X509_get_issuer_name(certificate)));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("the certificate is for {}, not for {}", names(ssl, certificate), peer);
    default: return which + ": " + ssl.X509_verify_cert_error_string(error);
  }
}

std::string leaf_fault(const TlsLibrary& ssl, X509* certificate, const std::string& name) {
  if (certificate == nullptr) return "the peer showed no certificate";
  const auto fault = [&](int error) { return certificate_fault(ssl, error, 0, certificate, name); };
  if (ssl.X509_cmp_time(ssl.X509_get0_notAfter(certificate), nullptr) < 0) return fault(X509_V_ERR_CERT_HAS_EXPIRED);
  if (name.empty() || ssl.X509_check_ip_asc(certificate, name.c_str(), 0) == 1) return "";
  const bool fits = ssl.X509_check_host(certificate, name.c_str(), name.size(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr) == 1;
  return fits ? "" : fault(X509_V_ERR_HOSTNAME_MISMATCH);
}

}  // namespace longline::sys
