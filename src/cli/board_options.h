#pragma once
#include "cli/hardware.h"
#include "hw/choose.h"

namespace nbq::cli {

/// --board, which shells complete with the known ones.
CLI::Option* add_board(CLI::App& cmd, std::string& board);

/// Options of the commands that put a network on a board: compile, synth, sim.
struct BoardOptions {
  std::string board;
  double clock_mhz = 0, use = 0;  ///< 0: the board's
  EngineOptions engine;           ///< what is given is fixed, the rest searched
  CLI::App* command = nullptr;

  /// `needed`: the command does nothing without --board.
  void add_to(CLI::App& cmd, bool needed);
  /// The board, with --clock-mhz.
  Result<hw::Board> find() const;
  /// The engine for `model` on `board`.
  Result<hw::BoardPlan> plan(const std::string& model, const hw::Board& board) const;

 private:
  hw::PlanLimits limits() const;
};

/// A plan as JSON, and its totals as text.
nlohmann::ordered_json plan_json(const hw::BoardPlan& plan, const hw::Board& board, bool layers);
std::string plan_text(const hw::BoardPlan& plan, const hw::Board& board);

/// The trained ResNet-20 of the zoo: what hardware commands take without a model.
std::string shipped_model();

}  // namespace nbq::cli
