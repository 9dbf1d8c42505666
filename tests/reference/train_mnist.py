"""Trains the three small MNIST networks in PyTorch, with the sources' settings, and records the accuracies.

Writes mnist_training.json: for each network and seed, accuracy on the 10,000 test images after each epoch. Only the
four classic idx files are read (gzipped or not); nothing is downloaded. The README next to this file has the layout.
"""

import argparse
import gzip
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

sys.dont_write_bytecode = True
import book

HERE = Path(__file__).resolve().parent
NETWORKS = ["mnist_conv", "mnist_inception", "mnist_residual"]
SETTINGS = {
    "optimiser": "sgd", "learning_rate": 0.01, "momentum": 0.5, "batch_size": 64, "epochs": 10,
    "mean": 0.1307, "std": 0.3081, "initialisation": "torch's default", "last_batch": "kept",
}
TEST_BATCH = 1000


def idx(folder, stem, dimensions):
    """The bytes of an idx file, as an array of its dimensions."""
    plain, packed = folder / stem, folder / f"{stem}.gz"
    data = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    header = np.frombuffer(data, dtype=">u4", count=1 + dimensions)
    # 0x08: unsigned bytes; the last byte counts the dimensions.
    if header[0] != 0x0800 + dimensions:
        raise SystemExit(f"{stem}: begins with {header[0]:#010x}, not {0x0800 + dimensions:#010x}")
    shape = [int(n) for n in header[1:]]
    if len(data) != 4 * (1 + dimensions) + math.prod(shape):
        raise SystemExit(f"{stem}: {len(data)} bytes do not hold {shape}")
    return np.frombuffer(data, dtype=np.uint8, offset=4 * (1 + dimensions)).reshape(shape)


def part(folder, name):
    """Normalised images, (N, 1, 28, 28), and labels of a part: train or t10k."""
    images = torch.from_numpy(idx(folder, f"{name}-images-idx3-ubyte", 3).astype(np.float32))
    labels = torch.from_numpy(idx(folder, f"{name}-labels-idx1-ubyte", 1).astype(np.int64))
    images = (images.unsqueeze(1) / 255.0 - SETTINGS["mean"]) / SETTINGS["std"]
    return images.contiguous(memory_format=torch.channels_last), labels


def accuracy(net, images, labels):
    """Share of the images that are put into their class, in percent."""
    net.eval()
    with torch.no_grad():
        right = sum(int((net(x).argmax(1) == y).sum())
                    for x, y in zip(images.split(TEST_BATCH), labels.split(TEST_BATCH)))
    return 100.0 * right / len(labels)


def train_epoch(net, optimiser, images, labels, generator):
    """One pass over the shuffled images; the mean loss of its batches."""
    net.train()
    losses = []
    for rows in torch.randperm(len(labels), generator=generator).split(SETTINGS["batch_size"]):
        optimiser.zero_grad(set_to_none=True)
        loss = F.cross_entropy(net(images[rows]), labels[rows])
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def run(name, seed, data):
    """Trains one network from one seed. Initialisation and order have a generator each."""
    (images, labels), test = data
    torch.manual_seed(seed)
    # The faster layout of the two, by a quarter.
    net = book.NETWORKS[name].build(10).to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(net.parameters(), SETTINGS["learning_rate"], SETTINGS["momentum"])
    generator = torch.Generator().manual_seed(seed)
    found = {"network": name, "seed": seed, "test_accuracy": [], "train_loss": [],
             "parameters": sum(p.numel() for p in net.parameters())}
    for epoch in range(SETTINGS["epochs"]):
        start = time.monotonic()
        found["train_loss"].append(round(train_epoch(net, optimiser, images, labels, generator), 5))
        found["test_accuracy"].append(round(accuracy(net, *test), 2))
        print(f"{name} seed {seed} epoch {epoch + 1}: loss {found['train_loss'][-1]:.5f}, test accuracy "
              f"{found['test_accuracy'][-1]:.2f} %, {time.monotonic() - start:.1f} s", flush=True)
    return found


def text(runs, threads):
    """The record, a run to a line."""
    head = {"torch": torch.__version__, "numpy": np.__version__, "threads": threads, "settings": SETTINGS}
    lines = ",\n".join("    " + json.dumps(run) for run in runs)
    return json.dumps(head, indent=2)[:-2] + f',\n  "runs": [\n{lines}\n  ]\n}}\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of the four idx files")
    parser.add_argument("--out", type=Path, default=HERE / "mnist_training.json")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=SETTINGS["epochs"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("names", nargs="*", metavar="NETWORK", help=f"only these of {', '.join(NETWORKS)}")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    SETTINGS["epochs"] = arguments.epochs
    start = time.monotonic()
    data = part(arguments.data_dir, "train"), part(arguments.data_dir, "t10k")
    runs = []
    for name in arguments.names or NETWORKS:
        for seed in arguments.seeds:
            runs.append(run(name, seed, data))
            arguments.out.write_text(text(runs, arguments.threads))
    print(f"{time.monotonic() - start:.1f} s, loading the data included")


if __name__ == "__main__":
    main()
