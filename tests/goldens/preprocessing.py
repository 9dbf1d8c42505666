"""Goldens of preprocessing: what torchvision's and timm's transforms on PIL images make of a hundred pictures.

    python tests/goldens/preprocessing.py [--seed N] [--out FOLDER]

Writes `preprocessing.json`, one case on each line. The pictures come from a formula, so that no picture is stored; of a
result the file holds the CRC-32 of its bytes and a few of them, and of the normalised numbers the CRC-32 of their
little-endian f32 bytes.

Byte (channel, row, column) of picture `seed`, all of it modulo 2**32:

    x = seed * 2654435761 + channel * 40503 + row * 69069 + column * 1664525
    noise = ((x * 2246822519 mod 2**32) >> 15) * 3266489917 mod 2**32 >> 24
    ramp = (row * (3 + channel) + column * (5 - channel)) mod 256
    byte = noise if (row // 7 + column // 5) % 3 == 0 else ramp
"""

import argparse
import json
import math
import zlib
from pathlib import Path

import numpy
import torch
from PIL import Image
from timm.data.transforms_factory import transforms_imagenet_eval
from torchvision import transforms
from torchvision.transforms import InterpolationMode

FILTERS = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def picture(seed, height, width, channels):
    channel, row, column = numpy.meshgrid(
        *(numpy.arange(n, dtype=numpy.uint64) for n in (channels, height, width)), indexing="ij"
    )
    whole = numpy.uint64(2**32 - 1)
    x = numpy.uint64(seed * 2654435761 % 2**32) + channel * numpy.uint64(40503)
    x = (x + row * numpy.uint64(69069) + column * numpy.uint64(1664525)) & whole
    noise = (((x * numpy.uint64(2246822519)) & whole) >> numpy.uint64(15)) * numpy.uint64(3266489917) & whole
    noise = noise >> numpy.uint64(24)
    ramp = (row * (numpy.uint64(3) + channel) + column * (numpy.uint64(5) - channel)) % numpy.uint64(256)
    noisy = (row // numpy.uint64(7) + column // numpy.uint64(5)) % numpy.uint64(3) == 0
    bytes = numpy.where(noisy, noise, ramp).astype(numpy.uint8).transpose(1, 2, 0)
    return Image.fromarray(bytes if channels == 3 else bytes[:, :, 0])


def cases(seed):
    """A hundred fits of odd pictures: the fit as the crate's JSON has it, and torchvision's or timm's transform."""
    draws = numpy.random.default_rng(seed)
    sides = [1, 2, 3, 5, 8, 13, 17, 31, 32, 33, 63, 64, 100, 127, 150, 224, 256, 257, 299, 375]

    def side():
        return int(sides[draws.integers(len(sides))])

    for number in range(108):
        name = FILTERS[number % 6]
        filter = InterpolationMode(name)
        size, piece = (side(), side()), (side(), side())
        kind = number // 6 % 6
        tail = {} if name == "bilinear" else {"interpolation": name}
        if kind == 0:
            fit = {"resize": {"height": piece[0], "width": piece[1], **tail}}
            transform = transforms.Resize(list(piece), interpolation=filter)
        elif kind in (1, 2):
            # As published weights, and any piece, larger than the stretched picture too.
            short = side()
            piece = (side(), side()) if kind == 1 else (max(1, short * 7 // 8),) * 2
            fit = {"crop": {"short": short, "height": piece[0], "width": piece[1], **tail}}
            transform = transforms.Compose(
                [transforms.Resize(short, interpolation=filter), transforms.CenterCrop(list(piece))]
            )
        else:
            mode = ["center", "squash", "border"][kind - 3]
            share = [0.875, 0.9, 0.95, 1.0, 0.965][number % 5]
            if number % 2:
                piece = (piece[0], piece[0])
            transform = transforms_imagenet_eval(
                piece, crop_pct=share, crop_mode=mode, interpolation=name, mean=MEAN, std=STD, use_prefetcher=True
            )
            stretched = [math.floor(side / share) for side in piece]
            rest = {"height": piece[0], "width": piece[1], **tail}
            if mode == "center" and stretched[0] == stretched[1]:
                fit = {"crop": {"short": stretched[0], **rest}}
            else:
                name = {"center": "cover", "squash": "squash", "border": "border"}[mode]
                fit = {name: {"stretched": stretched, **rest}}
        # timm's border has three colours.
        channels = 3 if kind == 5 or number % 4 else 1
        yield number, channels, size, fit, transform


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args()
    lines = []
    for number, channels, (height, width), fit, transform in cases(args.seed):
        try:
            made = transform(picture(number, height, width, channels))
        except ValueError:
            # A side of 0 pixels, which PIL refuses.
            continue
        if not isinstance(made, Image.Image):
            made = transforms.ToPILImage()(made)
        bytes = numpy.asarray(made).reshape(made.height, made.width, channels).transpose(2, 0, 1)
        tensor = transforms.Normalize(MEAN[:channels], STD[:channels])(transforms.ToTensor()(made))
        assert tensor.dtype == torch.float32
        flat = bytes.reshape(-1)
        places = [place * (flat.size - 1) // 5 for place in range(6)]
        case = {
            "picture": number,
            "shape": [channels, height, width],
            "fit": fit,
            "bytes": zlib.crc32(flat.tobytes()),
            "some": [int(flat[place]) for place in places],
            "numbers": zlib.crc32(tensor.numpy().astype("<f4").tobytes()),
        }
        lines.append(json.dumps(case))
    (args.out / "preprocessing.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(f"{len(lines)} cases")


if __name__ == "__main__":
    main()
