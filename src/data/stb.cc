// The one place where stb_image_resize is compiled; static, so that no other copy can clash.
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#define STB_IMAGE_RESIZE_STATIC
#include <stb_image_resize.h>

#include "data/codec.h"

namespace nbq {

bool resize_plane(const std::uint8_t* in, int height, int width, int stride, std::uint8_t* out,
                  int out_height, int out_width) {
  return stbir_resize_uint8(in, width, height, stride, out, out_width, out_height, 0, 1) == 1;
}

}  // namespace nbq
