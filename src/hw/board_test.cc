#include "hw/board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"

namespace nbq::hw {
namespace {

using ::testing::HasSubstr;

TEST(Board, EveryBoardOfTheFolderReads) {
  const auto names = board_names();
  EXPECT_THAT(names, ::testing::IsSupersetOf({"ecp5-5g-85f", "ulx3s-85f", "zcu102"}));
  for (const std::string& name : names) {
    const auto b = find_board(name);
    ASSERT_TRUE(b.ok()) << b.error().message;
    EXPECT_EQ(b->name, name);
    EXPECT_GT(b->budget().lut, 0);
    EXPECT_LE(b->budget().bram, b->resources.bram);
    EXPECT_EQ(b->weights_stay_on_chip(), b->link == LinkKind::kUart);
  }
}

TEST(Board, Zcu102HasTheDevicesNumbers) {
  const auto b = find_board("zcu102");
  ASSERT_TRUE(b.ok()) << b.error().message;
  EXPECT_EQ(b->resources.lut, 274080);
  EXPECT_EQ(b->resources.ff, 548160);
  EXPECT_EQ(b->resources.dsp, 2520);
  EXPECT_EQ(b->resources.bram, 912);
  EXPECT_EQ(b->budget().dsp, 1764);
}

TEST(Board, AnUnknownNameListsTheKnownOnes) {
  const auto b = find_board("ulx3s-12f");
  ASSERT_FALSE(b.ok());
  EXPECT_EQ(b.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(b.error().message, HasSubstr("ulx3s-85f"));
}

struct Fault {
  const char* what;
  const char* from;
  const char* to;
  const char* says;
};

class BoardFaults : public ::testing::TestWithParam<Fault> {};

TEST_P(BoardFaults, NameFileAndKey) {
  const auto file = boards_dir() / "ulx3s-85f.toml";
  std::string text = read_text_file(file).value();
  const Fault& f = GetParam();
  const std::size_t at = text.find(f.from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, std::string(f.from).size(), f.to);
  const auto b = parse_board(text, file);
  ASSERT_FALSE(b.ok());
  EXPECT_EQ(b.error().code, ErrorCode::kBadFile);
  EXPECT_THAT(b.error().message, HasSubstr("ulx3s-85f.toml"));
  EXPECT_THAT(b.error().message, HasSubstr(f.says));
}

INSTANTIATE_TEST_SUITE_P(
    Keys, BoardFaults,
    ::testing::Values(Fault{"Toml", "use = 0.7", "use = ", ":5"},
                      Fault{"UnknownKey", "dsp = 156", "dps = 156", "resources.dsp"},
                      Fault{"Misspelt", "device =", "devcie =", "device is needed"},
                      Fault{"Range", "use = 0.7", "use = 1.7", "use"},
                      Fault{"Broadcast", "broadcast = 2", "broadcast = 4", "broadcast"},
                      Fault{"Digits", "wide_digits = 2", "wide_digits = 3", "wide_digits"},
                      Fault{"Choice", "\"ecp5\"", "\"ecp6\"", "did you mean \"ecp5\""},
                      Fault{"Section", "[clock]", "[clocks]", "clock is needed"},
                      Fault{"Baud", "3_000_000", "12_000_000", "link.baud"},
                      Fault{"Constraints", "\"ulx3s-85f.lpf\"", "\"none.lpf\"", "flow.constraints"},
                      Fault{"Family", "\"nextpnr-ecp5\"", "\"vivado\"", "flow.tool"}),
    [](const auto& i) { return std::string(i.param.what); });

}  // namespace
}  // namespace nbq::hw
