"""Published tables, the atlas of best constellations, and the catalogue of spherical codes, as CSV text by name."""

from __future__ import annotations

from importlib.resources import files


def read_csv_text(name: str) -> str:
    """The text of a shipped CSV file by its stem, for example ``table1_modalities``.

    >>> read_csv_text("table1_modalities").splitlines()[0]
    'modalities,published_gap'
    """
    folder = files("constellations") / "data"
    names = sorted(entry.name[:-4] for entry in folder.iterdir() if entry.name.endswith(".csv"))
    if name not in names:
        raise ValueError(f"published table must be one of {', '.join(names)}, got {name!r}")
    return (folder / f"{name}.csv").read_text(encoding="utf-8")
