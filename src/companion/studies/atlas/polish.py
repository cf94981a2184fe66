"""Finding configurations of large margin at a given relative bias: annealed descent, then sequential linear programs."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix, hstack

NEAR = 6.0  # constraints within this many trust radii of the worst one enter a linear program


def margin_at(u: np.ndarray, v: np.ndarray, relative_bias: float) -> np.ndarray:
    """``min(min_i s_ii - b, b - max_{i != j} s_ij)``: the margin at this very relative bias, arrays ``[..., N, d]``."""
    s = u @ np.swapaxes(v, -1, -2) - relative_bias
    eye = np.eye(s.shape[-1], dtype=bool)
    return np.minimum(np.where(eye, s, np.inf).min((-1, -2)), np.where(eye, np.inf, -s).min((-1, -2)))


def anneal(
    u: np.ndarray,
    v: np.ndarray,
    *,
    relative_bias: float,
    n_steps: int = 1200,
    temperatures: tuple[float, float] = (4.0, 3000.0),
    tied: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Adam on ``log sum exp`` of the violated slacks, the inverse temperature rising geometrically.

    ``u, v`` are ``[R, N, d]``, ``R`` runs at once; ``tied`` keeps ``u = v`` and finds spherical codes.
    """
    points = np.stack([u, v])
    first, second = np.zeros_like(points), np.zeros_like(points)
    eye = np.eye(u.shape[-2], dtype=bool)
    sign = np.where(eye, -1.0, 1.0)
    for step in range(1, n_steps + 1):
        done = step / n_steps
        t = temperatures[0] ** (1 - done) * temperatures[1] ** done
        slack = sign * (points[0] @ np.swapaxes(points[1], -1, -2) - relative_bias)
        slack = np.where(eye, -np.inf, slack) if tied else slack
        weight = np.exp(t * (slack - slack.max((-1, -2), keepdims=True)))
        weight = sign * weight / weight.sum((-1, -2), keepdims=True)
        gradient = np.stack([weight @ points[1], np.swapaxes(weight, -1, -2) @ points[0]])
        if tied:
            gradient[:] = gradient.sum(0)
        gradient -= (gradient * points).sum(-1, keepdims=True) * points
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * (gradient**2).sum((-1, -2), keepdims=True)
        rate = min(0.3, 3.0 / t) * math.sqrt(u.shape[-2])
        points = points - rate * first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.99**step)) + 1e-30)
        points /= np.linalg.norm(points, axis=-1, keepdims=True)
    return points[0], points[1]


def polish(
    u: np.ndarray,
    v: np.ndarray,
    *,
    relative_bias: float,
    radius: float = 0.02,
    n_programs: int = 60,
    tied: bool = False,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Raise the margin of one configuration ``[N, d]`` by linear programs within a trust region, to full precision.

    Returns ``(u, v, margin)``; the margin never falls.
    """
    best = float(margin_at(u, v, relative_bias))
    for _ in range(n_programs):
        step = _program(u, v, relative_bias, best, radius, tied)
        if step is None:
            radius /= 4
            continue
        moved = [normalized(u + step[0]), normalized(v + step[1])]
        gained = float(margin_at(moved[0], moved[1], relative_bias)) - best
        if gained > 0:
            u, v, best = moved[0], moved[1], best + gained
        radius = 2 * radius if gained > 0.5 * step[2] else radius / 4
        if step[2] < 1e-14 or radius < 1e-14:
            break
    return u, v, float(margin_at(u, v, relative_bias))


def _program(
    u: np.ndarray, v: np.ndarray, b: float, margin: float, radius: float, tied: bool
) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Best first-order move with every tangent coordinate within ``radius``: ``(du, dv, gain)``."""
    n, d = u.shape
    s = u @ v.T
    slack = np.where(np.eye(n, dtype=bool), s - b, b - s)
    i, j = np.nonzero(slack <= margin + NEAR * radius)
    sign = np.where(i == j, 1.0, -1.0)
    frames = [_tangent_frames(u), _tangent_frames(v)]
    row = np.arange(len(i))
    blocks = []
    for frame, moving, other in ((frames[0], i, v[j]), (frames[1], j, u[i])):
        values = -sign[:, None] * np.einsum("rad,rd->ra", frame[moving], other)
        columns = moving[:, None] * (d - 1) + np.arange(d - 1)
        rows = np.broadcast_to(row[:, None], columns.shape)
        entries = values.ravel(), (rows.ravel(), columns.ravel())
        blocks.append(coo_matrix(entries, shape=(len(i), n * (d - 1))))
    moves = blocks[0] + blocks[1] if tied else hstack(blocks)
    n_moves = moves.shape[1]
    cost = np.zeros(n_moves + 1)
    cost[-1] = -1.0
    limits = [(-radius, radius)] * n_moves + [(None, None)]
    table = hstack([moves, np.ones((len(i), 1))]).tocsr()
    found = linprog(cost, A_ub=table, b_ub=slack[i, j] - margin, bounds=limits, method="highs")
    if found.status != 0:
        return None
    x = found.x[:-1].reshape(-1, n, d - 1)
    du = np.einsum("na,nad->nd", x[0], frames[0])
    dv = du if tied else np.einsum("na,nad->nd", x[1], frames[1])
    return du, dv, float(found.x[-1])


def _tangent_frames(points: np.ndarray) -> np.ndarray:
    """Orthonormal bases ``[N, d-1, d]`` of the tangent spaces, by Householder reflections of ``e_1`` to the points."""
    d = points.shape[1]
    side = np.where(points[:, 0] < 0, 1.0, -1.0)
    w = points.copy()
    w[:, 0] -= side
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    reflections = np.eye(d) - 2 * w[:, :, None] * w[:, None, :]
    return reflections[:, 1:, :]


def normalized(points: np.ndarray) -> np.ndarray:
    """Rows divided by their norms."""
    return points / np.linalg.norm(points, axis=-1, keepdims=True)
