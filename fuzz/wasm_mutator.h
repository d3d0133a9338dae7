// SPDX-License-Identifier: Apache-2.0
//
// Changes a WebAssembly binary so that it stays one more often than random bytes would: section by section with their
// lengths put right, function bodies with theirs, numbers in LEB128, operators by others of the same type. Components
// have the same frame; modules and components within are changed in their turn. One mutator per mutation.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t bytes_max);

namespace sandgate::fuzz {

// Reads an unsigned LEB128 number of at most ten bytes at `at` and moves it past; nothing when it does not end.
inline std::optional<std::uint64_t> read_leb(std::string_view bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 70 && at < bytes.size(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    if (shift < 64) value |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

inline std::string leb(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

inline std::string signed_leb(std::int64_t value) {
  std::string bytes;
  while (value < -64 || value > 63) {
    bytes += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  return bytes + static_cast<char>(value & 0x7f);
}

class WasmMutator {
 public:
  explicit WasmMutator(unsigned seed) : random_(seed) {}

  // At most `bytes_max` bytes, or the input.
  std::string mutate(std::string_view wasm, std::size_t bytes_max) {
    std::string changed = change(wasm, kNestingMax);
    return changed.size() <= bytes_max ? changed : std::string(wasm);
  }

 private:
  static constexpr std::size_t kHeaderBytes = 8;
  static constexpr int kNestingMax = 3;
  static constexpr unsigned char kCode = 10;  // of a core module
  // Of a component: a module, a component.
  static constexpr unsigned char kModuleWithin = 1;
  static constexpr unsigned char kComponentWithin = 4;

  struct Section {
    unsigned char id = 0;
    std::string contents;
  };

  std::size_t below(std::size_t end) { return end == 0 ? 0 : random_() % end; }
  bool one_in(std::size_t n) { return below(n) == 0; }

  // By libFuzzer, which knows what it compared with.
  static std::string bytes_changed(std::string_view bytes) {
    std::string changed(bytes);
    const std::size_t used = bytes.size();
    changed.resize(used + 64);
    changed.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(changed.data()), used, changed.size()));
    return changed;
  }

  std::string change(std::string_view wasm, int nesting) {
    if (wasm.size() < kHeaderBytes || !wasm.starts_with(std::string_view("\0asm", 4)) || one_in(50))
      return bytes_changed(wasm);
    std::vector<Section> sections = split(wasm.substr(kHeaderBytes));
    const bool is_component = wasm[4] != 1;
    if (sections.empty() || one_in(20)) {
      arrange(sections);
    } else {
      change_section(sections, is_component, nesting);
    }
    std::string changed(wasm.substr(0, kHeaderBytes));
    for (const Section& section : sections) {
      changed += static_cast<char>(section.id);
      changed.append(leb(section.contents.size())).append(section.contents);
    }
    return changed;
  }

  // What is cut off ends with the bytes.
  static std::vector<Section> split(std::string_view bytes) {
    std::vector<Section> sections;
    std::size_t at = 0;
    while (at < bytes.size()) {
      const auto id = static_cast<unsigned char>(bytes[at++]);
      const std::optional<std::uint64_t> length = read_leb(bytes, at);
      const std::string_view contents = bytes.substr(at).substr(0, length.value_or(0));
      sections.push_back({id, std::string(contents)});
      at += contents.size();
    }
    return sections;
  }

  // Leaves one out, repeats one, swaps two, adds an empty one.
  void arrange(std::vector<Section>& sections) {
    const auto place = static_cast<std::ptrdiff_t>(below(sections.size()));
    switch (below(4)) {
      case 0:
        if (!sections.empty()) sections.erase(sections.begin() + place);
        break;
      case 1:
        if (!sections.empty()) {
          const Section again = sections[static_cast<std::size_t>(place)];
          sections.insert(sections.begin() + place, again);
        }
        break;
      case 2:
        if (!sections.empty()) std::swap(sections[static_cast<std::size_t>(place)], sections[below(sections.size())]);
        break;
      default:
        sections.insert(sections.begin() + place, {static_cast<unsigned char>(below(14)), std::string(1, '\0')});
        break;
    }
  }

  void change_section(std::vector<Section>& sections, bool is_component, int nesting) {
    Section& section = sections[below(sections.size())];
    if (is_component && nesting > 0 && (section.id == kModuleWithin || section.id == kComponentWithin)) {
      section.contents = change(section.contents, nesting - 1);
      return;
    }
    // Most of what a module does is in its code.
    const auto code =
        std::ranges::find_if(sections, [is_component](const Section& s) { return !is_component && s.id == kCode; });
    if (code != sections.end() && !one_in(5)) {
      code->contents = change_code(code->contents);
    } else if (one_in(2)) {
      section.contents = number_changed(section.contents);
    } else {
      section.contents = bytes_changed(section.contents);
    }
  }

  std::string change_code(std::string_view contents) {
    std::vector<std::string> bodies;
    std::size_t at = 0;
    const std::optional<std::uint64_t> count = read_leb(contents, at);
    while (at < contents.size()) {
      const std::optional<std::uint64_t> length = read_leb(contents, at);
      const std::string_view body = contents.substr(at).substr(0, length.value_or(0));
      bodies.emplace_back(body);
      at += body.size();
    }
    if (!count || bodies.empty()) return bytes_changed(contents);
    std::string& body = bodies[below(bodies.size())];
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) change_body(body);
    std::string changed = leb(bodies.size());
    for (const std::string& each : bodies) changed.append(leb(each.size())).append(each);
    return changed;
  }

  void change_body(std::string& body) {
    const std::size_t kind = below(20);
    if (kind == 0) {
      body = bytes_changed(body);
    } else if (kind < 3) {
      body = number_changed(body);
    } else if (kind < 12) {
      change_constant(body);
    } else {
      change_operator(body);
    }
  }

  // Ranges of operators with the same operands, result and immediates.
  void change_operator(std::string& body) {
    static constexpr auto kAlike = std::to_array<std::pair<unsigned, unsigned>>({
        {0x2c, 0x2f},  // loads of i32
        {0x30, 0x35},  // of i64
        {0x3a, 0x3b},  // stores of i32
        {0x3c, 0x3e},  // of i64
        {0x46, 0x4f},  // comparisons of i32
        {0x51, 0x5a},  // of i64
        {0x67, 0x69},  // i32: one operand
        {0x6a, 0x78},  // two
        {0x79, 0x7b},  // i64: one operand
        {0x7c, 0x8a},  // two
        {0x8b, 0x91},  // f32: one operand
        {0x92, 0x98},  // two
        {0x99, 0x9f},  // f64: one operand
        {0xa0, 0xa6},  // two
    });
    for (std::size_t at = below(body.size()); at < body.size(); ++at) {
      const auto byte = static_cast<unsigned char>(body[at]);
      for (const auto& [first, last] : kAlike) {
        if (byte < first || byte > last) continue;
        body[at] = static_cast<char>(first + below(last - first + 1));
        return;
      }
    }
  }

  // An i32.const or i64.const: addresses, lengths, kinds and statuses of the answer.
  void change_constant(std::string& body) {
    for (std::size_t at = below(body.size()); at < body.size(); ++at) {
      if (body[at] != 0x41 && body[at] != 0x42) continue;
      std::size_t end = at + 1;
      const std::optional<std::uint64_t> old = read_leb(body, end);
      if (!old) return;
      std::uint64_t value = number(*old);
      if (body[at] == 0x41) value = static_cast<std::uint64_t>(static_cast<std::int32_t>(value));
      body.replace(at + 1, end - at - 1, signed_leb(static_cast<std::int64_t>(value)));
      return;
    }
  }

  std::string number_changed(std::string_view bytes) {
    const std::size_t at = below(bytes.size());
    std::size_t end = at;
    const std::optional<std::uint64_t> old = read_leb(bytes, end);
    if (!old) return bytes_changed(bytes);
    // Indices, counts and lengths have 32 bits; more make most modules malformed.
    const std::uint64_t value = number(*old);
    std::string changed(bytes);
    return changed.replace(at, end - at, leb(one_in(4) ? value : value & 0xffff'ffff));
  }

  // Near the old one, or near a limit.
  std::uint64_t number(std::uint64_t old) {
    static constexpr auto kLimits =
        std::to_array<std::uint64_t>({0, 1, 0x7f, 0xff, 1024, 0xffff, 0x1'0000, 0x10'0000, 0x7fff'ffff, 0x8000'0000,
                                      0xffff'ffff, 0x1'0000'0000, 0x7fff'ffff'ffff'ffff, 0xffff'ffff'ffff'ffff});
    const std::uint64_t from = one_in(2) ? old : kLimits[below(kLimits.size())];
    return from + below(5) - 2;
  }

  std::minstd_rand random_;
};

}  // namespace sandgate::fuzz
