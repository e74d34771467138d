// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "sys/tls/tls_library.hpp"

namespace longline::sys {

/// What is wrong with a peer's certificate, in one clause: "the certificate of mail.example.com expired on 2024-02-29". `error` and
/// `depth` as OpenSSL's verification has them. Names out of the certificate are escaped.
std::string certificate_fault(const TlsLibrary& ssl, int error, int depth, X509* certificate, const std::string& name);

/// For a session that was resumed, whose certificate was checked when it began: is it still valid, and for this name? "" if so.
std::string leaf_fault(const TlsLibrary& ssl, X509* certificate, const std::string& name);

}  // namespace longline::sys
