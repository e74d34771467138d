// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace longline::sys {

// What we call of OpenSSL.
#define LONGLINE_SSL_FUNCTIONS(X)                                                                                                  \
  X(TLS_client_method) X(SSL_CTX_new) X(SSL_CTX_free) X(SSL_CTX_ctrl) X(SSL_CTX_set_options) X(SSL_CTX_load_verify_file)           \
  X(SSL_CTX_set_default_verify_paths) X(SSL_CTX_set_verify) X(SSL_CTX_sess_set_new_cb) X(SSL_CTX_use_certificate_chain_file)       \
  X(SSL_CTX_use_PrivateKey_file) X(SSL_CTX_check_private_key) X(SSL_new) X(SSL_free) X(SSL_set_bio) X(SSL_set_connect_state)       \
  X(SSL_do_handshake) X(SSL_read) X(SSL_write) X(SSL_pending) X(SSL_get_error) X(SSL_shutdown) X(SSL_ctrl) X(SSL_get0_param)       \
  X(SSL_set_session) X(SSL_session_reused) X(SSL_get_verify_result) X(SSL_get1_peer_certificate) X(SSL_get_version)                \
  X(SSL_get_current_cipher) X(SSL_CIPHER_get_name) X(SSL_set_ex_data) X(SSL_get_ex_data) X(SSL_get_ex_data_X509_STORE_CTX_idx)     \
  X(SSL_SESSION_free) X(SSL_SESSION_get_time) X(SSL_SESSION_get_timeout) X(SSL_SESSION_is_resumable) X(d2i_SSL_SESSION)            \
  X(i2d_SSL_SESSION)
#define LONGLINE_CRYPTO_FUNCTIONS(X)                                                                                               \
  X(BIO_new) X(BIO_s_mem) X(BIO_read) X(BIO_write) X(BIO_ctrl_pending) X(X509_STORE_CTX_get_error)                                 \
  X(X509_STORE_CTX_get_error_depth) X(X509_STORE_CTX_get_current_cert) X(X509_STORE_CTX_get_ex_data)                               \
  X(X509_verify_cert_error_string) X(X509_get0_notAfter) X(X509_get0_notBefore) X(X509_cmp_time) X(X509_get_issuer_name)           \
  X(X509_get_subject_name) X(X509_NAME_get_text_by_NID) X(X509_get_ext_d2i) X(GENERAL_NAMES_free) X(OPENSSL_sk_num)                \
  X(OPENSSL_sk_value) X(ASN1_STRING_get0_data) X(ASN1_STRING_length) X(ASN1_TIME_to_tm) X(X509_VERIFY_PARAM_set1_host)             \
  X(X509_VERIFY_PARAM_set1_ip_asc) X(X509_VERIFY_PARAM_set_hostflags) X(X509_check_host) X(X509_check_ip_asc) X(X509_free)         \
  X(ERR_get_error) X(ERR_peek_last_error) X(ERR_reason_error_string) X(ERR_clear_error) X(EVP_md5) X(EVP_sha256)              \
  X(EVP_Digest) X(HMAC)

/// OpenSSL, loaded when it is first needed: `mtaq add` and its like start in half the time without it (3 of 6 ms). Calls that
/// are macros in OpenSSL's headers are not here.
struct TlsLibrary {
#define LONGLINE_DECLARE(name) decltype(&::name) name = nullptr;
  LONGLINE_SSL_FUNCTIONS(LONGLINE_DECLARE)
  LONGLINE_CRYPTO_FUNCTIONS(LONGLINE_DECLARE)
#undef LONGLINE_DECLARE
};

/// Never unloaded. Errc::os: not installed, or another version than this program was made with.
Result<const TlsLibrary*> tls_library();

/// SHA-256 in lower-case hexadecimal. Errc::os where the system has no OpenSSL.
Result<std::string> sha256_hex(std::string_view bytes);
/// HMAC-MD5 (RFC 2104), 16 bytes; "" where the system has no OpenSSL, or forbids MD5.
std::string hmac_md5(std::string_view key, std::string_view text);

}  // namespace longline::sys
