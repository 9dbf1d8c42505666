"""Goldens of single operations, in f64 from PyTorch.

Writes ops.safetensors (tensors CASE.input, CASE.output, CASE.grad_output,
CASE.grad_input, CASE.weight, CASE.grad_weight, …) and ops.json (the operation
and its parameters for every case). What goes in (F32 in the file, and exact in it) comes
from rule.py, so a second run writes the same bytes; what comes out is F64. The README next to this file gives the layout.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

import rule

HERE = Path(__file__).resolve().parent


def exact(values):
    """To the nearest f32, kept as f64: what goes in is then the same number in either precision."""
    return torch.from_numpy(np.asarray(values, dtype=np.float32).astype(np.float64))


class Goldens:
    def __init__(self, seed):
        self.seed = seed
        self.cases = []
        self.tensors = {}

    def value(self, name, shape, scale=1.0, shift=0.0):
        return exact(rule.symmetric(self.seed, name, tuple(shape)) * scale + shift)

    def add(self, name, op, params, forward, input, trainable=None, fixed=None, note=None):
        """One case: run `forward(input, **trainable, **fixed)` and its gradients.

        `input` and the members of `trainable` get gradients, `fixed` do not.
        `forward` may return (output, {name: tensor recorded beside it}).
        """
        assert name not in {case["name"] for case in self.cases}, name
        trainable, fixed = trainable or {}, fixed or {}
        leaves = {"input": input, **trainable}
        leaves = {k: v.detach().clone().requires_grad_() for k, v in leaves.items()}
        result = forward(leaves["input"], **{k: leaves[k] for k in trainable}, **fixed)
        output, beside = result if isinstance(result, tuple) else (result, {})
        upstream = self.value(f"{name}.grad_output", output.shape)
        output.backward(upstream)

        def put(key, tensor, given=False):
            tensor = tensor.detach().contiguous().clone()
            if given and tensor.dtype == torch.float64:
                assert torch.equal(tensor.float().double(), tensor), f"{name}.{key} is not exact in f32"
                tensor = tensor.float()
            self.tensors[f"{name}.{key}"] = tensor

        for key, leaf in leaves.items():
            put(key, leaf, given=True)
            put(f"grad_{key}", leaf.grad)
        put("output", output)
        put("grad_output", upstream, given=True)
        for key, tensor in fixed.items():
            put(key, tensor, given=True)
        for key, tensor in beside.items():
            put(key, tensor)
        case = {"name": name, "op": op, "params": params}
        if note:
            case["note"] = note
        self.cases.append(case)


def max_pools(g):
    def case(name, shape, kernel, stride, padding=(0, 0), ceil_mode=False, input=None, note=None):
        name = f"max_pool_{name}"
        x = g.value(f"{name}.input", shape) if input is None else input
        params = dict(kernel=kernel, stride=stride, padding=padding, dilation=[1, 1], ceil_mode=ceil_mode)
        g.add(name, "max_pool2d", params,
              lambda x: F.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil_mode), x, note=note)

    case("2_2", (2, 2, 6, 4), [2, 2], [2, 2])
    case("2_2_not_dividing", (1, 1, 7, 5), [2, 2], [2, 2], note="the last row and column are in no window")
    case("2_2_ceil", (1, 1, 7, 5), [2, 2], [2, 2], ceil_mode=True)
    case("2_2_pad1", (1, 1, 6, 5), [2, 2], [2, 2], [1, 1])
    case("3_2", (1, 1, 9, 7), [3, 3], [2, 2])
    case("3_2_not_dividing", (1, 1, 8, 10), [3, 3], [2, 2])
    case("3_2_ceil", (1, 1, 8, 6), [3, 3], [2, 2], ceil_mode=True)
    case("3_2_ceil_mixed", (1, 1, 7, 8), [3, 3], [2, 2], ceil_mode=True, note="ceil_mode adds a column, no row")
    case("3_2_pad1", (2, 1, 7, 6), [3, 3], [2, 2], [1, 1])
    case("3_2_pad1_ceil", (1, 1, 8, 7), [3, 3], [2, 2], [1, 1], ceil_mode=True)
    case("3_1_pad1", (1, 2, 5, 6), [3, 3], [1, 1], [1, 1])
    case("3_1", (1, 1, 5, 4), [3, 3], [1, 1])
    case("3_3_not_dividing", (1, 1, 8, 7), [3, 3], [3, 3])
    case("2_3_gaps", (1, 1, 8, 7), [2, 2], [3, 3], note="stride beyond the kernel: some elements in no window")
    case("1_2", (1, 3, 5, 6), [1, 1], [2, 2], note="plain subsampling")
    case("3x2_2x1", (1, 2, 7, 5), [3, 2], [2, 1])
    case("2x3_1x3_pad1x0", (1, 1, 5, 8), [2, 3], [1, 3], [1, 0])
    case("2x3_3x2_pad0x1_ceil", (1, 1, 7, 6), [2, 3], [3, 2], [0, 1], ceil_mode=True)
    case("window_as_large_as_input", (2, 2, 3, 4), [3, 4], [3, 4])
    case("ceil_1_2", (1, 1, 4, 6), [1, 1], [2, 2], ceil_mode=True,
         note="the window that ceil_mode would add starts past the end: dropped")
    case("ceil_starts_in_padding", (1, 1, 5, 5), [2, 2], [3, 3], [1, 1], ceil_mode=True,
         note="the window that ceil_mode would add starts in the right padding: dropped, 2x2 out")
    case("ceil_starts_in_padding_one_axis", (1, 1, 5, 6), [2, 2], [3, 3], [1, 1], ceil_mode=True,
         note="dropped along the height, kept along the width: 2x3 out")
    case("negative_padded", (1, 1, 5, 5), [3, 3], [2, 2], [1, 1],
         input=g.value("max_pool_negative_padded.input", (1, 1, 5, 5), 0.5, -1.0),
         note="all negative: padding must count as minus infinity, not 0")

    def stepped(name, shape):
        """Quarters after a ReLU: many ties, whole windows of zeros."""
        return torch.round(F.relu(g.value(name, shape)) * 4) / 4

    for name, kernel, stride, pad, ceil in (("2_2", 2, 2, 0, False), ("3_2", 3, 2, 0, False),
                                            ("3_2_pad1", 3, 2, 1, False), ("3_2_ceil", 3, 2, 0, True),
                                            ("3_1_pad1", 3, 1, 1, False)):
        case(f"ties_{name}", (1, 1, 8, 7), [kernel] * 2, [stride] * 2, [pad] * 2, ceil,
             input=stepped(f"max_pool_ties_{name}.input", (1, 1, 8, 7)),
             note="ties: the first maximum in row-major order takes the whole gradient")
    case("ties_zeros", (1, 1, 6, 6), [3, 3], [2, 2], [1, 1], input=torch.zeros(1, 1, 6, 6, dtype=torch.float64),
         note="every window ties everywhere")
    case("gradient_example", (1, 1, 2, 2), [2, 2], [2, 2],
         input=torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]], dtype=torch.float64))
    case("worked_example", (1, 1, 4, 4), [2, 2], [2, 2],
         input=torch.tensor([[[[3, 4, 6, 5], [2, 4, 6, 8], [1, 6, 7, 8], [9, 7, 4, 6]]]], dtype=torch.float64),
         note="gives 4 8 / 9 8")


def average_pools(g):
    def case(name, shape, kernel, stride, padding=(0, 0), ceil_mode=False, count_include_pad=True, note=None):
        name = f"avg_pool_{name}"
        params = dict(kernel=kernel, stride=stride, padding=padding, ceil_mode=ceil_mode,
                      count_include_pad=count_include_pad)
        g.add(name, "avg_pool2d", params,
              lambda x: F.avg_pool2d(x, kernel, stride, padding, ceil_mode, count_include_pad),
              g.value(f"{name}.input", shape), note=note)

    case("2_2", (2, 2, 6, 4), [2, 2], [2, 2])
    case("2_2_not_dividing", (1, 1, 7, 5), [2, 2], [2, 2])
    case("3_2", (1, 1, 9, 8), [3, 3], [2, 2])
    case("5_3", (1, 1, 9, 8), [5, 5], [3, 3])
    for count in (True, False):
        tag = "counted" if count else "not_counted"
        case(f"3_1_pad1_{tag}", (1, 1, 5, 6), [3, 3], [1, 1], [1, 1], False, count)
        case(f"3_2_pad1_{tag}", (1, 1, 6, 7), [3, 3], [2, 2], [1, 1], False, count)
        case(f"3_2_ceil_{tag}", (1, 1, 8, 7), [3, 3], [2, 2], [0, 0], True, count,
             note="a window beyond the edge divides by what lies inside")
        case(f"3_2_pad1_ceil_{tag}", (1, 1, 8, 7), [3, 3], [2, 2], [1, 1], True, count,
             note="counted padding ends one past the edge: what lies beyond it is never counted")
        case(f"2x3_3x2_pad1_ceil_{tag}", (1, 1, 5, 6), [2, 3], [3, 2], [1, 1], True, count)
    case("3x2_1x2", (1, 2, 5, 7), [3, 2], [1, 2])
    case("2_3_gaps", (1, 1, 8, 7), [2, 2], [3, 3])
    case("window_as_large_as_input", (2, 2, 4, 3), [4, 3], [4, 3])

    def adaptive(name, shape, output):
        name = f"adaptive_avg_pool_{name}"
        g.add(name, "adaptive_avg_pool2d", dict(output=output),
              lambda x: F.adaptive_avg_pool2d(x, output), g.value(f"{name}.input", shape))

    adaptive("7_to_6", (1, 1, 7, 7), [6, 6])
    adaptive("5_to_7", (1, 1, 5, 5), [7, 7])
    adaptive("13_to_6", (1, 1, 13, 13), [6, 6])
    adaptive("2x3_to_7", (1, 1, 2, 3), [7, 7])
    adaptive("9x4_to_4", (1, 1, 9, 4), [4, 4])
    adaptive("8x5_to_3x7", (1, 1, 8, 5), [3, 7])
    adaptive("same", (1, 2, 3, 4), [3, 4])
    adaptive("1_to_3", (1, 3, 1, 1), [3, 3])
    adaptive("to_1", (2, 3, 5, 4), [1, 1])


def convolutions(g):
    def case(name, shape, out, kernel, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1, bias=True,
             note=None):
        name = f"conv_{name}"
        params = dict(out_channels=out, kernel=kernel, stride=stride, padding=padding, dilation=dilation,
                      groups=groups, bias=bias)
        trainable = {"weight": exact(
            rule.weight(g.seed, f"{name}.weight", (out, shape[1] // groups, *kernel)))}
        if bias:
            trainable["bias"] = g.value(f"{name}.bias", (out,))
        g.add(name, "conv2d", params,
              lambda x, weight, bias=None: F.conv2d(x, weight, bias, stride, padding, dilation, groups),
              g.value(f"{name}.input", shape), trainable, note=note)

    case("3x3", (2, 2, 4, 5), 3, [3, 3])
    case("3x3_pad1", (1, 3, 5, 4), 2, [3, 3], padding=[1, 1])
    case("3x3_pad1_no_bias", (1, 2, 4, 5), 3, [3, 3], padding=[1, 1], bias=False)
    case("3x3_stride2_pad1_8x9", (1, 2, 8, 9), 2, [3, 3], [2, 2], [1, 1])
    case("3x3_stride2_8x9", (1, 1, 8, 9), 2, [3, 3], [2, 2], note="the last row of the input is in no window")
    case("1x7_pad", (1, 2, 3, 8), 2, [1, 7], padding=[0, 3])
    case("7x1_pad", (1, 2, 8, 3), 2, [7, 1], padding=[3, 0])
    case("5x3", (1, 2, 6, 5), 2, [5, 3])
    case("5x5_pad2", (1, 2, 4, 5), 2, [5, 5], padding=[2, 2])
    case("7x7_stride2_pad3", (1, 1, 9, 10), 2, [7, 7], [2, 2], [3, 3])
    case("11x11_stride4_pad2", (1, 1, 11, 15), 2, [11, 11], [4, 4], [2, 2])
    case("2x2_stride2", (1, 2, 5, 6), 3, [2, 2], [2, 2])
    case("stride_per_axis", (1, 1, 8, 9), 2, [3, 3], [2, 3], [1, 1])
    case("padding_per_axis", (1, 2, 5, 5), 2, [3, 3], padding=[0, 2])
    case("stride_beyond_kernel", (1, 2, 8, 7), 2, [2, 2], [3, 3])
    case("padding_beyond_kernel", (1, 1, 3, 4), 1, [3, 3], padding=[3, 4],
         note="the outermost outputs see padding only")
    case("dilation2", (1, 1, 7, 6), 2, [3, 3], dilation=[2, 2])
    case("dilation_per_axis_stride2_pad2", (1, 1, 9, 8), 2, [3, 3], [2, 2], [2, 2], [2, 1])
    case("groups2", (2, 4, 4, 3), 4, [3, 3], padding=[1, 1], groups=2)
    case("groups2_stride2_no_bias", (1, 4, 4, 5), 4, [3, 3], [2, 2], [1, 1], groups=2, bias=False)
    case("groups4_of_2", (1, 8, 3, 4), 8, [3, 3], padding=[1, 1], groups=4, bias=False)
    case("depthwise", (1, 3, 5, 4), 3, [3, 3], padding=[1, 1], groups=3)
    case("depthwise_multiplier2_stride2", (1, 3, 4, 5), 6, [3, 3], [2, 2], [1, 1], groups=3)
    case("1x1", (2, 5, 2, 3), 4, [1, 1])
    case("1x1_no_bias", (1, 4, 4, 3), 5, [1, 1], bias=False)
    case("1x1_stride2_no_bias", (1, 3, 5, 4), 3, [1, 1], [2, 2], bias=False)
    case("kernel_as_large_as_input", (2, 2, 3, 4), 3, [3, 4])
    case("single_pixel_pad1", (2, 3, 1, 1), 2, [3, 3], padding=[1, 1])

    image = torch.tensor([[[[3, 4, 6, 5, 7], [2, 4, 6, 8, 2], [1, 6, 7, 8, 4], [9, 7, 4, 6, 2], [3, 7, 5, 4, 1]]]],
                         dtype=torch.float64)
    g.add("conv_worked_example", "conv2d",
          dict(out_channels=1, kernel=[3, 3], stride=[2, 2], padding=[1, 1], dilation=[1, 1], groups=1, bias=False),
          lambda x, weight: F.conv2d(x, weight, None, 2, 1), image,
          {"weight": torch.arange(1, 10, dtype=torch.float64).reshape(1, 1, 3, 3)},
          note="gives 91 224 127 / 192 282 122 / 96 110 31")

    # A table of which output map sees which input map, as in LeNet-5's C3:
    # the absent weights stay zero and get no gradient.
    name = "conv_connection_table"
    table = [[0, 1], [1, 2], [2, 3], [0, 3], [0, 1, 2, 3]]
    mask = torch.zeros(5, 4, 1, 1, dtype=torch.float64)
    for row, seen in enumerate(table):
        mask[row, seen] = 1.0
    g.add(name, "conv2d_table",
          dict(out_channels=5, kernel=[3, 3], stride=[1, 1], padding=[0, 0], dilation=[1, 1], groups=1, bias=True,
               table=table),
          lambda x, weight, bias: F.conv2d(x, weight * mask, bias), g.value(f"{name}.input", (1, 4, 3, 4)),
          {"weight": g.value(f"{name}.weight", (5, 4, 3, 3)) * mask, "bias": g.value(f"{name}.bias", (5,))})


def normalisations(g):
    def lrn(name, shape, size, alpha, beta, k, scale=1.0, note=None):
        name = f"lrn_{name}"
        params = dict(size=size, alpha=alpha, alpha_of_plain_sum=alpha / size, beta=beta, k=k)
        g.add(name, "local_response_norm", params,
              lambda x: F.local_response_norm(x, size, alpha, beta, k),
              g.value(f"{name}.input", shape, scale), note=note)

    lrn("alexnet", (2, 8, 1, 2), 5, 5e-4, 0.75, 2.0, 20.0, note="the paper's constants: plain-sum alpha 1e-4")
    lrn("torch_defaults", (1, 7, 3, 2), 5, 1e-4, 0.75, 1.0, 20.0)
    lrn("5_strong", (1, 8, 3, 2), 5, 1.5, 0.75, 2.0, note="a large alpha, so that a wrong window shows")
    lrn("3_beta_half", (1, 6, 2, 2), 3, 0.9, 0.5, 1.0)
    lrn("4_even", (1, 6, 2, 2), 4, 2.0, 0.75, 1.0, note="even size: two channels before, one after")
    lrn("9_more_than_channels", (1, 4, 2, 3), 9, 1.8, 1.0, 1.5)
    lrn("1_channel_alone", (1, 3, 2, 2), 1, 0.7, 0.75, 1.0)

    def batch_norm(name, shape, training, eps, momentum=0.1):
        name = f"batch_norm_{name}"
        c = shape[1]
        before = {"running_mean": g.value(f"{name}.running_mean", (c,), 0.3),
                  "running_var": g.value(f"{name}.running_var", (c,), 0.4, 1.0)}

        def forward(x, weight, bias, running_mean, running_var):
            mean, var = running_mean.clone(), running_var.clone()
            y = F.batch_norm(x, mean, var, weight, bias, training, momentum, eps)
            return y, ({"running_mean_after": mean, "running_var_after": var} if training else {})

        spread = g.value(f"{name}.spread", (1, c, 1, 1), 0.9, 1.1)
        shift = g.value(f"{name}.shift", (1, c, 1, 1), 2.0)
        g.add(name, "batch_norm", dict(training=training, eps=eps, momentum=momentum), forward,
              exact(g.value(f"{name}.input", shape) * spread + shift),
              {"weight": g.value(f"{name}.weight", (c,), 0.5, 1.0), "bias": g.value(f"{name}.bias", (c,))}, before,
              note="momentum weighs the new value; the running variance takes the unbiased one" if training else None)

    batch_norm("train", (3, 2, 2, 3), True, 1e-5)
    batch_norm("train_eps_1e3", (2, 3, 2, 3), True, 1e-3)
    batch_norm("train_batch_1", (1, 2, 3, 3), True, 1e-5)
    batch_norm("train_1x1", (4, 3, 1, 1), True, 1e-5)
    batch_norm("train_momentum_1", (2, 2, 3, 3), True, 1e-5, 1.0)
    batch_norm("eval", (2, 3, 3, 2), False, 1e-5)
    batch_norm("eval_eps_1e3", (2, 3, 2, 3), False, 1e-3)
    # Nearly constant channels: eps decides, and a variance by E[x^2]-E[x]^2 in f32 would not.
    name = "batch_norm_train_flat"
    g.add(name, "batch_norm", dict(training=True, eps=1e-5, momentum=0.1),
          lambda x, weight, bias: F.batch_norm(x, None, None, weight, bias, True, 0.1, 1e-5),
          g.value(f"{name}.input", (2, 2, 3, 3), 1e-3, 5.0),
          {"weight": g.value(f"{name}.weight", (2,), 0.5, 1.0), "bias": g.value(f"{name}.bias", (2,))},
          note="spread far below the mean: eps weighs, and E[x^2] - E[x]^2 would cancel")


def the_rest(g):
    for name, shape, out, bias in (("linear", (3, 7), 5, True), ("linear_no_bias", (2, 6), 4, False),
                                   ("linear_batch_1", (1, 9), 2, True)):
        trainable = {"weight": exact(rule.weight(g.seed, f"{name}.weight", (out, shape[1])))}
        if bias:
            trainable["bias"] = g.value(f"{name}.bias", (out,))
        g.add(name, "linear", dict(out_features=out, bias=bias), F.linear, g.value(f"{name}.input", shape), trainable)

    with_zero = g.value("relu.input", (2, 3, 2, 3))
    with_zero[0, 0, 0, 0] = 0.0
    g.add("relu", "relu", {}, F.relu, with_zero, note="the gradient at 0 is 0")
    g.add("sigmoid", "sigmoid", {}, torch.sigmoid, g.value("sigmoid.input", (2, 3, 2, 2), 6.0))
    g.add("tanh", "tanh", dict(amplitude=1.0, slope=1.0), torch.tanh, g.value("tanh.input", (2, 3, 2, 2), 3.0))
    amplitude, slope = 1.7159, 2.0 / 3.0
    g.add("tanh_scaled", "tanh", dict(amplitude=amplitude, slope=slope), lambda x: amplitude * torch.tanh(slope * x),
          g.value("tanh_scaled.input", (2, 3, 2, 2), 3.0), note="LeCun's squashing: amplitude * tanh(slope * x)")
    g.add("softmax", "softmax", dict(axis=1), lambda x: F.softmax(x, 1), g.value("softmax.input", (3, 6), 4.0))
    g.add("softmax_large", "softmax", dict(axis=1), lambda x: F.softmax(x, 1),
          g.value("softmax_large.input", (2, 5), 900.0), note="overflows unless the maximum is taken off first")
    g.add("log_softmax", "log_softmax", dict(axis=1), lambda x: F.log_softmax(x, 1),
          g.value("log_softmax.input", (3, 6), 4.0))
    for name, scale, rows, classes in (("cross_entropy", 4.0, 4, 6), ("cross_entropy_large", 900.0, 3, 5)):
        g.add(name, "cross_entropy", dict(reduction="mean"), lambda x, labels: F.cross_entropy(x, labels),
              g.value(f"{name}.input", (rows, classes), scale),
              fixed={"labels": torch.tensor(rule.labels(rows, classes))})

    g.add("flatten", "flatten", {}, lambda x: x.flatten(1), g.value("flatten.input", (2, 2, 2, 3)))
    g.add("scale", "scale", dict(factor=0.17), lambda x: 0.17 * x, g.value("scale.input", (1, 2, 2, 3)))
    g.add("sum", "sum", dict(terms=2), lambda x, other: x + other, g.value("sum.input", (1, 2, 2, 3)),
          {"other": g.value("sum.other", (1, 2, 2, 3))})
    g.add("concat", "concat", dict(axis=1), lambda x, other: torch.cat([x, other], 1),
          g.value("concat.input", (2, 2, 2, 3)), {"other": g.value("concat.other", (2, 3, 2, 3))})
    g.add("zero_channels", "zero_channels", dict(before=1, after=2), lambda x: F.pad(x, (0, 0, 0, 0, 1, 2)),
          g.value("zero_channels.input", (1, 3, 2, 3)))
    g.add("shortcut_option_a", "shortcut_option_a", dict(stride=[2, 2], before=1, after=1),
          lambda x: F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 1, 1)), g.value("shortcut_option_a.input", (1, 2, 5, 6)),
          note="every other pixel, then zero channels on both sides")
    g.add("channel_affine", "channel_affine", {}, lambda x, weight, bias:
          x * weight[None, :, None, None] + bias[None, :, None, None],
          g.value("channel_affine.input", (2, 3, 2, 3)),
          {"weight": g.value("channel_affine.weight", (3,)), "bias": g.value("channel_affine.bias", (3,))})
    name = "subsampling"
    g.add(name, "subsampling", dict(kernel=[2, 2], stride=[2, 2]), lambda x, weight, bias:
          4.0 * F.avg_pool2d(x, 2) * weight[None, :, None, None] + bias[None, :, None, None],
          g.value(f"{name}.input", (1, 3, 4, 6)),
          {"weight": g.value(f"{name}.weight", (3,)), "bias": g.value(f"{name}.bias", (3,))},
          note="LeNet-5's S2 and S4: the sum of the window times a coefficient, plus a bias, per map")
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    scale = [s / 0.5 for s in std]
    shift = [(m - 0.5) / 0.5 for m in mean]
    g.add("input_affine", "input_affine", dict(scale=scale, shift=shift), lambda x:
          x * torch.tensor(scale, dtype=x.dtype)[None, :, None, None]
          + torch.tensor(shift, dtype=x.dtype)[None, :, None, None],
          g.value("input_affine.input", (1, 3, 2, 3), 2.0), note="torchvision's transform_input")


def dump(cases, path):
    text = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path.write_text(f"[\n{text}\n]\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=rule.DEFAULT_SEED)
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    g = Goldens(arguments.seed)
    max_pools(g)
    average_pools(g)
    convolutions(g)
    normalisations(g)
    the_rest(g)
    for key, tensor in g.tensors.items():
        assert tensor.dtype == torch.int64 or torch.isfinite(tensor).all(), key
    arguments.out.mkdir(parents=True, exist_ok=True)
    source = f"torch {torch.__version__.split('+')[0]}"
    # One entry only: the file's header keeps no order among several.
    save_file(g.tensors, arguments.out / "ops.safetensors",
              {"ops": json.dumps({"seed": arguments.seed, "source": source})})
    (arguments.out / "ops.safetensors").chmod(0o644)
    dump(g.cases, arguments.out / "ops.json")
    numbers = sum(math.prod(t.shape) for t in g.tensors.values())
    print(f"{len(g.cases)} cases, {len(g.tensors)} tensors, {numbers} numbers")


if __name__ == "__main__":
    main()
