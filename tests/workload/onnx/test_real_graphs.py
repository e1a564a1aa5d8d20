"""Importing real graphs: networks exported from torch, and those that zigzag-dse ships."""

from __future__ import annotations

import importlib.metadata
import warnings

import pytest

from dream_gym.workload import from_onnx

pytest.importorskip("onnx", reason="needs the package onnx")


def shipped(name):
    """The path of an ONNX file inside the package zigzag-dse."""
    try:
        files = importlib.metadata.files("zigzag-dse") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("needs the package zigzag-dse, whose ONNX files it imports")
    return next(file for file in files if file.name == name).locate()


@pytest.mark.parametrize(
    ("file", "macs", "parameters", "others", "layers"),
    [
        # He et al. 2016 print 1.8 G; torchvision documents 1.814 G and 11,689,512
        # parameters, of which 9,600 are in batch norms and 1,000 biases.
        pytest.param("resnet18.onnx", 1_814_073_344, 11_689_512, 10_600, 21, id="resnet18"),
        # Sandler et al. 2018 print 300 M and 3.4 M; torchvision documents 0.301 G and 3,504,872
        # parameters, of which 34,112 are in batch norms and 1,000 biases.
        pytest.param("mobilenetv2.onnx", 300_774_272, 3_504_872, 35_112, 53, id="mobilenetv2"),
        # Krizhevsky et al. 2012 have 60,965,224 parameters, of which 10,568 are biases, and
        # 724,406,816 MACs on 227×227. The file has 224×224: maps of 54, 26 and 12 pixels a side
        # where they have 55, 27 and 13.
        pytest.param("alexnet.onnx", 654_560_384, 60_965_224, 10_568, 8, id="alexnet"),
    ],
)
def test_totals_are_the_published_ones(file, macs, parameters, others, layers):
    network = from_onnx(shipped(file))
    assert network.macs == macs
    assert network.weights == parameters - others
    assert len(network.layers) == layers


def test_alexnet_on_its_published_input_has_the_published_macs():
    conv = {"Op0": (54, 55), "Op4": (26, 27), "Op8": (12, 13), "Op10": (12, 13), "Op12": (12, 13)}
    total = 0
    for layer in from_onnx(shipped("alexnet.onnx")).layers:
        ours, published = conv.get(layer.name, (1, 1))
        assert (layer.output_height, layer.output_width) == (ours, ours)
        total += layer.weights * published**2
    assert total == 724_406_816


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="needs torch, to export networks from")


def export(torch, module, example, path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own
        torch.onnx.export(module.eval(), (example,), str(path), **options)
    return path


def count_with_hooks(torch, module, example):
    """MACs and weights that the modules of a network use in one run, as torch sees them."""
    nn = torch.nn
    macs, weights = [], []

    def count(layer, inputs, output):
        x = inputs[0]
        if isinstance(layer, nn.LSTM | nn.GRU):
            matrices = sum(p.numel() for p in layer.parameters() if p.dim() == 2)
            macs.append(x.shape[0] * x.shape[1] * matrices)
            weights.append(x.shape[0] * matrices)  # fetched anew for each time step
            return
        w = layer.weight
        weights.append(w.numel())
        if isinstance(layer, nn.ConvTranspose2d):
            macs.append(x.shape[2] * x.shape[3] * w.numel())
        elif isinstance(layer, nn.Linear):
            macs.append(x.numel() // x.shape[-1] * w.numel())
        else:
            macs.append(output.numel() // output.shape[1] * w.numel())

    counted = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.LSTM, nn.GRU)
    for layer in module.modules():
        if isinstance(layer, counted):
            layer.register_forward_hook(count)
    with torch.no_grad():
        module.eval()(example)
    return sum(macs), sum(weights)


def zoo(torch):
    """A network that has one of everything, and its input."""
    nn = torch.nn

    class Zoo(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(
                nn.Conv2d(3, 8, 3, stride=2, padding=1),
                nn.BatchNorm2d(8),
                nn.ReLU6(),
                nn.Conv2d(8, 8, 3, padding=1, groups=8),
                nn.Hardswish(),
                nn.Conv2d(8, 12, 3, padding=2, dilation=2, groups=2),
                nn.MaxPool2d(2),
                nn.Conv2d(12, 24, 3, padding=1, groups=12),
                nn.Conv2d(24, 8, (3, 1), stride=(2, 1), padding=(1, 0)),
                nn.ConvTranspose2d(8, 6, 4, stride=2, padding=1),
                nn.ConvTranspose2d(6, 6, 3, stride=2, groups=3, output_padding=1),
                nn.SiLU(),
            )
            self.time = nn.Conv1d(6, 10, 5, padding=2, stride=3)
            self.lstm = nn.LSTM(10, 7, num_layers=2, bidirectional=True)
            self.gru = nn.GRU(14, 5)
            self.head = nn.Sequential(nn.LayerNorm(5), nn.Linear(5, 9), nn.Softmax(-1))

        def forward(self, x):
            y = self.time(self.features(x).flatten(2))
            y, _ = self.lstm(y.permute(2, 0, 1))
            y, _ = self.gru(y)
            return self.head(y)

    return Zoo(), torch.zeros(1, 3, 16, 16)


@pytest.mark.parametrize("symbolic", [False, True])
def test_network_from_torch_counts_what_torch_counts(torch, tmp_path, symbolic):
    module, example = zoo(torch)
    path = tmp_path / "zoo.onnx"
    options = {"input_names": ["x"], "dynamic_axes": {"x": {0: "batch"}}} if symbolic else {}
    network = from_onnx(export(torch, module, example, path, dynamo=False, **options))
    assert (network.macs, network.weights) == count_with_hooks(torch, module, example)


def test_inverted_residual_counted_by_hand(torch, tmp_path):
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8))
            self.block = nn.Sequential(
                nn.Conv2d(8, 32, 1, bias=False),
                nn.ReLU6(),
                nn.Conv2d(32, 32, 3, padding=1, groups=32, bias=False),
                nn.ReLU6(),
                nn.Conv2d(32, 8, 1, bias=False),
            )
            self.head = nn.Linear(8, 10)

        def forward(self, x):
            y = self.stem(x)
            return self.head((y + self.block(y)).mean((2, 3)))

    path = export(torch, Block(), torch.zeros(1, 3, 16, 16), tmp_path / "b.onnx", dynamo=False)
    network = from_onnx(path)
    assert [layer.macs for layer in network.layers] == [
        8 * 3 * 9 * 64,
        32 * 8 * 64,
        32 * 9 * 64,
        8 * 32 * 64,
        8 * 10,
    ]
    assert network.weights == 8 * 3 * 9 + 32 * 8 + 32 * 9 + 8 * 32 + 80
    assert [layer.depthwise for layer in network.layers] == [False, False, True, False, False]


def test_transformer_of_the_new_exporter_with_symbolic_length(torch, tmp_path):
    pytest.importorskip("onnxscript", reason="needs onnxscript, torch's exporter")

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = torch.nn.Embedding(100, 32)
            self.block = torch.nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
            self.head = torch.nn.Linear(32, 7)

        def forward(self, tokens):
            y = self.block(self.embed(tokens))
            return self.head(y.reshape(tokens.shape[0], tokens.shape[1], 16, 2).flatten(2))

    tokens = torch.zeros(2, 6, dtype=torch.long)
    shapes = ({0: "batch", 1: "length"},)
    path = tmp_path / "encoder.onnx"
    export(torch, Encoder(), tokens, path, dynamo=True, dynamic_shapes=shapes, verbose=False)
    network = from_onnx(path, sizes={"length": 6})
    assert [layer.macs for layer in network.layers] == [
        6 * 32 * 96,  # queries, keys and values
        4 * 6 * 6 * 8,  # queries by keys, of four heads
        4 * 6 * 6 * 8,  # by values
        6 * 32 * 32,
        6 * 32 * 64,
        6 * 64 * 32,
        6 * 32 * 7,
    ]
