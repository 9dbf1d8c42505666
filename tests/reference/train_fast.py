"""Trains the networks of the fast recipes, and residual networks on CIFAR-10, in PyTorch, by the very files of the recipes,
and records the accuracies.

Reads ../../crates/train/recipes/NAME.toml: epochs, batches, optimiser with its groups, schedule, smoothing, slow weights,
whitened patches, mirrors in turns and at the end, shifts over a black or a mirrored border. Only the classic files are
read; nothing is downloaded. Writes fast_training.json: accuracy in percent on the 10,000 test images after each epoch, and
the seconds of each.
"""

import argparse
import copy
import fnmatch
import json
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

sys.dont_write_bytecode = True
import book
import train_mnist

HERE = Path(__file__).resolve().parent
RECIPES = HERE.parent.parent / "crates" / "train" / "recipes"
TEST_BATCH = 1000


def cifar(folder, names):
    """Pixels, (N, 3, 32, 32), and labels of CIFAR-10's binary files."""
    records = np.concatenate([np.fromfile(folder / name, dtype=np.uint8).reshape(-1, 3073) for name in names])
    return torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).copy()), torch.from_numpy(records[:, 0].astype(np.int64))


def mnist(folder, name):
    images = torch.from_numpy(train_mnist.idx(folder, f"{name}-images-idx3-ubyte", 3).copy())
    return images.unsqueeze(1), torch.from_numpy(train_mnist.idx(folder, f"{name}-labels-idx1-ubyte", 1).astype(np.int64))


def load(dataset, folder):
    """Normalised training and test images and their labels, and what a black pixel is, (1, C, 1, 1)."""
    if dataset == "cifar10":
        train, test = cifar(folder, [f"data_batch_{n}.bin" for n in range(1, 6)]), cifar(folder, ["test_batch.bin"])
    else:
        train, test = mnist(folder, "train"), mnist(folder, "t10k")
    numbers = train[0].double() / 255.0
    mean, std = numbers.mean((0, 2, 3)).float(), numbers.std((0, 2, 3), correction=0).float()
    normal = lambda pixels: (pixels.float() / 255.0 - mean.view(1, -1, 1, 1)) / std.view(1, -1, 1, 1)
    return (normal(train[0]), train[1]), (normal(test[0]), test[1]), (-mean / std).view(1, -1, 1, 1)


def whiten(conv, images, count, eps):
    """Principal directions of the patches, each divided by its deviation, then the same with the sign turned."""
    chosen = images[torch.arange(min(count, len(images))) * len(images) // min(count, len(images))]
    patches = F.unfold(chosen, conv.kernel_size).transpose(1, 2).flatten(0, 1).double()
    values, vectors = torch.linalg.eigh(torch.cov(patches.T, correction=0))
    directions = (vectors / (values.clamp(min=0) + eps).sqrt()).T.flip(0)
    filters = torch.cat([directions, -directions])[: len(conv.weight)]
    with torch.no_grad():
        conv.weight[: len(filters)] = filters.view(-1, *conv.weight.shape[1:]).float()


def begin(name, seed):
    torch.manual_seed(seed)
    net = book.NETWORKS[name].build(10)
    if name == "vgg_whitened_cifar":
        torch.nn.init.zeros_(net.whiten.bias)
        for block in (net.block1, net.block2, net.block3):
            for conv in (block.conv1, block.conv2):
                torch.nn.init.dirac_(conv.weight.data[: conv.in_channels])
    elif isinstance(net, book.CifarResnet):
        for module in net.modules():
            if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
                torch.nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
    return net


def factor(training, done, steps):
    """The factor on the learning rate after `done` of `steps` steps."""
    schedule, each = training["schedule"], steps / training["epochs"]
    (kind, numbers), = schedule.items() if isinstance(schedule, dict) else [(schedule, {})]
    warm = round(training.get("warm-up", {}).get("epochs", 0) * each)
    if done < warm:
        return done / warm
    if kind == "cosine":
        return 0.5 * (1 + np.cos(np.pi * (done - warm) / max(steps - warm, 1)))
    if kind == "multi-step":
        return numbers["factor"] ** sum(done / each >= at for at in numbers["at"])
    if kind == "triangle":
        peak = int(numbers["peak-at"] * steps)
        return float(np.interp(done, [0, peak, steps], [numbers["start"], 1.0, numbers["end"]]))
    if kind == "one-cycle":
        peak, last = numbers["peak-at"] * steps - 1.0, max(steps - 1, 1)
        turn = lambda a, b, share: b + (a - b) * 0.5 * (1 + np.cos(np.pi * share))
        if done <= peak:
            return turn(numbers["start"], 1.0, done / max(peak, 1.0))
        return turn(1.0, numbers["end"], (done - peak) / max(last - peak, 1.0))
    raise SystemExit(f"the schedule {kind} is not written here")


def optimiser(net, training):
    """An optimiser with a group for each tensor, and each group's factor on the learning rate."""
    (rule, numbers), = training["optimizer"].items()
    groups, factors = [], []
    for name, tensor in net.named_parameters():
        if any(name.startswith(prefix) for prefix in training.get("freeze", [])):
            tensor.requires_grad_(False)
            continue
        own = next((group for group in training.get("groups", []) if fnmatch.fnmatch(name, group["prefix"])), {})
        decay = numbers.get("weight-decay", 0.0) * own.get("weight-decay", 1.0)
        if training.get("decay") == "weights" and tensor.dim() < 2:
            decay = 0.0
        groups.append({"params": [tensor], "weight_decay": decay})
        factors.append(own.get("learning-rate", 1.0))
    if rule == "sgd":
        return torch.optim.SGD(groups, lr=0.1, momentum=numbers["momentum"], nesterov=numbers.get("nesterov", False)), factors
    return torch.optim.AdamW(groups, lr=0.1, betas=(numbers["beta1"], numbers["beta2"]), eps=numbers["eps"]), factors


def augmented(images, rows, steps, turned, epoch, black):
    batch = images[rows]
    for step in steps:
        (kind, numbers), = step.items()
        if kind in ("reflected-crop", "padded-crop"):
            by, (height, width) = numbers["padding"], batch.shape[2:]
            mirrored = kind == "reflected-crop"
            padded = F.pad(batch, (by,) * 4, mode="reflect") if mirrored else F.pad(batch - black, (by,) * 4) + black
            moved = torch.empty_like(batch)
            places = torch.randint(2 * by + 1, (2, len(rows)))
            for down in range(2 * by + 1):
                for right in range(2 * by + 1):
                    here = (places[0] == down) & (places[1] == right)
                    moved[here] = padded[here, :, down:down + height, right:right + width]
            batch = moved
        elif kind == "flip":
            now = torch.rand(len(rows)) < numbers["probability"]
            batch = torch.where(now.view(-1, 1, 1, 1), batch.flip(3), batch)
        elif kind == "alternating-flip":
            now = turned[rows] ^ (epoch % 2 == 1)
            batch = torch.where(now.view(-1, 1, 1, 1), batch.flip(3), batch)
        else:
            raise SystemExit(f"the step {kind} is not written here")
    return batch


def accuracy(net, images, labels, flips):
    net.eval()
    with torch.no_grad():
        scores = torch.cat([net(x) + net(x.flip(3)) if flips else net(x) for x in images.split(TEST_BATCH)])
    return 100.0 * int((scores.argmax(1) == labels).sum()) / len(labels)


def meet(slow, net, stays):
    """Slow weights, statistics included, go towards the others, which go on from there."""
    with torch.no_grad():
        for own, other in zip(slow.state_dict().values(), net.state_dict().values()):
            if own.is_floating_point():
                own.lerp_(other, 1 - stays)
                other.copy_(own)


def run(recipe, seed, data, limit):
    (images, labels), test, black = data
    training = recipe["training"]
    epochs, size = training["epochs"], training["batch-size"]
    images, labels = (images[:limit], labels[:limit]) if limit else (images, labels)
    steps = epochs * -(-len(labels) // size)
    net = begin(recipe["network"], seed)
    if "whitening" in training:
        whiten(net.whiten, images, training["whitening"].get("images", 1000), training["whitening"].get("eps", 5e-4))
    net = net.to(memory_format=torch.channels_last)
    optimise, factors = optimiser(net, training)
    slow, lookahead = copy.deepcopy(net), training.get("lookahead")
    turned, done = torch.rand(len(labels)) < 0.5, 0
    found = {"recipe": recipe["name"], "network": recipe["network"], "seed": seed, "test_accuracy": [], "seconds": []}
    for epoch in range(epochs):
        start = time.monotonic()
        net.train()
        for rows in torch.randperm(len(labels)).split(size):
            for group, own in zip(optimise.param_groups, factors):
                group["lr"] = training["learning-rate"] * own * factor(training, done, steps)
            batch = augmented(images, rows, training.get("augmentation", {}).get("steps", []), turned, epoch, black)
            optimise.zero_grad(set_to_none=True)
            scores = net(batch.contiguous(memory_format=torch.channels_last))
            F.cross_entropy(scores, labels[rows], label_smoothing=training.get("label-smoothing", 0.0)).backward()
            optimise.step()
            done += 1
            if lookahead and (done % lookahead["every"] == 0 or done == steps):
                meet(slow, net, lookahead["stays"] * (done / steps) ** lookahead.get("rise", 0.0))
        found["seconds"].append(round(time.monotonic() - start, 2))
        judged = slow if lookahead else net
        found["test_accuracy"].append(round(accuracy(judged, *test, training.get("test-time") == "flip"), 2))
        print(f"{recipe['name']} seed {seed} epoch {epoch + 1} of {epochs}: test accuracy "
              f"{found['test_accuracy'][-1]:.2f} %, {found['seconds'][-1]:.1f} s", flush=True)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", choices=["mnist-fast", "cifar10-fast", "resnet-cifar"])
    parser.add_argument("--network", default="resnet20_cifar", help="of a recipe that names none")
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of the classic files")
    parser.add_argument("--out", type=Path, default=HERE / "fast_training.json")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--schedule", choices=["cosine"], help="another than the recipe's")
    parser.add_argument("--at", type=int, nargs="+", metavar="EPOCH", help="after which the steps of a multi-step schedule come")
    parser.add_argument("--warm-up", type=float, metavar="EPOCHS", help="a rise from 0")
    parser.add_argument("--limit", type=int, help="only so many of the training images")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recipe = tomllib.loads((RECIPES / f"{arguments.recipe}.toml").read_text()) | {"name": arguments.recipe}
    recipe["training"]["epochs"] = arguments.epochs or recipe["training"]["epochs"]
    recipe.setdefault("network", arguments.network)
    changed = {}
    if arguments.schedule:
        changed["schedule"] = recipe["training"]["schedule"] = arguments.schedule
    if arguments.at:
        recipe["training"]["schedule"]["multi-step"]["at"] = changed["at"] = arguments.at
    if arguments.warm_up:
        changed["warm-up"] = recipe["training"]["warm-up"] = {"epochs": arguments.warm_up}
    data = load(recipe.get("data", {}).get("dataset", "cifar10"), arguments.data_dir)
    record = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    for seed in arguments.seeds:
        found = run(recipe, seed, data, arguments.limit)
        found |= changed | {"epochs": recipe["training"]["epochs"], "images": arguments.limit or len(data[0][1]),
                  "torch": torch.__version__, "threads": arguments.threads}
        record.append(found)
        lines = ",\n".join(json.dumps(line) for line in record)
        arguments.out.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
