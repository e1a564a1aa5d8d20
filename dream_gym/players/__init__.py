"""Who plays: one protocol over schedulers, tuned files, trained agents, and players of yours."""

from dream_gym.players.many import ManyResults, simulate_many
from dream_gym.players.player import Player
from dream_gym.players.references import check_reference, make_player, short_name
from dream_gym.players.scheduler import CompiledPlayer, EnginePlayer, OptionValue

__all__ = [
    "CompiledPlayer",
    "EnginePlayer",
    "ManyResults",
    "OptionValue",
    "Player",
    "check_reference",
    "make_player",
    "short_name",
    "simulate_many",
]
