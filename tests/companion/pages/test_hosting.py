"""Where the book is shown: buttons for repositories that have them, and a port that is taken."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from companion.pages import staging

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("address", "buttons"), [
    ("https://github.com/me/book.git", {"binderhub_url": "https://mybinder.org"}),
    ("https://gitlab.com/me/book", None),
])  # fmt: skip
def test_buttons_lead_where_the_repository_can_be_opened(address, buttons, monkeypatch):
    """Without ``.git`` in the links, and no button for Colab, which lacks the library."""
    monkeypatch.setenv(staging.REPOSITORY_VARIABLE, address)
    configuration = {"html": {}}
    assert staging.configured(configuration) == configuration["repository"]["url"] == address.removesuffix(".git")
    assert configuration.get("launch_buttons") == buttons


@pytest.mark.parametrize("address", ["ftp://me/book", "pages.example"])
def test_an_address_that_no_reader_can_open_is_refused(address):
    with pytest.raises(ValueError, match=rf"must begin with https://, got '{address}'"):
        staging.published({"html": {"baseurl": address}})


def test_a_port_that_is_taken_is_one_line(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    page = tmp_path / "_build" / "quick" / "html" / "index.html"
    page.parent.mkdir(parents=True)
    page.touch()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = ["make", "READY=Makefile", "PROFILE=quick", "serve", f"PORT={port}"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and f"error: port {port} is taken" in done.stderr and "Traceback" not in done.stderr
