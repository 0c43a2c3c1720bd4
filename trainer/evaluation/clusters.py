"""Grouping by likeness: k-means (Lloyd 1982), begun by k-means++ (Arthur and Vassilvitskii 2007).

The points are first projected on their principal components, which leave out what varies least. How many groups there
are is chosen by the mean silhouette (Rousseeuw 1987): how much closer each point is to its own group than to the
nearest other one, from -1 to 1. Below 0.1 all are one group.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

MOST_GROUPS = 6
_LEAST_POINTS = 4  # fewer are one group
_LEAST_SILHOUETTE = 0.1
_LEAST_SHARE = 0.05  # of all points, in each group: a few that are far from all others are no group
_COMPONENTS = 6
_STARTS, _STEPS = 8, 100


def grouped(points: Points, seed: int = 0) -> tuple[Labels, float]:
    """The group of each point, (n,), the largest group first, and the silhouette; 0 for a single group."""
    scaled = _projected(points)
    distances = np.sqrt(_squares(scaled, scaled))
    best, score = np.zeros(len(points), np.int64), _LEAST_SILHOUETTE
    for count in range(2, min(MOST_GROUPS, len(points) - 1) + 1 if len(points) >= _LEAST_POINTS else 2):
        labels = _k_means(scaled, count, np.random.default_rng([seed, count]))
        silhouette = _silhouette(distances, labels)
        small = np.bincount(labels).min() < max(2, _LEAST_SHARE * len(points))
        if silhouette > score and not small:
            best, score = labels, silhouette
    sizes = np.bincount(best)
    ranks = np.argsort(np.argsort(-sizes, kind="stable"), kind="stable")
    return ranks[best], score if len(sizes) > 1 else 0.0


def middle_of(points: Points, labels: Labels, group: int) -> int:
    """The point of a group that is closest to all others of it."""
    own = np.flatnonzero(labels == group)
    return int(own[_squares(points[own], points[own]).sum(axis=1).argmin()])


def _projected(points: Points) -> Points:
    """The points on their first principal components."""
    centred = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(centred @ axes[:_COMPONENTS].T)


def _k_means(points: Points, count: int, rng: np.random.Generator) -> Labels:
    best, least = np.zeros(len(points), np.int64), np.inf
    for _ in range(_STARTS):
        centres = points[[int(rng.integers(len(points)))]]
        while len(centres) < count:
            nearest = _squares(points, centres).min(axis=1)
            likely = nearest / nearest.sum() if nearest.sum() > 0 else None
            centres = np.concatenate([centres, points[[int(rng.choice(len(points), p=likely))]]])
        labels = _squares(points, centres).argmin(axis=1)
        for _ in range(_STEPS):
            own = [points[labels == group] for group in range(count)]
            centres = np.array([each.mean(axis=0) if len(each) else centres[k] for k, each in enumerate(own)])
            before, labels = labels, _squares(points, centres).argmin(axis=1)
            if np.array_equal(before, labels):
                break
        inertia = float(_squares(points, centres).min(axis=1).sum())
        if inertia < least and len(np.unique(labels)) == count:
            best, least = labels, inertia
    return best


def _silhouette(distances: Points, labels: Labels) -> float:
    groups = np.unique(labels)
    if len(groups) < 2:
        return -1.0
    sizes = np.array([(labels == group).sum() for group in groups])
    sums = np.stack([distances[:, labels == group].sum(axis=1) for group in groups], axis=1)
    own = np.searchsorted(groups, labels)
    rows = np.arange(len(labels))
    inside = sums[rows, own] / np.maximum(sizes[own] - 1, 1)
    means = sums / sizes
    means[rows, own] = np.inf
    outside = means.min(axis=1)
    silhouettes = np.where(sizes[own] > 1, (outside - inside) / np.maximum(np.maximum(inside, outside), 1e-12), 0.0)
    return float(silhouettes.mean())


def _squares(one: Points, other: Points) -> Points:
    """The squared distances between two sets of points, (n, m)."""
    found = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    return np.asarray(np.maximum(found, 0.0))
