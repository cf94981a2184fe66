"""Engine and loss on a GPU agree with the CPU: ``pytest -m gpu`` on a machine with a card."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "gpu.py"


@pytest.fixture(scope="module")
def script():
    specification = importlib.util.spec_from_file_location("gpu_benchmark", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_everything_agrees_with_the_cpu(script) -> None:
    assert [line for line in script.check_parity("cuda") if line.startswith("FAILED")] == []


def test_the_tolerances_of_the_loss_hold_between_precisions_on_the_cpu(script) -> None:
    for dtype, tolerance in script.TOLERANCE.items():
        for chunk_size in (None, 37):
            assert script.loss_parity("cpu", dtype, n_pairs=100, chunk_size=chunk_size) <= tolerance
