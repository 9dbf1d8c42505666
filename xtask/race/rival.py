"""The other side of `cargo xtask race`: torch, ONNX Runtime, OpenVINO and ncnn on this project's networks.

    rival.py describe                     versions and settings, as a line of JSON
    rival.py export CASE.json FILE.onnx   the case's network for ONNX Runtime and OpenVINO, beside it for ncnn
    rival.py serve RIVAL CASE.json        steps on demand; the protocol is that of xtask/src/bench/serve.rs

The case names a file of this project's weights, which must fit its twin here tensor by tensor, and one with the batch.
"""

import importlib
import json
import os
import re
import sys
import time

# Answers go to the real standard output; what libraries print there goes to standard error.
ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def say(answer):
    print(json.dumps(answer), file=ANSWERS, flush=True)


def version(name):
    try:
        module = importlib.import_module(name)
        return str(getattr(module, "__version__", "of unknown version"))
    except ImportError:
        return None


def memory(line):
    """Bytes that a line of /proc/self/status tells, where there is one."""
    try:
        with open("/proc/self/status") as status:
            found = re.search(rf"^{line}:\s+(\d+) kB", status.read(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


# ---------------------------------------------------------------- files

def tensors(path):
    """The tensors of a safetensors file, read one by one: a mapped file would count as this process's memory."""
    import numpy

    kinds = {"F32": numpy.float32, "U32": numpy.uint32}
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        for name, spec in header.items():
            if name != "__metadata__":
                start, end = spec["data_offsets"]
                file.seek(8 + length + start)
                values = numpy.empty(spec["shape"], kinds[spec["dtype"]])
                assert values.nbytes == end - start, name
                file.readinto(values.reshape(-1).view(numpy.uint8))
                yield name, values


def write(path, named):
    """A safetensors file of f32 arrays."""
    header, at = {}, 0
    for name, values in named.items():
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]}
        at += values.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for values in named.values():
            file.write(values.tobytes())


# ---------------------------------------------------------------- torch

def twin(case):
    """The torch network with this project's weights."""
    import book
    import torch
    from torch import nn
    from torchvision import models

    name, classes, weights = case["network"], case["classes"], dict(tensors(case["weights"]))
    with torch.device("meta"):
        if name in book.NETWORKS:
            net = book.NETWORKS[name].build(classes)
        elif name in models.list_models(models):
            heads = {"aux_logits": case["train"], "init_weights": False} if name in ("googlenet", "inception_v3") else {}
            net = models.get_model(name, weights=None, num_classes=classes, **heads)
        else:
            raise ValueError(f"{name} has no twin: it is neither torchvision's nor in tests/reference/book.py")
        # Behind a flatten a layer is as wide as the input makes it.
        for path, layer in list(net.named_modules()):
            if isinstance(layer, nn.Linear) and f"{path}.weight" in weights:
                width = weights[f"{path}.weight"].shape[1]
                net.set_submodule(path, nn.Linear(width, layer.out_features, layer.bias is not None))
    state = {key: torch.from_numpy(weights.pop(key)) for key in list(weights)}
    state |= {key: torch.tensor(0) for key in net.state_dict() if key.endswith("num_batches_tracked")}
    net.load_state_dict(state, strict=True, assign=True)
    for path, module in net.named_modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    for path, tensor in (*net.named_parameters(), *net.named_buffers()):
        if tensor.is_meta:
            raise ValueError(f"the twin's {path} is in no file of weights")
    return net


class Torch:
    """Training steps and forward passes, contiguous or channels_last."""

    def __init__(self, case, layout):
        import book  # before the memory is looked at, like everything that is imported
        import torch

        torch.set_num_threads(case["threads"])
        self.torch, self.case, self.layout = torch, case, layout
        batch = {name: torch.from_numpy(values) for name, values in tensors(case["batch"])}
        self.images = batch["input"].to(memory_format=layout)
        self.labels = batch["labels"].long()

    def make(self):
        torch = self.torch
        self.net = twin(self.case).to(memory_format=self.layout)
        self.net.train(self.case["train"])
        if self.case["train"]:
            rate, momentum = self.case["learning_rate"], self.case["momentum"]
            self.optimiser = torch.optim.SGD(self.net.parameters(), lr=rate, momentum=momentum, fused=True)

    def step(self):
        torch = self.torch
        if not self.case["train"]:
            with torch.inference_mode():
                self.logits = self.net(self.images)
            return
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.case["precision"] == "bf16"):
            outputs = self.net(self.images)
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            weights = self.case["loss_weights"]
            assert len(outputs) == len(weights), f"{len(outputs)} outputs, {len(weights)} weights of the loss"
            entropy = torch.nn.functional.cross_entropy
            self.loss = sum(weight * entropy(output, self.labels) for output, weight in zip(outputs, weights))
        self.loss.backward()
        self.optimiser.step()

    def outcome(self):
        if not self.case["train"]:
            return {"logits": self.logits.numpy()}
        state = {key: value for key, value in self.net.state_dict().items() if not key.endswith("num_batches_tracked")}
        state["loss"] = self.loss
        return {key: value.detach().contiguous().numpy() for key, value in state.items()}


def contiguous(case):
    import torch

    return Torch(case, torch.contiguous_format)


def channels_last(case):
    import torch

    return Torch(case, torch.channels_last)


# ---------------------------------------------------------------- runtimes

def file_of(case):
    """The ONNX file that is read: in 8 bits the one that was quantised."""
    return case["onnx"] + ".int8.onnx" if case["precision"] == "int8" else case["onnx"]


class OnnxRuntime:
    def __init__(self, case):
        import onnxruntime

        self.runtime, self.case = onnxruntime, case
        self.images = dict(tensors(case["batch"]))["input"]

    def make(self):
        options = self.runtime.SessionOptions()
        options.intra_op_num_threads = self.case["threads"]
        options.inter_op_num_threads = 1
        self.session = self.runtime.InferenceSession(file_of(self.case), options, providers=["CPUExecutionProvider"])

    def step(self):
        self.logits = self.session.run(None, {"input": self.images})[0]

    def outcome(self):
        return {"logits": self.logits}


class OpenVino:
    def __init__(self, case):
        import openvino

        self.openvino, self.case = openvino, case
        self.images = dict(tensors(case["batch"]))["input"]

    def make(self):
        # Of a network in 8 bits what is not quantised is f32.
        hint = "bf16" if self.case["precision"] == "bf16" else "f32"
        config = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1",
                  "INFERENCE_NUM_THREADS": str(self.case["threads"])}
        core = self.openvino.Core()
        self.request = core.compile_model(file_of(self.case), "CPU", config).create_infer_request()

    def step(self):
        self.logits = self.request.infer([self.images], share_inputs=True, share_outputs=True)[0]

    def outcome(self):
        return {"logits": self.logits.copy()}


class Ncnn:
    """One image after the other: it knows no batch. Winograd's algorithm is among its usual choices."""

    def __init__(self, case):
        import ncnn

        self.ncnn, self.case = ncnn, case
        self.images = dict(tensors(case["batch"]))["input"]

    def make(self):
        net = self.net = self.ncnn.Net()
        net.opt.num_threads = self.case["threads"]
        net.opt.use_vulkan_compute = False
        for narrow in ("fp16", "bf16", "int8"):
            for use in ("packed", "storage", "arithmetic"):
                if hasattr(net.opt, f"use_{narrow}_{use}"):
                    wanted = self.case["precision"] == narrow == "bf16"
                    setattr(net.opt, f"use_{narrow}_{use}", wanted)
        param, model = ncnn_files(self.case["onnx"])
        for done, path in ((net.load_param(param), param), (net.load_model(model), model)):
            if done != 0:
                raise ValueError(f"ncnn cannot read {path}")

    def step(self):
        import numpy

        rows = []
        for image in self.images:
            extractor = self.net.create_extractor()
            extractor.input("in0", self.ncnn.Mat(image))
            status, found = extractor.extract("out0")
            if status != 0:
                raise ValueError(f"ncnn gives {status}")
            rows.append(numpy.array(found).reshape(-1))
        self.logits = numpy.stack(rows)

    def outcome(self):
        return {"logits": self.logits}


def ncnn_files(onnx):
    """Where ncnn's two files lie: beside the ONNX file."""
    return onnx + ".ncnn.param", onnx + ".ncnn.bin"


RIVALS = {
    "torch": contiguous, "torch_channels_last": channels_last, "onnxruntime": OnnxRuntime, "openvino": OpenVino, "ncnn": Ncnn,
}


# ---------------------------------------------------------------- commands

def describe():
    exporter = version("onnx") and version("onnxscript")
    say({
        "torch": version("torch"), "torchvision": version("torchvision"),
        "onnxruntime": version("onnxruntime") if exporter else None,
        "openvino": version("openvino") if exporter else None,
        "ncnn": version("ncnn") if exporter and version("pnnx") else None,
    })


def export(case, path):
    import torch

    net = twin(case).eval()
    images = torch.from_numpy(dict(tensors(case["batch"]))["input"])
    torch.onnx.export(net, (images,), path, input_names=["input"], output_names=["logits"], dynamo=True)
    if case["precision"] == "int8":
        quantise(path, images)
    if case["precision"] != "int8" and version("ncnn") and version("pnnx"):
        import pnnx

        param, model = ncnn_files(path)
        # What else it writes goes with the folder. In halves its file would not be f32.
        pnnx.export(net, path + ".pt", inputs=(images[:1],), ncnnparam=param, ncnnbin=model, fp16=False)


def quantise(path, images):
    """The ONNX file in 8 bits, with scales from the batch itself."""
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Batch(CalibrationDataReader):
        left = [{"input": images.numpy()}]

        def get_next(self):
            return self.left.pop() if self.left else None

    # Weights that lie in another file are not followed everywhere.
    whole, prepared = path + ".whole.onnx", path + ".prepared.onnx"
    onnx.save(onnx.load(path), whole)
    quant_pre_process(whole, prepared, skip_symbolic_shape=True)
    quantize_static(prepared, path + ".int8.onnx", Batch(), quant_format=QuantFormat.QDQ, per_channel=True,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)


def serve(rival, case):
    contestant = RIVALS[rival](case)
    base = memory("VmRSS")
    contestant.make()
    say({"base_rss_bytes": base})
    for line in sys.stdin:
        word, _, path = line.rstrip("\n").partition(" ")
        if word == "go":
            start = time.perf_counter()
            contestant.step()
            ms = 1e3 * (time.perf_counter() - start)
            say({"ms": ms, "peak_rss_bytes": memory("VmHWM")})
        elif word == "check":
            contestant.step()
            write(path, contestant.outcome())
            say({})
        else:
            raise ValueError(f"{line!r} is neither go nor check FILE")


def main(command, *words):
    def case(path):
        with open(path) as file:
            return json.load(file)

    if command == "describe":
        describe()
    elif command == "export":
        export(case(words[0]), words[1])
    elif command == "serve":
        serve(words[0], case(words[1]))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    try:
        main(*sys.argv[1:])
    except Exception as error:
        import traceback

        traceback.print_exc()
        print(f"error: {type(error).__name__}: {' '.join(str(error).split())[:300]}", file=sys.stderr)
        sys.exit(1)
