#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace nbq::cli {

/// What `nbq --generate` prints: rows of reference.cc.
std::vector<std::string> reference_formats();

/// Every command and option as the parser holds them, so that nothing here can go stale: a manual
/// page, a page of Markdown, or a shell's completion. format: one of reference_formats().
std::string reference(const CLI::App& app, const std::string& format);

/// Exit codes and environment variables, for the end of --help.
std::string reference_footer();

}  // namespace nbq::cli
