#pragma once
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "infer/engine.h"
#include "infer/isa.h"
#include "ops/ref_executor.h"

// For tests: the engine against the reference.
namespace nbq::infer {

/// Every instruction set of this machine and way of convolving gives the reference's integers for
/// `n` images, also when the arena is used again, with fewer images in between.
inline void expect_equal(const Graph& g, const std::vector<std::uint8_t>& pixels, int n,
                         const EngineOptions& base, const std::string& what) {
  const auto ref = RefExecutor::create(g).value();
  const auto want = ref.run(pixels, n).value();
  for (const IsaRow& row : isa_rows())
    for (const Convolution how :
         {Convolution::kFastest, Convolution::kTaps, Convolution::kWinograd}) {
      if (!row.available) continue;
      EngineOptions o = base;
      o.isa = row.name;
      o.convolution = how;
      auto engine = Engine::create(g, o);
      ASSERT_TRUE(engine.ok()) << what << ": " << engine.error().message;
      EXPECT_EQ(engine->logit_exp(), ref.logit_exp());
      for (const int images : {n, 1, n}) {
        const auto part = static_cast<std::size_t>(images), all = static_cast<std::size_t>(n);
        const std::vector<std::int64_t> first(
            want.begin(), want.begin() + static_cast<std::ptrdiff_t>(want.size() / all * part));
        std::vector<std::int64_t> got(first.size(), -1);
        ASSERT_TRUE(
            engine->run(std::span(pixels).first(pixels.size() / all * part), images, got).ok());
        ASSERT_EQ(got, first) << what << ", " << row.name << ", way " << static_cast<int>(how)
                              << ", " << images << " images";
      }
    }
}

}  // namespace nbq::infer
