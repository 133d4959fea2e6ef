#include "hw/energy/liberty.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>

namespace nbq::hw {
namespace {

constexpr int kMaxDepth = 32;  // groups within groups; real libraries have seven

class Parser {
 public:
  Parser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  Result<LibertyGroup> library() {
    skip();
    NBQ_ASSIGN(const std::string word, identifier());
    if (word != "library") return fail("expected `library`");
    LibertyGroup g;
    g.type = word;
    NBQ_ASSIGN(g.arguments, arguments());
    NBQ_TRY(body(g, 0));
    return g;
  }

 private:
  Error fail(const std::string& what) const {
    const auto line = 1 + std::count(text_.begin(), text_.begin() + std::ptrdiff_t(at_), '\n');
    return make_error(ErrorCode::kBadFile, "{}:{}: {}; not a Liberty file that nbq can read", name_,
                      line, what);
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  /// Over spaces, comments and continued lines.
  void skip() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (std::isspace(static_cast<unsigned char>(c)) != 0 || c == '\\' || c == ';') {
        ++at_;
      } else if (text_.substr(at_, 2) == "/*") {
        const std::size_t end = text_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? text_.size() : end + 2;
      } else if (text_.substr(at_, 2) == "//") {
        const std::size_t end = text_.find('\n', at_);
        at_ = end == std::string_view::npos ? text_.size() : end;
      } else {
        return;
      }
    }
  }

  Result<std::string> identifier() {
    const std::size_t from = at_;
    while (std::isalnum(static_cast<unsigned char>(peek())) != 0 || peek() == '_') ++at_;
    if (at_ == from) return fail("expected a name");
    return std::string(text_.substr(from, at_ - from));
  }

  /// A string without its quotes and line continuations, or a bare word up to one of `stops`.
  Result<std::string> value(std::string_view stops) {
    std::string v;
    if (peek() == '"') {
      const std::size_t end = text_.find('"', at_ + 1);
      if (end == std::string_view::npos) return fail("a string does not end");
      v = text_.substr(at_ + 1, end - at_ - 1);
      std::erase(v, '\\');
      at_ = end + 1;
      return v;
    }
    const std::size_t end = text_.find_first_of(stops, at_);
    if (end == std::string_view::npos) return fail("a value does not end");
    v = text_.substr(at_, end - at_);
    at_ = end;
    while (!v.empty() && std::isspace(static_cast<unsigned char>(v.back())) != 0) v.pop_back();
    return v;
  }

  Result<std::vector<std::string>> arguments() {
    skip();
    if (peek() != '(') return fail("expected (");
    ++at_;
    std::vector<std::string> list;
    for (skip(); peek() != ')'; skip()) {
      if (at_ >= text_.size()) return fail("a list does not end");
      if (peek() == ',') {
        ++at_;
        continue;
      }
      NBQ_ASSIGN(std::string v, value(",)\n"));
      list.push_back(std::move(v));
    }
    ++at_;
    return list;
  }

  Status body(LibertyGroup& g, int depth) {
    skip();
    if (peek() != '{' || depth > kMaxDepth) return fail("expected {");
    ++at_;
    for (skip(); peek() != '}'; skip()) {
      if (at_ >= text_.size()) return fail("a group does not end");
      const std::size_t begin = at_;
      NBQ_ASSIGN(std::string name, identifier());
      skip();
      if (peek() == ':') {
        ++at_;
        while (peek() == ' ' || peek() == '\t') ++at_;
        NBQ_ASSIGN(std::string v, value(";\n}"));
        g.attributes.emplace_back(std::move(name), std::move(v));
        continue;
      }
      NBQ_ASSIGN(std::vector<std::string> list, arguments());
      skip_spaces();
      if (peek() == '{') {
        LibertyGroup child;
        child.type = std::move(name);
        child.arguments = std::move(list);
        child.begin = begin;
        NBQ_TRY(body(child, depth + 1));
        child.end = at_;
        g.groups.push_back(std::move(child));
      } else {
        std::string joined;
        for (const std::string& v : list) joined += (joined.empty() ? "" : ", ") + v;
        g.attributes.emplace_back(std::move(name), std::move(joined));
      }
    }
    ++at_;
    return ok_status();
  }

  void skip_spaces() {
    while (std::isspace(static_cast<unsigned char>(peek())) != 0) ++at_;
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
};

}  // namespace

const std::string* LibertyGroup::find(std::string_view name) const {
  for (const auto& [key, value] : attributes)
    if (key == name) return &value;
  return nullptr;
}

std::optional<double> LibertyGroup::number(std::string_view name) const {
  const std::string* v = find(name);
  if (v == nullptr) return std::nullopt;
  const auto list = liberty_numbers(*v);
  if (!list || list->size() != 1) return std::nullopt;
  return list->front();
}

const LibertyGroup* LibertyGroup::group(std::string_view name) const {
  for (const LibertyGroup& g : groups)
    if (g.type == name) return &g;
  return nullptr;
}

Result<LibertyGroup> parse_liberty(std::string_view text, const std::string& name) {
  return Parser(text, name).library();
}

std::optional<std::vector<double>> liberty_numbers(std::string_view list) {
  std::vector<double> numbers;
  const std::string text(list);
  const char* at = text.c_str();
  while (true) {
    while (*at == ' ' || *at == ',' || *at == '\t' || *at == '\n' || *at == '\r') ++at;
    if (*at == '\0') return numbers;
    char* end = nullptr;
    numbers.push_back(std::strtod(at, &end));
    if (end == at || !std::isfinite(numbers.back())) return std::nullopt;
    at = end;
  }
}

}  // namespace nbq::hw
