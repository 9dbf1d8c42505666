"""The weight rule: every number of a comparison from (seed, name, index).

Both sides of a comparison evaluate this formula, so weights and inputs never
have to be stored. All integer arithmetic is modulo 2^64:

    h    = fnv1a64(utf8("{seed}/{name}"))
    z    = h + (i + 1) * 0x9E3779B97F4A7C15
    z    = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
    z    = (z ^ (z >> 27)) * 0x94D049BB133111EB
    z    =  z ^ (z >> 31)
    u(i) = (z >> 11) * 2^-53          in [0, 1)
    v(i) = 2 u(i) - 1                 in [-1, 1)

Element i counts in row-major order. What a tensor holds depends on its role:

    weight of a convolution or linear layer   v * (sqrt(3) * sqrt(2 / fan_in)),
                                              fan_in = product of shape[1:]
    bias of anything                          v * 0.1
    BatchNorm weight                          0.5 + u
    running_mean, running_var                 not by formula: one forward pass in
                                              training mode, momentum 1, over the
                                              input named "calibration"
    input named NAME, (N, C, H, W)            v + 2 w[n, c, h // 8, w // 8], where w is the v of
                                              "NAME/blocks", (N, C, ceil(H/8), ceil(W/8)):
                                              noise on squares of one brightness, without which
                                              any two inputs look alike to a global average
    sampled position j of n elements          z(j) mod n, under the name
                                              "sample/NAME"
    label of row i                            37 i mod classes

Run as a program, it prints a few values for a test on the other side.
"""

import math

import numpy as np

MASK = (1 << 64) - 1
DEFAULT_SEED = 1
BLOCK = 8


def fnv1a64(text):
    h = 0xCBF29CE484222325
    for byte in text.encode("utf-8"):
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


def integers(seed, name, count):
    """z(0), …, z(count - 1) as uint64."""
    with np.errstate(over="ignore"):
        z = np.arange(1, count + 1, dtype=np.uint64)
        z *= np.uint64(0x9E3779B97F4A7C15)
        z += np.uint64(fnv1a64(f"{seed}/{name}"))
        z ^= z >> np.uint64(30)
        z *= np.uint64(0xBF58476D1CE4E5B9)
        z ^= z >> np.uint64(27)
        z *= np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return z


def unit(seed, name, shape):
    """u in [0, 1), of the given shape."""
    z = integers(seed, name, math.prod(shape))
    z >>= np.uint64(11)
    u = z.astype(np.float64)
    u *= 2.0**-53
    return u.reshape(shape)


def symmetric(seed, name, shape):
    """v in [-1, 1), of the given shape."""
    v = unit(seed, name, shape)
    v *= 2.0
    v -= 1.0
    return v


def weight(seed, name, shape):
    fan_in = math.prod(shape[1:])
    v = symmetric(seed, name, shape)
    v *= math.sqrt(3.0) * math.sqrt(2.0 / fan_in)
    return v


def bias(seed, name, shape):
    return symmetric(seed, name, shape) * 0.1


def norm_weight(seed, name, shape):
    return 0.5 + unit(seed, name, shape)


def input_batch(seed, name, shape):
    n, c, h, w = shape
    blocks = symmetric(seed, f"{name}/blocks", (n, c, -(-h // BLOCK), -(-w // BLOCK)))
    blocks = blocks.repeat(BLOCK, axis=2).repeat(BLOCK, axis=3)[:, :, :h, :w]
    return symmetric(seed, name, shape) + 2.0 * blocks


def positions(seed, name, elements, count):
    """Where a fingerprint of `elements` numbers samples `count` of them."""
    return (integers(seed, f"sample/{name}", count) % np.uint64(elements)).astype(np.int64)


def labels(rows, classes):
    return [i * 37 % classes for i in range(rows)]


if __name__ == "__main__":
    print("fnv1a64('1/conv1.weight') =", f"{fnv1a64('1/conv1.weight'):#018x}")
    print("z(0..3)  =", [f"{int(z):#018x}" for z in integers(1, "conv1.weight", 3)])
    print("u(0..3)  =", unit(1, "conv1.weight", (3,)).tolist())
    print("weight   =", weight(1, "conv1.weight", (1, 3, 1, 1)).ravel().tolist())
    print("bias     =", bias(1, "conv1.bias", (3,)).tolist())
    print("norm     =", norm_weight(1, "bn1.weight", (3,)).tolist())
    print("input    =", input_batch(1, "input", (1, 1, 9, 9))[0, 0, 7:, 7:].tolist())
    print("sampled  =", positions(1, "conv1", 1000, 4).tolist())
