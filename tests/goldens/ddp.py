"""Goldens of a few steps on two ranks: torch's DistributedDataParallel over gloo, two processes on the CPU, in f64.

Writes ddp.json: a small network's first weights, each step's images and labels, and what two ranks come to, each of
which has half of a batch: once with batch statistics of its own, once with those of the whole batch. torch's
SyncBatchNorm refuses a CPU, so its formula is written here over all_reduce, which autograd goes through.

The running statistics of ranks that normalise by themselves are averaged over the ranks; torch would keep rank 0's.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.nn.functional as shared
import torch.multiprocessing as multiprocessing
import torch.nn.functional as F
from torch import nn
from torch.nn.parallel import DistributedDataParallel

WORLD, STEPS, BATCH, CLASSES, SIDE = 2, 3, 8, 5, 6
RATE, MOMENTUM, DECAY = 0.1, 0.9, 0.01


class WholeBatch(nn.BatchNorm2d):
    """Batch normalisation over the images of all ranks."""

    def forward(self, x):
        count = x.numel() // x.shape[1] * WORLD
        mean = shared.all_reduce(x.sum((0, 2, 3))) / count
        centred = x - mean[:, None, None]
        variance = shared.all_reduce((centred**2).sum((0, 2, 3))) / count
        with torch.no_grad():
            self.running_mean += self.momentum * (mean - self.running_mean)
            self.running_var += self.momentum * (variance * count / (count - 1) - self.running_var)
        normalised = centred / torch.sqrt(variance + self.eps)[:, None, None]
        return normalised * self.weight[:, None, None] + self.bias[:, None, None]


class Net(nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(1, 4, 3, padding=1), norm(4)
        self.conv2, self.norm2 = nn.Conv2d(4, 6, 3), norm(6)
        self.fc = nn.Linear(6, CLASSES)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm1(self.conv1(x))), 2)
        return self.fc(F.relu(self.norm2(self.conv2(x))).flatten(1))


def rounded(tensor):
    """Numbers that f32 and f64 hold alike."""
    return tensor.float().double()


def numbers(tensor):
    return tensor.detach().flatten().tolist()


def train(norm, start, images, labels, rank):
    net = Net(norm).double()
    net.load_state_dict(start, strict=False)
    ranks = DistributedDataParallel(net, broadcast_buffers=False)
    optimiser = torch.optim.SGD(net.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)
    own = slice(rank * BATCH // WORLD, (rank + 1) * BATCH // WORLD)
    losses = []
    for step in range(STEPS):
        optimiser.zero_grad()
        loss = F.cross_entropy(ranks(images[step, own]), labels[step, own])
        loss.backward()
        optimiser.step()
        mean = loss.detach().clone()
        dist.all_reduce(mean)
        losses.append(mean.item() / WORLD)
    for name, statistics in net.named_buffers():
        if statistics.is_floating_point():
            dist.all_reduce(statistics)
            statistics /= WORLD
    state = {name: numbers(tensor) for name, tensor in net.state_dict().items() if tensor.is_floating_point()}
    return {"losses": losses, "tensors": state}


def work(rank, port_file, seed, out):
    dist.init_process_group("gloo", init_method=f"file://{port_file}", rank=rank, world_size=WORLD)
    torch.manual_seed(seed)
    start = {name: rounded(tensor) for name, tensor in Net(nn.BatchNorm2d).state_dict().items()}
    images = rounded(torch.randn(STEPS, BATCH, 1, SIDE, SIDE))
    labels = torch.randint(CLASSES, (STEPS, BATCH))
    found = {
        "rate": RATE,
        "momentum": MOMENTUM,
        "decay": DECAY,
        "start": {name: numbers(tensor) for name, tensor in start.items() if tensor.is_floating_point()},
        "images": [numbers(step) for step in images],
        "labels": labels.tolist(),
        "apart": train(nn.BatchNorm2d, start, images, labels, rank),
        "together": train(WholeBatch, start, images, labels, rank),
    }
    if rank == 0:
        Path(out).write_text(json.dumps(found) + "\n")
    dist.destroy_process_group()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        meeting, out = os.path.join(folder, "meeting"), args.out / "ddp.json"
        multiprocessing.spawn(work, (meeting, args.seed, out), nprocs=WORLD)


if __name__ == "__main__":
    sys.exit(main())
