"""Saves networks' weights as torch and timm users do, in every container, and compares `cargo xtask forward` with torch.

Weights follow rule.py; running statistics come from one training pass. Nothing of it is in the repository. Disk is
needed for the largest file three times.

    python tests/goldens/check_files.py [--program FILE] [--fewer] [NAME …]

For each network, which is torchvision's, timm's or one of `../reference/book.py`: the state dict in a zip, in the format before torch 1.6 under `state_dict` with
`module.` before every name, in a tar archive, as a plain pickle, the whole module; then what `convert` makes of it,
loaded strictly into torchvision's and timm's network again. `--fewer` leaves the two rarest out.
"""

import argparse
import pickle
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "reference"), str(HERE.parents[1] / "crates/weights/tests/goldens")]
warnings.filterwarnings("ignore")

import timm
import torch
from safetensors.torch import load_file, save_file

import containers
import make
import parity

USUAL = [*make.TORCHVISION, "inception_v4", "inception_resnet_v2", "resnet50_preact", "resnet20_cifar", "resnet56_cifar"]
# Of the largest logit.
TOLERANCE = 1e-4
CLASSES, SEED = 17, 7


def network(name):
    """torchvision's, timm's, or of book.py, without weights."""
    return make.catalogue()[name].build(CLASSES)


def built(name):
    net = network(name)
    parity.fill(net, SEED)
    side = 347 if name.startswith("inception") else 96
    parity.calibrate(net, parity.batch(SEED, "calibration", (4, 3, side, side), torch.float32))
    return net.eval()


def saved(net, folder, fewer):
    """(container, file) one after the other; a file is gone when the next is asked for."""
    state = net.state_dict()

    def of(name, write):
        path = folder / name
        write(path)
        yield name, path
        path.unlink()

    prefixed = {"state_dict": {f"module.{key}": value for key, value in state.items()}, "best_prec1": 91.25}
    yield from of("zip.pth", lambda path: torch.save(state, path))
    yield from of("legacy, module.th", lambda path: torch.save(prefixed, path, _use_new_zipfile_serialization=False))
    yield from of("tar.pth", lambda path: containers.tar(path, dict(state)))
    if not fewer:
        yield from of("pickle.pkl", lambda path: path.write_bytes(pickle.dumps(state, protocol=4)))
        yield from of("whole module.pt", lambda path: torch.save(net, path))


def logits(program, name, weights, x, folder):
    inputs, output = folder / "input.safetensors", folder / "output.safetensors"
    save_file({"input": x}, inputs)
    subprocess.run([*program, "forward", name, "--weights", weights, "--input", inputs, "--output", output],
                   check=True, stdout=subprocess.DEVNULL)
    return load_file(output)["logits"].double()


def distance(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


def library_network(names, name):
    """The network of that library, if it has one."""
    if names == "torchvision":
        return make.torchvision_network(name, CLASSES) if name in make.TORCHVISION else None
    if make.TIMM.get(name, name) not in timm.list_models():
        return None
    extra = {"aux_logits": True} if name == "inception_v3" else {}
    return timm.create_model(make.TIMM.get(name, name), num_classes=CLASSES, **extra)


def converted(program, name, net, folder):
    """(names, network) with what `convert` writes loaded strictly, and (names, file) to be read again."""
    source = folder / "source.pth"
    torch.save(net.state_dict(), source)
    for names in ("torchvision", "timm"):
        target = library_network(names, name)
        if target is None:
            continue
        out = folder / f"{names}.safetensors"
        subprocess.run([*program, "convert", source, "--net", name, "--names", names, "--out", out],
                       check=True, stdout=subprocess.DEVNULL)
        target.load_state_dict(load_file(out), strict=True)
        yield names, target.eval()
        yield names + " read", out
        out.unlink()
    source.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, help="a built xtask, instead of cargo xtask")
    parser.add_argument("--fewer", action="store_true")
    parser.add_argument("names", nargs="*", default=USUAL)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    program = [arguments.program] if arguments.program else ["cargo", "xtask"]
    worst = 0.0
    for name in arguments.names:
        net = built(name)
        # timm's Inception v3 runs its head in evaluation too, which needs the usual size.
        size = (299, 299) if name == "inception_v3" else (107, 139) if name.startswith("inception") else (32, 32) if name.endswith("_cifar") else (96, 80)
        x = parity.batch(SEED, "input", (2, 3, *size), torch.float32)
        with torch.no_grad():
            expected = net(x).double()
            found = {}
            with tempfile.TemporaryDirectory() as folder:
                folder = Path(folder)
                for container, path in saved(net, folder, arguments.fewer):
                    found[container] = distance(logits(program, name, path, x, folder), expected)
                for names, target in converted(program, name, net, folder):
                    if isinstance(target, torch.nn.Module):
                        value = target(x)
                        value = (value[0] if isinstance(value, tuple) else value).double()
                    else:
                        value = logits(program, name, target, x, folder)
                    found[f"convert, {names}"] = distance(value, expected)
        worst = max(worst, *found.values())
        print(f"{name:18}" + "  ".join(f"{what} {value:.0e}" for what, value in found.items()), flush=True)
    print(f"worst: {worst:.1e} of the largest logit, {TOLERANCE:.0e} allowed")
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
