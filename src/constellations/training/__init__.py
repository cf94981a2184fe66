"""The synchroniser: many independent runs of Adam on a product of spheres, at once."""

from constellations.training.measures import History, Synchronization
from constellations.training.settings import default_device, sweep
from constellations.training.synchronizer import synchronize

__all__ = ["History", "Synchronization", "default_device", "sweep", "synchronize"]
