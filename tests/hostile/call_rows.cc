// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/rows.h"

namespace sandgate::test {
namespace {

// A guest with a query, if it has several ways.
struct Way {
  std::string_view guest;
  std::string_view query = {};
};

constexpr std::string_view kMayOpenShared = R"("allow":{"key_value":["shared"]})";

// What would never end. Each row costs the time of a call.
constexpr std::string_view kEndless[] = {
    "loop_forever",       "loop_in_start",  "loop_in_realloc", "loop_in_post",      "loop_br_table",
    "loop_call_indirect", "loop_tail_call", "loop_call_tree",  "loop_grow_refused", "loop_grow_nothing",
    "loop_table_fill",    "bulk_fill",      "bulk_fill_64m",   "bulk_copy_64m",     "storm_clock",
    "storm_random",       "storm_stdout",   "storm_logging",
};

constexpr std::string_view kTraps[] = {
    "trap_always",
    "trap_in_start",
    "trap_in_realloc",
    "trap_in_post",
    "trap_division",
    "trap_overflow",
    "trap_conversion",
    "trap_load",
    "trap_store",
    "trap_bulk_outside",
    "trap_data_outside",
    "trap_null_function",
    "trap_wrong_function",
    "trap_outside_table",
    "log_lies",
    "log_bad_utf8",
    // An exit in a start function is a trap of the component's instantiation, before there is a program to end.
    "exit_in_start",
};

constexpr std::string_view kStacks[] = {"stack_recursion",      "recursion_mutual",   "recursion_indirect",
                                        "recursion_in_realloc", "recursion_in_start", "recursion_in_post"};

constexpr std::string_view kMemories[] = {"memory_eater", "grow_in_start", "grow_in_post", "grow_at_once",
                                          "table_eater"};

constexpr std::string_view kExits[] = {"exit_0", "exit_1"};

// Answers and allocators that break the canonical ABI.
constexpr Way kBadResults[] = {
    {"huge_list", "overflow"},
    {"huge_list", "outside"},
    {"huge_list", "body"},
    {"bad_discriminant"},
    {"bad_discriminant", "status"},
    {"bad_discriminant", "body"},
    {"bad_result_pointer"},
    {"bad_result_pointer", "unaligned"},
    {"bad_result_pointer", "end"},
    {"bad_utf8_result"},
    {"bad_utf8_result", "name"},
    {"bad_utf8_result", "overlong"},
    {"bad_utf8_result", "surrogate"},
    {"bad_utf8_result", "truncated"},
    {"bad_utf8_result", "remove"},
    {"answer_straddles_end"},
    {"answer_unaligned_list"},
    {"answer_removes_lies"},
    {"bad_realloc"},
    {"realloc_misaligned"},
    {"realloc_end"},
    {"realloc_over_answer"},
};

// Answers that are no valid HTTP, or more of it than one call may change.
constexpr Way kInvalidEdits[] = {
    {"reject_invalid_status", "0"},
    {"reject_invalid_status", "99"},
    {"reject_invalid_status", "199"},
    {"reject_invalid_status", "600"},
    {"reject_invalid_status", "65535"},
    {"invalid_header"},
    {"invalid_header", "name_space"},
    {"invalid_header", "name_empty"},
    {"invalid_header", "name_crlf"},
    {"invalid_header", "value_cr"},
    {"invalid_header", "value_lf"},
    {"invalid_header", "value_nul"},
    {"invalid_header", "add"},
    {"invalid_header", "remove"},
    {"answer_overlaps"},
    {"answer_10000_edits"},
    {"answer_value_1m"},
    {"huge_list", "many"},
    {"huge_list", "large"},
};

constexpr Way kTooLarge[] = {{"answer_body_12m"}, {"huge_list", "repeat"}};

// What is allowed to be strange: it hurts nobody but itself.
constexpr std::string_view kPass[] = {
    "log_flood",     "flood_logging",  "realloc_null",       "realloc_same",   "realloc_moves",
    "blocks_100000", "loops_3000",     "ifs_20000",          "br_table_60000", "function_1m",
    "stack_100000",  "functions_8000", "locals_15000_alive", "types_5000",     "exports_20000",
};
constexpr std::string_view kModify[] = {"framing_edit", "answer_host_garbage", "memory_hog_touch"};

// Powers that are not there: the guest is told so, and rejects with 418.
constexpr std::string_view kTold[] = {"files_open"};

class Rows {
 public:
  explicit Rows(const Abi& abi) : abi_(abi) {}

  template <typename Guests>
  Rows& fail(const Guests& guests, std::string_view outcome) {
    for (std::string_view guest : guests)
      rows_.push_back({.abi = &abi_, .guest = guest, .status = abi_.failed_status, .outcome = outcome});
    return *this;
  }
  template <std::size_t kCount>
  Rows& fail(const Way (&ways)[kCount], std::string_view outcome) {
    for (const Way& way : ways) {
      rows_.push_back(
          {.abi = &abi_, .guest = way.guest, .query = way.query, .status = abi_.failed_status, .outcome = outcome});
    }
    return *this;
  }
  template <typename Guests>
  Rows& answer(const Guests& guests, int status, std::string_view outcome) {
    for (std::string_view guest : guests)
      rows_.push_back({.abi = &abi_, .guest = guest, .status = status, .outcome = outcome});
    return *this;
  }
  template <typename Guests>
  Rows& spin(const Guests& guests) {
    for (std::string_view guest : guests) add(endless(guest));
    return *this;
  }
  Rows& add(const CallRow& row) {
    rows_.push_back(row);
    return *this;
  }
  CallRow endless(std::string_view guest, std::string_view options = {}) const {
    return {.abi = &abi_,
            .guest = guest,
            .status = abi_.failed_status,
            .outcome = "deadline",
            .ends = CallRow::Ends::kByDeadline,
            .options = options};
  }
  CallRow with_store(std::string_view guest, int status, std::string_view outcome) const {
    return {.abi = &abi_, .guest = guest, .status = status, .outcome = outcome, .options = kMayOpenShared};
  }
  std::vector<CallRow> take() { return std::move(rows_); }

 private:
  const Abi& abi_;
  std::vector<CallRow> rows_;
};

}  // namespace

std::vector<CallRow> call_rows() {
  constexpr int kOk = 200;
  constexpr int kRejected = 418;
  Rows rows(router_middleware());
  rows.spin(kEndless).add(rows.endless("storm_key_value", kMayOpenShared));
  rows.fail(kTraps, "trap").fail(kStacks, "stack").fail(kMemories, "memory").fail(kExits, "exit");
  rows.fail(kBadResults, "bad_result").fail(kInvalidEdits, "invalid_edit").fail(kTooLarge, "too_large");
  rows.answer(kPass, kOk, "continue").answer(kModify, kOk, "modify").answer(kTold, kRejected, "reject");
  // A store that is not in the list of the deployment, and a handle that nobody gave out.
  rows.add(rows.with_store("key_value_closed", kRejected, "reject"));
  rows.add(rows.with_store("key_value_handle", router_middleware().failed_status, "trap"));
  return rows.take();
}

}  // namespace sandgate::test
