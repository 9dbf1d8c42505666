"""Goldens of image operations: the Python Imaging Library's and torchvision's on PIL images, byte for byte.

    python tests/goldens/augmentation.py [--seed N] [--out FOLDER]

Writes `augmentation.safetensors`: U8 arrays of (channels, height, width), the images `colour` and `grey`, and what each
operation makes of them, named IMAGE.OPERATION.PARAMETER. Colour has areas of every hue and some noise.
"""

import argparse
from pathlib import Path

import numpy
from PIL import Image
from safetensors.numpy import save_file
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import TrivialAugmentWide, _apply_op

HEIGHT, WIDTH = 15, 22


def images(seed):
    draws = numpy.random.default_rng(seed)
    rows, columns = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    waves = [127 + 100 * numpy.sin(columns / 4 + 2 * channel) * numpy.cos(rows / 5 + channel) for channel in range(3)]
    colour = numpy.stack(waves, axis=2) + draws.normal(0, 12, (HEIGHT, WIDTH, 3))
    # Saturation and hue have corners where channels are equal.
    colour[0, :4] = [[0, 0, 0], [255, 255, 255], [90, 90, 90], [200, 200, 10]]
    grey = 60 + 3 * rows + 2 * columns + draws.normal(0, 9, (HEIGHT, WIDTH))
    arrays = {"colour": colour, "grey": grey}
    return {name: Image.fromarray(array.clip(0, 255).astype(numpy.uint8)) for name, array in arrays.items()}


def operations():
    """Name, and what it does to a PIL image."""
    for factor in [0.0, 0.3, 1.0, 1.7]:
        yield f"brightness.{factor}", lambda image, x=factor: F.adjust_brightness(image, x)
        yield f"contrast.{factor}", lambda image, x=factor: F.adjust_contrast(image, x)
        yield f"saturation.{factor}", lambda image, x=factor: F.adjust_saturation(image, x)
        yield f"sharpness.{factor}", lambda image, x=factor: F.adjust_sharpness(image, x)
    for share in [-0.5, -0.1, 0.05, 0.37]:
        yield f"hue.{share}", lambda image, x=share: F.adjust_hue(image, x)
    for bits in [1, 4, 8]:
        yield f"posterize.{bits}", lambda image, x=bits: F.posterize(image, x)
    for threshold in [0.0, 100.5, 255.0]:
        yield f"solarize.{threshold}", lambda image, x=threshold: F.solarize(image, x)
    for degrees in [0, 17.5, 90, 180, -63]:
        yield f"rotate.{degrees}", lambda image, x=degrees: F.rotate(image, x)
    for name, case in {
        "turned": dict(angle=25.0, translate=[0, 0], scale=1.0, shear=[0.0, 0.0]),
        "moved": dict(angle=0.0, translate=[3, -2], scale=1.0, shear=[0.0, 0.0]),
        "scaled": dict(angle=0.0, translate=[0, 0], scale=0.7, shear=[0.0, 0.0]),
        "sheared": dict(angle=0.0, translate=[0, 0], scale=1.0, shear=[20.0, 0.0]),
        "all": dict(angle=-12.0, translate=[-1, 4], scale=1.3, shear=[7.0, -11.0]),
    }.items():
        yield f"affine.{name}", lambda image, x=case: F.affine(image, **x)
    for name, box in {"smaller": (2, 3, 11, 17), "larger": (4, 5, 6, 7), "whole": (0, 0, HEIGHT, WIDTH)}.items():
        yield f"resized_crop.{name}", lambda image, x=box: F.resized_crop(image, *x, size=[9, 13], antialias=True)
    for short, piece in [(12, (11, 8)), (9, (9, 9)), (29, (21, 24))]:
        yield f"centre.{short}", lambda image, x=short, y=piece: F.center_crop(F.resize(image, x), y)
    # Strengths of TrivialAugment: operations in torchvision's order, of which 0 to 13 are drawn.
    space = TrivialAugmentWide()._augmentation_space(31)
    for index, (name, (magnitudes, signed)) in enumerate(space.items()):
        for strength in [0, 8, 15, 30] if magnitudes.ndim > 0 else [0]:
            value = float(magnitudes[strength]) if magnitudes.ndim > 0 else 0.0
            for sign in [1, -1] if signed else [1]:
                yield f"trivial.{index}.{strength}.{sign}", lambda image, n=name, x=sign * value: _apply_op(
                    image, n, x, F.InterpolationMode.NEAREST, None)


def channels_first(image):
    array = numpy.asarray(image)
    return numpy.ascontiguousarray(array[None] if array.ndim == 2 else array.transpose(2, 0, 1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    tensors = {}
    for name, image in images(options.seed).items():
        tensors[name] = channels_first(image)
        for operation, operate in operations():
            tensors[f"{name}.{operation}"] = channels_first(operate(image))
    save_file(tensors, options.out / "augmentation.safetensors")


if __name__ == "__main__":
    main()
