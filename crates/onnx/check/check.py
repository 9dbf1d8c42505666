"""Runs the ONNX file of every network and compares its logits with this project's own.

For each network, several sizes, with and without folding: `onnx.checker` with strict shape inference, then ONNX Runtime
on batches of 1 and 8 beside `cargo xtask forward` on the same numbers. With --openvino and --rust (see README.md) the
same files run there too, for a dozen networks. Weights follow ../../../tests/goldens/rule.py, running statistics come
from one training pass of torch, so that logits depend on the input: how much is printed and demanded.

    python crates/onnx/check/check.py [--program FILE] [--openvino] [--rust FILE] [--sweep] [NAME …]
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "goldens"), str(ROOT / "tests" / "reference")]

import numpy as np
import onnx
import onnxruntime
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import make
import parity
import rule

# Of the largest logit.
TOLERANCE = 1e-4
# The least that the logits of two inputs must differ by, of the largest logit.
DEPENDENCE = 1e-2
# Where torch's own f32 is further from its f64 than this, by the golden of tests/goldens/parity, rounding is amplified from
# layer to layer and says nothing of a file: there every normalisation's bias is raised, so that most ReLUs are open.
NOISY, RAISED = 2.5e-5, 1.5
BATCH, CLASSES = 8, 10
DOZEN = ["lenet_paper", "lenet", "mnist_inception", "alexnet", "alexnet_paper", "vgg11_bn", "nin", "googlenet",
         "inception_v3", "resnet18", "resnet20_cifar", "resnet50_preact", "resnext50_32x4d", "densenet121"]
# What a runtime has no operator for: rten has no local response normalisation.
LACKS = {"rten": {"alexnet_paper"}}
# Sizes at which windows hang over the edge in every way, for the networks that have such windows.
SWEPT = {"googlenet": range(61, 77), "nin": range(61, 77), "nin_cifar": range(29, 37), "alexnet": range(63, 79), "vgg11": range(32, 48),
         "inception_v3": range(75, 83)}


def parameters(name):
    """How many a network has."""
    return json.loads((ROOT / "tests" / "reference" / "networks" / f"{name}.json").read_text())["parameters"]


def sizes(name, network, sweep):
    first, second = parity.sizes(name, network)
    found = [first, second] if second else [first]
    # Where the second size was free, an odd one besides.
    if name not in parity.SIZES:
        channels, height, width = first
        found.append((channels, height + 11, width + 27) if height == 64 else (channels, height - 3, width + 5))
    if sweep:
        found = [(first[0], side, side + 3) for side in SWEPT.get(name, ())]
    return [size for size in found if accepts(name, network, size)]


def accepts(name, network, size):
    """Whether the network ends in the right number of classes at a size, whatever its linear layers say."""
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = network.build(CLASSES).eval()
        try:
            return net(torch.empty(2, *size)).shape == (2, CLASSES)
        except RuntimeError:
            return False


def noise(name):
    """How far torch's f32 logits are from its f64 ones, under the rule."""
    with safe_open(ROOT / "tests" / "goldens" / "parity" / f"{name}.safetensors", "numpy") as golden:
        about = json.loads(golden.metadata()["parity"])
    return max(about["f32_logits"], about.get("f32_logits2") or 0.0)


def weights(name, network, seed):
    """Tensors by name."""
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")
        net = network.build(CLASSES)
    net = net.to_empty(device="cpu")
    for module in parity.norms(net):
        module.reset_running_stats()
    parity.fill(net, seed)
    if noise(name) > NOISY:
        with torch.no_grad():
            for module in parity.norms(net):
                module.bias += RAISED
    if parity.norms(net):
        first, _ = parity.sizes(name, network)
        parity.calibrate(net, parity.batch(seed, "calibration", (4, *first), torch.float32))
    return {key: value.numpy() for key, value in net.state_dict().items() if not key.endswith("num_batches_tracked")}


def onnx_runtime(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(["logits"], {"input": x})[0]


def openvino(path):
    import openvino

    core = openvino.Core()
    # Without the hint it may compute in half precision.
    compiled = core.compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
    return lambda x: compiled({"input": x})["logits"]


def rust(program, engine):
    def load(path):
        def run(x):
            given, got = path.with_suffix(".given"), path.with_suffix(".got")
            save_file({"input": x}, given)
            subprocess.run([program, engine, path, given, got], check=True)
            return load_file(got)["logits"]

        return run

    return load


class Check:
    def __init__(self, arguments, folder):
        self.program = [arguments.program] if arguments.program else ["cargo", "xtask"]
        self.seed, self.folder = arguments.seed, folder
        self.engines = {"ort": onnx_runtime}
        self.others = {}
        if arguments.openvino:
            self.others["openvino"] = openvino
        if arguments.rust:
            self.others |= {engine: rust(arguments.rust, engine) for engine in ("tract", "rten")}

    def xtask(self, *words):
        subprocess.run([*self.program, *map(str, words)], check=True, stdout=subprocess.DEVNULL)

    def network(self, name, network, sizes):
        """The largest error of each engine, and the least difference between two inputs' logits, of the largest."""
        file = self.folder / "weights.safetensors"
        save_file(weights(name, network, self.seed), file)
        others = {engine: load for engine, load in self.others.items() if name not in LACKS.get(engine, ())}
        engines = self.engines | (others if name in DOZEN else {})
        errors, apart, problems = dict.fromkeys(engines, 0.0), np.inf, []
        for size in sizes:
            x = rule.input_batch(self.seed, "input", (BATCH, *size)).astype(np.float32)
            given, got = self.folder / "input.safetensors", self.folder / "output.safetensors"
            save_file({"input": x}, given)
            self.xtask("forward", name, "--weights", file, "--input", given, "--output", got)
            expected = load_file(got)["logits"]
            largest = np.abs(expected).max()
            apart = min(apart, np.abs(expected[1:] - expected[:-1]).max() / largest)
            unfolded = None
            for fold in ([], ["--fold"]):
                path = self.folder / "network.onnx"
                shape = ",".join(map(str, size))
                self.xtask("export", name, "--weights", file, "--onnx", path, "--shape", shape, *fold)
                digest = hashlib.sha256(path.read_bytes()).digest()
                if digest == unfolded:
                    continue
                unfolded = digest
                onnx.checker.check_model(str(path), full_check=True)
                for engine, load in engines.items():
                    place = f"{engine} {size[1]}x{size[2]} {' '.join(fold)}"
                    try:
                        run = load(path)
                        error = max(np.abs(run(x[:n]) - expected[:n]).max() / largest for n in (1, BATCH))
                    except Exception as problem:
                        problems.append(f"{place}: {problem}".splitlines()[0])
                        continue
                    errors[engine] = max(errors[engine], error)
                    if not error <= TOLERANCE:
                        problems.append(f"{place}: {error:.1e}")
        if not apart >= DEPENDENCE:
            problems.append(f"logits of two inputs differ by {apart:.1e} only")
        return errors, apart, problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--program", type=Path, help="a built xtask, instead of cargo xtask")
    parser.add_argument("--openvino", action="store_true", help="OpenVINO too, for a dozen networks")
    parser.add_argument("--rust", type=Path, help="the built runner of tract and rten, for a dozen networks")
    parser.add_argument("--sweep", action="store_true", help="many sizes of the networks whose pools hang over the edge")
    parser.add_argument("names", nargs="*", help="only these networks")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    networks = {name: network for name, network in sorted(make.catalogue().items(), key=lambda item: parameters(item[0]))
                if (name in arguments.names or not arguments.names) and (name in SWEPT or not arguments.sweep)}
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        check = Check(arguments, Path(folder))
        for name, network in networks.items():
            at = sizes(name, network, arguments.sweep)
            errors, apart, problems = check.network(name, network, at)
            failed += bool(problems)
            written = "  ".join(f"{engine} {error:.1e}" for engine, error in errors.items())
            print(f"{name:24} {len(at)} sizes  apart {apart:.2f}  {written}", *problems, sep="\n    ", flush=True)
    print(f"{len(networks)} networks, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
