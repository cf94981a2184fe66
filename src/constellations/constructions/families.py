"""Construction 3: the family on which Theorem 3.6 cannot be improved."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from constellations.constructions.arguments import append, require_integer
from constellations.constructions.codes import simplex


def tight_modality_gap(dim: int, *, n_wedge: int) -> tuple[Tensor, Tensor]:
    r"""Construction 3: ``N = n_wedge + dim - 1`` pairs with ``s_ii > 0 > s_ij``, ``dim - 1`` of them with ``u = v``.

    Vertices ``w_0..w_{d-1}`` of a regular simplex in ``R^{d-1}``: the last ``d-1`` give pairs ``u = v = (w_a, 0)``;
    near ``w_0``, ``n_wedge`` points ``x_i`` on an arc give ``u_i = (x_i sin, cos)`` and its mirror image ``v_i`` with
    ``cot^2 = (1+c)/2``, ``c`` the inner product of neighbours. A hyperplane through the origin cannot separate a
    point from itself, so at most ``N - dim + 1`` pairs are separated; ``h = e_d`` separates that many.

    Parameters
    ----------
    dim:
        ``d >= 3``.
    n_wedge:
        Points of the wedge, at least 3 (so that ``N >= d + 2``).

    Returns
    -------
    (u, v)
        ``[N, d]`` each, the wedge first.

    Examples
    --------
    >>> u, v = tight_modality_gap(3, n_wedge=5)
    >>> u.shape, torch.equal(u[5:], v[5:])
    (torch.Size([7, 3]), True)
    """
    require_integer(dim, "dim", 3)
    require_integer(n_wedge, "n_wedge", 3)
    w = simplex(dim)
    across = (w[1] - w[2]) / (w[1] - w[2]).norm()
    half_width = math.atan(1 / ((dim - 1) * (across @ w[1]).item())) / 2
    azimuth = torch.linspace(-half_width, half_width, n_wedge, dtype=torch.float64)[:, None]
    arc = azimuth.cos() * w[0] + azimuth.sin() * across
    cotangent = math.sqrt((1 + math.cos(2 * half_width / (n_wedge - 1))) / 2)
    sine = 1 / math.sqrt(1 + cotangent**2)
    height = cotangent * sine
    equator = append(w[1:], 0.0)
    return (
        torch.cat([append(sine * arc, height), equator]),
        torch.cat([append(sine * arc, -height), equator]),
    )
