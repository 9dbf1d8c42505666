"""Writes published.json and imagenet.tsv from what torchvision and timm say of their own weights.

    pip install torch torchvision timm
    python crates/catalogue/data/make.py

timm's accuracies are those of its table results-imagenet.csv, of which timm_results.csv holds the rows of networks here;
one is taken only if it was measured with the size, crop and interpolation that the weights' own settings name. Digests are
the hexadecimal digits in torchvision's file names, which begin the file's SHA-256. Nothing is downloaded.
"""

import csv
import json
import math
import pathlib
import re

import timm
import torch
from timm.data import ImageNetInfo
from timm.models import get_pretrained_cfg
from torchvision.models import get_model_weights
from torchvision.models._meta import _IMAGENET_CATEGORIES

HERE = pathlib.Path(__file__).parent

NETWORKS = [
    "alexnet",
    *(f"vgg{depth}{norm}" for norm in ("", "_bn") for depth in (11, 13, 16, 19)),
    "googlenet",
    "inception_v3",
    "inception_v4",
    "inception_resnet_v2",
    *(f"resnet{depth}" for depth in (18, 34, 50, 101, 152)),
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "wide_resnet50_2",
    "wide_resnet101_2",
    *(f"densenet{depth}" for depth in (121, 161, 169, 201)),
]

# Option A networks of the CIFAR-10 section of He et al., as their repository lists them: file, parameters, test error.
CIFAR = [
    (20, "resnet20-12fca82f.th", 269_722, 8.27),
    (32, "resnet32-d509ac18.th", 464_154, 7.37),
    (44, "resnet44-014dd654.th", 658_586, 6.90),
    (56, "resnet56-4bfd9763.th", 853_018, 6.61),
    (110, "resnet110-1d1ed7c2.th", 1_727_962, 6.32),
    (1202, "resnet1202-f3b1deed.th", 19_421_274, 6.18),
]


def torchvision(network):
    """The entries of torchvision's weight enumeration; those without a scoring layer are left out."""
    weights = get_model_weights(network)
    for weight in weights:
        metrics = weight.meta["_metrics"]["ImageNet-1K"]
        if math.isnan(metrics["acc@1"]):
            continue
        transforms = weight.transforms()
        mean, std = list(transforms.mean), list(transforms.std)
        # torchvision scales the input of these inside the network, which is the same as these statistics.
        inside = network in ("googlenet", "inception_v3")
        if inside:
            mean, std = [0.5] * 3, [0.5] * 3
        yield {
            "name": f"{network}:{weight.name.lower()}",
            "network": network,
            "publisher": "torchvision",
            "default": weight == weights.DEFAULT,
            "address": weight.url,
            "digest": re.search(r"-([0-9a-f]{8,})\.", weight.url).group(1),
            "mebibytes": weight.meta["_file_size"],
            "dataset": "imagenet",
            "input": [3, transforms.crop_size[0], transforms.crop_size[0]],
            "short": transforms.resize_size[0],
            "interpolation": transforms.interpolation.value,
            "mean": mean,
            "std": std,
            "transform_input": inside,
            "parameters": weight.meta["num_params"],
            "top1": metrics["acc@1"],
            "top5": metrics["acc@5"],
            "licence": "BSD-3-Clause, torchvision's; terms of the training images may bind too",
            "source": weight.meta["recipe"],
        }


def timms(network, results, only):
    """The entries of timm for the network; `only` where torchvision has none, and the first is the usual one."""
    names = timm.list_pretrained(f"{network}.*")
    if not names:
        return
    with torch.device("meta"):
        parameters = sum(p.numel() for p in timm.create_model(network).parameters())
    usual = get_pretrained_cfg(network).tag
    for name in names:
        config = get_pretrained_cfg(name)
        if config.num_classes != 1000 or not config.hf_hub_id:
            continue
        shape = config.test_input_size or config.input_size
        crop = config.test_crop_pct or config.crop_pct
        assert config.crop_mode == "center" and shape[1] == shape[2] and config.hf_hub_filename is None
        row = results.get(name)
        if row:
            measured = (int(row["size"]), float(row["crop"]), row["interpolation"])
            assert measured == (shape[1], round(crop, 3), config.interpolation), (name, measured)
        yield {
            "name": f"{network}:{config.tag}",
            "network": network,
            "publisher": "timm",
            "default": only and config.tag == usual,
            "repository": config.hf_hub_id,
            "file": "model.safetensors",
            "dataset": "imagenet",
            "input": list(shape),
            "short": math.floor(shape[1] / crop),
            "interpolation": config.interpolation,
            "mean": list(config.mean),
            "std": list(config.std),
            "parameters": parameters,
            "top1": float(row["top1"]) if row else None,
            "top5": float(row["top5"]) if row else None,
            "licence": config.license,
            "source": config.origin_url or (f"https://huggingface.co/{config.hf_hub_id}"),
        }


def cifar():
    """The entries of the CIFAR ResNets. Whether the digits in the names are a SHA-256 is not said, so none is given."""
    repository = "https://github.com/akamaster/pytorch_resnet_cifar10"
    for depth, file, parameters, error in CIFAR:
        yield {
            "name": f"resnet{depth}_cifar:akamaster",
            "network": f"resnet{depth}_cifar",
            "publisher": "akamaster",
            "default": True,
            "address": f"{repository}/raw/master/pretrained_models/{file}",
            "dataset": "cifar10",
            "input": [3, 32, 32],
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
            "parameters": parameters,
            "top1": round(100 - error, 2),
            "licence": "BSD-2-Clause",
            "source": repository,
        }


def main():
    with open(HERE / "timm_results.csv") as file:
        results = {row["name"]: row for row in csv.DictReader(file)}
    entries = []
    for network in NETWORKS:
        try:
            of_torchvision = list(torchvision(network))
        except ValueError:
            of_torchvision = []
        entries += of_torchvision
        entries += timms(network, results, only=not of_torchvision)
    entries += cifar()
    unused = results.keys() - {entry["name"].replace(":", ".") for entry in entries if entry["publisher"] == "timm"}
    assert not unused, unused
    lines = ",\n".join(json.dumps({k: v for k, v in entry.items() if v is not None and v is not False}) for entry in entries)
    (HERE / "published.json").write_text(f"[\n{lines}\n]\n")

    info = ImageNetInfo()
    rows = [f"{info.index_to_label_name(index)}\t{name}" for index, name in enumerate(_IMAGENET_CATEGORIES)]
    assert len(rows) == info.num_classes() == 1000
    (HERE / "imagenet.tsv").write_text("\n".join(rows) + "\n")
    print(len(entries), "entries of", len({entry["network"] for entry in entries}), "networks")


main()
