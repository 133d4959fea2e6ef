#include <algorithm>
#include <cctype>

#include "hw/energy/cell_library.h"

namespace nbq::hw {
namespace {

/// Recursive descent over whole truth tables: every operator works on 2^inputs bits at once.
class FunctionParser {
 public:
  FunctionParser(const std::string& text, const std::vector<std::string>& inputs)
      : text_(text), inputs_(inputs) {}

  Result<TruthTable> parse() {
    if (inputs_.size() > kMaxCellInputs) return fail("more than 6 inputs");
    NBQ_ASSIGN(const std::uint64_t all, sum());
    if (next() != '\0') return fail("something follows its end");
    return TruthTable{all & mask()};
  }

 private:
  std::uint64_t mask() const {
    const unsigned rows = 1u << inputs_.size();
    return rows == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << rows) - 1;
  }
  Error fail(const std::string& what) const {
    return make_error(ErrorCode::kBadFile, "Liberty function \"{}\": {}", text_, what);
  }
  /// The next character that is no space.
  char next() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  Result<std::uint64_t> sum() {
    NBQ_ASSIGN(std::uint64_t v, exclusive());
    while (next() == '|' || next() == '+') {
      ++at_;
      NBQ_ASSIGN(const std::uint64_t more, exclusive());
      v |= more;
    }
    return v;
  }
  Result<std::uint64_t> exclusive() {
    NBQ_ASSIGN(std::uint64_t v, product());
    while (next() == '^') {
      ++at_;
      NBQ_ASSIGN(const std::uint64_t more, product());
      v ^= more;
    }
    return v;
  }
  Result<std::uint64_t> product() {
    NBQ_ASSIGN(std::uint64_t v, factor());
    for (char c = next(); c == '&' || c == '*' || c == '(' || c == '!' || name_char(c);
         c = next()) {
      if (c == '&' || c == '*') ++at_;
      NBQ_ASSIGN(const std::uint64_t more, factor());
      v &= more;
    }
    return v;
  }
  Result<std::uint64_t> factor() {
    if (++depth_ > 64) return fail("too deep");
    const char c = next();
    std::uint64_t v = 0;
    if (c == '!') {
      ++at_;
      NBQ_ASSIGN(v, factor());
      v = ~v;
    } else if (c == '(') {
      ++at_;
      NBQ_ASSIGN(v, sum());
      if (next() != ')') return fail("a parenthesis is open");
      ++at_;
    } else if (name_char(c)) {
      NBQ_ASSIGN(v, operand());
    } else {
      return fail("an operand is missing");
    }
    for (; next() == '\''; ++at_) v = ~v;
    --depth_;
    return v;
  }
  Result<std::uint64_t> operand() {
    const std::size_t from = at_;
    while (at_ < text_.size() && name_char(text_[at_])) ++at_;
    const std::string name = text_.substr(from, at_ - from);
    if (name == "0") return std::uint64_t{0};
    if (name == "1") return ~std::uint64_t{0};
    const auto found = std::find(inputs_.begin(), inputs_.end(), name);
    if (found == inputs_.end()) return fail(name + " is no input");
    constexpr std::uint64_t kColumns[kMaxCellInputs] = {0xaaaaaaaaaaaaaaaa, 0xcccccccccccccccc,
                                                        0xf0f0f0f0f0f0f0f0, 0xff00ff00ff00ff00,
                                                        0xffff0000ffff0000, 0xffffffff00000000};
    return kColumns[found - inputs_.begin()];
  }
  static bool name_char(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  }

  const std::string& text_;
  const std::vector<std::string>& inputs_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<TruthTable> parse_function(const std::string& function,
                                  const std::vector<std::string>& inputs) {
  return FunctionParser(function, inputs).parse();
}

}  // namespace nbq::hw
