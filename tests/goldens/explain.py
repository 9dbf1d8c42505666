"""Goldens of what explains a network: gradients at nodes, Grad-CAM, Grad-CAM++, guided backpropagation.

Writes explain.json: for torchvision's networks with weights by rule.py, in evaluation mode and f64, of the class with
the largest logit. Gradients are torch's, caught by hooks; maps are those of the package grad-cam. The README next to
this file has the layout.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "reference"))

import numpy as np
import torch
import torch.nn.functional as F
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, GuidedBackpropReLUModel
from pytorch_grad_cam.utils.image import scale_cam_image
from torch import nn

import make
import parity
import rule

CLASSES, SIDE, SAMPLES, PIXELS = 10, 224, 8, 40
# The node whose maps Grad-CAM weighs, in our words and as a module; and nodes whose gradients are kept.
NETWORKS = {
    "resnet18": ("layer4", "layer4", ["conv1", "bn1", "maxpool", "layer1", "layer2.0", "layer3.0.conv1", "layer4.0.bn1", "layer4"]),
    "vgg16": ("features.30", "features.30", ["features.0", "features.4", "features.16", "features.30", "classifier.0"]),
    "densenet121": ("relu", "last", [
        "features.conv0", "features.pool0", "features.denseblock1", "features.denseblock2.denselayer3.conv2",
        "features.transition2.conv", "features.denseblock4", "features.norm5"]),
    "googlenet": ("inception5b", "inception5b", [
        "conv1", "maxpool1", "inception3a", "inception3b.branch2", "inception4c.branch3.1", "maxpool4", "inception5b"]),
}
# Those whose ReLUs are all modules, which the package can replace.
GUIDED = ["resnet18", "vgg16", "densenet121"]


class DenseNet(nn.Module):
    """torchvision's DenseNet with its last ReLU as a module, out of place."""

    def __init__(self, net):
        super().__init__()
        self.features, self.last, self.classifier = net.features, nn.ReLU(), net.classifier

    def forward(self, x):
        x = self.last(self.features(x))
        return self.classifier(torch.flatten(F.adaptive_avg_pool2d(x, (1, 1)), 1))


def network(name, seed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = make.torchvision_network(name, CLASSES).double()
    parity.fill(net, seed)
    for path, module in net.named_modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
        if isinstance(module, nn.BatchNorm2d):
            # Statistics by formula: the names of a bias and of a batch normalisation's weight.
            shape = tuple(module.running_mean.shape)
            module.running_mean.copy_(torch.from_numpy(rule.bias(seed, f"{path}.running_mean", shape)))
            module.running_var.copy_(torch.from_numpy(rule.norm_weight(seed, f"{path}.running_var", shape)))
    return (DenseNet(net) if name.startswith("densenet") else net).eval()


def short(values):
    return [float(f"{float(v):.9g}") for v in np.asarray(values).reshape(-1)]


def at_nodes(net, x, nodes, seed):
    """Logits, and the gradient of the largest one at each node and at the input."""
    seen, handles = {"input": x.requires_grad_()}, []
    for path in nodes:
        def record(module, inputs, output, path=path):
            output.retain_grad()
            seen[path] = output
        handles.append(net.get_submodule(path).register_forward_hook(record))
    logits = net(x)[0]
    logits[logits.argmax()].backward()
    for handle in handles:
        handle.remove()
    rows = {}
    for path, value in seen.items():
        flat = value.grad.reshape(-1)
        samples = flat[torch.from_numpy(rule.positions(seed, path, flat.numel(), SAMPLES))]
        rows[path] = short([flat.norm(), flat.abs().max(), *samples])
    return logits.detach(), rows


def cam(method, net, x, layer, seed):
    """The map at the size of the layer, from 0 to 1, and samples of it at the size of the picture."""
    small = {}

    class Kept(method):
        def get_cam_image(self, *arguments, **more):
            result = super().get_cam_image(*arguments, **more)
            small["map"] = scale_cam_image(np.maximum(result, 0))[0]
            return result

    with Kept(model=net, target_layers=[net.get_submodule(layer)]) as explain:
        large = explain(input_tensor=x.detach(), targets=None)[0]
    return {
        "size": list(small["map"].shape),
        "map": short(small["map"]),
        "samples": short(large.reshape(-1)[rule.positions(seed, "cam", large.size, PIXELS)]),
    }


def golden(name, seed):
    node, layer, nodes = NETWORKS[name]
    net = network(name, seed)
    x = parity.batch(seed, "picture", (1, 3, SIDE, SIDE))
    logits, gradients = at_nodes(net, x.clone(), nodes, seed)
    row = {
        "name": name, "classes": CLASSES, "input": [1, 3, SIDE, SIDE], "logits": short(logits), "gradients": gradients,
        "node": node, "grad_cam": cam(GradCAM, net, x, layer, seed),
        "grad_cam_plus_plus": cam(GradCAMPlusPlus, net, x, layer, seed),
    }
    if name in GUIDED:
        def guided(x):
            found = GuidedBackpropReLUModel(net)(x, int(logits.argmax()))
            return torch.from_numpy(found).permute(2, 0, 1).reshape(-1).double()

        flat = guided(x.clone())
        places = rule.positions(seed, "input", flat.numel(), PIXELS)
        row["guided"] = short([flat.norm(), flat.abs().max(), *flat[places]])
        # The same in f32: what f32 can be asked for.
        net.float()
        other = guided(x.float())
        row["guided_f32"] = float(f"{float((other - flat).abs().max() / flat.abs().max()):.3g}")
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=rule.DEFAULT_SEED)
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()
    rows = [golden(name, arguments.seed) for name in NETWORKS]
    text = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (arguments.out / "explain.json").write_text(f"[\n{text}\n]\n")


if __name__ == "__main__":
    main()
