#include "hw/uio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "core/file.h"
#include "hw/isa.h"

namespace nbq::hw {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Files in the place of the devices.
class Uio : public ::testing::Test {
 protected:
  Uio() {
    fs::create_directories(dir_ / "sys/udmabuf0");
    put("regs", std::string(4096, '\0'));
    put("udmabuf0", std::string(8192, '\0'));
    put("sys/udmabuf0/phys_addr", "0x0000000070000000\n");
    put("sys/udmabuf0/size", "8192\n");
  }
  ~Uio() override { fs::remove_all(dir_); }
  void put(const char* name, const std::string& text) const {
    ASSERT_TRUE(write_file(dir_ / name, std::string_view(text)).ok());
  }
  Result<std::unique_ptr<Device>> open() const {
    return open_uio(dir_ / "regs", dir_ / "udmabuf0", 200, dir_ / "sys");
  }
  void expect_refused(const char* says) const {
    const auto d = open();
    ASSERT_FALSE(d.ok());
    EXPECT_THAT(d.error().message, HasSubstr(says));
  }
  fs::path dir_ = fs::temp_directory_path() / fmt::format("nbq_uio_test_{}", ::getpid());
};

TEST_F(Uio, RegistersAreWordsOfTheWindow) {
  auto device = open();
  ASSERT_TRUE(device.ok()) << device.error().message;
  (*device)->write(static_cast<std::uint32_t>(Reg::weight_ring), 0x12345678);
  const auto bytes = read_file(dir_ / "regs").value();
  std::uint32_t word = 0;
  std::memcpy(&word, bytes.data() + 4 * static_cast<std::size_t>(Reg::weight_ring), 4);
  EXPECT_EQ(word, 0x12345678U);
  EXPECT_EQ((*device)->read(static_cast<std::uint32_t>(Reg::weight_ring)), 0x12345678U);
  (*device)->wait(1 << 30);  // not busy: at once
  (*device)->write(static_cast<std::uint32_t>(Reg::status), 1);
  (*device)->wait(1000);  // busy for ever: 5 us
}

TEST_F(Uio, MemoryIsTheBufferAtItsAddress) {
  auto device = open();
  ASSERT_TRUE(device.ok()) << device.error().message;
  const auto memory = (*device)->memory(8192);
  ASSERT_TRUE(memory.ok()) << memory.error().message;
  EXPECT_EQ(memory->address, 0x70000000U);
  memory->bytes[4097] = 42;
  EXPECT_EQ(read_file(dir_ / "udmabuf0").value().at(4097), 42);
  const auto more = (*device)->memory(8193);
  ASSERT_FALSE(more.ok());
  EXPECT_THAT(more.error().message, HasSubstr("8193 bytes"));
}

TEST_F(Uio, WhatIsMissingIsNamed) {
  fs::remove(dir_ / "regs");
  expect_refused("regs: can't be opened");
  put("sys/udmabuf0/size", "many\n");
  expect_refused("size: is no number");
  fs::remove(dir_ / "sys/udmabuf0/phys_addr");
  expect_refused("phys_addr");
}

}  // namespace
}  // namespace nbq::hw
