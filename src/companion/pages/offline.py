"""A Sphinx extension: leave out what Jupyter Book adds to every page for live code, which would load from the network."""

from __future__ import annotations

from typing import Any

UNWANTED = "sphinx_thebe"


def setup(app: Any) -> dict[str, bool]:
    """Undo the set-up of Thebe: its event handlers, with the scripts that they add, and its style sheet."""
    for listeners in app.events.listeners.values():
        listeners[:] = [entry for entry in listeners if entry.handler.__module__ != UNWANTED]
    app.registry.css_files[:] = [entry for entry in app.registry.css_files if "thebe" not in str(entry[0])]
    return {"parallel_read_safe": True, "parallel_write_safe": True}
