#pragma once
#include <nlohmann/json.hpp>

#include "report/inputs.h"

namespace nbq::report {

/// Readers of what the commands about hardware print. They throw BadInput and json::exception.
Simulation simulation(const nlohmann::json& j);
Resources resources(const nlohmann::json& j);
Schedule schedule(const nlohmann::json& j);
Energy energy(const nlohmann::json& j);
CpuSpeed cpu_speed(const nlohmann::json& j);

}  // namespace nbq::report
