// How many images a second the batch loader decodes and augments: bench/loader DATA [options]
#include "data/loader.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace nbq {
namespace {

struct Options {
  DatasetSpec data;
  LoaderOptions loader;
  std::vector<double> part;  ///< least and largest area of random_resized_crop
  int crop = 0;
  double seconds = 5;
  bool test = false, json = false;
};

struct Measured {
  std::size_t images = 0;
  double open_seconds = 0, seconds = 0;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Whole epochs, the last one cut short, until the time is up.
Result<Measured> measure(const Options& o) {
  Measured m;
  const double opening = now();
  NBQ_ASSIGN(const ImageSourcePtr source, open_dataset(o.data));
  const double start = now();
  m.open_seconds = start - opening;
  LoaderOptions options = o.loader;
  Batch batch;
  for (; m.seconds < o.seconds; ++options.epoch) {
    BatchLoader loader(source, options);
    while (m.seconds < o.seconds) {
      NBQ_ASSIGN(const bool more, loader.next(batch));
      if (!more) break;
      m.images += batch.size();
      m.seconds = now() - start;
    }
  }
  return m;
}

void print(const Options& o, const Measured& m) {
  const double rate = static_cast<double>(m.images) / m.seconds;
  if (o.json) {
    const nlohmann::ordered_json j{{"data", o.data.path},
                                   {"images", m.images},
                                   {"seconds", m.seconds},
                                   {"images_per_second", rate},
                                   {"open_seconds", m.open_seconds},
                                   {"threads", o.loader.threads}};
    std::printf("%s\n", j.dump(2).c_str());
  } else {
    std::printf("%s: %.0f images/s (%zu in %.2f s, %d threads; opened in %.2f s)\n",
                o.data.path.c_str(), rate, m.images, m.seconds, o.loader.threads, m.open_seconds);
  }
}

int run(int argc, char** argv) {
  Options o;
  CLI::App app{"images a second through the batch loader"};
  app.add_option("data", o.data.path, "as nbq train's --data")->required();
  app.add_flag("--test", o.test, "the test images; else the training ones");
  app.add_option("--crop", o.crop, "side of the images handed out; 0: as they are")
      ->check(CLI::Range(0, 4096));
  app.add_option("--resize", o.data.resize, "shorter side before the crop")
      ->check(CLI::Range(0, 4096));
  app.add_option("--random-resized-crop", o.part, "least and largest area")
      ->expected(2)
      ->check(CLI::Range(1e-6, 1.0));
  app.add_option("--pad-crop", o.loader.augment.pad_crop)->check(CLI::Range(0, 1024));
  app.add_flag("--flip", o.loader.augment.flip);
  app.add_option("--batch", o.loader.batch_size)->check(CLI::Range(1, 1 << 20));
  app.add_option("--threads", o.loader.threads, "that prepare batches")->check(CLI::Range(0, 256));
  app.add_option("--seconds", o.seconds, "how long")->check(CLI::Range(0.01, 3600.0));
  app.add_flag("--json", o.json, "one JSON object on stdout");
  CLI11_PARSE(app, argc, argv);
  if (!o.part.empty() && o.part[0] > o.part[1]) {
    std::fprintf(stderr, "loader: --random-resized-crop: the least area is above the largest\n");
    return 2;
  }
  o.data.split = o.test ? Split::kTest : Split::kTrain;
  o.data.height = o.data.width = o.crop;
  o.loader.shuffle = true;
  if (!o.part.empty()) {
    o.data.whole_pictures = true;
    o.loader.augment.min_area = o.part[0];
    o.loader.augment.max_area = o.part[1];
  }
  const auto m = measure(o);
  if (!m.ok()) {
    std::fprintf(stderr, "loader: %s\n", m.error().message.c_str());
    return 3;
  }
  print(o, *m);
  return 0;
}

}  // namespace
}  // namespace nbq

int main(int argc, char** argv) { return nbq::run(argc, argv); }
