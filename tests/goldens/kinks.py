"""ReLUs and max pools so near their kink that rounding decides.

A ReLU whose input is nearly zero, a window whose two largest numbers are nearly equal: f64 decides one way, f32 may
decide the other, and every gradient before it jumps. `Watch` lists them, `Force` decides them as it is told.
"""

import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

RELUS = {torch.ops.aten.relu.default, torch.ops.aten.relu_.default}
POOL = torch.ops.aten.max_pool2d_with_indices.default
# How many times f32's own error at its place something may be away from its kink. Another implementation's error is of
# the same size but not the same number: one in fifteen thousand is larger than four standard deviations.
NEAR = 4.0


def pair(numbers):
    """Height and width, where one number stands for both."""
    return tuple(numbers) if len(numbers) == 2 else tuple(numbers) * 2


def two_largest(x, kernel, stride=(), padding=(0,), dilation=(1,), ceil_mode=False):
    """Values and flat positions in the plane, (N, C, H', W', 2), of the two largest numbers of each window."""
    assert set(dilation) == {1} and max(kernel) > 1
    (kh, kw), (sh, sw), (ph, pw) = pair(kernel), pair(stride or kernel), pair(padding)
    n, c, h, w = x.shape
    rows, columns = F.max_pool2d(x, kernel, stride or kernel, padding, ceil_mode=ceil_mode).shape[2:]
    # Padding is as low as can be; ceil_mode adds some more on the right and below.
    height, width = max((rows - 1) * sh + kh, h + ph), max((columns - 1) * sw + kw, w + pw)
    padded = F.pad(x, (pw, width - w - pw, ph, height - h - ph), value=-torch.inf)
    windows = padded.unfold(2, kh, sh).unfold(3, kw, sw)[:, :, :rows, :columns].flatten(4)
    values, inside = windows.topk(2, dim=4)
    y = torch.arange(rows)[:, None, None] * sh - ph + inside // kw
    x = torch.arange(columns)[:, None] * sw - pw + inside % kw
    return values, y * w + x


class Kinks(TorchDispatchMode):
    """Sees every ReLU and max pool of a pass, numbered in order."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in RELUS or function is POOL:
            return self.decide(function, args, kwargs)
        return function(*args, **kwargs)


class Record(Kinks):
    """What goes into each, as it is decided in f64."""

    def __init__(self):
        super().__init__()
        self.inputs = []

    def decide(self, function, args, kwargs):
        self.inputs.append(args[0].clone())
        return function(*args, **kwargs)


class Watch(Kinks):
    """In an f32 pass, lists what is near its kink in the recorded f64 one: per ReLU or pool the flat positions in its
    output, and what each is decided to be on either side: 1 or 0 for passing, or the position in the window's plane."""

    def __init__(self, inputs, near=NEAR):
        super().__init__()
        self.inputs = iter(inputs)
        self.times = near
        self.near = []

    def decide(self, function, args, kwargs):
        exact = next(self.inputs)
        # Where both are zero a ReLU went before: no error, and none that could be seen.
        rounded = args[0].double()
        seen = (exact != 0) | (rounded != 0)
        square = torch.where(seen, (rounded - exact) ** 2, 0.0)
        channel = [d for d in range(exact.dim()) if d != 1]
        mean = torch.maximum(square.sum() / seen.sum().clamp(min=1),
                             square.sum(channel, keepdim=True) / seen.sum(channel, keepdim=True).clamp(min=1))
        error = self.times * mean.sqrt()
        if function is POOL:
            values, positions = two_largest(exact, *args[1:])
            # The difference of two numbers. Equal ones are copies of one, or zeros: no rounding parts them.
            gap = values[..., 0] - values[..., -1]
            near = ((gap > 0) & (gap < 2 ** 0.5 * error)).flatten().nonzero().flatten()
            self.near.append((near, positions.flatten(0, 3)[near]))
        else:
            near = (exact.abs() < error).flatten().nonzero().flatten()
            on = (exact.flatten()[near] > 0).long()
            self.near.append((near, torch.stack([on, 1 - on], 1)))
        return function(*args, **kwargs)

    def count(self):
        return sum(len(near) for near, _ in self.near)


class Force(Kinks):
    """Decides a random half of what `Watch` listed as f64 does not; `opposite`, the other half."""

    def __init__(self, near, seed, opposite):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.choices = iter([
            (at, sides.gather(1, torch.randint(2, (len(at), 1), generator=generator) ^ opposite).flatten())
            for at, sides in near])

    def decide(self, function, args, kwargs):
        at, choice = next(self.choices)
        result = function(*args, **kwargs)
        if function is POOL:
            # The gradient follows the index; the two numbers are equal but for rounding.
            values, indices = result
            indices.view(-1)[at] = choice
            return values, indices
        # The gradient passes where the output is above zero.
        flat = result.view(-1)
        flat[at] = torch.where(choice == 1, flat[at].clamp(min=torch.finfo(flat.dtype).tiny), 0.0)
        return result


if __name__ == "__main__":
    torch.manual_seed(0)
    for kernel, stride, padding, ceil_mode in [(2, 2, 0, False), (3, 2, 1, False), (3, 1, 1, False), (3, 2, 0, True)]:
        for height, width in [(7, 8), (9, 12)]:
            x = torch.randn(2, 3, height, width)
            values, at = two_largest(x, (kernel,), (stride,), (padding,), ceil_mode=ceil_mode)
            largest, index = F.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil_mode, return_indices=True)
            assert torch.equal(values[..., 0], largest) and torch.equal(at[..., 0], index)
            # Without the largest number the second becomes the largest.
            for n, c, i, j in torch.cartesian_prod(*map(torch.arange, largest.shape)).tolist():
                without = x.clone()
                without[n, c].view(-1)[at[n, c, i, j, 0]] = -torch.inf
                again, index = F.max_pool2d(without, kernel, stride, padding, ceil_mode=ceil_mode, return_indices=True)
                assert again[n, c, i, j] == values[n, c, i, j, 1]
                assert again[n, c, i, j] == -torch.inf or index[n, c, i, j] == at[n, c, i, j, 1]
    print("windows and their two largest numbers: as torch's own pool has them")
