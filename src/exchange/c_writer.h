#pragma once
#include <map>
#include <string>

#include "exchange/c_export.h"
#include "exchange/c_plan.h"
#include "exchange/c_runtime.h"

// Private to src/exchange: a plan as text.
namespace nbq::exchange {

class CWriter {
 public:
  CWriter(const Graph& graph, const CPlan& plan, const std::string& name);
  CSource write(const std::string& header_file);

 private:
  CVariants variants() const;
  std::string header() const;
  std::string buffers();
  void layer(const CLayer& l);
  std::string pass(const CLayer& l, const CPass& p, std::size_t number);
  /// Writes a constant array unless one of the same content is there; gives its name, or NULL for
  /// none.
  std::string array(const char* type, const std::string& name, const std::string& elements,
                    std::int64_t bytes, std::int64_t& total);
  std::string columns(const CPass& p, int sum_bytes);
  std::string biases(const CLayer& l);
  std::string place(const CValue& v, int first_channel) const;

  const Graph& graph_;
  const CPlan& plan_;
  const std::string name_, macro_;
  CSource out_;
  std::map<std::string, std::string> arrays_;  ///< names by type and content
  std::string constants_, layers_;
  std::string prefix_;  ///< of the layer that is being written
};

}  // namespace nbq::exchange
