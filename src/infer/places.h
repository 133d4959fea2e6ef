#pragma once
#include <vector>

#include "infer/layout.h"
#include "model/quantise.h"

namespace nbq::infer {

/// What the planner decides about each node before there are steps.
struct NodePlace {
  /// The convolution whose output stage computes this node, or -1.
  int fused_into = -1;
  /// The addition or relu that this convolution's output stage computes, too, or -1.
  int second = -1;
  bool alias = false;  ///< a flatten that is nothing but another look at its operand
  bool wide = false;   ///< 16-bit words
  View view;           ///< empty where fused_into a later node or logits
};

/// Decides fusion, storage and buffers. `stages`: output_stage() of each node.
class Places {
 public:
  Places(const Graph& graph, const std::vector<OutputStage>& stages);

  const NodePlace& operator[](int id) const { return nodes_[static_cast<std::size_t>(id)]; }
  std::vector<Buffer>& buffers() { return buffers_; }
  const std::vector<Buffer>& buffers() const { return buffers_; }
  /// Whether node `operand` by itself writes the part of `concat` that begins at `first_channel`.
  bool in_place(int concat, int operand, int first_channel) const;

 private:
  void fuse(int id);
  void find_aliases();
  void choose_widths();
  void share_concatenations();
  void make_buffers();
  void add_margins();
  int root(int id) const;

  const Graph& graph_;
  const std::vector<OutputStage>& stages_;
  std::vector<std::vector<int>> readers_;
  std::vector<NodePlace> nodes_;
  std::vector<Buffer> buffers_;
  struct Home {
    int concat = -1, first_channel = 0;
    bool operator==(const Home&) const = default;
  };
  Home part_of(int concat, int first_channel) const;
  std::vector<Home> homes_;
};

/// Whether a layer's sums and shifts fit the 32-bit kernels.
bool fits_kernels(const Node& node, const OutputStage& stage);

/// Whether a convolution or linear layer with an operand of shape `in` runs in the kernels. Not so
/// where the margin that they want would dwarf the maps: a few bytes of model could ask for any
/// memory.
bool runs_in_kernels(const Node& node, const OutputStage& stage, const Shape& in);

/// A convolution's window; a linear layer's is its operand's whole map.
Window weight_window(const Node& node, const Shape& in);

}  // namespace nbq::infer
