/* classify_c MODEL.nbq IMAGES: images are raw bytes, one behind the other, each channels x height x
 * width. Prints a line an image: its class, then its logits. */
#include <nbq/nbq.h>
#include <stdio.h>
#include <stdlib.h>

/* The whole file; NULL: it can't be read. */
static uint8_t* read_bytes(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  uint8_t* bytes = NULL;
  *size = 0;
  if (file == NULL) return NULL;
  for (size_t room = 1 << 16;; room *= 2) {
    uint8_t* const more = realloc(bytes, room);
    if (more == NULL) break;
    bytes = more;
    *size += fread(bytes + *size, 1, room - *size, file);
    if (*size < room) {
      fclose(file);
      return bytes;
    }
  }
  fclose(file);
  free(bytes);
  return NULL;
}

static void print_line(const nbq_model* model, const int64_t* logits, int32_t outputs) {
  int32_t best = 0;
  for (int32_t o = 1; o < outputs; ++o)
    if (logits[o] > logits[best]) best = o;
  const char* name = nbq_class_name(model, best);
  if (name != NULL)
    printf("%s", name);
  else
    printf("%d", (int)best);
  for (int32_t o = 0; o < outputs; ++o) printf(" %lld", (long long)logits[o]);
  printf("\n");
}

static int classify(nbq_model* model, const uint8_t* pixels, size_t size) {
  nbq_info info;
  info.struct_size = sizeof info;
  if (nbq_model_info(model, &info) != NBQ_OK) return 1;
  const size_t image = (size_t)info.channels * (size_t)info.height * (size_t)info.width;
  const int32_t n = (int32_t)(size / image);
  const size_t count = (size_t)n * (size_t)info.outputs;
  int64_t* logits = malloc(count * sizeof *logits + 1);
  if (logits == NULL || nbq_model_run(model, pixels, size, n, logits, count) != NBQ_OK) {
    free(logits);
    return 1;
  }
  for (int32_t i = 0; i < n; ++i)
    print_line(model, logits + (size_t)i * (size_t)info.outputs, info.outputs);
  free(logits);
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: classify_c MODEL.nbq IMAGES\n");
    return 2;
  }
  nbq_options options;
  nbq_options_init(&options);
  options.threads = 0; /* one a core */
  nbq_model* model = NULL;
  if (nbq_model_load(argv[1], &options, &model) != NBQ_OK) {
    fprintf(stderr, "classify_c: %s\n", nbq_last_error());
    return 3;
  }
  size_t size = 0;
  uint8_t* const pixels = read_bytes(argv[2], &size);
  if (pixels == NULL) fprintf(stderr, "classify_c: %s: can't be read\n", argv[2]);
  const int failed = pixels != NULL ? classify(model, pixels, size) : 0;
  if (failed) fprintf(stderr, "classify_c: %s: %s\n", argv[2], nbq_last_error());
  const int status = pixels == NULL || failed ? 3 : 0;
  free(pixels);
  nbq_model_free(model);
  return status;
}
