"""Synchronisation by gradient descent: many independent runs of the paper's optimisation at once.

Adam on the product of spheres, with analytic gradients of the sigmoid loss; two or more modalities over a graph, a locked
modality, an explicit adapter; points, inverse temperature and bias (or relative bias) trained together.
"""

from constellations.training.engine import synchronize
from constellations.training.measures import Synchronization, Trajectory
from constellations.training.optimizers import Adam, Descent
from constellations.training.settings import default_device, graph_edges
from constellations.training.sweeps import Sweep, sweep

__all__ = [
    "Adam",
    "Descent",
    "Sweep",
    "Synchronization",
    "Trajectory",
    "default_device",
    "graph_edges",
    "sweep",
    "synchronize",
]
