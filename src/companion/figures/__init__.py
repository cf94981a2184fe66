"""Figures of the book: one style, one module per topic, one function per picture (arrays in, Figure out)."""
