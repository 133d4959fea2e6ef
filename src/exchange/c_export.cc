#include "exchange/c_export.h"

#include <algorithm>
#include <cctype>

#include "core/file.h"
#include "exchange/c_plan.h"
#include "exchange/c_writer.h"

namespace nbq {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Begins with a letter: identifiers that begin with underscores belong to compilers. All public
/// names have more behind it, so keywords are fine.
Status check_name(const std::string& name) {
  const bool fits = !name.empty() && std::isalpha(static_cast<unsigned char>(name[0])) != 0 &&
                    std::all_of(name.begin(), name.end(), is_word);
  if (!fits)
    return make_error(ErrorCode::kInvalidArgument,
                      "--name {}: not a C identifier; letters, digits and underscores, a letter "
                      "first",
                      name);
  return ok_status();
}

std::string name_of(const std::filesystem::path& path) {
  std::string name = path.stem().string();
  for (char& c : name)
    if (!is_word(c)) c = '_';
  return name.empty() || std::isalpha(static_cast<unsigned char>(name[0])) == 0 ? "net_" + name
                                                                                : name;
}

}  // namespace

Result<CSource> export_c_source(const Graph& integer, const std::string& name,
                                const std::string& header) {
  NBQ_TRY(check_name(name));
  NBQ_ASSIGN(const exchange::CPlan plan, exchange::plan_c(integer));
  return exchange::CWriter(integer, plan, name).write(header);
}

Result<CSource> export_c(const std::filesystem::path& path, const Graph& integer,
                         const std::string& name) {
  if (path.extension() != ".c")
    return make_error(ErrorCode::kInvalidArgument,
                      "{}: C goes into a file that ends in .c, with the header beside it",
                      path.string());
  std::filesystem::path header = path;
  header.replace_extension(".h");
  NBQ_ASSIGN(CSource c, export_c_source(integer, name.empty() ? name_of(path) : name,
                                        header.filename().string()));
  NBQ_TRY(write_file(header, c.header));
  NBQ_TRY(write_file(path, c.source));
  return c;
}

}  // namespace nbq
