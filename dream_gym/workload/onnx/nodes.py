"""What is known about a node of an ONNX graph without running it, and which nodes cost nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

Shape = tuple[int | None, ...]

STANDARD_DOMAINS = ("", "ai.onnx")
"""The two names of the domain of the standard operators."""

# fmt: off
RANDOM = frozenset({
    "Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
    "RandomUniformLike",
})
"""Operators that are folded, though their output is not known from their input."""
FOLDED = RANDOM | frozenset({
    # Element by element
    "Abs", "Acos", "Acosh", "Add", "And", "Asin", "Asinh", "Atan", "Atanh", "BitCast", "BitShift",
    "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "Cast", "CastLike", "Ceil", "Celu",
    "Clip", "Cos", "Cosh", "DequantizeLinear", "Div", "Dropout", "DynamicQuantizeLinear", "Elu",
    "Equal", "Erf", "Exp", "Floor", "Gelu", "Greater", "GreaterOrEqual", "HardSigmoid",
    "HardSwish", "Identity", "IsInf", "IsNaN", "LeakyRelu", "Less", "LessOrEqual", "Log", "Max",
    "Mean", "Min", "Mish", "Mod", "Mul", "Neg", "Not", "Or", "PRelu", "Pow", "QuantizeLinear",
    "Reciprocal", "Relu", "RotaryEmbedding", "Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin",
    "Sinh", "Softplus", "Softsign", "Sqrt", "Sub", "Sum", "SwiGLU", "Swish", "Tan", "Tanh",
    "ThresholdedRelu", "Where", "Xor",
    # Pooling, reduction, normalisation
    "ArgMax", "ArgMin", "AveragePool", "BatchNormalization", "CumProd", "CumSum",
    "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "GroupNormalization", "Hardmax",
    "InstanceNormalization", "LRN", "LayerNormalization", "LogSoftmax", "LpNormalization",
    "LpPool", "MaxPool", "MaxRoiPool", "MaxUnpool", "MeanVarianceNormalization",
    "NegativeLogLikelihoodLoss", "RMSNormalization", "ReduceL1", "ReduceL2", "ReduceLogSum",
    "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum",
    "ReduceSumSquare", "RoiAlign", "Softmax", "SoftmaxCrossEntropyLoss",
    # Moving, selecting, resizing
    "CenterCropPad", "Col2Im", "Compress", "Concat", "DepthToSpace", "Expand", "Flatten",
    "Gather", "GatherElements", "GatherND", "GridSample", "NonMaxSuppression", "NonZero",
    "OneHot", "Pad", "Reshape", "Resize", "ReverseSequence", "Scatter", "ScatterElements",
    "ScatterND", "Shape", "Size", "Slice", "SpaceToDepth", "Split", "Squeeze", "TensorScatter",
    "Tile", "TopK", "Transpose", "Trilu", "Unique", "Unsqueeze", "Upsample",
    # Sequences and optional values
    "ConcatFromSequence", "Optional", "OptionalGetElement", "OptionalHasElement", "SequenceAt",
    "SequenceConstruct", "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength",
    "SplitToSequence",
    # Made from nothing
    "AffineGrid", "BlackmanWindow", "Constant", "ConstantOfShape", "EyeLike", "HammingWindow",
    "HannWindow", "MelWeightMatrix", "Range",
})
"""Operators of the standard domain that cost nothing here: they run with the layer before them."""
EVALUATED = frozenset({
    "Abs", "Add", "And", "ArgMax", "ArgMin", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr",
    "BitwiseXor", "Cast", "CastLike", "Ceil", "Clip", "Compress", "Concat", "Constant",
    "ConstantOfShape", "CumSum", "Div", "Equal", "Expand", "Flatten", "Floor", "Gather",
    "GatherElements", "GatherND", "Greater", "GreaterOrEqual", "Identity", "Less", "LessOrEqual",
    "Max", "Mean", "Min", "Mod", "Mul", "Neg", "NonZero", "Not", "OneHot", "Or", "Pow", "Range",
    "Reciprocal", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "Reshape",
    "Round", "ScatterElements", "ScatterND", "Shape", "Sign", "Size", "Slice", "Split", "Sqrt",
    "Squeeze", "Sub", "Sum", "Tile", "TopK", "Transpose", "Trilu", "Unique", "Unsqueeze", "Where",
    "Xor",
})
"""Operators whose outputs are computed where they are small and constant: shapes are made with
them, and their work and memory are in proportion to what they read and write."""
# fmt: on

_LONGEST = 300
"""Characters of a library's message that are passed on."""


class CannotCostError(Exception):
    """A node that cannot become a chain of layers; says why."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operator of a graph and what is known about it without running it.

    Args:
        name: Its name in the graph, made unique.
        kind: Its operator, with the domain before it unless it is the standard one.
        inputs: Shapes of its inputs, ``None`` where unknown or absent.
        outputs: Shapes of its outputs, likewise.
        constant: Whether each input is the same for every frame (weights, and what follows).
        attributes: Its whole-number attributes.
        reads: What it reads and who wrote that, in words.
        problem: Why shapes are unknown, if a reason was given.
        misfit: Whether the reason is that what it reads does not fit together.
    """

    name: str
    kind: str
    inputs: tuple[Shape | None, ...]
    outputs: tuple[Shape | None, ...]
    constant: tuple[bool, ...]
    attributes: Mapping[str, int | tuple[int, ...]]
    reads: str = ""
    problem: str = ""
    misfit: bool = False

    @property
    def output_elements(self) -> int | None:
        """Elements of all outputs, if known."""
        total = 0
        for shape in self.outputs:
            known = _known(shape)
            if known is None:
                return None
            total += math.prod(known)
        return total

    @property
    def is_constant(self) -> bool:
        """Whether its output is the same for every frame, because all its input is."""
        return self.kind not in RANDOM and bool(self.constant) and all(self.constant)

    def input(self, index: int) -> tuple[int, ...]:
        """The shape of an input; raises `CannotCostError` where it is unknown."""
        shape = self.inputs[index] if index < len(self.inputs) else None
        return self._require(shape, f"the shape of its input {index} is not known")

    def output(self) -> tuple[int, ...]:
        """The shape of the first output; raises `CannotCostError` where it is unknown."""
        shape = self.outputs[0] if self.outputs else None
        return self._require(shape, "the shape of its output is not known")

    def number(self, attribute: str, default: int) -> int:
        """A whole-number attribute."""
        value = self.attributes.get(attribute, default)
        if isinstance(value, tuple):
            raise CannotCostError(f"its attribute {attribute} is not one number")
        return value

    def _require(self, shape: Shape | None, problem: str) -> tuple[int, ...]:
        known = _known(shape)
        if known is None:
            raise CannotCostError(": ".join(filter(None, (problem, self.problem))))
        return known


def _known(shape: Shape | None) -> tuple[int, ...] | None:
    """The shape, if each of its dimensions is known."""
    if shape is None:
        return None
    known = tuple(size for size in shape if size is not None)
    return known if len(known) == len(shape) else None


def first_words(error: Exception) -> str:
    """The beginning of what an error says, on one line."""
    return " ".join(str(error).split())[:_LONGEST] or type(error).__name__
