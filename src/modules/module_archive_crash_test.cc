// SPDX-License-Identifier: Apache-2.0
//
// A process that changes an archive is killed at any moment, again and again: what is left is the modules before or
// after the change it was at, in order.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "modules/module_archive.h"
#include "platform/digest.h"
#include "tests/support/temporary_folder.h"

namespace sandgate::modules {
namespace {

constexpr int kRounds = 100;
constexpr unsigned kNames = 6;
// A change takes some milliseconds; the kill comes within a few of them.
constexpr int kMicrosecondsMax = 20'000;

using Modules = std::vector<ModuleRecord>;

std::string content_of(unsigned number) { return "content " + std::string(2000, 'x') + std::to_string(number); }

ModuleRecord make_record(unsigned number) {
  ModuleRecord record;
  record.name = "module-" + std::to_string(number % kNames);
  record.uuid = "uuid-" + record.name;
  record.sha256_hex = platform::sha256_hex(content_of(number));
  record.size_bytes = content_of(number).size();
  record.created_unix_ns = number;
  record.attach_points = {AttachPoint::kOnRequest};
  return record;
}

Modules::iterator find(Modules& modules, const std::string& uuid) {
  return std::ranges::find(modules, uuid, &ModuleRecord::uuid);
}

// The change that `number` stands for, on what is there: add, replace or remove.
Modules changed(Modules modules, unsigned number) {
  ModuleRecord record = make_record(number);
  auto old = find(modules, record.uuid);
  if (old == modules.end()) {
    modules.push_back(record);
  } else if (number % 3 == 0) {
    modules.erase(old);
  } else {
    *old = record;
  }
  return modules;
}

Status change(ModuleArchive& archive, unsigned number) {
  ModuleRecord record = make_record(number);
  Modules modules = archive.records();
  auto old = find(modules, record.uuid);
  if (old == modules.end()) return archive.add(record, content_of(number));
  if (number % 3 == 0) return archive.remove(record.uuid);
  return archive.replace(record, content_of(number));
}

// Told when the archive is open; changes count from 1.
constexpr unsigned kOpen = 0;

bool tell(int report, unsigned number) { return ::write(report, &number, sizeof(number)) == sizeof(number); }

// In the child: changes from `first` on, each told when it is done. Never returns.
[[noreturn]] void run_child(const std::string& path, unsigned first, int report) {
  Result<std::unique_ptr<ModuleArchive>> archive = ModuleArchive::open(path);
  if (!archive || !tell(report, kOpen)) ::_exit(1);
  for (unsigned number = first;; ++number) {
    if (!change(**archive, number)) ::_exit(2);
    if (!tell(report, number)) ::_exit(3);
  }
}

TEST(ModuleArchiveCrash, KilledAtAnyMomentItHasTheModulesBeforeOrAfter) {
  test::TemporaryFolder folder;
  std::string path = folder.path("data");
  std::mt19937 random(20'261'121);
  Modules before;
  unsigned next = 1;
  unsigned in_flight_done = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) run_child(path, next, pipe[1]);
    ::close(pipe[1]);
    auto heard = [&](unsigned number) {
      if (number == kOpen) return;
      before = changed(std::move(before), number);
      next = number + 1;
    };
    unsigned number = kOpen;
    // Most kills hit a change, some the opening.
    int waits = round % 4 == 0 ? 0 : std::uniform_int_distribution<int>(1, 3)(random);
    for (; waits > 0; --waits) {
      ASSERT_EQ(::read(pipe[0], &number, sizeof(number)), static_cast<ssize_t>(sizeof(number)));
      heard(number);
    }
    std::this_thread::sleep_for(
        std::chrono::microseconds(std::uniform_int_distribution<int>(0, kMicrosecondsMax)(random)));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself with " << WEXITSTATUS(status);
    while (::read(pipe[0], &number, sizeof(number)) == sizeof(number)) heard(number);
    ::close(pipe[0]);

    Result<std::unique_ptr<ModuleArchive>> archive = ModuleArchive::open(path);
    ASSERT_TRUE(archive) << archive.error().detail << " in round " << round;
    Modules after = changed(before, next);
    const Modules& found = (*archive)->records();
    ASSERT_TRUE(found == before || found == after) << "round " << round << " change " << next;
    for (const ModuleRecord& record : found) ASSERT_TRUE((*archive)->read_wasm(record)) << record.name;
    if (found != after) continue;
    before = std::move(after);
    ++next;
    ++in_flight_done;
  }
  EXPECT_GT(next, static_cast<unsigned>(kRounds) / 2) << "the child hardly changed anything";
  RecordProperty("changes", static_cast<int>(next));
  RecordProperty("done_but_not_told", static_cast<int>(in_flight_done));
}

}  // namespace
}  // namespace sandgate::modules
