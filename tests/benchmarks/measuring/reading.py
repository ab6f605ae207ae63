"""What images show, told fast: a linear reader of classes and columns, and how near two sets of images lie."""

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from privgan.arrays import Floats, Images, Integers

COMPARED, NEAREST = 1_500, 5


class Reader:
    """What a part's images show of each column: shares (n, values) for each of the class and the columns."""

    def __init__(self, images: Images, told: Integers, levels: tuple[int, ...]) -> None:
        small = _small(images)
        self._levels = levels
        self._points = PCA(min(100, len(small) - 1), svd_solver="covariance_eigh").fit(small[:3000])
        seen = self._seen(images)
        self._found = [
            LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.05).fit(seen[column >= 0], column[column >= 0])
            for column in told.T
        ]

    def _seen(self, images: Images) -> Floats:
        points = self._points.transform(_small(images)) / np.sqrt(self._points.explained_variance_)
        return np.column_stack([points, points[:, :8] ** 2])

    def says(self, images: Images) -> list[Floats]:
        """See the class."""
        seen, found = self._seen(images), []
        for levels, one in zip(self._levels, self._found, strict=True):
            shares = np.zeros((len(seen), levels))
            shares[:, one.classes_] = one.predict_proba(seen)
            found.append(shares)
        return found


def _small(images: Images) -> Floats:
    n, side, _ = images.shape
    step = side // 32
    return images.reshape(n, 32, step, 32, step).mean((2, 4)).reshape(n, -1) / 255.0


def score(shares: Floats, truth: Integers, *, ordered: bool) -> dict[str, float]:
    """auc, and of ordered columns kappa, of those whose value is known."""
    shares, truth = shares[truth >= 0], truth[truth >= 0]
    if not ordered:
        sides = range(1, 2) if shares.shape[1] == 2 else np.unique(truth).tolist()
        return {"auc": float(np.mean([roc_auc_score(truth == side, shares[:, side]) for side in sides]))}
    expected, cuts = shares @ np.arange(shares.shape[1]), np.unique(truth)[1:].tolist()
    aucs = [roc_auc_score(truth >= cut, expected) for cut in cuts]
    kappa = cohen_kappa_score(truth, shares.argmax(1), weights="quadratic")
    return {"auc": float(np.mean(aucs)), "kappa": float(kappa)}


def alike(real: Images, made: Images) -> dict[str, float]:
    """Precision, recall, density, coverage (Naeem et al. 2020) and kernel distance of images beside real ones."""
    points = PCA(64, svd_solver="covariance_eigh").fit(_small(real))
    a, b = (points.transform(_small(images[:COMPARED])) for images in (real, made))
    scale = points.explained_variance_**0.25
    a, b = a / scale, b / scale
    reach, other = (np.sort(cdist(side, side))[:, NEAREST] for side in (a, b))
    apart = cdist(a, b)
    inside = apart < reach[:, None]
    a, b = a / (spread := a.std(0)), b / spread
    kernels = [(x @ y.T / x.shape[1] + 1) ** 3 for x, y in ((a, a), (b, b), (a, b))]
    own = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in kernels[:2]]
    return {
        "precision": float(inside.any(0).mean()),
        "recall": float((apart < other).any(1).mean()),
        "density": float(inside.sum(0).mean() / NEAREST),
        "coverage": float((apart.min(1) < reach).mean()),
        "kernel": float(sum(own) - 2 * kernels[2].mean()),
    }
