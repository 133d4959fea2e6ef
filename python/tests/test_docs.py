"""Every example of docs/python.md runs."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/python.md").read_text()
EXAMPLES = re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?```python\n(.*?)```", PAGE, re.S | re.M)


def test_every_example_is_found():
    assert len(EXAMPLES) == PAGE.count("```python") == 4


@pytest.mark.parametrize("title, code", EXAMPLES, ids=[t for t, _ in EXAMPLES])
def test_example(tmp_path, title, code):
    if "torch" in code:
        pytest.importorskip("torch")
    for folder in ("zoo", "data"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    if title == "Learn in PyTorch":
        assert float(done.stdout) > 90
