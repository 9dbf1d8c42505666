"""Reference tables of every network: parameters, tensors, output shapes, multiply-adds.

Writes networks/NAME.json for torchvision's, timm's and book.py's networks, all
built on the meta device: no weight is ever drawn. The README has the format.
"""

import argparse
import json
import math
import warnings
from pathlib import Path

import timm
import torch
import torchvision
from timm.layers import BatchNormAct2d, create_conv2d
from timm.models.resnetv2 import ResNetV2
from torch import nn
from torchvision import models

import book

HERE = Path(__file__).resolve().parent
HEADS = ("aux1", "aux2", "AuxLogits")
TORCHVISION = [
    "alexnet",
    "vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn",
    "googlenet", "inception_v3",
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet152",
    "resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d",
    "wide_resnet50_2", "wide_resnet101_2",
    "densenet121", "densenet161", "densenet169", "densenet201",
]
TIMM = {"inception_v4": "inception_v4", "inception_resnet_v2": "inception_resnet_v2"} | {
    f"resnet{depth}_preact": f"resnetv2_{depth}" for depth in (18, 34, 50, 101, 152, 200)}


def torchvision_network(name, classes):
    extra = {"aux_logits": True, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
    if name.startswith("vgg"):
        extra = {"init_weights": False}
    return getattr(models, name)(weights=None, num_classes=classes, **extra)


def timm_network(name, classes):
    if TIMM[name] == "resnetv2_200":
        # timm has no entry point for this depth: its resnetv2_152 with other counts.
        return ResNetV2([3, 24, 36, 3], num_classes=classes, conv_layer=create_conv2d, norm_layer=BatchNormAct2d)
    return timm.create_model(TIMM[name], pretrained=False, num_classes=classes)


def catalogue():
    """name -> book.Network, for all sources."""
    version = torchvision.__version__.split("+")[0]
    networks = {}
    for name in TORCHVISION:
        large = name == "inception_v3"
        networks[name] = book.Network(
            f"torchvision {version}", lambda classes, name=name: torchvision_network(name, classes),
            (3, 299, 299) if large else (3, 224, 224), 1000, (3, 267, 331) if large else (3, 195, 251))
    for name in TIMM:
        large = name.startswith("inception")
        networks[name] = book.Network(
            f"timm {timm.__version__}",
            lambda classes, name=name: timm_network(name, classes),
            (3, 299, 299) if large else (3, 224, 224), 1000,
            (3, 267, 331) if large else None if name in ("resnet152_preact", "resnet200_preact") else (3, 195, 251))
    return networks | book.NETWORKS


def does_nothing(module):
    return isinstance(module, nn.Identity) or isinstance(module, nn.Sequential) and len(module) == 0


class Watch:
    """Records what every module returns in one forward pass, by its path.

    A module called again gets the suffixes _1, _2, … in calling order.
    """

    def __init__(self, net, only=lambda path: True):
        self.shapes, self.macs, self.calls = {}, 0, {}
        self.handles = [module.register_forward_hook(self.hook(path)) for path, module in net.named_modules()
                        if path and only(path) and not does_nothing(module)]

    def hook(self, path):
        def record(module, inputs, output):
            if not isinstance(output, torch.Tensor):
                return
            call = self.calls.get(path, 0)
            self.calls[path] = call + 1
            self.shapes[f"{path}_{call}" if call else path] = list(output.shape[1:])
            rows = output.shape[0]
            if isinstance(module, nn.Conv2d):
                self.macs += output.numel() // rows * math.prod(module.weight.shape[1:])
            elif isinstance(module, nn.Linear):
                self.macs += output.numel() // rows * module.in_features
            elif isinstance(module, book.TableConv):
                self.macs += output[0, 0].numel() * module.weight.numel()
            elif isinstance(module, book.RadialBasis):
                self.macs += output[0].numel() * inputs[0][0].numel()
        return record

    def close(self):
        for handle in self.handles:
            handle.remove()


def run(net, input, training, only=lambda path: True):
    net.train(training)
    watch = Watch(net, only)
    with torch.no_grad():
        output = net(torch.empty(2, *input, device="meta"))
    watch.close()
    return watch, output


def is_head(path):
    return path.split(".")[0] in HEADS


def describe(name, network):
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = network.build(network.classes)
    parameters = sum(p.numel() for p in net.parameters())
    heads = sum(p.numel() for path, p in net.named_parameters() if is_head(path))
    only = (lambda path: True) if network.nodes else (lambda path: path.count(".") <= 1)
    watch, output = run(net, network.input, False)
    macs = watch.macs
    if not network.nodes:
        watch, output = run(net, network.input, False, only)
    record = {
        "name": name,
        "source": network.source,
        "input": list(network.input),
        "classes": network.classes,
        "parameters": parameters,
        "parameters_without_heads": parameters - heads,
        "macs": macs,
        "output": list(output.shape[1:]),
        "tensors": {k: list(v.shape) for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")},
        "nodes": watch.shapes,
    }
    if heads:
        record["head_nodes"] = run(net, network.input, True, is_head)[0].shapes
    if network.input2:
        record["input2"] = list(network.input2)
        record["nodes2"] = run(net, network.input2, False, only)[0].shapes
    return record


def macs(name):
    """Multiply-accumulates at the usual input, as written in networks/NAME.json."""
    return json.loads((HERE / "networks" / f"{name}.json").read_text())["macs"]


def published(name):
    """(num_params, GMACs) from torchvision's own records, for a cross-check."""
    if name not in TORCHVISION:
        return None
    weights = list(models.get_model_weights(name))[0]
    return weights.meta["num_params"], weights.meta["_ops"]


def check(record):
    numbers = published(record["name"])
    if numbers is None:
        return ""
    parameters, gmacs = numbers
    # torchvision omits GoogLeNet's heads and includes Inception v3's.
    mine = record["parameters_without_heads" if record["name"] == "googlenet" else "parameters"]
    assert mine == parameters, (record["name"], mine, parameters)
    assert abs(record["macs"] / 1e9 - gmacs) < 0.0015, (record["name"], record["macs"], gmacs)
    return f"= published {parameters:,}, {gmacs} G"


def check_papers(path, records):
    """Every number of papers.json that names a network here must be that network's."""
    checked = 0
    for table in json.loads(path.read_text()):
        for entry in table["entries"]:
            record = records.get(entry.get("network"))
            if record is None:
                continue
            where = (table["paper"], table["where"], entry["network"])
            for row in entry.get("rows", []):
                if "node" not in row:
                    continue
                got = record["nodes"][row["node"]]
                assert (got[:len(row["output"])] == row["output"]), (where, row, got)
                checked += 1
            without = record["parameters_without_heads"]
            if "parameters" in entry:
                assert without == entry["parameters"], (where, without)
                checked += 1
            if "parameters_in_millions" in entry:
                # Rounded as printed: half a unit of the last digit, a little more for what was cut off.
                digits = len(str(entry["parameters_in_millions"]).partition(".")[2])
                tolerance = entry.get("parameters_in_millions_tolerance", 10.0**-digits)
                assert abs(without / 1e6 - entry["parameters_in_millions"]) < tolerance, (where, without)
                checked += 1
            if "giga_macs" in entry:
                tolerance = entry.get("giga_macs_tolerance", 0.05)
                assert abs(record["macs"] / 1e9 - entry["giga_macs"]) <= tolerance + 1e-9, (where, record["macs"])
                checked += 1
    return checked


def dump(record):
    """JSON with one line per tensor and node."""
    compact = lambda value: json.dumps(value, separators=(",", ":"))
    fields = []
    for key, value in record.items():
        if isinstance(value, dict):
            lines = ",\n".join(f"{compact(k)}:{compact(v)}" for k, v in value.items())
            fields.append(f"{compact(key)}:{{\n{lines}\n}}")
        else:
            fields.append(f"{compact(key)}:{compact(value)}")
    return "{\n" + ",\n".join(fields) + "\n}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE / "networks")
    parser.add_argument("names", nargs="*", help="only these networks")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    records = {}
    for name, network in catalogue().items():
        if arguments.names and name not in arguments.names:
            continue
        record = records[name] = describe(name, network)
        text = dump(record)
        assert json.loads(text) == record
        (arguments.out / f"{name}.json").write_text(text)
        print(f"{name:24} {record['parameters']:>12,} ({record['parameters_without_heads']:,}) "
              f"{record['macs']:>15,} MACs {len(text) // 1024:>4} KiB {check(record)}", flush=True)
    print(check_papers(HERE / "papers.json", records), "numbers of papers.json agree")


if __name__ == "__main__":
    main()
