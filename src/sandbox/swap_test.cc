// SPDX-License-Identifier: Apache-2.0
#include "sandbox/swap.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "sandbox/testing/temporary_folder.h"

namespace sandgate::sandbox {
namespace {

constexpr std::string_view kHeading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
constexpr std::string_view kOneArea = "/dev/sda2                               partition\t999420\t\t0\t\t-2\n";

class SwapTest : public ::testing::Test {
 protected:
  SwapFiles files() const { return {folder_.path("swaps"), folder_.path("cgroup"), folder_.path("root")}; }
  void has_area() const { folder_.write("swaps", std::string(kHeading) + std::string(kOneArea)); }
  void group(std::string_view path, std::string_view limit) const {
    std::filesystem::create_directories(folder_.path("root" + std::string(path)));
    folder_.write("root" + std::string(path) + "/memory.swap.max", limit);
  }
  testing::TemporaryFolder folder_;
};

TEST_F(SwapTest, NoAreaIsNoSwap) {
  folder_.write("swaps", kHeading);
  EXPECT_EQ(find_swap(files()), Swap::kNone);
}

TEST_F(SwapTest, AnAreaIsSwap) {
  has_area();
  EXPECT_EQ(find_swap(files()), Swap::kPossible);
}

TEST_F(SwapTest, AGroupWithoutSwapForbidsIt) {
  has_area();
  folder_.write("cgroup", "1:name=systemd:/x\n0::/outer/inner\n");
  group("/outer/inner", "0\n");
  EXPECT_EQ(find_swap(files()), Swap::kForbidden);
}

TEST_F(SwapTest, AnOuterGroupForbidsIt) {
  has_area();
  folder_.write("cgroup", "0::/outer/inner\n");
  group("/outer/inner", "max\n");
  group("/outer", "0\n");
  EXPECT_EQ(find_swap(files()), Swap::kForbidden);
}

TEST_F(SwapTest, TheRootOfANamespaceForbidsIt) {
  has_area();
  folder_.write("cgroup", "0::/\n");
  group("", "0\n");
  EXPECT_EQ(find_swap(files()), Swap::kForbidden);
}

TEST_F(SwapTest, LimitsAboveNothingForbidNothing) {
  has_area();
  folder_.write("cgroup", "0::/outer\n");
  group("/outer", "4096\n");
  EXPECT_EQ(find_swap(files()), Swap::kPossible);
}

TEST_F(SwapTest, WhatCannotBeReadMayBeSwap) {
  EXPECT_EQ(find_swap(files()), Swap::kPossible);
  has_area();
  folder_.write("cgroup", "0::/../outside\n");
  group("", "0\n");
  EXPECT_EQ(find_swap(files()), Swap::kPossible);
}

}  // namespace
}  // namespace sandgate::sandbox
