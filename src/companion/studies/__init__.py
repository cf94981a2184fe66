"""Experiments of single chapters, too particular for the library."""
