"""Contrastive losses: the sigmoid loss in both parameterisations, InfoNCE and the triplet loss.

Sign and scale, once: the logit of a pair is ``t s_ij - b = t (s_ij - b_rel)``; the functions sum over the ``N^2``
pairs unless ``reduction`` says otherwise, :class:`SigmoidLoss` takes their mean. SigLIP's released code writes
``t s_ij + b``: its bias is the negative of ours.
"""

from constellations.losses.bias import OptimalBias, optimal_bias
from constellations.losses.distributed import distributed_sigmoid_loss
from constellations.losses.module import SigmoidLoss
from constellations.losses.rows import info_nce, triplet
from constellations.losses.sigmoid import sigmoid_loss, signed_logits

__all__ = [
    "OptimalBias", "SigmoidLoss", "distributed_sigmoid_loss", "info_nce", "optimal_bias", "sigmoid_loss",
    "signed_logits", "triplet",
]  # fmt: skip
