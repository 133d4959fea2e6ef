#pragma once
#include "train/phase.h"

// Private to src/train: from the graph that one phase leaves to the one that the next learns.
namespace nbq {

/// Finds now what the quantised phases would refuse after hours: the recipe's bits, names,
/// quantizer and budget on this network, and its teacher, which is loaded.
Status try_phases(Session& session);

/// Brings state.graph to the stage of the phase that begins.
Status begin_phase(Session& session, const PhaseSpec& phase);

}  // namespace nbq
