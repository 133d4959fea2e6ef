#include "exchange/onnx_tensor.h"

#include <onnx/onnx_pb.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>

namespace nbq::exchange {
namespace {

namespace fs = std::filesystem;
using onnx::TensorProto;

template <class T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

float from_half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const float magnitude = exponent == 31 ? (fraction != 0 ? NAN : INFINITY)
                          : exponent == 0
                              ? std::ldexp(static_cast<float>(fraction), -24)
                              : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

float from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// How a type lies in raw data, and in the typed fields.
struct Type {
  int id;
  const char* name;  ///< of types that are converted
  std::size_t bytes;
  float (*to_float)(const char*);
  std::int64_t (*to_int)(const char*);
};
template <class T>
std::int64_t int_of(const char* p) {
  return static_cast<std::int64_t>(load<T>(p));
}
constexpr Type kTypes[] = {
    {TensorProto::FLOAT, nullptr, 4, [](const char* p) { return load<float>(p); }, nullptr},
    {TensorProto::DOUBLE, "double", 8,
     [](const char* p) { return static_cast<float>(load<double>(p)); }, nullptr},
    {TensorProto::FLOAT16, "float16", 2,
     [](const char* p) { return from_half(load<std::uint16_t>(p)); }, nullptr},
    {TensorProto::BFLOAT16, "bfloat16", 2,
     [](const char* p) { return from_bfloat16(load<std::uint16_t>(p)); }, nullptr},
    {TensorProto::INT64, nullptr, 8, nullptr, int_of<std::int64_t>},
    {TensorProto::INT32, nullptr, 4, nullptr, int_of<std::int32_t>},
    {TensorProto::INT8, nullptr, 1, nullptr, int_of<std::int8_t>},
    {TensorProto::UINT8, nullptr, 1, nullptr, int_of<std::uint8_t>},
    {TensorProto::BOOL, nullptr, 1, nullptr, int_of<std::uint8_t>},
};

Status from_raw(const Type& type, const std::string& raw, std::int64_t count,
                const std::string& where, ConstTensor& t) {
  static_assert(std::endian::native == std::endian::little, "ONNX stores little-endian");
  if (raw.size() != static_cast<std::size_t>(count) * type.bytes)
    return make_error(ErrorCode::kBadFile, "{}: {} bytes for {} elements of {} bytes", where,
                      raw.size(), count, type.bytes);
  for (std::size_t i = 0; i < raw.size(); i += type.bytes)
    if (t.is_float)
      t.floats.push_back(type.to_float(raw.data() + i));
    else
      t.ints.push_back(type.to_int(raw.data() + i));
  return ok_status();
}

Status from_fields(const TensorProto& p, std::int64_t count, const std::string& where,
                   ConstTensor& t) {
  switch (p.data_type()) {
    case TensorProto::FLOAT:
      t.floats.assign(p.float_data().begin(), p.float_data().end());
      break;
    case TensorProto::DOUBLE:
      for (const double v : p.double_data()) t.floats.push_back(static_cast<float>(v));
      break;
    case TensorProto::FLOAT16:
      for (const std::int32_t v : p.int32_data())
        t.floats.push_back(from_half(static_cast<std::uint16_t>(v)));
      break;
    case TensorProto::BFLOAT16:
      for (const std::int32_t v : p.int32_data())
        t.floats.push_back(from_bfloat16(static_cast<std::uint16_t>(v)));
      break;
    case TensorProto::INT64:
      t.ints.assign(p.int64_data().begin(), p.int64_data().end());
      break;
    default:
      t.ints.assign(p.int32_data().begin(), p.int32_data().end());
      break;
  }
  if (t.size() != count)
    return make_error(ErrorCode::kBadFile, "{}: {} values for {} elements", where, t.size(), count);
  return ok_status();
}

/// The file that `location` names, which must lie inside `folder`, links followed.
Result<fs::path> external_file(const fs::path& folder, const std::string& location,
                               const std::string& where) {
  const fs::path given = location;
  bool inside = !location.empty() && given.is_relative();
  for (const fs::path& part : given) inside = inside && part != "..";
  std::error_code ec;
  const fs::path root = fs::canonical(folder.empty() ? fs::path(".") : folder, ec);
  const fs::path file = ec || !inside ? fs::path() : fs::canonical(root / given, ec);
  if (inside && ec)
    return make_error(ErrorCode::kBadFile, "{}: its external data {} is not there", where,
                      location);
  const auto [end, rest] = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
  if (!inside || end != root.end())
    return make_error(ErrorCode::kBadFile,
                      "{}: its external data {} lies outside the model's folder; keep it beside "
                      "the model",
                      where, location);
  return file;
}

Result<std::string> external_data(const TensorProto& p, const fs::path& folder,
                                  std::uintmax_t bytes, const std::string& where) {
  std::string location;
  std::uintmax_t offset = 0;
  for (const auto& entry : p.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = std::strtoull(entry.value().c_str(), nullptr, 10);
  }
  NBQ_ASSIGN(const fs::path file, external_file(folder, location, where));
  std::error_code ec;
  const std::uintmax_t have = fs::is_regular_file(file, ec) ? fs::file_size(file, ec) : 0;
  if (ec || offset > have || bytes > have - offset)
    return make_error(ErrorCode::kBadFile, "{}: {} is shorter than the {} bytes at {} it needs",
                      where, file.string(), bytes, offset);
  std::string data(bytes, '\0');
  std::ifstream in(file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(offset));
  if (!in.read(data.data(), static_cast<std::streamsize>(bytes)))
    return make_error(ErrorCode::kIo, "{}: {} can't be read", where, file.string());
  return data;
}

}  // namespace

std::int64_t element_count(const std::vector<std::int64_t>& dims) {
  constexpr std::int64_t kMax = std::int64_t{1} << 28;
  std::int64_t count = 1;
  bool none = false;
  for (const std::int64_t d : dims) {
    if (d < 0 || d > kMax) return -1;
    none = none || d == 0;
    count *= std::max<std::int64_t>(d, 1);  // the others stay in range, too
    if (count > kMax) return -1;
  }
  return none ? 0 : count;
}

Result<ConstTensor> decode_tensor(const TensorProto& p, const fs::path& folder,
                                  const std::string& where, std::string& converted) {
  const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                  [&](const Type& t) { return t.id == p.data_type(); });
  if (type == std::end(kTypes))
    return make_error(ErrorCode::kUnsupported,
                      "{}: elements of ONNX type {}; float, double, float16, bfloat16, integers "
                      "and bool are read: export a float model",
                      where, p.data_type());
  ConstTensor t;
  t.dims.assign(p.dims().begin(), p.dims().end());
  t.is_float = type->to_float != nullptr;
  t.type = p.data_type();
  const std::int64_t count = element_count(t.dims);
  if (count < 0 || t.dims.size() > 8)
    return make_error(ErrorCode::kBadFile, "{}: dimensions [{}] are out of range", where,
                      fmt::join(t.dims, ", "));
  if (type->name != nullptr) converted = type->name;
  if (p.data_location() == TensorProto::EXTERNAL) {
    NBQ_ASSIGN(const std::string data,
               external_data(p, folder, static_cast<std::uintmax_t>(count) * type->bytes, where));
    NBQ_TRY(from_raw(*type, data, count, where, t));
  } else if (p.has_raw_data()) {
    NBQ_TRY(from_raw(*type, p.raw_data(), count, where, t));
  } else {
    NBQ_TRY(from_fields(p, count, where, t));
  }
  return t;
}

}  // namespace nbq::exchange
