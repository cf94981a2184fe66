"""Synchronisation by gradient descent: many independent runs of the paper's optimisation at once.

Adam on the product of spheres, with analytic gradients of the sigmoid loss; two or more modalities over a graph, a locked
modality, an explicit adapter, finite batches, several positives; points, inverse temperature and bias (or relative bias)
trained together. :func:`minimize` takes any other loss of two modalities.
"""

from constellations.training.any_loss import Minimization, minimize
from constellations.training.engine import synchronize
from constellations.training.measures import Synchronization, Trajectory
from constellations.training.optimizers import Adam, Descent
from constellations.training.settings import Sweep, default_device, graph_edges, sweep

__all__ = [
    "Adam", "Descent", "Minimization", "Sweep", "Synchronization", "Trajectory", "default_device",
    "graph_edges", "minimize", "sweep", "synchronize",
]  # fmt: skip
