// SPDX-License-Identifier: MIT
#include "base/json.hpp"

#include <nlohmann/json.hpp>

namespace longline {

using Json = nlohmann::ordered_json;

struct JsonObject::Impl {
  Json value = Json::object();
};

JsonObject::JsonObject() : impl_(std::make_unique<Impl>()) {}
JsonObject::JsonObject(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JsonObject::JsonObject(const JsonObject& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
JsonObject::JsonObject(JsonObject&&) noexcept = default;
JsonObject& JsonObject::operator=(JsonObject other) {
  impl_ = std::move(other.impl_);
  return *this;
}
JsonObject::~JsonObject() = default;

JsonObject& JsonObject::set(std::string_view key, std::string_view value) {
  impl_->value[std::string(key)] = std::string(value);
  return *this;
}
JsonObject& JsonObject::set(std::string_view key, std::int64_t value) {
  impl_->value[std::string(key)] = value;
  return *this;
}
JsonObject& JsonObject::set(std::string_view key, double value) {
  impl_->value[std::string(key)] = value;
  return *this;
}
JsonObject& JsonObject::set(std::string_view key, bool value) {
  impl_->value[std::string(key)] = value;
  return *this;
}
JsonObject& JsonObject::set_null(std::string_view key) {
  impl_->value[std::string(key)] = nullptr;
  return *this;
}
JsonObject& JsonObject::set(std::string_view key, const JsonObject& value) {
  impl_->value[std::string(key)] = value.impl_->value;
  return *this;
}
JsonObject& JsonObject::set(std::string_view key, const std::vector<JsonObject>& values) {
  Json array = Json::array();
  for (const JsonObject& v : values) array.push_back(v.impl_->value);
  impl_->value[std::string(key)] = std::move(array);
  return *this;
}
JsonObject& JsonObject::set(std::string_view key, const std::vector<std::string>& values) {
  impl_->value[std::string(key)] = values;
  return *this;
}

JsonObject& JsonObject::merge(const JsonObject& other) {
  for (const auto& [key, value] : other.impl_->value.items()) impl_->value[key] = value;
  return *this;
}

bool JsonObject::empty() const { return impl_->value.empty(); }
bool JsonObject::has(std::string_view key) const { return impl_->value.contains(std::string(key)); }

namespace {
const Json* member(const Json& object, std::string_view key) {
  const auto found = object.find(std::string(key));
  return found == object.end() ? nullptr : &*found;
}
}  // namespace

std::optional<std::string> JsonObject::string(std::string_view key) const {
  const Json* m = member(impl_->value, key);
  if (m == nullptr || !m->is_string()) return std::nullopt;
  return m->get<std::string>();
}
std::optional<std::int64_t> JsonObject::integer(std::string_view key) const {
  const Json* m = member(impl_->value, key);
  if (m == nullptr || !m->is_number_integer()) return std::nullopt;
  return m->get<std::int64_t>();
}
std::optional<double> JsonObject::number(std::string_view key) const {
  const Json* m = member(impl_->value, key);
  if (m == nullptr || !m->is_number()) return std::nullopt;
  return m->get<double>();
}
std::optional<bool> JsonObject::boolean(std::string_view key) const {
  const Json* m = member(impl_->value, key);
  if (m == nullptr || !m->is_boolean()) return std::nullopt;
  return m->get<bool>();
}
std::optional<JsonObject> JsonObject::object(std::string_view key) const {
  const Json* m = member(impl_->value, key);
  if (m == nullptr || !m->is_object()) return std::nullopt;
  auto impl = std::make_unique<Impl>();
  impl->value = *m;
  return JsonObject(std::move(impl));
}
std::vector<JsonObject> JsonObject::objects(std::string_view key) const {
  std::vector<JsonObject> out;
  const Json* m = member(impl_->value, key);
  if (m == nullptr || !m->is_array()) return out;
  for (const Json& element : *m) {
    if (!element.is_object()) continue;
    auto impl = std::make_unique<Impl>();
    impl->value = element;
    out.push_back(JsonObject(std::move(impl)));
  }
  return out;
}
std::vector<std::string> JsonObject::strings(std::string_view key) const {
  std::vector<std::string> out;
  const Json* m = member(impl_->value, key);
  if (m == nullptr || !m->is_array()) return out;
  for (const Json& element : *m) {
    if (element.is_string()) out.push_back(element.get<std::string>());
  }
  return out;
}

std::string JsonObject::dump() const { return impl_->value.dump(-1, ' ', false, Json::error_handler_t::replace); }

Result<JsonObject> parse_json_object(std::string_view text) {
  constexpr int kDeepest = 64;
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepest) return Error(Errc::malformed, "JSON is nested too deeply");
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  auto impl = std::make_unique<JsonObject::Impl>();
  impl->value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!impl->value.is_object()) return Error(Errc::malformed, "not a JSON object");
  return JsonObject(std::move(impl));
}

}  // namespace longline
