"""What the score of `learned` sees, and where it stands in the vectors.

Times and energies enter as half the logarithm to the base 2 of a ratio, from -4 to 4, or as a part
a / (a + b), so that the same weights serve any number of models and accelerators, and decide alike
where all times are some times as long. All features are of the order of 1.
"""

from __future__ import annotations

CONTEXT_FEATURES = {
    "idle": "share of the accelerators that are idle",
    "crowd": "frames to choose from",
    "load": "their least work / (accelerators x mean slack), logarithm",
    "late_share": "of those frames",
    "violated": "UXCost's first factor: violations per frame due so far, summed over models",
    "energy": "its second factor: mean energy of a frame over its worst case, mean over models",
    "passed": "share of the run that has passed",
}
"""Of the whole."""
(IDLE, CROWD, LOAD, LATE_SHARE, VIOLATED, ENERGY, PASSED) = range(len(CONTEXT_FEATURES))
CONTEXT = len(CONTEXT_FEATURES)

FRAME_FEATURES = {
    "urgency": "least time to its end / slack, logarithm",
    "late": "it is past its deadline",
    "tight": "it is not, but cannot make it any more",
    "lateness": "time past the deadline, as a part of that and the least time to its end",
    "starvation": "time since it was ready / mean latency of its layer, logarithm",
    "done": "share of its least work that is done",
    "work": "least time to its end / the shortest relative deadline of all models, logarithm",
    "clean": "its model has violated nothing yet",
    "price": "what a violation adds to the first factor over what it adds on average, logarithm",
    "saving": "energy that completing it needs, as a share of what losing it is charged",
    "started": "it has run a layer",
    "backlog": "waiting frames of its model / its backlog limit",
    "losses": "share of its model's last 10 frames that were lost",
    "children": "frames that it is expected to trigger",
    "child_urgency": "as its own urgency, to the end of the most urgent of these",
    "child_price": "what violating all these adds to the first factor over what it adds itself",
    "demand": "least work of frames that are due no later / (accelerators x slack), logarithm",
    "younger": "an older frame of its model waits, too",
    "picky": "1 - least latency of its layer / mean",
    "slack": "slack / its relative deadline",
}
"""Of a frame."""
(
    URGENCY,
    LATE,
    TIGHT,
    LATENESS,
    STARVATION,
    DONE,
    WORK,
    CLEAN,
    PRICE,
    SAVING,
    STARTED,
    BACKLOG,
    LOSSES,
    CHILDREN,
    CHILD_URGENCY,
    CHILD_PRICE,
    DEMAND,
    YOUNGER,
    PICKY,
    SLACK,
) = range(len(FRAME_FEATURES))
FRAME = len(FRAME_FEATURES)

PAIR_FEATURES = {
    "slower": "latency there over the least, logarithm",
    "wait": "time until the accelerator is idle, as a part of that and the least latency",
    "finish": "time to the layer's end there over the least, logarithm",
    "costlier": "energy there over the least, logarithm",
    "switch": "time of the context switch, as a part of that and the latency",
    "busy": "it runs another frame",
    "same": "the accelerator ran the frame last",
    "delay": "time that this choice loses / slack",
    "misses": "the frame is then too late, and would not be otherwise",
    "queue": "work of other frames that is fastest there, as a part of that and that deadline",
    "hold": "latency there / the shortest relative deadline, logarithm",
    "blocks": "time that it takes from a frame to come that is fastest there, as a part of that "
    "and the frame's spare time; the most of all these",
    "used": "share of the time so far that the accelerator was busy",
    "urgent_slower": "urgency x slower",
    "urgent_wait": "urgency x wait",
    "urgent_costlier": "urgency x costlier",
    "late_slower": "late x slower",
    "late_costlier": "late x costlier",
    "spare_costlier": "share of the time so far that the accelerators were idle x costlier",
}
"""Of a frame on an accelerator; the last six are products of others."""
(
    SLOWER,
    WAIT,
    FINISH,
    COSTLIER,
    SWITCH,
    BUSY,
    SAME,
    DELAY,
    MISSES,
    QUEUE,
    HOLD,
    BLOCKS,
    USED,
    URGENT_SLOWER,
    URGENT_WAIT,
    URGENT_COSTLIER,
    LATE_SLOWER,
    LATE_COSTLIER,
    SPARE_COSTLIER,
) = range(len(PAIR_FEATURES))
PAIR = len(PAIR_FEATURES)

INPUT_NAMES = (*PAIR_FEATURES, *FRAME_FEATURES, *CONTEXT_FEATURES)
"""All of them, in the order of the network's inputs."""
