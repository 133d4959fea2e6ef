#include "infer/kernels/kernels.h"
#include "infer/kernels/map_impl.h"

// Shifts and adds alone: for processors without a row of their own, and as the plain statement of
// what the others compute. "Decoded" weights are signed exponents here: 0, or +-k for +-2^(k-1).
namespace nbq::infer {
namespace {

constexpr int kLanesHere = 8, kVectorBytes = kLanesHere * kStepBytes;

/// Code `j` of lane `lane` in a group of n-bit codes (pack_weights.h).
int code_at(const std::uint8_t* group, int bits, int j, int lane) {
  const int bit = j * bits, byte = bit / 8;
  int raw = group[byte * kVectorBytes + lane] >> (bit % 8);
  if (bit % 8 + bits > 8) raw |= group[(byte + 1) * kVectorBytes + lane] << (8 - bit % 8);
  return raw & ((1 << bits) - 1);
}

int exponent(int bits, int raw) {
  const int k = bits == 1 ? 1 : raw & ((1 << (bits - 1)) - 1);
  return (raw >> (bits - 1)) != 0 ? -k : k;
}

template <class T>
void decode(int bits, const std::uint8_t* packed, std::size_t groups, std::int8_t* out) {
  T* to = reinterpret_cast<T*>(out);
  for (; groups != 0; --groups, packed += bits * kVectorBytes)
    for (int j = 0; j < kGroupVectors; ++j)
      for (int lane = 0; lane < kVectorBytes; ++lane)
        *to++ = static_cast<T>(exponent(bits, code_at(packed, bits, j, lane)));
}

/// acc +- 2^(|e|-1) x; modulo 2^32.
std::uint32_t shift_add(std::uint32_t acc, std::int32_t x, int e) {
  const int k = e < 0 ? -e : e;
  const std::uint32_t v = k == 0 ? 0 : static_cast<std::uint32_t>(x) << (k - 1);
  return e < 0 ? acc - v : acc + v;
}

template <class Activation, class Weight, int P>
void dot(const DotTile& t) {
  constexpr int kChannels = kStepBytes / static_cast<int>(sizeof(Activation));
  std::uint32_t acc[P][kLanesHere] = {};
  const std::int8_t* w = t.weights;
  for (int r = 0; r < t.rows; ++r)
    for (int k = 0; k < t.taps; ++k) {
      const std::uint8_t* in = t.in + r * t.in_row + k * t.in_tap;
      for (int s = 0; s < t.steps; ++s, in += kStepBytes, w += t.weight_step) {
        const auto* weight = reinterpret_cast<const Weight*>(w);
        for (int p = 0; p < P; ++p) {
          Activation x[kChannels];
          __builtin_memcpy(x, in + p * t.in_pixel, kStepBytes);
          for (int lane = 0; lane < kLanesHere; ++lane)
            for (int c = 0; c < kChannels; ++c)
              acc[p][lane] = shift_add(acc[p][lane], x[c], weight[lane * kChannels + c]);
        }
      }
    }
  __builtin_memcpy(t.acc, acc, sizeof acc);
}

/// One lane at a time.
struct Int1 {
  using V = std::int32_t;
  static constexpr int kLanes = 1;
  static V load(const std::int32_t* p) { return *p; }
  static void store(std::int32_t* to, V v) { *to = v; }
  static V set(std::int32_t v) { return v; }
  static V wrap(std::uint32_t v) { return static_cast<V>(v); }
  static V add(V a, V b) {
    return wrap(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
  }
  static V sub(V a, V b) {
    return wrap(static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b));
  }
  static V bits_and(V a, V b) { return a & b; }
  static V bits_xor(V a, V b) { return a ^ b; }
  static V min(V a, V b) { return a < b ? a : b; }
  static V max(V a, V b) { return a > b ? a : b; }
  static V shift_left(V v, int by) { return wrap(static_cast<std::uint32_t>(v) << by); }
  static V shift_right(V v, int by) { return v >> by; }
  static V load_bytes(const std::uint8_t* p, int) { return *p; }
  static V load_words(const std::uint8_t* p, int) {
    std::int16_t v;
    __builtin_memcpy(&v, p, 2);
    return v;
  }
  static void store_bytes(std::uint8_t* to, V v, int) { *to = static_cast<std::uint8_t>(v); }
  static void store_words(std::uint8_t* to, V v, int) {
    const auto word = static_cast<std::int16_t>(v);
    __builtin_memcpy(to, &word, 2);
  }
};

/// The output stage takes vectors of one lane here.
void finish_lanes(const Finish& f, const std::int32_t* acc, int pixels, int vectors) {
  finish<Int1>(f, acc, pixels, vectors * kLanesHere);
}

double step_cost(bool /*wide*/, int vectors, int pixels) { return vectors * pixels; }

}  // namespace

void kernels_portable(KernelSet& s) {
  s.lanes = kLanesHere;
  s.step_cost = step_cost;
  DotFn bytes[] = {dot<std::uint8_t, std::int8_t, 1>, dot<std::uint8_t, std::int8_t, 2>,
                   dot<std::uint8_t, std::int8_t, 3>, dot<std::uint8_t, std::int8_t, 4>};
  DotFn words[] = {dot<std::int16_t, std::int16_t, 1>, dot<std::int16_t, std::int16_t, 2>,
                   dot<std::int16_t, std::int16_t, 3>, dot<std::int16_t, std::int16_t, 4>};
  for (int p = 0; p < 4; ++p) {
    s.dot8[0][p] = bytes[p];
    s.dot16[0][p] = words[p];
  }
  s.decode8 = decode<std::int8_t>;
  s.decode16 = decode<std::int16_t>;
  s.finish = finish_lanes;
  s.map = map<Int1>;
}

}  // namespace nbq::infer
