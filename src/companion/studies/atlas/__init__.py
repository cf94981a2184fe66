"""An atlas for Problem 1: the best margins found for few pairs in few dimensions, certified in integers."""

from companion.studies.atlas.table import Entry, certify, load_atlas, load_codes, margin_from_codes, save_atlas

__all__ = ["Entry", "certify", "load_atlas", "load_codes", "margin_from_codes", "save_atlas"]
