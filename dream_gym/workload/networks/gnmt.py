"""GNMT: translation, token by token."""

from __future__ import annotations

from dream_gym.errors import ConfigError
from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder, Shape

_UNITS = 1024
_VOCABULARY = 32_000


def gnmt(tokens: int = 8, rows: int = 1) -> Network:
    """Google's translation network, encoder and decoder stepping once for each token.

    Every LSTM step is one matrix-vector product, or with ``rows`` one matrix product for so many
    tokens: that is not how a translation can run, since a token needs the one before it, but how
    the layer tables of benchmarks count it. All encoder layers read 1024 features: the two
    directions of the first are added, where the publication concatenates them (2 % more). The
    attention is only its query projection; the embedding lookup is not a layer.

    Args:
        tokens: Tokens to translate in one request.
        rows: Tokens that go through a layer at once; it divides ``tokens``.

    Raises:
        ConfigError: It does not.
    """
    if rows < 1 or tokens % rows:
        raise ConfigError(f"gnmt: rows: {rows} does not divide the {tokens} tokens")
    embedding = Shape(_UNITS, rows)
    net = ChainBuilder(_UNITS, rows)
    for token in range(1, tokens // rows + 1):
        name = f"token{token}"
        net.at(embedding).lstm_step(f"{name}.encoder1.forward", _UNITS)
        net.at(embedding).lstm_step(f"{name}.encoder1.backward", _UNITS)
        for layer in range(2, 9):
            net.lstm_step(f"{name}.encoder{layer}", _UNITS)
        context = net.conv(f"{name}.attention", _UNITS, 1)
        net.at(embedding)
        for layer in range(1, 9):
            net.concat(net.shape, context)
            net.lstm_step(f"{name}.decoder{layer}", _UNITS)
        net.conv(f"{name}.softmax", _VOCABULARY, 1)
    return Network(
        "gnmt",
        tuple(net.layers),
        source="Wu et al., Google's Neural Machine Translation System, arXiv:1609.08144, 2016",
    )
