"""Engine and loss on a GPU agree with the CPU: ``pytest -m gpu`` on a machine with a card."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch

SCRIPTS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("gpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_everything_agrees_with_the_cpu(script) -> None:
    assert [row for row in script.check_parity("cuda") if row[-1].startswith("FAILED")] == []


@pytest.mark.parametrize("chunk_size", [None, 37])
def test_the_tolerances_of_the_loss_hold_between_precisions_on_the_cpu(script, chunk_size) -> None:
    for dtype in script.TOLERANCES["loss"]:
        errors = script.loss_parity("cpu", dtype, n_pairs=100, chunk_size=chunk_size)
        assert errors[0] <= script.TOLERANCES["loss"][dtype] and errors[1] <= script.TOLERANCES["gradient"][dtype]
