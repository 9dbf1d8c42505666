"""Runs `cargo xtask forward` and torch on the same weights and inputs, and compares the logits.

Weights follow rule.py under a seed of the caller's, for torchvision's networks, with any number of classes and any
size; running statistics come from one training pass. Nothing of it is in the repository.

    python tests/goldens/check_forward.py [--seed N] [--classes N] [--program FILE] [NAME[+transform][:HEIGHTxWIDTH] …]

`+transform` is torchvision's transform_input and `--transform-input` here.
"""

import argparse
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "reference"))

import torch
from safetensors.torch import load_file, save_file

import make
import parity

USUAL = ["alexnet:63x95", "vgg11_bn:64x96", "googlenet:96x80", "googlenet+transform:96x80", "inception_v3:107x139",
         "inception_v3+transform:107x139", "resnet18:64x80", "resnet50:65x97", "resnext50_32x4d:64x64",
         "wide_resnet50_2:64x96", "densenet121:64x97", "densenet161:70x64", "resnet152:64x64",
         "resnext101_64x4d:64x64", "vgg16:33x64"]
# Relative to the largest difference between the logits of the two inputs, as in the parity goldens; what is held
# against torch's f64. The deepest networks are noisy in f32: they may be FACTOR times as far off as torch's own f32.
TOLERANCE, FACTOR = 1e-4, 4.0


def check(name, transform, size, seed, classes, program, folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = make.torchvision_network(name, classes)
    if transform:
        assert net.transform_input is False
        net.transform_input = True
    parity.fill(net, seed)
    side = max(size) if name != "inception_v3" else 347
    parity.calibrate(net, parity.batch(seed, "calibration", (4, 3, side, side), torch.float32))
    net.eval()
    x = parity.batch(seed, "input", (2, 3, *size), torch.float32)
    with torch.no_grad():
        own = net(x)
        expected = net.double()(x.double())
        net.float()
    weights, inputs, output = (folder / f"{part}.safetensors" for part in ("weights", "input", "output"))
    save_file({key: value.contiguous() for key, value in net.state_dict().items()}, weights)
    save_file({"input": x}, inputs)
    flags = ["--transform-input"] if transform else []
    subprocess.run([*program, "forward", name, "--weights", weights, "--input", inputs, "--output", output, *flags],
                   check=True, stdout=subprocess.DEVNULL)
    found = load_file(output)["logits"]
    assert found.shape == expected.shape, (found.shape, expected.shape)
    separation = float((expected[0] - expected[1]).abs().max())
    error, torchs = (float((logits.double() - expected).abs().max()) / separation for logits in (found, own))
    return error, torchs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--classes", type=int, default=17)
    parser.add_argument("--program", type=Path, help="a built xtask, instead of cargo xtask")
    parser.add_argument("names", nargs="*", default=USUAL)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    program = [arguments.program] if arguments.program else ["cargo", "xtask"]
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for item in arguments.names:
            which, _, size = item.partition(":")
            name, plus, transform = which.partition("+")
            assert transform == ("transform" if plus else ""), item
            size = tuple(map(int, size.split("x"))) if size else (96, 80)
            error, torchs = check(name, bool(plus), size, arguments.seed, arguments.classes, program, Path(folder))
            allowed = max(TOLERANCE, FACTOR * torchs)
            worst = max(worst, error / allowed)
            print(f"{which:22} {size[0]}x{size[1]}  {error:.1e}, torch's f32 {torchs:.1e}, allowed {allowed:.1e}", flush=True)
    print(f"worst: {worst:.2f} of what is allowed")
    return 0 if worst <= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
