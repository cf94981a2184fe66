"""Constellations: the library behind the executable companion to *Global Minimizers of Sigmoid Contrastive Loss*."""

__version__ = "0.1.0"
