// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "x400/ipm.hpp"
#include "x400/p1_fields.hpp"
#include "x400/teletex.hpp"

namespace longline::x400 {
namespace {

constexpr std::size_t kLongestIpmId = 64;          // ub-local-ipm-identifier
constexpr std::size_t kLongestFreeForm = 64;    // ub-free-form-name
constexpr std::size_t kLongestSubject = 128;    // ub-subject-field
constexpr std::size_t kLongestHeadingText = 4096;      // of another's field: bounds are stretched
constexpr Tag kIpmId = application(11);

void write_ipm_id(BerWriter& w, const IpmId& id, Tag tag) {
  w.constructed(tag, [&] {
    if (id.user) write_or_name(w, *id.user);
    w.primitive(tags::kPrintableString, p1::printable(id.local, kLongestIpmId));
  });
}

Result<IpmId> read_ipm_id(const BerElement& element) {
  LONGLINE_TRY(const auto parts, element.children());
  IpmId out;
  for (const BerElement& part : parts) {
    if (part.is(application(0))) {
      LONGLINE_TRY(out.user, read_or_name(part));
    } else if (part.is(tags::kPrintableString)) {
      LONGLINE_TRY(out.local, p1::short_text(part, kLongestHeadingText));
    }
  }
  return out;
}

Result<std::vector<IpmId>> read_ipm_ids(const BerElement& element) {
  LONGLINE_TRY(const auto elements, element.children());
  std::vector<IpmId> out;
  for (const BerElement& one : elements) {
    LONGLINE_TRY(out.emplace_back(), read_ipm_id(one));
  }
  return out;
}

void write_descriptor(BerWriter& w, const OrDescriptor& descriptor, Tag tag) {
  w.constructed(tag, [&] {
    if (descriptor.name) write_or_name(w, *descriptor.name);
    if (!descriptor.free_form.empty()) w.primitive(context(0), to_teletex(descriptor.free_form).substr(0, kLongestFreeForm));
  });
}

Result<OrDescriptor> read_descriptor(const BerElement& element) {
  LONGLINE_TRY(const auto parts, element.children());
  OrDescriptor out;
  for (const BerElement& part : parts) {
    if (part.is(application(0))) {
      LONGLINE_TRY(out.name, read_or_name(part));
    } else if (part.is(context(0))) {
      LONGLINE_TRY(const std::string text, p1::short_text(part, kLongestHeadingText));
      out.free_form = from_teletex(text);
    }
  }
  return out;
}

/// Recipient specifiers, or descriptors alone where `bare`.
Result<std::vector<OrDescriptor>> read_people(const BerElement& element, bool bare) {
  LONGLINE_TRY(const auto elements, element.children());
  std::vector<OrDescriptor> out;
  for (const BerElement& one : elements) {
    if (bare) {
      LONGLINE_TRY(out.emplace_back(), read_descriptor(one));
      continue;
    }
    LONGLINE_TRY(const auto parts, one.children());
    LONGLINE_TRY(const BerElement recipient, require(parts, context(0), "a recipient of a heading"));
    LONGLINE_TRY(out.emplace_back(), read_descriptor(recipient));
  }
  return out;
}

void write_people(BerWriter& w, const std::vector<OrDescriptor>& people, Tag tag, bool bare) {
  if (people.empty()) return;
  w.constructed(tag, [&] {
    for (const OrDescriptor& person : people) {
      if (bare) write_descriptor(w, person, tags::kSet);
      else w.set([&] { write_descriptor(w, person, context(0)); });
    }
  });
}

Result<void> read_field(const BerElement& field, IpmHeading& out) {
  if (field.is(kIpmId)) {
    LONGLINE_TRY(out.id, read_ipm_id(field));
    return {};
  }
  if (field.tag.tag_class != TagClass::context) return {};
  switch (field.tag.number) {
    case 0: {
      LONGLINE_TRY(out.originator, read_descriptor(field));
      return {};
    }
    case 1: {
      LONGLINE_TRY(out.authorizing, read_people(field, true));
      return {};
    }
    case 2: {
      LONGLINE_TRY(out.primary, read_people(field, false));
      return {};
    }
    case 3: {
      LONGLINE_TRY(out.copy, read_people(field, false));
      return {};
    }
    case 4: {
      LONGLINE_TRY(out.blind_copy, read_people(field, false));
      return {};
    }
    case 5: {
      LONGLINE_TRY(out.replied_to, read_ipm_id(field));
      return {};
    }
    case 6: {
      LONGLINE_TRY(out.obsoleted, read_ipm_ids(field));
      return {};
    }
    case 7: {
      LONGLINE_TRY(out.related, read_ipm_ids(field));
      return {};
    }
    case 8: {
      LONGLINE_TRY(const BerElement inside, field.child());
      LONGLINE_TRY(const std::string text, p1::short_text(inside, kLongestHeadingText));
      out.subject = from_teletex(text);
      return {};
    }
    case 9: {
      LONGLINE_TRY(out.expiry, field.utc_time());
      return {};
    }
    case 10: {
      LONGLINE_TRY(out.reply_by, field.utc_time());
      return {};
    }
    case 11: {
      LONGLINE_TRY(out.reply_to, read_people(field, true));
      return {};
    }
    case 12: {
      LONGLINE_TRY(const std::int64_t number, field.integer());
      if (number >= 0 && number <= 2) out.importance = static_cast<Importance>(number);
      return {};
    }
    case 13: {
      LONGLINE_TRY(const std::int64_t number, field.integer());
      if (number >= 1 && number <= 3) out.sensitivity = static_cast<Sensitivity>(number);
      return {};
    }
    case 14: {
      LONGLINE_TRY(out.auto_forwarded, field.boolean());
      return {};
    }
    default: return {};
  }
}

}  // namespace

void write_heading(BerWriter& w, const IpmHeading& heading) {
  const auto ids = [&](const std::vector<IpmId>& list, Tag tag) {
    if (list.empty()) return;
    w.constructed(tag, [&] {
      for (const IpmId& id : list) write_ipm_id(w, id, kIpmId);
    });
  };
  w.set([&] {
    write_ipm_id(w, heading.id, kIpmId);
    if (heading.originator) write_descriptor(w, *heading.originator, context(0));
    write_people(w, heading.authorizing, context(1), true);
    write_people(w, heading.primary, context(2), false);
    write_people(w, heading.copy, context(3), false);
    write_people(w, heading.blind_copy, context(4), false);
    if (heading.replied_to) write_ipm_id(w, *heading.replied_to, context(5));
    ids(heading.obsoleted, context(6));
    ids(heading.related, context(7));
    if (!heading.subject.empty()) {
      w.constructed(context(8), [&] { w.primitive(tags::kT61String, to_teletex(heading.subject).substr(0, kLongestSubject)); });
    }
    if (heading.expiry) w.utc_time(*heading.expiry, context(9));
    if (heading.reply_by) w.utc_time(*heading.reply_by, context(10));
    write_people(w, heading.reply_to, context(11), true);
    if (heading.importance != Importance::normal) w.integer(static_cast<std::int64_t>(heading.importance), context(12));
    if (heading.sensitivity != Sensitivity::none) w.integer(static_cast<std::int64_t>(heading.sensitivity), context(13));
    if (heading.auto_forwarded) w.boolean(true, context(14));
  });
}

Result<IpmHeading> read_heading(const BerElement& set) {
  LONGLINE_TRY(const auto fields, set.children());
  IpmHeading out;
  for (const BerElement& field : fields) LONGLINE_CHECK(read_field(field, out));
  return out;
}

}  // namespace longline::x400
