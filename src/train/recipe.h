#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/builders.h"
#include "model/quantise.h"

namespace nbq {

/// [data]
struct DataSpec {
  std::string source;  ///< "digits" or a folder (data/dataset.h); empty: given at the command line
  int channels = 0;    ///< images are brought to this size; 0: as they are
  int height = 0, width = 0;
  int pad_crop = 0;   ///< augmentation: shifts by up to this many pixels
  bool flip = false;  ///< augmentation: mirrors left and right
  int resize = 0;     ///< shorter side before the centre is cropped; 0: the largest centre
  int crop = 0;       ///< short for height and width; 0: they are given, or as they are
  /// Augmentation in place of that centre: a part of min..max of the picture's area; 0: off.
  double min_area = 0, max_area = 0;
  double validation = 0;  ///< part of the training images that is set aside, in [0, 1)
};

/// [model]: a family of builders.h, or layers of one's own.
struct ModelSpec {
  BuildSpec build;           ///< its image size and classes come from the data
  std::vector<Node> layers;  ///< [[model.layer]]; inputs refer to this list, -1: the image
  std::vector<float> mean,
      std;  ///< input normalisation of pixels in 0..1, per channel; may be empty
};

/// [quant]'s choice of each layer's weight_bits, made when the float phases end.
struct BudgetSpec {
  std::int64_t bytes = 0;  ///< of all weight codes together; 0: the recipe's bits
  int images = 512;        ///< training images that sensitivities are measured with
};

/// A [[phase]] of training. Fields that its optimizer or schedule does not use have no effect.
struct PhaseSpec {
  bool quantised = false;  ///< kind = "float" | "quantised"
  int epochs = 1;
  int batch = 128;

  std::string optimizer = "sgd";  ///< row of optimizers.cc
  double lr = 0.1;
  double momentum = 0.9;
  bool nesterov = true;
  double weight_decay = 0;  ///< of convolution and linear weights
  double beta1 = 0.9, beta2 = 0.999;

  std::string schedule = "cosine";  ///< of the learning rate: row of schedules.cc
  double warmup_epochs = 0;         ///< the rate rises linearly from 0
  double step_epochs = 0;           ///< step: multiplied by `factor` every so many epochs
  double factor = 0.1;
  double lr_end = 0;  ///< cosine: the last rate

  double label_smoothing = 0;
  double ema = 0;  ///< decay of the moving average that is evaluated and kept; 0: none
  /// Norms use the statistics of the whole batch where several processes share it; false: each
  /// process those of its part, and rank 0's are kept.
  bool sync_norms = false;

  /// Float phases: row of weight_methods.def that quantises their weights (activations stay float),
  /// its bits, and whether the first and the last layer stay float. Such a phase is the last one.
  std::string method = "float";
  int bits = 0;
  bool first_last_float = false;
  bool has_method() const { return method != "float"; }

  int weight_bits = 0;  ///< instead of [quant]'s, for progressive phases; 0: those
  std::string gradient = "reconstructed";  ///< row of schedules.cc
  std::string alpha = "geometric";         ///< row of schedules.cc: the way of 1 - alpha
  double alpha_epochs = 0;  ///< in which 1 - alpha gets to its last value; 0: all until it is 0
  double one_minus_alpha_from = 0.5;
  double one_minus_alpha_to = 0.01;
  double final_epochs_at_one =
      1;                   ///< the last epochs, at alpha = 1: only biases learn (reconstructed)
  bool compensate = true;  ///< the rate of quantised weights is divided by 1 - alpha
  int calibration_images = 256;  ///< for the activations' formats
  bool learn_norms =
      true;  ///< batch norm stays in training until it is frozen; false: folded first
  /// Batches that, before the first step, bring the scales of norms and the exponents to what Q(W)
  /// gives.
  int adapt_batches = 40;
  /// Exponents follow channels whose weights leave the range of their codes, but for the last so
  /// many epochs.
  double lock_exps_epochs = 1;
  /// In the last so many epochs a norm's gain is what the deployed layer's output really has, and
  /// the scale of its weights stands still.
  double settle_norms_epochs = 0.5;
  double freeze_norms_epochs =
      0.1;                     ///< norms use their running statistics in the last so many epochs
  int reestimate_batches = 0;  ///< batches of Q(W) that make their means anew when they freeze
  double distill = 0;          ///< part of the loss that is the distance from the teacher's scores
  double temperature = 4;      ///< of that distance (Hinton et al. 2015)
};

/// A row of `nbq compare`: [[compare.method]], or made by name (compare_rows.h).
struct CompareRow {
  std::string name;   ///< row of schedules.cc's gradients (nbq's own) or of weight_methods.def
  std::string label;  ///< tells rows apart; letters, digits and _ - . :
  int bits = 0;
  std::vector<PhaseSpec> phases;  ///< after the shared float network
};

/// [compare]: what `nbq compare` trains side by side; `nbq train` leaves it alone.
struct CompareSpec {
  std::vector<std::uint64_t> seeds;
  std::vector<CompareRow> rows;
};

/// What `nbq train` reads: one network, its data and how it learns.
struct Recipe {
  std::string name;
  std::uint64_t seed = 1;
  DataSpec data;
  ModelSpec model;
  QuantSpec quant;
  BudgetSpec budget;
  std::vector<PhaseSpec> phases;
  CompareSpec compare;
  std::string init;  ///< .nbq (float) to start from instead of random weights
  /// Images over which batch norms are put back after convolutions of `init` that have none (most
  /// exporters fold them); 0: it is trained as it is.
  int restore_norms = 0;
  /// .nbq to distill from; empty: the float network that the quantised phases begin with.
  std::string teacher;
  std::string precision =
      "auto";  ///< "auto", "float32", "bfloat16": of training; evaluation is exact
};

/// Recipe from TOML text; `file` names it in messages.
/// Errors kBadFile: syntax, an unknown key (with the nearest known one), a wrong type, a value out
/// of range, each as "file:line: key: reason".
/// `overrides` are "key=value" with a dotted key, put in before anything is read, so that they are
/// checked as what the file says: "model.depth=110", "phase.2.lr=0.001" (the second [[phase]]),
/// "model.stages=[[8], [16]]". A value that is no TOML is taken as a string.
/// Errors also kInvalidArgument naming an override that is not of this form.
Result<Recipe> parse_recipe(std::string_view text, const std::string& file,
                            std::span<const std::string> overrides = {});
/// `init` and a relative data folder that exist beside the recipe are taken from there.
Result<Recipe> load_recipe(const std::filesystem::path& path,
                           std::span<const std::string> overrides = {});

/// TOML that parse_recipe() reads back to the same recipe, but for [compare]: the run folder's
/// copy, and what a resumed training is compared with.
std::string recipe_toml(const Recipe& recipe);

/// The [quant] section, as recipe_toml() has it.
std::string quant_toml(const QuantSpec& quant);

/// The float graph, without parameters, for images and classes of the data.
/// Errors kBadFile, kInvalidArgument naming the layer or key.
Result<Graph> recipe_graph(const Recipe& recipe, const Shape& image, int classes);

/// Epochs of every phase times `scale`, rounded, at least 1 (final_epochs_at_one and warm-up too,
/// at least 1 and 0): a short version of a recipe.
Recipe scale_epochs(Recipe recipe, double scale);

/// The recipe's quantised phase, of which there must be one, once for each of `bits` as its
/// weight_bits (1..5), in that order: each begins with what the one before has learnt. A leading 32
/// stands for the float phases; without it they are left out, and the recipe must have an init.
/// Errors kInvalidArgument.
Result<Recipe> progressive_bits(Recipe recipe, std::span<const int> bits);

}  // namespace nbq
