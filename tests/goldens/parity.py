"""Goldens of whole networks: logits, inner nodes and gradients, in f64 from PyTorch.

Writes parity/NAME.safetensors for torchvision's, timm's and book.py's networks.
No weight or input is stored: they follow from rule.py, and activations and
gradients are kept as fingerprints. The README next to this file has the layout.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "reference"))

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

import kinks
import make
import rule

NODES, NODE_SAMPLES = 12, 32
# Auxiliary heads in the order of the training output, and their weight in the loss.
HEADS = {
    "googlenet": (["aux2", "aux1"], 0.3),
    "googlenet_paper": (["aux2", "aux1"], 0.3),
    "googlenet_naive": (["aux2", "aux1"], 0.3),
    "inception_v3": (["AuxLogits"], 0.4),
}
# First size (with gradients), second size (evaluation only). Networks that end
# in a fixed linear layer take what still leads to its width.
SIZES = {
    # 347 is the least that gives the head's BatchNorm more than one pixel per image:
    # two numbers per channel would be normalised to +-1 whatever they are.
    "inception_v3": ((3, 347, 299), (3, 107, 139)),
    "inception_v4": ((3, 139, 139), (3, 107, 123)),
    "inception_resnet_v2": ((3, 139, 139), (3, 107, 123)),
    "lenet_paper": ((1, 32, 32), (1, 32, 33)),
    "lenet": ((1, 32, 32), (1, 32, 33)),
    "mnist_mlp": ((1, 28, 28), None),
    "alexnet_d2l": ((1, 193, 193), (1, 193, 224)),
    "alexnet_paper": ((3, 227, 227), (3, 227, 251)),
    "vgg_small_d2l": ((1, 224, 224), (1, 224, 240)),
    "nin_d2l": ((1, 112, 112), (1, 131, 110)),
    "nin_one_1x1_d2l": ((1, 112, 112), (1, 131, 110)),
    "nin": ((3, 112, 112), (3, 131, 110)),
    "inception_resnet_v1": ((3, 139, 139), (3, 107, 123)),
    "alexnet_paper_pool_lrn": ((3, 227, 227), (3, 227, 251)),
    "googlenet_paper": ((3, 224, 224), (3, 64, 96)),
    "googlenet_naive": ((3, 224, 224), (3, 64, 96)),
    "vgg11_d2l": ((1, 224, 224), (1, 224, 240)),
    "vgg_whitened_cifar": ((3, 32, 32), (3, 26, 33)),
}
# Networks for 32x32 that cost more than this take half the side.
COSTLY = 1_000_000_000
# In any network some pool or ReLU may be so near its kink that f32 falls to either side, and every gradient before it
# jumps: to which, one run cannot tell. So f32 runs are made with every weight moved by up to a millionth too, and with a
# random half of all that is near its kink (kinks.py) taken over it. Each draw is run in both directions: the other way
# the other half is taken over, so that between the two everything is. Logits and the loss do not jump, but how far f32
# takes them is chance as well: theirs are compared with what f64 makes of the same moved weights.
DRAWS, MOVE = 4, 1e-6
# Where more than so many are near, in networks without shortcuts that are chaotic, every run takes many of them over,
# and their jumps average out. Half of all would be several times as many as rounding takes over: none is forced.
CROWD = 1000
# Networks of which something further from its kink is taken over as well, and the reason. Input 63 of the ReLU behind
# features.denseblock3.denselayer6.norm1 is -8.6e-6, 7.4 times torch's f32 error there and 4.3 times that of convolutions
# by Winograd's algorithm, which is 1.7 times torch's: f32 may decide it either way.
FURTHER = {"densenet100_k24_cifar": 8.0}
# Samples of a gradient; fewer in networks of more than so many tensors, which would be large files.
SAMPLES, FEW_SAMPLES, MANY_TENSORS = 8, 2, 1000


def sizes(name, network):
    if name in SIZES:
        return SIZES[name]
    channels = network.input[0]
    if network.input[1] == 28:
        return (channels, 28, 28), (channels, 28, 29)
    if network.input[1] == 32:
        if make.macs(name) > COSTLY:
            return (channels, 16, 16), (channels, 12, 20)
        return (channels, 32, 32), (channels, 24, 40)
    return (channels, 64, 64), (channels, 96, 80)


def fill(net, seed):
    """Weights by the rule; every dropout off."""
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            shape = tuple(parameter.shape)
            if name.endswith("bias"):
                value = rule.bias(seed, name, shape)
            elif len(shape) == 1:
                value = rule.norm_weight(seed, name, shape)
            else:
                value = rule.weight(seed, name, shape)
            parameter.copy_(torch.from_numpy(value))
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0


def norms(net):
    return [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]


def batch(seed, name, shape, dtype=torch.float64):
    return torch.from_numpy(rule.input_batch(seed, name, shape)).to(dtype)


def calibrate(net, x):
    for module in norms(net):
        module.momentum = 1.0
    net.train()
    with torch.no_grad():
        net(x)
    for module in norms(net):
        module.momentum = 0.1


def worth_watching(path, module):
    """Nodes whose output means the same in every implementation."""
    last = path.split(".")[-1]
    if make.does_nothing(module) or make.is_head(path) or last.startswith(("denselayer", "shortcut", "global_pool")):
        return False
    leaf = (make.book.TableConv, make.book.RadialBasis, nn.Conv2d, nn.Linear, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.LocalResponseNorm)
    return isinstance(module, leaf) or type(module) is nn.BatchNorm2d or (
        any(True for _ in module.children()) and not isinstance(module, nn.BatchNorm2d))


def fingerprint(seed, name, tensor, samples):
    flat = tensor.detach().reshape(-1)
    return flat[torch.from_numpy(rule.positions(seed, name, flat.numel(), samples))]


class Watch:
    """Fingerprints of modules' outputs, taken the moment they return."""

    def __init__(self, net, seed, wanted=None):
        self.seen, self.repeated = {}, set()
        self.handles = []
        for path, module in net.named_modules():
            if path and (path in wanted if wanted else worth_watching(path, module)):
                self.handles.append(module.register_forward_hook(self.hook(path, seed)))

    def hook(self, path, seed):
        def record(module, inputs, output):
            if path in self.seen:
                self.repeated.add(path)
            if isinstance(output, torch.Tensor):
                flat = output.detach().reshape(-1)
                head = torch.stack([flat.mean(), flat.norm()])
                row = torch.cat([head, fingerprint(seed, path, output, NODE_SAMPLES)])
                self.seen[path] = (list(output.shape), row)
        return record

    def close(self):
        for handle in self.handles:
            handle.remove()


def spread(items, count):
    """`count` of the items, evenly, the first and the last included."""
    if len(items) <= count:
        return items
    return [items[round(i * (len(items) - 1) / (count - 1))] for i in range(count)]


def evaluate(net, x, seed, wanted=None):
    net.eval()
    watch = Watch(net, seed, wanted)
    with torch.no_grad():
        logits = net(x)
    watch.close()
    return logits, watch


def loss_of(net, x, labels, heads, head_weight):
    net.train()
    output = net(x)
    outputs = list(output) if isinstance(output, tuple) else [output]
    assert len(outputs) == 1 + len(heads)
    loss = F.cross_entropy(outputs[0], labels)
    for head in outputs[1:]:
        loss = loss + head_weight * F.cross_entropy(head, labels)
    return outputs, loss


def train(net, x, labels, heads, head_weight):
    net.zero_grad(set_to_none=True)
    outputs, loss = loss_of(net, x, labels, heads, head_weight)
    loss.backward()
    gradients = {name: p.grad for name, p in net.named_parameters()}
    missing = [name for name, g in gradients.items() if g is None]
    assert not missing, missing
    return [o.detach() for o in outputs], loss.detach(), gradients


def moved(net, weights):
    """The network with its weights moved, once for each draw and direction."""
    for draw in range(DRAWS):
        generator = torch.Generator().manual_seed(draw)
        moves = [MOVE * (2 * torch.rand(w.shape, generator=generator) - 1) for w in weights]
        for sign in (1, -1):
            with torch.no_grad():
                for parameter, weight, move in zip(net.parameters(), weights, moves):
                    parameter.copy_(torch.addcmul(weight, weight, move, value=sign))
            yield draw, sign


def logits_of(net, inputs):
    net.eval()
    with torch.no_grad():
        return [net(x) for x in inputs]


def separation(logits):
    return float((logits[0] - logits[1]).abs().max())


def golden(name, network, seed):
    classes = 10
    size1, size2 = sizes(name, network)
    heads, head_weight = HEADS.get(name, ([], 0.0))
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")
        net = network.build(classes)
    net = net.to_empty(device="cpu").double()
    for module in norms(net):
        module.reset_running_stats()
    fill(net, seed)

    tensors = {}
    calibration = None
    if norms(net):
        calibration = (2 if name == "inception_v3" else 4, *size1)
        calibrate(net, batch(seed, "calibration", calibration))
    x1 = batch(seed, "input", (2, *size1))
    x2 = batch(seed, "input2", (2, *size2)) if size2 else None

    logits1, watch = evaluate(net, x1, seed)
    nodes = spread([p for p in watch.seen if p not in watch.repeated], NODES)
    rows = {p: watch.seen[p] for p in nodes}
    tensors["eval1.logits"] = logits1
    tensors["eval1.nodes"] = torch.stack([rows[p][1] for p in nodes])
    metadata = {
        "name": name, "source": network.source, "seed": seed, "classes": classes,
        "calibration": calibration, "input": [2, *size1], "input2": [2, *size2] if size2 else None,
        "nodes": nodes, "node_shapes": [rows[p][0] for p in nodes],
        "separation": separation(logits1),
    }
    if size2:
        logits2, watch = evaluate(net, x2, seed, set(nodes))
        tensors["eval2.logits"] = logits2
        tensors["eval2.nodes"] = torch.stack([watch.seen[p][1] for p in nodes])
        metadata["node_shapes2"] = [watch.seen[p][0] for p in nodes]
        metadata["separation2"] = separation(logits2)

    kept = {k: v.clone() for k, v in net.named_buffers()}
    labels = torch.tensor(rule.labels(2, classes))
    with kinks.Record() as exact:
        outputs, loss, gradients = train(net, x1, labels, heads, head_weight)
    tensors["train.logits"] = outputs[0]
    for head, logits in zip(heads, outputs[1:]):
        tensors[f"train.{head}"] = logits
    tensors["train.loss"] = loss.reshape(1)
    names = list(gradients)
    largest = {n: float(g.abs().max()) for n, g in gradients.items()}
    top = max(largest.values())
    zero = [n for n in names if largest[n] < 1e-10 * top]
    samples = SAMPLES if len(names) <= MANY_TENSORS else FEW_SAMPLES
    tensors["train.gradients"] = torch.stack([
        torch.cat([torch.stack([g.norm(), g.abs().max()]), fingerprint(seed, n, g, samples)])
        for n, g in gradients.items()])
    metadata |= {"heads": heads, "head_weight": head_weight, "gradients": names, "zero_gradients": zero}

    def distances(others):
        # Of a gradient that is zero whatever is there is distance; its own largest entry says nothing.
        apart = [float(others[n].abs().max()) / top if n in zero
                 else float((gradients[n] - others[n]).abs_().max()) / largest[n] for n in names]
        held = torch.tensor([d for n, d in zip(names, apart) if n not in zero])
        return torch.tensor(apart), {"max": float(held.max()), "median": float(held.median())}

    # Every weight moved by its last bit: what f64 can be asked for.
    weights = [p.detach().float() for p in net.parameters()]
    with torch.no_grad():
        generator = torch.Generator().manual_seed(0)
        for parameter in net.parameters():
            up = torch.rand(parameter.shape, generator=generator) < 0.5
            parameter.copy_(torch.nextafter(parameter, torch.where(up, torch.inf, -torch.inf).double()))
    metadata["f64_gradients"] = distances(train(net, x1, labels, heads, head_weight)[2])[1]

    # The same in f32: what f32 can be asked for.
    for parameter in net.parameters():
        parameter.grad = None
    with torch.no_grad():
        exact_losses = [loss_of(net, x1, labels, heads, head_weight)[1] for _ in moved(net, weights)]
        for key, value in net.named_buffers():
            value.copy_(kept[key])
    inputs = [x1, x2] if size2 else [x1]
    exact_logits = [logits_of(net, inputs) for _ in moved(net, weights)]
    exact_logits.append([logits1, logits2] if size2 else [logits1])
    net.float()
    inputs32 = [x.float() for x in inputs]
    logits32 = [logits_of(net, inputs32) for _ in moved(net, weights)]
    with torch.no_grad():
        for parameter, weight in zip(net.parameters(), weights):
            parameter.copy_(weight)
    logits32.append(logits_of(net, inputs32))
    for i, suffix in enumerate(["", "2"][:len(inputs)]):
        apart = [float((found[i].double() - right[i]).abs().max()) for found, right in zip(logits32, exact_logits)]
        metadata["f32_logits" + suffix] = max(apart) / metadata["separation" + suffix]
    with kinks.Watch(exact.inputs, FURTHER.get(name, kinks.NEAR)) as watch:
        _, loss32, rounded = train(net, x1.float(), labels, heads, head_weight)
    distance, metadata["f32_gradients"] = distances(rounded)
    metadata["near_kinks"] = watch.count()
    forced = watch.near if watch.count() <= CROWD else [(at[:0], sides[:0]) for at, sides in watch.near]
    exact.inputs.clear()
    losses32 = [loss32]
    for draw, sign in moved(net, weights):
        with kinks.Force(forced, draw, opposite=int(sign < 0)):
            _, other, others = train(net, x1.float(), labels, heads, head_weight)
        losses32.append(other)
        distance = torch.maximum(distance, distances(others)[0])
    apart = [float((found.double() / right - 1).abs()) for found, right in zip(losses32, [loss, *exact_losses])]
    metadata["f32_loss"] = max(apart)
    tensors["train.f32_distance"] = distance
    tensors = {k: v.contiguous().clone() for k, v in tensors.items()}
    for key, tensor in tensors.items():
        assert torch.isfinite(tensor).all(), key
    return tensors, metadata


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=rule.DEFAULT_SEED)
    parser.add_argument("--out", type=Path, default=HERE / "parity")
    parser.add_argument("names", nargs="*", help="only these networks")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, network in make.catalogue().items():
        if arguments.names and name not in arguments.names:
            continue
        start = time.monotonic()
        tensors, metadata = golden(name, network, arguments.seed)
        path = arguments.out / f"{name}.safetensors"
        save_file(tensors, path, {"parity": json.dumps(metadata, separators=(",", ":"))})
        path.chmod(0o644)
        largest = float(tensors["eval1.logits"].abs().max())
        peak = float(tensors["eval1.nodes"][:, 1].max())
        print(f"{name:24} {path.stat().st_size / 1024:6.1f} KiB  logits to {largest:9.3g}, apart "
              f"{metadata['separation'] / largest:6.3f}  node l2 to {peak:8.2g}  f32 logits {metadata['f32_logits']:.1e} "
              f"loss {metadata['f32_loss']:.1e} gradients max {metadata['f32_gradients']['max']:.1e} median {metadata['f32_gradients']['median']:.1e} "
              f"f64 {metadata['f64_gradients']['max']:.1e} {metadata['f64_gradients']['median']:.1e} "
              f"zero {len(metadata['zero_gradients'])} near {metadata['near_kinks']}  {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
