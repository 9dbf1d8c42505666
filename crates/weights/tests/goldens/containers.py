"""Tiny files of weights in every container that torch.save writes or ever wrote, and some that must be refused.

    python crates/weights/tests/goldens/containers.py [--out FOLDER]

Every number is by the rule of `number`, which is exact in every floating-point type, so the test needs no other file.
The network is conv1 (3 -> 4, 3x3, no bias), bn1, fc (4 -> 3).
"""

import argparse
import collections
import io
import pickle
import struct
import tarfile
import warnings
import zipfile
from pathlib import Path

import torch
from torch import nn

warnings.filterwarnings("ignore")

SHAPES = {
    "conv1.weight": [4, 3, 3, 3],
    "bn1.weight": [4],
    "bn1.bias": [4],
    "bn1.running_mean": [4],
    "bn1.running_var": [4],
    "fc.weight": [3, 4],
    "fc.bias": [3],
}


def number(name, index):
    """Element `index`, row by row, of the tensor of this name."""
    return ((7 * index + len(name)) % 31) / 8 - 2


def tensor(name, dtype=torch.float32):
    shape = SHAPES[name]
    count = torch.Size(shape).numel()
    return torch.tensor([number(name, index) for index in range(count)]).reshape(shape).to(dtype)


def state_dict(dtype=torch.float32, prefix=""):
    tensors = collections.OrderedDict((prefix + name, tensor(name, dtype)) for name in SHAPES)
    tensors[prefix + "bn1.num_batches_tracked"] = torch.tensor(5)
    return tensors


def module():
    layers = collections.OrderedDict(
        conv1=nn.Conv2d(3, 4, 3, bias=False), bn1=nn.BatchNorm2d(4), relu=nn.ReLU(),
        pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(4, 3))
    whole = nn.Sequential(layers)
    whole.load_state_dict(state_dict())
    return whole


def strided():
    """The same numbers, stored otherwise: in one storage, from an offset on, transposed, channels last, repeated."""
    tensors = state_dict()
    tensors["fc.weight"] = tensor("fc.weight").t().contiguous().t()
    tensors["conv1.weight"] = tensor("conv1.weight").to(memory_format=torch.channels_last)
    both = torch.cat([torch.full([5], 9.0), tensor("bn1.weight"), tensor("bn1.bias"), torch.full([3], 9.0)])
    tensors["bn1.weight"], tensors["bn1.bias"] = both[5:9], both[9:13]
    tensors["bn1.running_mean"] = torch.stack([tensor("bn1.running_mean"), torch.full([4], 9.0)], dim=1)[:, 0]
    assert not tensors["fc.weight"].is_contiguous() and not tensors["bn1.running_mean"].is_contiguous()
    for name in SHAPES:
        assert torch.equal(tensors[name], tensor(name)), name
    return tensors


def run():
    """What a training program keeps beside its weights."""
    whole = module()
    optimiser = torch.optim.SGD(whole.parameters(), lr=0.1, momentum=0.9)
    whole(torch.ones(2, 3, 8, 8)).sum().backward()
    optimiser.step()
    average = {name: value * 2 if value.is_floating_point() else value for name, value in state_dict().items()}
    return {"epoch": 3, "model": state_dict(), "model_ema": average, "optimizer": optimiser.state_dict(),
            "classes": ["a", "b", "c"]}


class Named:
    """Pickles as a class or function of another module, which need not be there."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class TarPickler(pickle._Pickler):
    """Writes tensors as their keys, as torch before 0.1.10 did, and `Named` as what it names."""

    def persistent_id(self, value):
        return str(id(value)) if isinstance(value, torch.Tensor) else None

    def save(self, value, save_persistent_id=True):
        if isinstance(value, Named):
            self.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())
        else:
            super().save(value, save_persistent_id)


def tar_pickle(value):
    out = io.BytesIO()
    TarPickler(out, protocol=2).dump(value)
    return out.getvalue()


CLASSES = {torch.float32: "Float", torch.float64: "Double", torch.float16: "Half", torch.int64: "Long"}


def tar(path, tensors):
    """A file as torch wrote it before 0.1.10."""
    storages = {tensor.untyped_storage().data_ptr(): tensor for tensor in tensors.values()}
    out = tar_pickle(len(storages))
    for key, holder in storages.items():
        whole = torch.empty(0, dtype=holder.dtype).set_(holder.untyped_storage())
        out += tar_pickle((key, "cpu", Named("torch", f"{CLASSES[holder.dtype]}Storage")))
        out += struct.pack("<q", len(whole)) + whole.numpy().tobytes()
    out += tar_pickle([])
    table = tar_pickle(len(tensors))
    for value in tensors.values():
        kind = Named("torch", f"{CLASSES[value.dtype]}Tensor")
        table += tar_pickle((id(value), value.untyped_storage().data_ptr(), kind))
        table += struct.pack("<ii", value.dim(), 0)
        table += struct.pack(f"<{value.dim()}q", *value.shape) + struct.pack(f"<{value.dim()}q", *value.stride())
        table += struct.pack("<q", value.storage_offset())
    system = {"protocol_version": 1000, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    entries = {"sys_info": tar_pickle(system), "pickle": tar_pickle(tensors), "tensors": table, "storages": out}
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def shared():
    """The last two tensors in one storage."""
    tensors = {name: tensor(name) for name in SHAPES}
    both = torch.cat([tensors["fc.weight"].flatten(), tensors["fc.bias"]])
    return tensors | {"fc.weight": both[:12].view(3, 4), "fc.bias": both[12:]}


def packed(path, source):
    """A zip whose entries are deflated, as other tools than torch write it."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), old.read(name), zipfile.ZIP_DEFLATED)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)

    def save(value, name, **how):
        torch.save(value, out / name, **how)

    save(state_dict(), "zip.pth")
    save(state_dict(), "zip_protocol_4.pt", pickle_protocol=4)
    packed(out / "zip_packed.bin", out / "zip.pth")
    torch.serialization.set_crc32_options(False)
    save(state_dict(), "zip_no_checksums.pt")
    torch.serialization.set_crc32_options(True)
    save(state_dict(), "legacy.pth", _use_new_zipfile_serialization=False)
    tar(out / "tar.pth", shared())
    (out / "pickled.pkl").write_bytes(pickle.dumps(state_dict(), protocol=4))
    (out / "pickled_run.pkl").write_bytes(pickle.dumps({"state_dict": strided(), "epoch": 3}, protocol=3))
    for name, dtype in {"f16": torch.float16, "bf16": torch.bfloat16, "f64": torch.float64}.items():
        save(state_dict(dtype), f"{name}.pt")
    save({"state_dict": state_dict(prefix="module."), "best_prec1": 91.25}, "data_parallel.th",
         _use_new_zipfile_serialization=False)
    save(state_dict(prefix="model._orig_mod.module."), "compiled.pt")
    save(run(), "run.pt")
    save(strided(), "strided.pt")
    save(strided(), "strided_legacy.pt", _use_new_zipfile_serialization=False)
    save(module(), "whole_module.pt")
    # The text of each class was written too.
    torch.serialization.get_source_lines_and_file = lambda of: ([f"class {of.__name__}: the text\n"], 1, "file.py")
    save(module(), "whole_module_legacy.pt", _use_new_zipfile_serialization=False)
    save({"conv1.weight": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)}, "quantised.pt")
    save({"conv1.weight": torch.eye(3).to_sparse()}, "sparse.pt")
    save({"conv1.weight": torch.ones(2, dtype=torch.complex64)}, "complex.pt")
    save({"conv1.weight": torch.zeros(1).expand(1 << 28)}, "expanded.pt")
    save({"epoch": 3}, "no_tensors.pt")
    (out / "settings.pkl").write_bytes(pickle.dumps({"lr": 0.1}, protocol=2))


if __name__ == "__main__":
    main()
