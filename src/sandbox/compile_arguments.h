// SPDX-License-Identifier: Apache-2.0
//
// The words after the command's name with which the compiler process is started, both ways.
#pragma once

#include <sys/types.h>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace sandgate::sandbox {

struct CompileArguments {
  std::uint64_t address_space_bytes = 0;
  std::uint64_t cpu_seconds = 0;
  std::uint64_t stack_bytes = 0;
  std::uint64_t memory_bytes_max = 0;
  pid_t parent = 0;
};

inline constexpr int kCompileArguments = 5;

inline std::vector<std::string> to_words(const CompileArguments& arguments) {
  return {std::to_string(arguments.address_space_bytes), std::to_string(arguments.cpu_seconds),
          std::to_string(arguments.stack_bytes), std::to_string(arguments.memory_bytes_max),
          std::to_string(arguments.parent)};
}

// From the last words of a command line, so that it does not matter what the program calls the command.
inline std::optional<CompileArguments> parse_compile_arguments(int argc, char** argv) {
  if (argc < 1 + kCompileArguments) return std::nullopt;
  CompileArguments arguments;
  std::uint64_t parent = 0;
  std::uint64_t* numbers[kCompileArguments] = {&arguments.address_space_bytes, &arguments.cpu_seconds,
                                               &arguments.stack_bytes, &arguments.memory_bytes_max, &parent};
  for (int i = 0; i < kCompileArguments; ++i) {
    const char* word = argv[argc - kCompileArguments + i];
    const char* end = word + std::strlen(word);
    auto [parsed_to, failure] = std::from_chars(word, end, *numbers[i]);
    if (failure != std::errc() || parsed_to != end) return std::nullopt;
  }
  arguments.parent = static_cast<pid_t>(parent);
  return arguments;
}

}  // namespace sandgate::sandbox
