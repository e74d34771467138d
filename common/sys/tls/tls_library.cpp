// SPDX-License-Identifier: MIT
#include "sys/tls/tls_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <string>
#include <string_view>

namespace longline::sys {
namespace {

#define LONGLINE_TEXT(number) #number
#define LONGLINE_SONAME(name, major) "lib" name ".so." LONGLINE_TEXT(major)

Result<void*> load(const char* name) {
  void* library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library != nullptr) return library;
  const char* why = ::dlerror();
  return Error(Errc::os, fmt::format("TLS needs {}: {}", name, why == nullptr ? "cannot be loaded" : why), Stage::connect)
      .with_hint("install libssl3");
}

template <class Function>
bool bind(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

Result<TlsLibrary> load_all() {
  LONGLINE_TRY(void* crypto, load(LONGLINE_SONAME("crypto", OPENSSL_SHLIB_VERSION)));
  LONGLINE_TRY(void* ssl, load(LONGLINE_SONAME("ssl", OPENSSL_SHLIB_VERSION)));
  TlsLibrary library;
  const char* missing = nullptr;
#define LONGLINE_BIND_SSL(name) if (!bind(ssl, #name, library.name)) missing = #name;
#define LONGLINE_BIND_CRYPTO(name) if (!bind(crypto, #name, library.name)) missing = #name;
  LONGLINE_SSL_FUNCTIONS(LONGLINE_BIND_SSL)
  LONGLINE_CRYPTO_FUNCTIONS(LONGLINE_BIND_CRYPTO)
  if (missing != nullptr) return Error(Errc::os, fmt::format("TLS: this system's OpenSSL has no {}", missing), Stage::connect);
  return library;
}

}  // namespace

Result<const TlsLibrary*> tls_library() {
  static const Result<TlsLibrary> library = load_all();
  if (!library) return library.error();
  return &*library;
}

Result<std::string> sha256_hex(std::string_view bytes) {
  LONGLINE_TRY(const TlsLibrary* library, tls_library());
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (library->EVP_Digest(bytes.data(), bytes.size(), digest, &length, library->EVP_sha256(), nullptr) != 1) {
    return Error(Errc::os, "OpenSSL has no SHA-256");
  }
  std::string out;
  for (unsigned i = 0; i < length; ++i) out += fmt::format("{:02x}", digest[i]);
  return out;
}

std::string hmac_md5(std::string_view key, std::string_view text) {
  const Result<const TlsLibrary*> library = tls_library();
  if (!library) return "";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const bool done = (*library)->HMAC((*library)->EVP_md5(), key.data(), static_cast<int>(key.size()), bytes, text.size(), digest, &length) != nullptr;
  return done ? std::string(reinterpret_cast<const char*>(digest), length) : std::string();
}

}  // namespace longline::sys
