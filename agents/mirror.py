"""The network of `learned` in torch, with the same weights and to rounding the same scores."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from agents.recordings import Choices
from dream_gym.schedulers.learned.weights import KIND_NAMES, tables_of
from dream_gym.simulator import Floats


class Mirror(nn.Module):
    """Scores options as `learned` does.

    Args:
        parameters: Header and weights, as compiled code reads them.
    """

    def __init__(self, parameters: Floats) -> None:
        super().__init__()
        self._parameters_before = parameters.copy()
        tables = tables_of(self._parameters_before)

        def of_kinds(name: str) -> nn.Parameter:
            rows = [torch.tensor(tables[f"{kind}.{name}"]) for kind in KIND_NAMES]
            return nn.Parameter(torch.stack(rows).float())

        self.bias, self.linear, self.output = map(of_kinds, ("bias", "linear", "output"))
        self.threshold = nn.Parameter(torch.tensor(tables["hidden.threshold"]).float())
        self.input = nn.Parameter(torch.tensor(tables["hidden.input"]).float())

    def sharpen(self, factor: float) -> None:
        """Multiply all scores, which makes choices less random and changes none that is best."""
        with torch.no_grad():
            for weights in (self.bias, self.linear, self.output):
                weights.mul_(factor)

    def forward(self, inputs: Tensor, kinds: Tensor) -> Tensor:
        """The scores.

        Args:
            inputs: Inputs of the options, float32 (options, inputs).
            kinds: Their kinds, int64 (options,).

        Returns:
            float32 (options,).
        """
        scores = self.bias[kinds, 0] + (self.linear[kinds] * inputs).sum(dim=1)
        if len(self.threshold):
            hidden = torch.relu(inputs @ self.input + self.threshold)
            scores = scores + (self.output[kinds] * hidden).sum(dim=1)
        return scores

    def parameters_now(self) -> Floats:
        """Header and weights of today."""
        parameters = self._parameters_before.copy()
        tables = tables_of(parameters)
        for name in ("bias", "linear", "output"):
            for kind, row in zip(KIND_NAMES, getattr(self, name).detach().numpy(), strict=True):
                tables[f"{kind}.{name}"][:] = row
        tables["hidden.threshold"][:] = self.threshold.detach().numpy()
        tables["hidden.input"][:] = self.input.detach().numpy()
        return parameters


class Batch(NamedTuple):
    """Choices as tensors, see `Choices`."""

    inputs: Tensor
    kinds: Tensor
    choice: Tensor
    taken: Tensor

    @classmethod
    def of(cls, choices: Choices) -> Batch:
        """The tensors of choices."""
        arrays = choices.inputs, choices.kinds, choices.choice, choices.taken_options
        return cls(*map(torch.from_numpy, arrays))

    def log_sums(self, scores: Tensor) -> Tensor:
        """The logarithm of the sum of exp(score) over the options of each choice, (choices,)."""
        choices = len(self.taken)
        most = torch.full((choices,), -torch.inf)
        most = most.scatter_reduce(0, self.choice, scores.detach(), "amax")
        terms = (scores - most[self.choice]).exp()
        return most + torch.zeros(choices).index_add(0, self.choice, terms).log()

    def log_chances(self, scores: Tensor) -> Tensor:
        """The logarithm of each option's chance, (options,)."""
        return scores - self.log_sums(scores)[self.choice]
