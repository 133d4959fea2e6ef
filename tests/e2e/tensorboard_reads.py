"""TensorBoard's own reader on a run folder: every figure of metrics.json at its step, every histogram whole.

    python tensorboard_reads.py RUN
"""
import json
import math
import pathlib
import sys

from tensorboard.backend.event_processing.event_accumulator import HISTOGRAMS, SCALARS, EventAccumulator

TAGS = {
    "loss": "loss/train",
    "train_accuracy": "accuracy/train",
    "validation_accuracy": "accuracy/validation",
    "test_accuracy": "accuracy/test",
    "lr": "schedule/learning_rate",
    "images_per_second": "speed/images_per_second",
}


def scalars(events, metrics):
    """How many scalars the reader found, all of them right."""
    found = 0
    for key, tag in TAGS.items():
        want = {i + 1: e[key] for i, e in enumerate(metrics["epochs"]) if e[key] is not None}
        have = {s.step: s.value for s in events.Scalars(tag)} if tag in events.Tags()["scalars"] else {}
        assert want.keys() == have.keys(), f"{tag}: steps {sorted(have)}, not {sorted(want)}"
        for step, value in want.items():  # TensorBoard keeps 32 bits
            assert math.isclose(have[step], value, rel_tol=1e-6), f"{tag} at {step}: {have[step]}, not {value}"
        found += len(have)
    return found


def histograms(events, metrics):
    """How many layers the reader found, with as many weights at the end as metrics.json counts."""
    for layer in metrics["weights"]:
        for tag, key in (("weights/", "after"), ("quantised_weights/", "quantised")):
            last = events.Histograms(tag + layer["layer"])[-1]
            assert last.step == len(metrics["epochs"]), f"{tag}{layer['layer']}: its last step is {last.step}"
            want = sum(layer[key]["counts"])
            assert sum(last.histogram_value.bucket) == last.histogram_value.num == want, tag + layer["layer"]
    return len(metrics["weights"])


def main(run):
    metrics = json.loads((pathlib.Path(run) / "metrics.json").read_text())
    events = EventAccumulator(run, {SCALARS: 0, HISTOGRAMS: 0})  # 0: keeps all
    events.Reload()
    numbers, layers = scalars(events, metrics), histograms(events, metrics)
    assert numbers > 0 and layers > 0, "the run has no epochs or no quantised phase"
    print(f"tensorboard: {numbers} scalars, histograms of {layers} layers, all as in metrics.json")


main(sys.argv[1])
