#pragma once
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/process.h"
#include "exchange/c_export.h"
#include "temp_folder.h"

// For tests: exported networks compiled to a program that writes their logits' bytes.
namespace nbq::testing {

class CProgram {
 public:
  explicit CProgram(const TempFolder& folder) : folder_(folder) {}

  /// Adds a network and the images to run through it.
  CSource add(const Graph& g, const std::vector<std::uint8_t>& pixels, int images) {
    const std::string name = "net" + std::to_string(files_.size());
    CSource source = export_c(folder_ / (name + ".c"), g).value();
    files_.push_back(name + ".c");
    includes_ += "#include \"" + name + ".h\"\n";
    data_ += "static const unsigned char " + name + "_images[] = {";
    for (const std::uint8_t p : pixels) data_ += std::to_string(p) + ",";
    data_ += "};\n";
    body_ += "  { int i; const unsigned char *x = " + name + "_images;\n    for (i = 0; i < " +
             std::to_string(images) + "; ++i, x += " + std::to_string(g.input().shape.size()) +
             ") {\n      static " + name + "_logit logits[" +
             std::to_string(g.output().shape.size()) + "];\n      " + name +
             "_run(x, logits);\n      give(logits, sizeof logits);\n    } }\n";
    return source;
  }

  /// main.c around `give` and what begins the program.
  void write_main(const std::string& before, const std::string& signature) const {
    const std::string text =
        includes_ + before + data_ + signature + " {\n" + body_ + "  return 0;\n}\n";
    NBQ_CHECK(write_file(folder_ / "main.c", text).ok());
  }

  /// Runs a command in the folder, which must succeed; gives its output.
  std::string run(const std::vector<std::string>& argv) const {
    const ProcessResult r = run_process(argv, folder_.path()).value();
    EXPECT_EQ(r.exit_code, 0) << r.output.substr(0, 4000);
    return r.output;
  }

  const std::vector<std::string>& files() const { return files_; }

 private:
  const TempFolder& folder_;
  std::vector<std::string> files_;
  std::string includes_, data_, body_;
};

/// The logits at `at` of the program's output, which moves on.
inline std::vector<std::int64_t> take_logits(const std::string& output, std::size_t& at,
                                             std::size_t count, bool wide) {
  std::vector<std::int64_t> logits;
  for (std::size_t i = 0; i < count && at + (wide ? 8 : 4) <= output.size(); ++i) {
    std::int64_t v = 0;
    std::int32_t narrow = 0;
    if (wide)
      std::memcpy(&v, output.data() + at, 8);
    else
      std::memcpy(&narrow, output.data() + at, 4);
    logits.push_back(wide ? v : narrow);
    at += wide ? 8 : 4;
  }
  return logits;
}

}  // namespace nbq::testing
