import pathlib
import subprocess
import sys

import nbq

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_version_is_of_the_one_file():
    assert nbq.__version__ == (ROOT / "VERSION").read_text().strip()


def test_types_are_told():
    folder = pathlib.Path(nbq.__file__).parent
    assert (folder / "py.typed").exists()
    assert "class Engine" in (folder / "_core.pyi").read_text()


def test_all_is_there_and_described():
    for name in nbq.__all__:
        thing = getattr(nbq, name)
        if callable(thing) and not name.endswith("Attrs"):
            assert thing.__doc__, name


def test_without_pytorch_the_import_says_what_is_missing():
    code = "import sys; sys.modules['torch'] = None\nimport nbq.torch"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env={"PYTHONPATH": ":".join(sys.path)})
    assert done.returncode == 1
    assert "ImportError: nbq.torch needs PyTorch, the package torch" in done.stderr
