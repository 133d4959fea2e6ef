#include "exchange/c_runtime.h"

#include <string_view>

namespace nbq::exchange {
namespace {

constexpr std::string_view kTypes = R"c(
/* One column of a window: the outputs [first, first + count) that it reaches, `first` in bytes of the
 * row of sums; and where in a row the first of them reads, in bytes. */
struct columns {
    int32_t at;
    uint32_t first, count;
};

/* A power of two of an average's reciprocal. */
struct term {
    uint8_t shift, negative;
};

struct pass;
/* Adds count elements, p->step apart, shifted left, to as many sums; or takes maxima. */
typedef void row_function(void *sums, const void *elements, uint32_t count, const struct pass *p,
                          unsigned shift, bool negative);

/* What one operand adds to a layer's sums. Offsets are in bytes. */
struct pass {
    row_function *row;
    const uint8_t *from; /* NULL: the image */
    const struct columns *columns;
    const uint8_t *codes;
    int32_t origin, first_row, rows; /* of the first window; rows of the map */
    int32_t row_step, next_output;   /* from output row to output row */
    int32_t dilation, next_row;      /* from kernel row to kernel row */
    int32_t next_channel, next_group;
    uint32_t group_outputs, channels, kernel_h, kernel_w;
    uint32_t step; /* elements */
    uint32_t zero; /* the stored element that means 0 */
    /* A code is a level and, above it, a sign. Level 0 is the weight 0, level k is 2^(k-1); `level` is
     * added to it. Codes of 0 bits are all 0. */
    uint8_t bits, level_mask, sign_bit, level;
};

struct layer;
typedef void row_begin(const struct layer *l, uint32_t channel);
typedef void row_end(const struct layer *l, uint32_t channel, void *out);

struct layer {
    const struct pass *passes;
    const void *biases; /* int32_t or int64_t as the sums are, or NULL */
    const int8_t *shifts;
    const struct term *terms;
    row_begin *begin;
    row_end *end;
    uint8_t *sums;
    uint8_t *out; /* NULL: the logits */
    uint32_t pass_count, term_count;
    uint32_t channels, height, width;
    uint32_t next_out; /* bytes of a row */
    int32_t low, high; /* what the output is clamped to, */
    uint32_t zero;     /* before this is added */
    uint32_t shift_per_channel;
};
)c";

constexpr std::string_view kAdd = R"c(
static void add_u@E@_@S@(void *sums, const void *elements, uint32_t count, const struct pass *p,
                       unsigned shift, bool negative)
{
    uint@S@_t *sum = sums;
    const uint@E@_t *x = elements;
    const uint@S@_t zero = p->zero;
    const uint32_t step = p->step;
    if (negative)
        for (;; x += step) {
            *sum++ -= ((uint@S@_t)*x - zero) << shift;
            if (--count == 0)
                return;
        }
    for (;; x += step) {
        *sum++ += ((uint@S@_t)*x - zero) << shift;
        if (--count == 0)
            return;
    }
}
)c";

constexpr std::string_view kMaximum = R"c(
static void maximum_u@E@(void *sums, const void *elements, uint32_t count, const struct pass *p,
                       unsigned shift, bool negative)
{
    uint32_t *sum = sums;
    const uint@E@_t *x = elements;
    const uint32_t step = p->step;
    (void)shift;
    (void)negative;
    for (;; x += step) {
        if (*x > *sum)
            *sum = *x;
        ++sum;
        if (--count == 0)
            return;
    }
}
)c";

constexpr std::string_view kBegin = R"c(
static void begin_@S@(const struct layer *l, uint32_t channel)
{
    const int@S@_t *biases = l->biases;
    const uint@S@_t bias = biases != NULL ? (uint@S@_t)biases[channel] : 0;
    uint@S@_t *sum = sums_@S@;
    uint32_t x;
    for (x = l->width; x != 0; --x)
        *sum++ = bias;
}

/* A sum times the reciprocal of an average, if the layer has one. */
static uint@S@_t averaged_@S@(const struct layer *l, uint@S@_t sum)
{
    const struct term *t = l->terms;
    uint@S@_t total = 0;
    uint32_t i;
    if (l->term_count == 0)
        return sum;
    for (i = l->term_count; i != 0; --i, ++t)
        total = t->negative ? total - (sum << t->shift) : total + (sum << t->shift);
    return total;
}
)c";

constexpr std::string_view kRequantise = R"c(
/* clamp(v / 2^r rounded, half up, low, high). Integers are held as distances from the most negative
 * one: unsigned, in the same order, so that no negative number is shifted. For r < 0, v is clamped
 * first, too: that changes nothing, and the shift can't overflow. */
static uint@S@_t requantised_@S@(const struct layer *l, uint@S@_t v, int r)
{
    const uint@S@_t top = (uint@S@_t)1 << @S-1@;
    const uint@S@_t low = (uint@S@_t)l->low ^ top, high = (uint@S@_t)l->high ^ top;
    v ^= top;
    if (r > 0) {
        v = (v >> r) + ((v >> (r - 1)) & 1);
        v = (v - (top >> r)) ^ top;
    } else if (r < 0) {
        v = v < low ? low : v > high ? high : v;
        v = ((v ^ top) << -r) ^ top;
    }
    v = v < low ? low : v > high ? high : v;
    return v ^ top;
}
)c";

constexpr std::string_view kStore = R"c(
static void store_u@E@_@S@(const struct layer *l, uint32_t channel, void *out)
{
    const int r = l->shifts[l->shift_per_channel ? channel : 0];
    const uint@S@_t *sum = sums_@S@;
    uint@E@_t *to = out;
    uint32_t x;
    for (x = l->width; x != 0; --x)
        *to++ = (uint@E@_t)(requantised_@S@(l, averaged_@S@(l, *sum++), r) + l->zero);
}
)c";

constexpr std::string_view kGive = R"c(
static void give_logits_@S@(const struct layer *l, uint32_t channel, void *out)
{
    const uint@S@_t *sum = sums_@S@;
    int@S@_t *to = out;
    uint32_t x;
    (void)channel;
    for (x = l->width; x != 0; --x) {
        const uint@S@_t v = averaged_@S@(l, *sum++);
        *to++ = v <= INT@S@_MAX ? (int@S@_t)v : -(int@S@_t)~v - 1;
    }
}
)c";

constexpr std::string_view kLayer = R"c(
/* Packed codes, the next one in the lowest bits of `word`. */
struct reader {
    const uint8_t *next;
    uint32_t word, bits;
};

static uint32_t next_code(struct reader *r, uint32_t bits)
{
    const uint32_t mask = ((uint32_t)1 << bits) - 1;
    uint32_t code;
    if (r->bits < bits) {
        r->word |= (uint32_t)*r->next++ << r->bits;
        r->bits += 8;
    }
    code = r->word & mask;
    r->word >>= bits;
    r->bits -= bits;
    return code;
}

/* Where a pass is. */
struct place {
    struct reader channel, row; /* codes of the output channel, and behind the row's last one */
    int32_t group;              /* origin of the group */
    uint32_t outputs;           /* channels that are left of the group */
    int32_t y, at;              /* the row that the window's first row reads, and its offset */
};

static void add_pass(const struct pass *p, struct place *place, uint8_t *sums, const uint8_t *elements)
{
    struct reader codes = place->channel;
    int32_t channel_at = place->at;
    uint32_t c, ky, kx;
    for (c = p->channels; c != 0; --c) {
        int32_t y = place->y, at = channel_at;
        for (ky = p->kernel_h; ky != 0; --ky) {
            const bool inside = y >= 0 && y < p->rows;
            const struct columns *k = p->columns;
            for (kx = p->kernel_w; kx != 0; --kx, ++k) {
                const uint32_t code = next_code(&codes, p->bits);
                const unsigned level = (unsigned)(code & p->level_mask) + p->level;
                if (inside && level != 0 && k->count != 0)
                    p->row(sums + k->first, elements + (at + k->at), k->count, p, level - 1,
                           (code >> p->sign_bit) != 0);
            }
            y += p->dilation;
            at += p->next_row;
        }
        channel_at += p->next_channel;
    }
    place->row = codes;
    place->y += p->row_step;
    place->at += p->next_output;
}

static void begin_pass(const struct pass *p, struct place *place)
{
    place->channel.next = p->codes;
    place->channel.word = place->channel.bits = 0;
    place->group = p->origin;
    place->outputs = p->group_outputs;
    place->y = p->first_row;
    place->at = p->origin;
}

static void next_channel(const struct pass *p, struct place *place)
{
    place->channel = place->row;
    if (--place->outputs == 0) {
        place->outputs = p->group_outputs;
        place->group += p->next_group;
    }
    place->y = p->first_row;
    place->at = place->group;
}

/* Passes are walked along by pointers: an index would be multiplied by their size. */
static void add_row(const struct layer *l, struct place *place, const uint8_t *image)
{
    const struct pass *p = l->passes;
    uint32_t i;
    for (i = l->pass_count; i != 0; --i, ++p, ++place)
        add_pass(p, place, l->sums, p->from != NULL ? p->from : image);
}

static void begin_passes(const struct layer *l, struct place *place)
{
    const struct pass *p = l->passes;
    uint32_t i;
    for (i = l->pass_count; i != 0; --i, ++p, ++place)
        begin_pass(p, place);
}

static void next_channels(const struct layer *l, struct place *place)
{
    const struct pass *p = l->passes;
    uint32_t i;
    for (i = l->pass_count; i != 0; --i, ++p, ++place)
        next_channel(p, place);
}

static void run_layer(const struct layer *l, const uint8_t *image, void *logits)
{
    struct place places[MAX_PASSES];
    uint8_t *out = l->out != NULL ? l->out : logits;
    uint32_t channel, y;
    begin_passes(l, places);
    for (channel = 0; channel != l->channels; ++channel) {
        for (y = l->height; y != 0; --y) {
            l->begin(l, channel);
            add_row(l, places, image);
            l->end(l, channel, out);
            out += l->next_out;
        }
        next_channels(l, places);
    }
}
)c";

/// The text with its @...@ filled in; `element` may be 0 where it has none.
std::string fill(std::string_view text, int element, int sums) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t mark = text.find('@', at);
    out += text.substr(at, mark - at);
    if (mark == std::string_view::npos) break;
    const std::size_t end = text.find('@', mark + 1);
    const std::string_view key = text.substr(mark + 1, end - mark - 1);
    out += std::to_string(key == "E" ? element : key == "S" ? sums : sums - 1);
    at = end + 1;
  }
  return out;
}

}  // namespace

std::string c_types() { return std::string(kTypes); }

std::string c_row_functions(const CVariants& v) {
  std::string out;
  for (const auto& [element, sums] : v.adds) out += fill(kAdd, element, sums);
  for (const int element : v.maxima) out += fill(kMaximum, element, 32);
  for (const int sums : v.sums) {
    out += fill(kBegin, 0, sums);
    bool stored = false;
    for (const auto& [element, of] : v.stores) stored |= of == sums;
    if (stored) out += fill(kRequantise, 0, sums);
  }
  for (const auto& [element, sums] : v.stores) out += fill(kStore, element, sums);
  return out + fill(kGive, 0, v.raw);
}

std::string c_layer_functions() { return std::string(kLayer); }

}  // namespace nbq::exchange
