#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace nbq::report {

/// One drawing. `commands` are gnuplot's, without terminal and output, and must hold no text from
/// outside. Colours are roles of the page's style sheet: "#000001" is var(--p1), ... (see kInks).
struct Plot {
  int width = 0, height = 0;  ///< of the viewBox, px; the page scales it
  int font_px = 12;
  std::string title;  ///< for screen readers; plain text, escaped here
  std::string commands;
};

/// Draws all in one gnuplot run. Each result is an <svg> element for inlining: no prolog, no ids,
/// no links. Errors kToolMissing: gnuplot; kIo: it failed (the end of what it said).
Result<std::vector<std::string>> draw(const std::vector<Plot>& plots);

/// The element in gnuplot's SVG file, as draw() returns it.
Result<std::string> inline_svg(std::string file, const std::string& title);

/// An element of draw() as a file of its own, with the colours that the page would give it.
std::string standalone_svg(std::string svg);

/// For gnuplot's double quotes: letters, digits, blanks and -_./ of a text from outside.
std::string plot_text(std::string_view text);

/// For text and attribute values in HTML.
std::string escape(std::string_view text);

}  // namespace nbq::report
