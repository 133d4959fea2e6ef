#!/usr/bin/env python3
"""The onnx package's backend tests through nbq's importer and float execution; see scripts/onnx_backend_tests.

nbq's networks read one image. So the test's first floating input is the image, and every other input a constant of
the model; where all floating inputs are maps alike, they also come as slices of one image. A test applies if the
importer takes it in either form, and passes if all that are taken give the test's outputs within its tolerance.
Opsets below the importer's go through onnx.version_converter first, as the importer's message says.
"""
import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnx.backend.test.loader
import onnx.version_converter
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")
IMAGES = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.UINT8)
OLDEST_OPSET = 9

# What the importer's messages come to in the table. One that fits none stands there as it is.
REASONS = (
    (r"^no input of floats|elements of ONNX type|reads uint8|become ONNX type|round_mode|a zero point of ONNX", "not of floats"),
    (r"does not depend on", "depends on no activations"),
    (r"\d dimensions; an image has|more than four dimensions", "other than 2 to 4 dimensions"),
    (r"not batch x channels x rows|channels are not the second", "3 dimensions: batch, rows, columns, no channels"),
    (r"not batch x features", "of more than rows of features"),
    (r"\d outputs; cut", "several outputs"),
    (r"training mode", "training"),
    (r"has no layers|left out", "no layer is left"),
    (r"only 1 keeps|mixes the images|must stay the|cuts the batch|over the batch|before the batch|dimension 0|size of 0",
     "touches the batch"),
    (r"reshapes to \[N", "to another map"),
    (r"are not batch, channels, rows", "turned"),
    (r"divide by fewer elements", "padding counts in no average"),
    (r"max_pool needs padding", "dilation"),
    (r"image of \d+x\d+x\d+, each", "more than 16384 columns"),
    (r"clips to", "to other than 0..maximum"),
    (r"joins along", "not along channels"),
    (r"a constant of dimensions", "a constant with more than one number a channel"),
    (r"attribute block_size|scale of activations must", "a scale a channel or block"),
    (r"pads with", "not with zeros"),
    (r"a step of -|a slice of 0", "backwards, or empty"),
    (r"transA = 1", "transA = 1"),
    (r"C of dimensions", "C with a number an image"),
    (r"only constants can be weights", "weights that are computed"),
)


def arrays(test):
    """The test's model and its sets of inputs and outputs."""
    if test.model is not None:
        plain = lambda values: [numpy_helper.to_array(v) if isinstance(v, TensorProto) else v for v in values]
        return test.model, [(plain(inputs), plain(outputs)) for inputs, outputs in test.data_sets]
    folder = pathlib.Path(test.model_dir)
    load = lambda at, what, count: [
        numpy_helper.to_array(onnx.load_tensor(at / f"{what}_{i}.pb")) for i in range(count)]
    model = onnx.load(folder / "model.onnx")
    names = {t.name for t in model.graph.initializer}
    inputs = sum(v.name not in names for v in model.graph.input)
    return model, [(load(at, "input", inputs), load(at, "output", len(model.graph.output)))
                   for at in sorted(folder.glob("test_data_set_*"))]


def with_inputs(model, kept, constants):
    """The model with the inputs `kept`, and the others as initializers."""
    out = onnx.ModelProto()
    out.CopyFrom(model)
    del out.graph.input[:]
    out.graph.input.extend(kept)
    out.graph.initializer.extend(numpy_helper.from_array(np.asarray(a), name) for name, a in constants.items())
    return out


def one_image(model, values):
    """The first input of floats or bytes as the image, the others as constants; None: there is none."""
    for v in model.graph.input:
        if v.name in values and v.type.tensor_type.elem_type in IMAGES:
            constants = {name: a for name, a in values.items() if name != v.name}
            return with_inputs(model, [v], constants), values[v.name]
    return None


def slices_of_one(model, values):
    """All floating inputs as slices of one image along dimension 1; None: they are no maps alike."""
    maps = {v.name: values[v.name] for v in model.graph.input
            if v.name in values and v.type.tensor_type.elem_type == TensorProto.FLOAT}
    if len(maps) < 2 or len({(a.ndim, a.shape[:1], a.shape[2:]) for a in maps.values()}) > 1 or min(
            a.ndim for a in maps.values()) < 2:
        return None
    image = np.concatenate(list(maps.values()), axis=1)
    info = helper.make_tensor_value_info("all_inputs", TensorProto.FLOAT, image.shape)
    out = with_inputs(model, [info], {name: a for name, a in values.items() if name not in maps})
    first, nodes = 0, []
    for name, a in maps.items():
        limits = [numpy_helper.from_array(np.array([v], np.int64), f"{name}_{what}")
                  for what, v in (("start", first), ("end", first + a.shape[1]), ("axis", 1))]
        out.graph.initializer.extend(limits)
        nodes.append(helper.make_node("Slice", ["all_inputs", *(t.name for t in limits)], [name], name=f"slice_{name}"))
        first += a.shape[1]
    nodes += list(out.graph.node)
    del out.graph.node[:]
    out.graph.node.extend(nodes)
    return out, image


def write(folder, model, image):
    folder.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    np.ascontiguousarray(image, np.float32).tofile(folder / "x.f32")
    if image.ndim == 2:  # rows of features: what --input is for
        (folder / "image").write_text(f"{image.shape[1]} 1 1")


class Case:
    def __init__(self, test, model, data_sets):
        self.kind, self.name, self.rtol, self.atol = test.kind, test.name, test.rtol, test.atol
        self.operators = sorted({n.op_type for n in model.graph.node})
        self.model, self.data_sets = model, data_sets
        self.wanted = {}  # by the folders of its forms
        self.reason = None

    def write_forms(self, root):
        model = self.model
        if model.opset_import[0].version < OLDEST_OPSET:
            try:
                model = onnx.version_converter.convert_version(model, OLDEST_OPSET)
            except RuntimeError:
                self.reason = f"opset {model.opset_import[0].version}, which onnx.version_converter does not convert"
                return
        fixed = {t.name for t in model.graph.initializer}
        for number, (inputs, outputs) in enumerate(self.data_sets):
            values = dict(zip((v.name for v in model.graph.input if v.name not in fixed), inputs))
            for form in (one_image, slices_of_one):
                made = form(model, values)
                if made is None:
                    continue
                if (np.isinf(np.asarray(made[1], np.float32)) & np.isfinite(made[1])).any():  # uninitialised doubles
                    self.reason = "numbers beyond float32"
                    continue
                folder = root / self.kind / self.name / f"{number}_{form.__name__}"
                write(folder, *made)
                self.wanted[folder] = outputs[0]
        if not self.wanted:
            self.reason = self.reason or "no input of floats"

    def judge(self, results):
        self.applies, self.passes = False, True
        for folder, want in self.wanted.items():
            said = results[str(folder)]
            left_out = [n for n in said.get("notes", []) if "left out" in n]
            if "error" in said or left_out:
                self.reason = self.reason or said.get("error", *left_out).removeprefix(f"{folder / 'model.onnx'}: ")
                continue
            self.applies = True
            self.passes = self.passes and self.fits(folder / "y.f32", want)
        self.passes = self.passes and self.applies

    def fits(self, file, want):
        got = np.fromfile(file, np.float32) if file.exists() else np.zeros(0)
        want = np.asarray(want, np.float64).reshape(-1)
        return got.size == want.size and np.allclose(got, want, self.rtol, self.atol, equal_nan=True)


def run_models(program, folders):
    ran = subprocess.run([program, *folders], stdout=subprocess.PIPE, check=True)
    return json.loads(ran.stdout)


def importers_operators(program, root):
    """The importer's table, from its message about an operator that it lacks."""
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 1, 1])
    graph = helper.make_graph([helper.make_node("NoSuchOperator", ["x"], ["y"])], "g", [value("x")], [value("y")])
    folder = root / "operators"
    write(folder, helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), np.zeros(1))
    return set(run_models(program, [folder])[str(folder)]["error"].split("Supported: ")[1].split(", "))


def collect(operators):
    np.random.seed(1)  # the package makes its node tests anew each time
    for kind in KINDS:
        for test in sorted(onnx.backend.test.loader.load_model_tests(kind=kind), key=lambda t: t.name):
            case = Case(test, *arrays(test))
            if case.operators and operators.issuperset(case.operators):
                yield case


def short(message):
    for pattern, reason in REASONS:
        if re.search(pattern, message):
            return reason
    return re.sub(r"^(node [^(]*\(\w+\)|output \S+|input \S+): ", "", message)


def table(cases):
    groups = collections.defaultdict(list)
    for c in cases:
        groups[", ".join(c.operators) if len(c.operators) < 3 else "three operators and more"].append(c)
    lines = ["| operators | pass | apply | do not apply, and why |", "|---|--:|--:|---|"]
    for name, group in sorted(groups.items()):
        why = collections.Counter(short(c.reason) for c in group if not c.applies)
        text = "; ".join(f"{count}: {reason}" for reason, count in sorted(why.items(), key=lambda w: (-w[1], w[0])))
        lines.append(f"| {name} | {sum(c.passes for c in group)} | {sum(c.applies for c in group)} | {text} |")
    passed, applies = sum(c.passes for c in cases), sum(c.applies for c in cases)
    lines.append(f"| all | **{passed}** | **{applies}** | {len(cases) - applies} of {len(cases)} |")
    return "\n".join(lines)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--check", action="store_true")
    options.add_argument("--verbose", action="store_true")
    options.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/tests/onnx_backend/onnx_run_models")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        cases = list(collect(importers_operators(given.program, root)))
        for c in cases:
            c.write_forms(root)
        results = run_models(given.program, [folder for c in cases for folder in c.wanted])
        for c in cases:
            c.judge(results)
    if given.verbose:
        for c in cases:
            if not c.applies:
                print(f"{c.kind}/{c.name}: {c.reason}")
    text = table(cases)
    print(text)
    failed = [c for c in cases if c.applies and not c.passes]
    for c in failed:
        print(f"failed: {c.kind}/{c.name}", file=sys.stderr)
    stale = given.check and text not in (ROOT / "docs/import.md").read_text()
    if stale:
        print("docs/import.md does not have this table", file=sys.stderr)
    return 1 if failed or stale else 0


sys.exit(main())
