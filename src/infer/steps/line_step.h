#pragma once
#include "infer/step.h"
#include "model/quantise.h"

namespace nbq::infer {

/// Where a step's sums go: through the output stage into a view, or out as logits.
struct SumTarget {
  OutputStage stage;
  View out;  ///< its shape counts for logits, too
  bool logits = false;
  std::int64_t logits_per_image = 0;
};

/// A step that makes one view of another, pixel by pixel; threads share the lines.
class LineStep : public Step {
 public:
  LineStep(std::string step_name, const View& in, SumTarget target);
  void place(const std::vector<Buffer>& buffers) override;
  void run(const Worker& worker) const override;

 protected:
  virtual void pixel(const Worker& w, std::int64_t image, int y, int x) const = 0;
  /// The exact sum of one output.
  void put(const Worker& w, std::int64_t image, int c, int y, int x, std::int64_t acc) const;

  View from_;
  SumTarget target_;
  Place in_, out_;

 private:
  Buffer out_buffer_;
};

}  // namespace nbq::infer
