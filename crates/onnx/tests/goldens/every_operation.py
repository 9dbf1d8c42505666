"""Golden of a network with every operation: what ONNX Runtime computes from its files.

    python crates/onnx/tests/goldens/every_operation.py

Writes every_operation.safetensors beside it: for each file the input, what came out, and the CRC-32 of the very bytes that
ran, by which ../every_operation.rs knows that it is held to the same file.
"""

import json
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import save_file

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]
IMAGES = 3


def main():
    tensors, checksums = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        program = ["cargo", "run", "--quiet", "--package", "cnn-onnx", "--example", "every_operation", "--"]
        subprocess.run([*(sys.argv[1:] or program), folder], check=True, cwd=ROOT)
        for path in sorted(Path(folder).glob("*.onnx")):
            onnx.checker.check_model(str(path), full_check=True)
            session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
            (given,) = session.get_inputs()
            # Every map has a brightness of its own: pools would not see noise alone.
            random = np.random.default_rng(1)
            shape = (IMAGES, *given.shape[1:])
            x = random.integers(0, 192, (*shape[:2], 1, 1)) + random.integers(0, 64, shape)
            x = (x if given.name == "pixels" else (x - 128) / 32).astype(np.float32)
            name = path.stem
            tensors[f"{name}.{given.name}"] = x
            for output in session.get_outputs():
                (tensors[f"{name}.{output.name}"],) = session.run([output.name], {given.name: x})
            checksums[name] = zlib.crc32(path.read_bytes())
            print(name, path.stat().st_size, "bytes", tensors[f"{name}.logits"], sep="\n")
    about = json.dumps({"checksums": checksums, "onnxruntime": onnxruntime.__version__})
    path = HERE / "every_operation.safetensors"
    save_file(tensors, path, {"golden": about})
    path.chmod(0o644)


if __name__ == "__main__":
    main()
