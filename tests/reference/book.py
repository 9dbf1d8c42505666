"""The networks that neither torchvision nor timm has, in PyTorch.

Written from the papers and from the book "Dive into Deep Learning" (d2l). The
module paths are the names that the references use: indices where the book
nests `Sequential`s, torchvision's scheme elsewhere. `NETWORKS` at the end lists
them all. Every builder takes the number of classes.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models.densenet import DenseNet
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
from torchvision.models.vgg import VGG


# ---------------------------------------------------------------- LeNets

class ScaledTanh(nn.Module):
    """LeCun's squashing, 1.7159 tanh(2x/3)."""

    def forward(self, x):
        return 1.7159 * torch.tanh(x * (2.0 / 3.0))


class Subsampling(nn.Module):
    """The sum of each 2x2 window times a coefficient plus a bias, one pair per map."""

    def __init__(self, maps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(maps))
        self.bias = nn.Parameter(torch.zeros(maps))

    def forward(self, x):
        total = 4.0 * F.avg_pool2d(x, 2)
        return total * self.weight[None, :, None, None] + self.bias[None, :, None, None]


# Table I: the maps of S2 that each map of C3 sees.
C3_TABLE = (
    [[m, (m + 1) % 6, (m + 2) % 6] for m in range(6)]
    + [[m, (m + 1) % 6, (m + 2) % 6, (m + 3) % 6] for m in range(6)]
    + [[m, (m + 1) % 6, (m + 3) % 6, (m + 4) % 6] for m in range(3)]
    + [[0, 1, 2, 3, 4, 5]]
)


class TableConv(nn.Module):
    """A convolution of some of the pairs of maps: one kernel per connection, in the order of the table."""

    def __init__(self, inputs, kernel, table):
        super().__init__()
        self.inputs, self.kernel, self.table = inputs, kernel, [sorted(row) for row in table]
        self.weight = nn.Parameter(torch.zeros(sum(map(len, table)), kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(len(table)))

    def forward(self, x):
        places = [row * self.inputs + seen for row, inputs in enumerate(self.table) for seen in inputs]
        dense = self.weight.new_zeros(len(self.table) * self.inputs, self.kernel, self.kernel)
        dense = dense.index_copy(0, torch.tensor(places, device=dense.device), self.weight)
        return F.conv2d(x, dense.reshape(len(self.table), self.inputs, self.kernel, self.kernel), self.bias)


# The digits as 7x12 bitmaps, # for ink: what the output units of LeNet-5 compare F6 with.
BITMAPS = """
....... ..###.. .#...#. ##...## ##...## ##...## ##...## ##...## ##...## .#...#. ..###.. .......
....... ...##.. ..###.. .####.. ...##.. ...##.. ...##.. ...##.. ...##.. ...##.. .###### .......
....... .#####. ##...## .....## .....## ....##. ...##.. ..##... .##.... ##..... ####### .......
....... ####### .....## ....##. ...##.. ..####. .....## .....## .....## ##...## .#####. .......
....... .....#. ....##. ...###. ..#.##. .#..##. #...##. ####### ....##. ....##. ....##. .......
....... ####### ##..... ##..... ##..... ######. .....## .....## .....## ##...## .#####. .......
....... ..####. .##.... ##..... ##..... ######. ##...## ##...## ##...## ##...## .#####. .......
####### ##...## .....## ....##. ....##. ...##.. ...##.. ..##... ..##... ..##... ..##... .......
....... .#####. ##...## ##...## ##...## .#####. ##...## ##...## ##...## ##...## .#####. .......
....... .#####. ##...## ##...## ##...## ##...## .###### .....## .....## ....##. .####.. .......
"""


class RadialBasis(nn.Module):
    """Equation 7 with the sign turned: minus the squared distance to each digit's bitmap."""

    def forward(self, x):
        cells = [[1.0 if cell == "#" else -1.0 for cell in line.replace(" ", "")]
                 for line in BITMAPS.strip().splitlines()]
        centres = torch.tensor(cells, dtype=x.dtype, device=x.device)
        return -(x[:, None, :] - centres).square().sum(2)


def lenet_paper(classes):
    """LeNet-5 for the ten digits."""
    assert classes == 10
    net = nn.Sequential()
    for name, module in (
        ("c1", nn.Conv2d(1, 6, 5)), ("c1_squash", ScaledTanh()),
        ("s2", Subsampling(6)), ("s2_squash", ScaledTanh()),
        ("c3", TableConv(6, 5, C3_TABLE)), ("c3_squash", ScaledTanh()),
        ("s4", Subsampling(16)), ("s4_squash", ScaledTanh()),
        ("c5", nn.Conv2d(16, 120, 5)), ("c5_squash", ScaledTanh()),
        ("flatten", nn.Flatten()), ("f6", nn.Linear(120, 84)), ("f6_squash", ScaledTanh()),
        ("output", RadialBasis()),
    ):
        net.add_module(name, module)
    return net


class Lenet(nn.Module):
    """The tutorial's: 32x32, ReLU, max pool."""

    def __init__(self, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


class LenetLinear(nn.Module):
    """No activation at all; max pools."""

    def __init__(self, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3, padding=1)
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.pool2 = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x):
        x = self.pool2(self.conv2(self.pool1(self.conv1(x))))
        return self.fc3(self.fc2(self.fc1(x.flatten(1))))


def lenet_d2l(classes, pool=nn.AvgPool2d):
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), pool(2),
        nn.Conv2d(6, 16, 5), nn.Sigmoid(), pool(2),
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 120), nn.Sigmoid(),
        nn.Linear(120, 84), nn.Sigmoid(),
        nn.Linear(84, classes),
    )


def lenet_d2l_max(classes):
    return lenet_d2l(classes, nn.MaxPool2d)


# ---------------------------------------------------------------- small networks for MNIST

def mnist_mlp(classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 15), nn.Sigmoid(), nn.Linear(15, classes))


class MnistConv(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, 5)
        self.conv2 = nn.Conv2d(10, 20, 5)
        self.fc = nn.Linear(320, classes)

    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2(x), 2))
        return self.fc(x.flatten(1))


class MnistInceptionBlock(nn.Module):
    """16 + 24 + 24 + 24 channels, no activation inside."""

    def __init__(self, channels):
        super().__init__()
        self.branch1x1 = nn.Conv2d(channels, 16, 1)
        self.branch5x5_1 = nn.Conv2d(channels, 16, 1)
        self.branch5x5_2 = nn.Conv2d(16, 24, 5, padding=2)
        self.branch3x3_1 = nn.Conv2d(channels, 16, 1)
        self.branch3x3_2 = nn.Conv2d(16, 24, 3, padding=1)
        self.branch3x3_3 = nn.Conv2d(24, 24, 3, padding=1)
        self.branch_pool = nn.Conv2d(channels, 24, 1)

    def forward(self, x):
        return torch.cat([
            self.branch1x1(x),
            self.branch5x5_2(self.branch5x5_1(x)),
            self.branch3x3_3(self.branch3x3_2(self.branch3x3_1(x))),
            self.branch_pool(F.avg_pool2d(x, 3, 1, 1)),
        ], 1)


class MnistInception(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, 5)
        self.incep1 = MnistInceptionBlock(10)
        self.conv2 = nn.Conv2d(88, 20, 5)
        self.incep2 = MnistInceptionBlock(20)
        self.fc = nn.Linear(1408, classes)

    def forward(self, x):
        x = self.incep1(F.relu(F.max_pool2d(self.conv1(x), 2)))
        x = self.incep2(F.relu(F.max_pool2d(self.conv2(x), 2)))
        return self.fc(x.flatten(1))


class MnistResidualBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return F.relu(x + self.conv2(F.relu(self.conv1(x))))


class MnistResidual(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5)
        self.rblock1 = MnistResidualBlock(16)
        self.conv2 = nn.Conv2d(16, 32, 5)
        self.rblock2 = MnistResidualBlock(32)
        self.fc = nn.Linear(512, classes)

    def forward(self, x):
        x = self.rblock1(F.max_pool2d(F.relu(self.conv1(x)), 2))
        x = self.rblock2(F.max_pool2d(F.relu(self.conv2(x)), 2))
        return self.fc(x.flatten(1))


# ---------------------------------------------------------------- AlexNet, VGG, NiN

def alexnet_d2l(classes):
    return nn.Sequential(
        nn.Conv2d(1, 96, 11, 4, 1), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(96, 256, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Flatten(),
        nn.Linear(6400, 4096), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(4096, classes),
    )


class AlexnetPaper(nn.Module):
    """The paper's column: groups of two, response normalisation before the pool (or behind it), 227x227."""

    def __init__(self, classes, pool_first=False):
        super().__init__()
        # The paper sums without dividing by the window: its 1e-4 is 5e-4 here.
        def reduce():
            both = [nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0), nn.MaxPool2d(3, 2)]
            return both[::-1] if pool_first else both

        self.features = nn.Sequential(
            nn.Conv2d(3, 96, 11, 4), nn.ReLU(), *reduce(),
            nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(), *reduce(),
            nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(0.5), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(),
            nn.Dropout(0.5), nn.Linear(4096, 4096), nn.ReLU(),
            nn.Linear(4096, classes),
        )

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


def vgg_d2l(stages):
    def build(classes):
        net, channels = nn.Sequential(), 1
        for count, width in stages:
            block = nn.Sequential()
            for _ in range(count):
                block.extend([nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()])
                channels = width
            block.append(nn.MaxPool2d(2))
            net.append(block)
        return net.extend([
            nn.Flatten(),
            nn.Linear(channels * 7 * 7, 4096), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(4096, classes),
        ])
    return build


# Columns A-LRN and C of the paper's table 1; M is a pool, N a normalisation, (1, n) a 1x1 convolution.
VGG_COLUMNS = {
    "vgg11_lrn_paper": [64, "N", "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "vgg16_1x1_paper": [64, 64, "M", 128, 128, "M", 256, 256, (1, 256), "M", 512, 512, (1, 512), "M",
                        512, 512, (1, 512), "M"],
}


def vgg_paper(column):
    def build(classes):
        layers, channels = [], 3
        for item in column:
            if item == "M":
                layers.append(nn.MaxPool2d(2))
            elif item == "N":
                layers.append(nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
            else:
                kernel, width = item if isinstance(item, tuple) else (3, item)
                layers += [nn.Conv2d(channels, width, kernel, padding=kernel // 2), nn.ReLU()]
                channels = width
        return VGG(nn.Sequential(*layers), num_classes=classes, init_weights=False)
    return build


class WhitenedVgg(nn.Module):
    """A 2x2 convolution that whitens patches, then three blocks of two 3x3 convolutions."""

    class Block(nn.Module):
        def __init__(self, inputs, width):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
            self.norm1 = nn.BatchNorm2d(width, momentum=0.4)
            self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
            self.norm2 = nn.BatchNorm2d(width, momentum=0.4)

        def forward(self, x):
            x = F.relu(self.norm1(F.max_pool2d(self.conv1(x), 2)))
            return F.relu(self.norm2(self.conv2(x)))

    def __init__(self, classes):
        super().__init__()
        self.whiten = nn.Conv2d(3, 24, 2)
        self.block1 = self.Block(24, 64)
        self.block2 = self.Block(64, 256)
        self.block3 = self.Block(256, 256)
        self.linear = nn.Linear(256, classes, bias=False)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(F.relu(self.whiten(x)))))
        return self.linear(F.max_pool2d(x, 3).flatten(1)) / 9


def mlpconv(inputs, widths, kernel, stride, padding):
    layers = [nn.Conv2d(inputs, widths[0], kernel, stride, padding), nn.ReLU()]
    for before, after in zip(widths, widths[1:]):
        layers += [nn.Conv2d(before, after, 1), nn.ReLU()]
    return nn.Sequential(*layers)


def nin_authors(classes):
    """The authors' configuration for ImageNet in Caffe's zoo, whose pools round up."""
    pool = lambda: nn.MaxPool2d(3, 2, ceil_mode=True)
    return nn.Sequential(
        mlpconv(3, [96] * 3, 11, 4, 0), pool(),
        mlpconv(96, [256] * 3, 5, 1, 2), pool(),
        mlpconv(256, [384] * 3, 3, 1, 1), pool(), nn.Dropout(0.5),
        mlpconv(384, [1024, 1024, classes], 3, 1, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )


def nin_cifar(classes):
    """The authors' configuration for CIFAR-10."""
    return nn.Sequential(
        mlpconv(3, [192, 160, 96], 5, 1, 2), nn.MaxPool2d(3, 2, ceil_mode=True), nn.Dropout(0.5),
        mlpconv(96, [192] * 3, 5, 1, 2), nn.AvgPool2d(3, 2, ceil_mode=True), nn.Dropout(0.5),
        mlpconv(192, [192, 192, classes], 3, 1, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )


def nin(count):
    """The book's, with `count` convolutions to a block."""
    def block(inputs, outputs, kernel, stride, padding):
        return mlpconv(inputs, [outputs] * count, kernel, stride, padding)

    channels = 1

    def build(classes):
        return nn.Sequential(
            block(channels, 96, 11, 4, 0), nn.MaxPool2d(3, 2),
            block(96, 256, 5, 1, 2), nn.MaxPool2d(3, 2),
            block(256, 384, 3, 1, 1), nn.MaxPool2d(3, 2), nn.Dropout(0.5),
            block(384, classes, 3, 1, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )
    return build


# ---------------------------------------------------------------- GoogLeNet

# Widths: 1x1, (reduction, 3x3), (reduction, 5x5), projection after the pool.
GOOGLENET = {
    "3a": (64, (96, 128), (16, 32), 32),
    "3b": (128, (128, 192), (32, 96), 64),
    "4a": (192, (96, 208), (16, 48), 64),
    "4b": (160, (112, 224), (24, 64), 64),
    "4c": (128, (128, 256), (24, 64), 64),
    "4d": (112, (144, 288), (32, 64), 64),
    "4e": (256, (160, 320), (32, 128), 128),
    "5a": (256, (160, 320), (32, 128), 128),
    "5b": (384, (192, 384), (48, 128), 128),
}


def width_of(row):
    return row[0] + row[1][1] + row[2][1] + row[3]


class InceptionD2l(nn.Module):
    def __init__(self, channels, row):
        super().__init__()
        c1, c2, c3, c4 = row
        self.p1_1 = nn.Conv2d(channels, c1, 1)
        self.p2_1 = nn.Conv2d(channels, c2[0], 1)
        self.p2_2 = nn.Conv2d(c2[0], c2[1], 3, padding=1)
        self.p3_1 = nn.Conv2d(channels, c3[0], 1)
        self.p3_2 = nn.Conv2d(c3[0], c3[1], 5, padding=2)
        self.p4_1 = nn.MaxPool2d(3, 1, 1)
        self.p4_2 = nn.Conv2d(channels, c4, 1)

    def forward(self, x):
        return torch.cat([
            F.relu(self.p1_1(x)),
            F.relu(self.p2_2(F.relu(self.p2_1(x)))),
            F.relu(self.p3_2(F.relu(self.p3_1(x)))),
            F.relu(self.p4_2(self.p4_1(x))),
        ], 1)


def googlenet_d2l(classes):
    def inceptions(channels, names):
        blocks = []
        for name in names:
            blocks.append(InceptionD2l(channels, GOOGLENET[name]))
            channels = width_of(GOOGLENET[name])
        return blocks

    pool = lambda: nn.MaxPool2d(3, 2, 1)
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 64, 7, 2, 3), nn.ReLU(), pool()),
        nn.Sequential(nn.Conv2d(64, 64, 1), nn.ReLU(), nn.Conv2d(64, 192, 3, padding=1), nn.ReLU(), pool()),
        nn.Sequential(*inceptions(192, ["3a", "3b"]), pool()),
        nn.Sequential(*inceptions(480, ["4a", "4b", "4c", "4d", "4e"]), pool()),
        nn.Sequential(*inceptions(832, ["5a", "5b"]), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        nn.Linear(1024, classes),
    )


class ConvRelu(nn.Module):
    def __init__(self, inputs, outputs, kernel, **settings):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, **settings)

    def forward(self, x):
        return F.relu(self.conv(x))


class InceptionPaper(nn.Module):
    def __init__(self, channels, row):
        super().__init__()
        c1, c2, c3, c4 = row
        self.branch1 = ConvRelu(channels, c1, 1)
        self.branch2 = nn.Sequential(ConvRelu(channels, c2[0], 1), ConvRelu(c2[0], c2[1], 3, padding=1))
        self.branch3 = nn.Sequential(ConvRelu(channels, c3[0], 1), ConvRelu(c3[0], c3[1], 5, padding=2))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), ConvRelu(channels, c4, 1))

    def forward(self, x):
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class GooglenetHead(nn.Module):
    """Section 5: average pool 5x5 stride 3 (4x4 out at 224), 1x1 to 128, 1024, classes."""

    def __init__(self, channels, classes):
        super().__init__()
        self.pool = nn.AvgPool2d(5, 3)
        self.conv = ConvRelu(channels, 128, 1)
        self.fc1 = nn.Linear(2048, 1024)
        self.dropout = nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, classes)

    def forward(self, x):
        x = self.conv(self.pool(x)).flatten(1)
        return self.fc2(self.dropout(F.relu(self.fc1(x))))


class InceptionNaive(nn.Module):
    """Figure 2a: no reductions, and the pool passes everything on."""

    def __init__(self, channels, row):
        super().__init__()
        self.branch1 = ConvRelu(channels, row[0], 1)
        self.branch2 = ConvRelu(channels, row[1][1], 3, padding=1)
        self.branch3 = ConvRelu(channels, row[2][1], 5, padding=2)
        self.branch4 = nn.MaxPool2d(3, 1, 1)

    def forward(self, x):
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class GooglenetPaper(nn.Module):
    """No BatchNorm, real 5x5 branches, response normalisation, every pool between stages 3x3."""

    def __init__(self, classes, naive=False):
        super().__init__()
        self.conv1 = ConvRelu(3, 64, 7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.norm1 = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)
        self.conv2 = ConvRelu(64, 64, 1)
        self.conv3 = ConvRelu(64, 192, 3, padding=1)
        self.norm2 = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)
        self.maxpool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        channels, after = 192, {}
        for name, row in GOOGLENET.items():
            setattr(self, f"inception{name}", (InceptionNaive if naive else InceptionPaper)(channels, row))
            channels = after[name] = channels + width_of(row) - row[3] if naive else width_of(row)
        self.maxpool3 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.maxpool4 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.aux1 = GooglenetHead(after["4a"], classes)
        self.aux2 = GooglenetHead(after["4d"], classes)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.4)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.norm1(self.maxpool1(self.conv1(x)))
        x = self.maxpool2(self.norm2(self.conv3(self.conv2(x))))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        x = self.inception4a(x)
        aux1 = self.aux1(x) if self.training else None
        x = self.inception4d(self.inception4c(self.inception4b(x)))
        aux2 = self.aux2(x) if self.training else None
        x = self.inception5b(self.inception5a(self.maxpool4(self.inception4e(x))))
        x = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        return (x, aux2, aux1) if self.training else x


# ---------------------------------------------------------------- later Inceptions

class ConvBn(nn.Module):
    def __init__(self, inputs, outputs, kernel, **settings):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, bias=False, **settings)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class BnInceptionBlock(nn.Module):
    """A row of figure 5 in Ioffe and Szegedy: 1x1, (3x3), (double 3x3), pool; without 1x1 the stride is 2."""

    def __init__(self, channels, one, three, double, pool):
        super().__init__()
        stride = 2 if one is None else 1
        if one is not None:
            self.branch1 = ConvBn(channels, one, 1)
        self.branch2 = nn.Sequential(ConvBn(channels, three[0], 1),
                                     ConvBn(three[0], three[1], 3, stride=stride, padding=1))
        self.branch3 = nn.Sequential(ConvBn(channels, double[0], 1), ConvBn(double[0], double[1], 3, padding=1),
                                     ConvBn(double[1], double[1], 3, stride=stride, padding=1))
        kind, projection = pool
        window = nn.MaxPool2d(3, stride, 1) if kind == "max" else nn.AvgPool2d(3, stride, 1)
        self.branch4 = nn.Sequential(window, ConvBn(channels, projection, 1)) if projection else window
        self.outputs = (one or 0) + three[1] + double[1] + (projection or channels)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.children()], 1)


BN_INCEPTION = {
    "3a": (64, (64, 64), (64, 96), ("avg", 32)),
    "3b": (64, (64, 96), (64, 96), ("avg", 64)),
    "3c": (None, (128, 160), (64, 96), ("max", 0)),
    "4a": (224, (64, 96), (96, 128), ("avg", 128)),
    "4b": (192, (96, 128), (96, 128), ("avg", 128)),
    "4c": (160, (128, 160), (128, 160), ("avg", 128)),
    "4d": (96, (128, 192), (160, 192), ("avg", 128)),
    "4e": (None, (128, 192), (192, 256), ("max", 0)),
    "5a": (352, (192, 320), (160, 224), ("avg", 128)),
    "5b": (352, (192, 320), (192, 224), ("max", 128)),
}


def bn_inception(classes):
    """Figure 5 row by row; where its channels do not add up, its widths count."""
    net = nn.Sequential()
    pool = lambda: nn.MaxPool2d(3, 2, ceil_mode=True)
    net.add_module("conv1", ConvBn(3, 64, 7, stride=2, padding=3))
    net.add_module("maxpool1", pool())
    net.add_module("conv2", ConvBn(64, 64, 1))
    net.add_module("conv3", ConvBn(64, 192, 3, padding=1))
    net.add_module("maxpool2", pool())
    channels = 192
    for name, row in BN_INCEPTION.items():
        block = BnInceptionBlock(channels, *row)
        net.add_module(f"inception{name}", block)
        channels = block.outputs
    net.add_module("avgpool", nn.AdaptiveAvgPool2d(1))
    net.add_module("flatten", nn.Flatten())
    net.add_module("fc", nn.Linear(channels, classes))
    return net


class ResidualInception(nn.Module):
    """x + scale * (1x1 of the joined branches), then ReLU."""

    def __init__(self, channels, scale, *branches):
        super().__init__()
        outputs = 0
        for index, convolutions in enumerate(branches):
            inputs, units = channels, []
            for width, kernel in convolutions:
                height, breadth = kernel if isinstance(kernel, tuple) else (kernel, kernel)
                units.append(ConvBn(inputs, width, (height, breadth), padding=(height // 2, breadth // 2)))
                inputs = width
            setattr(self, f"branch{index}", nn.Sequential(*units) if len(units) > 1 else units[0])
            outputs += inputs
        self.count, self.scale = len(branches), scale
        self.conv2d = nn.Conv2d(outputs, channels, 1)

    def forward(self, x):
        joined = torch.cat([getattr(self, f"branch{index}")(x) for index in range(self.count)], 1)
        return F.relu(x + self.scale * self.conv2d(joined))


class Reduction(nn.Module):
    """Branches whose last convolution has stride 2, and a pool."""

    def __init__(self, channels, *branches):
        super().__init__()
        for index, convolutions in enumerate(branches):
            inputs, units = channels, []
            for position, (width, kernel) in enumerate(convolutions):
                last = position == len(convolutions) - 1
                units.append(ConvBn(inputs, width, kernel, stride=2 if last else 1,
                                    padding=0 if last else kernel // 2))
                inputs = width
            setattr(self, f"branch{index}", nn.Sequential(*units) if len(units) > 1 else units[0])
        setattr(self, f"branch{len(branches)}", nn.MaxPool2d(3, 2))

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.children()], 1)


def inception_resnet_v1(classes):
    """Figures 10 to 15 of Szegedy et al. 2017; names and residual scales are timm's for v2."""
    net = nn.Sequential()
    for name, module in (
        ("conv2d_1a", ConvBn(3, 32, 3, stride=2)), ("conv2d_2a", ConvBn(32, 32, 3)),
        ("conv2d_2b", ConvBn(32, 64, 3, padding=1)), ("maxpool_3a", nn.MaxPool2d(3, 2)),
        ("conv2d_3b", ConvBn(64, 80, 1)), ("conv2d_4a", ConvBn(80, 192, 3)),
        ("conv2d_4b", ConvBn(192, 256, 3, stride=2)),
        ("repeat", nn.Sequential(*(
            ResidualInception(256, 0.17, [(32, 1)], [(32, 1), (32, 3)], [(32, 1), (32, 3), (32, 3)])
            for _ in range(5)))),
        ("mixed_6a", Reduction(256, [(384, 3)], [(192, 1), (192, 3), (256, 3)])),
        ("repeat_1", nn.Sequential(*(
            ResidualInception(896, 0.10, [(128, 1)], [(128, 1), (128, (1, 7)), (128, (7, 1))]) for _ in range(10)))),
        ("mixed_7a", Reduction(896, [(256, 1), (384, 3)], [(256, 1), (256, 3)], [(256, 1), (256, 3), (256, 3)])),
        ("repeat_2", nn.Sequential(*(
            ResidualInception(1792, 0.20, [(192, 1)], [(192, 1), (192, (1, 3)), (192, (3, 1))]) for _ in range(5)))),
        ("global_pool", nn.Sequential()),
    ):
        net.add_module(name, module)
    net.global_pool.add_module("pool", nn.AdaptiveAvgPool2d(1))
    net.global_pool.add_module("flatten", nn.Flatten())
    net.add_module("head_drop", nn.Dropout(0.2))
    net.add_module("classif", nn.Linear(1792, classes))
    return net


# ---------------------------------------------------------------- ResNets

def resnet_v1(layers):
    """The paper's stride, on the first 1x1 of a bottleneck."""
    def build(classes):
        net = ResNet(Bottleneck, layers, num_classes=classes)
        for module in net.modules():
            if isinstance(module, Bottleneck):
                module.conv1.stride, module.conv2.stride = module.conv2.stride, module.conv1.stride
        return net
    return build


def resnet18_small_stem(classes):
    """torchvision's ResNet-18 as it is usually changed for 32x32: a 3x3 stem, no pool."""
    net = ResNet(BasicBlock, [2, 2, 2, 2], num_classes=classes)
    net.conv1, net.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    return net


class PlainBlock(BasicBlock):
    """Two convolutions without a shortcut."""

    def __init__(self, inplanes, planes, stride=1, downsample=None, *rest, **settings):
        super().__init__(inplanes, planes, stride, None, *rest, **settings)

    def forward(self, x):
        return self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))


def plain(layers):
    return lambda classes: ResNet(PlainBlock, layers, num_classes=classes)



class ResidualD2l(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.conv3 = nn.Conv2d(inputs, outputs, 1, stride) if stride != 1 else None
        self.bn1 = nn.BatchNorm2d(outputs)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (self.conv3(x) if self.conv3 is not None else x))


def stem_d2l():
    return nn.Sequential(nn.Conv2d(1, 64, 7, 2, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1))


def resnet18_d2l(classes):
    return nn.Sequential(
        stem_d2l(),
        nn.Sequential(ResidualD2l(64, 64), ResidualD2l(64, 64)),
        nn.Sequential(ResidualD2l(64, 128, 2), ResidualD2l(128, 128)),
        nn.Sequential(ResidualD2l(128, 256, 2), ResidualD2l(256, 256)),
        nn.Sequential(ResidualD2l(256, 512, 2), ResidualD2l(512, 512)),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes),
    )


class OptionA(nn.Module):
    """Every other pixel, then zero channels on both sides: no parameters."""

    def __init__(self, zeros):
        super().__init__()
        self.zeros = zeros

    def forward(self, x):
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.zeros, self.zeros))


class CifarBlock(nn.Module):
    def __init__(self, inputs, outputs, stride, shortcut):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.plain = not shortcut
        if shortcut:
            self.shortcut = nn.Identity() if stride == 1 else OptionA((outputs - inputs) // 2)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y if self.plain else y + self.shortcut(x))


class CifarResnet(nn.Module):
    """Section 4.2: depth 6n + 2, widths 16, 32, 64; `shortcut=False` is the plain network."""

    def __init__(self, depth, classes, shortcut=True):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        channels = 16
        for stage, width in enumerate((16, 32, 64), start=1):
            blocks = nn.Sequential()
            for index in range((depth - 2) // 6):
                stride = 2 if stage > 1 and index == 0 else 1
                blocks.append(CifarBlock(channels, width, stride, shortcut))
                channels = width
            setattr(self, f"layer{stage}", blocks)
        self.linear = nn.Linear(64, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))


class PreactBlock(nn.Module):
    """BN, ReLU, convolution, twice or (bottleneck) three times.

    With a projection, the first BN and ReLU come before the fork and both
    sides start from their result.
    """

    def __init__(self, inputs, width, stride, bottleneck):
        super().__init__()
        outputs = width * 4 if bottleneck else width
        shapes = ([(inputs, width, 1), (width, width, 3), (width, outputs, 1)] if bottleneck
                  else [(inputs, width, 3), (width, width, 3)])
        strided = 2 if bottleneck else 1
        for i, (a, b, kernel) in enumerate(shapes, start=1):
            setattr(self, f"bn{i}", nn.BatchNorm2d(a))
            setattr(self, f"conv{i}", nn.Conv2d(a, b, kernel, stride if i == strided else 1, kernel // 2, bias=False))
        self.count = len(shapes)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if inputs != outputs else None

    def forward(self, x):
        y = F.relu(self.bn1(x))
        side = x if self.shortcut is None else self.shortcut(y)
        y = self.conv1(y)
        for i in range(2, self.count + 1):
            y = getattr(self, f"conv{i}")(F.relu(getattr(self, f"bn{i}")(y)))
        return side + y


class PreactCifar(nn.Module):
    """Identity mappings, for CIFAR: depth 6n + 2, or 9n + 2 with bottlenecks."""

    def __init__(self, depth, classes, bottleneck):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        channels = 16
        for stage, width in enumerate((16, 32, 64), start=1):
            blocks = nn.Sequential()
            for index in range((depth - 2) // (9 if bottleneck else 6)):
                stride = 2 if stage > 1 and index == 0 else 1
                blocks.append(PreactBlock(channels, width, stride, bottleneck))
                channels = width * 4 if bottleneck else width
            setattr(self, f"layer{stage}", blocks)
        self.bn = nn.BatchNorm2d(channels)
        self.linear = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return self.linear(F.adaptive_avg_pool2d(F.relu(self.bn(x)), 1).flatten(1))


# ---------------------------------------------------------------- DenseNets

def densenet_d2l(classes):
    def unit(inputs, growth):
        return nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, growth, 3, padding=1))

    class Block(nn.Module):
        def __init__(self, count, inputs, growth):
            super().__init__()
            self.net = DenseBlock(*(unit(inputs + i * growth, growth) for i in range(count)))

        def forward(self, x):
            return self.net(x)

    net, channels = nn.Sequential(stem_d2l()), 64
    for index in range(4):
        net.append(Block(4, channels, 32))
        channels += 4 * 32
        if index < 3:
            net.append(nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(),
                                     nn.Conv2d(channels, channels // 2, 1), nn.AvgPool2d(2)))
            channels //= 2
    return net.extend([nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                       nn.Linear(channels, classes)])


def densenet121_small_stem(classes):
    """torchvision's DenseNet-121 with a 3x3 stem and no pool behind it."""
    net = DenseNet(32, (6, 12, 24, 16), 64, num_classes=classes)
    net.features.conv0, net.features.pool0 = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    return net


class DenseLayer(nn.Module):
    def __init__(self, inputs, growth, bottleneck):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        if bottleneck:
            self.conv1 = nn.Conv2d(inputs, 4 * growth, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(4 * growth)
            self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)
        else:
            self.conv1 = nn.Conv2d(inputs, growth, 3, padding=1, bias=False)
        self.bottleneck = bottleneck

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(x)))
        if self.bottleneck:
            y = self.conv2(F.relu(self.norm2(y)))
        return y


class DenseBlock(nn.Sequential):
    """Every layer sees everything before it and adds its own channels."""

    def forward(self, x):
        for layer in self:
            x = torch.cat([x, layer(x)], 1)
        return x


class Transition(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.conv = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.pool = nn.AvgPool2d(2)

    def forward(self, x):
        return self.pool(self.conv(F.relu(self.norm(x))))


class DensenetCifar(nn.Module):
    """Section 3, "Implementation Details": three blocks of equal depth.

    Plain: 16 channels at the start, no compression. BC: 2k at the start,
    bottlenecks of 4k, transitions halve the channels.
    """

    def __init__(self, depth, growth, classes, bc):
        super().__init__()
        count = (depth - 4) // (6 if bc else 3)
        channels = 2 * growth if bc else 16
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(3, channels, 3, padding=1, bias=False))
        for block in range(1, 4):
            layers = DenseBlock()
            for index in range(1, count + 1):
                layers.add_module(f"denselayer{index}", DenseLayer(channels, growth, bc))
                channels += growth
            self.features.add_module(f"denseblock{block}", layers)
            if block < 3:
                after = channels // 2 if bc else channels
                self.features.add_module(f"transition{block}", Transition(channels, after))
                channels = after
        self.features.add_module("norm5", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x):
        x = F.relu(self.features(x))
        return self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))


# ---------------------------------------------------------------- the list

@dataclass
class Network:
    source: str
    build: object
    input: tuple
    classes: int
    input2: tuple = None   # a second size, not square; None where only one fits
    nodes: bool = True     # False: containers only, for the deepest


D2L = "Dive into Deep Learning"
TABLE_1 = "He et al., Deep Residual Learning, table 1"
RESNET = "He et al., Deep Residual Learning, section 4.2, option A"
PREACT = "He et al., Identity Mappings in Deep Residual Networks"
DENSENET = "Huang et al., Densely Connected Convolutional Networks"

NETWORKS = {
    "lenet_paper": Network("LeCun et al., Gradient-Based Learning, 1998", lenet_paper, (1, 32, 32), 10),
    "lenet": Network("LeNet as the usual tutorial writes it", Lenet, (1, 32, 32), 10),
    "lenet_linear": Network("LeNet without activations", LenetLinear, (1, 28, 28), 10),
    "lenet_d2l": Network(D2L, lenet_d2l, (1, 28, 28), 10),
    "lenet_d2l_max": Network(D2L + ", max pool", lenet_d2l_max, (1, 28, 28), 10),
    "mnist_mlp": Network("784-15-10", mnist_mlp, (1, 28, 28), 10),
    "mnist_conv": Network("two convolutions", MnistConv, (1, 28, 28), 10),
    "mnist_inception": Network("two Inception blocks", MnistInception, (1, 28, 28), 10),
    "mnist_residual": Network("two residual blocks", MnistResidual, (1, 28, 28), 10),
    "alexnet_d2l": Network(D2L, alexnet_d2l, (1, 224, 224), 10),
    "vgg11_d2l": Network(D2L, vgg_d2l([(1, 64), (1, 128), (2, 256), (2, 512), (2, 512)]), (1, 224, 224), 10),
    "vgg_small_d2l": Network(D2L, vgg_d2l([(1, 16), (1, 32), (2, 64), (2, 128), (2, 128)]), (1, 224, 224), 10),
    "nin_one_1x1_d2l": Network(D2L + ", exercise", nin(2), (1, 224, 224), 10, (1, 195, 251)),
    "nin_d2l": Network(D2L, nin(3), (1, 224, 224), 10, (1, 195, 251)),
    "googlenet_d2l": Network(D2L, googlenet_d2l, (1, 96, 96), 10, (1, 115, 90)),
    "resnet18_d2l": Network(D2L, resnet18_d2l, (1, 96, 96), 10, (1, 115, 90)),
    "densenet_d2l": Network(D2L, densenet_d2l, (1, 96, 96), 10, (1, 115, 90)),
    "nin": Network("Lin et al., Network In Network, the authors' configuration", nin_authors,
                   (3, 224, 224), 1000, (3, 195, 251)),
    "nin_cifar": Network("Lin et al., Network In Network, the authors' configuration", nin_cifar,
                         (3, 32, 32), 10, (3, 37, 50)),
    "alexnet_paper_pool_lrn": Network("Krizhevsky et al., 2012, pool before normalisation",
                                      lambda classes: AlexnetPaper(classes, True), (3, 227, 227), 1000),
    **{name: Network("Simonyan, Zisserman, table 1", vgg_paper(column), (3, 224, 224), 1000, (3, 195, 251))
       for name, column in VGG_COLUMNS.items()},
    "googlenet_naive": Network("Szegedy et al., Going Deeper with Convolutions, figure 2a throughout",
                               lambda classes: GooglenetPaper(classes, True), (3, 224, 224), 1000),
    "bn_inception": Network("Ioffe, Szegedy, Batch Normalization, figure 5", bn_inception,
                            (3, 224, 224), 1000, (3, 195, 251)),
    "inception_resnet_v1": Network("Szegedy et al., Inception-v4, figures 10 to 15", inception_resnet_v1,
                                   (3, 299, 299), 1000, (3, 267, 331)),
    "resnet50_v1": Network(TABLE_1, resnet_v1([3, 4, 6, 3]), (3, 224, 224), 1000, (3, 195, 251)),
    "resnet101_v1": Network(TABLE_1, resnet_v1([3, 4, 23, 3]), (3, 224, 224), 1000),
    "resnet152_v1": Network(TABLE_1, resnet_v1([3, 8, 36, 3]), (3, 224, 224), 1000),
    "resnet200": Network("torchvision's ResNet with 3-24-36-3 bottlenecks",
                         lambda classes: ResNet(Bottleneck, [3, 24, 36, 3], num_classes=classes), (3, 224, 224), 1000),
    "resnet18_small_stem": Network("torchvision's ResNet-18 with a 3x3 stem for 32x32", resnet18_small_stem,
                                   (3, 32, 32), 10, (3, 37, 50)),
    "densenet121_small_stem": Network("torchvision's DenseNet-121 with a 3x3 stem for 32x32", densenet121_small_stem,
                                      (3, 32, 32), 10, (3, 37, 50)),
    "vgg_whitened_cifar": Network("Jordan, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, with ReLU", WhitenedVgg,
                                  (3, 32, 32), 10),
    "plain18": Network(TABLE_1 + ", plain", plain([2, 2, 2, 2]), (3, 224, 224), 1000, (3, 195, 251)),
    "plain34": Network(TABLE_1 + ", plain", plain([3, 4, 6, 3]), (3, 224, 224), 1000, (3, 195, 251)),
    "alexnet_paper": Network("Krizhevsky et al., 2012", AlexnetPaper, (3, 227, 227), 1000),
    "googlenet_paper": Network("Szegedy et al., Going Deeper with Convolutions", GooglenetPaper,
                               (3, 224, 224), 1000, (3, 195, 251)),
    **{f"resnet{d}_cifar": Network(RESNET, lambda classes, d=d: CifarResnet(d, classes), (3, 32, 32), 10,
                                   (3, 37, 50) if d < 1000 else None, d < 1000)
       for d in (20, 32, 44, 56, 110, 1202)},
    **{f"plain{d}_cifar": Network(RESNET.replace("option A", "plain"),
                                  lambda classes, d=d: CifarResnet(d, classes, False), (3, 32, 32), 10, (3, 37, 50))
       for d in (20, 32, 44, 56, 110)},
    "resnet110_preact_cifar": Network(PREACT + ", projections where the width changes",
                                      lambda classes: PreactCifar(110, classes, False), (3, 32, 32), 10, (3, 37, 50)),
    "resnet164_preact_cifar": Network(PREACT + ", projections where the width changes",
                                      lambda classes: PreactCifar(164, classes, True), (3, 32, 32), 10, (3, 37, 50)),
    "resnet1001_preact_cifar": Network(PREACT + ", projections where the width changes",
                                       lambda classes: PreactCifar(1001, classes, True), (3, 32, 32), 10, None, False),
    "densenet100_cifar": Network(DENSENET + ", L=100, k=12", lambda classes: DensenetCifar(100, 12, classes, False),
                                 (3, 32, 32), 10),
    "densenet100_k24_cifar": Network(DENSENET + ", L=100, k=24",
                                     lambda classes: DensenetCifar(100, 24, classes, False), (3, 32, 32), 10),
    "densenet250bc_cifar": Network(DENSENET + ", BC, L=250, k=24",
                                   lambda classes: DensenetCifar(250, 24, classes, True), (3, 32, 32), 10, None, False),
    "densenet190bc_cifar": Network(DENSENET + ", BC, L=190, k=40",
                                   lambda classes: DensenetCifar(190, 40, classes, True), (3, 32, 32), 10, None, False),
    "densenet40_cifar": Network(DENSENET + ", L=40, k=12", lambda classes: DensenetCifar(40, 12, classes, False),
                                (3, 32, 32), 10, (3, 37, 50)),
    "densenet100bc_cifar": Network(DENSENET + ", BC, L=100, k=12",
                                   lambda classes: DensenetCifar(100, 12, classes, True), (3, 32, 32), 10, (3, 37, 50)),
    "densenet264": Network(DENSENET + ", Table 1, k=32, on torchvision's DenseNet",
                           lambda classes: DenseNet(32, (6, 12, 64, 48), 64, num_classes=classes),
                           (3, 224, 224), 1000, (3, 195, 251)),
}
