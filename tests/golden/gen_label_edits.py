"""Edits of segmentations by SciPy and scikit-image: shape-based interpolation by distance transforms, filled holes,
largest pieces, flood fill, nearest resampling. Masks are stored as run lengths, 0 first, columns fastest.
Usage: python gen_label_edits.py label_edits.json"""
import json, sys
import numpy as np, scipy, skimage
from scipy import ndimage as ndi
from skimage.segmentation import flood

rng = np.random.default_rng(20)
NZ, NY, NX = 9, 40, 48
SPACING = (8.0, 1.7, 1.3)                                        # k, j, i in mm


def runs(mask):
    flat = np.asarray(mask, bool).ravel()
    edges = np.flatnonzero(np.diff(flat.astype(int))) + 1
    lengths = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    return lengths if not flat[0] else [0] + lengths


def blob(smooth, share):
    field = ndi.gaussian_filter(rng.standard_normal((NY, NX)), smooth)
    y, x = np.mgrid[:NY, :NX]
    field -= 0.004 * np.hypot((y - 20) * 1.2, x - 24) * np.abs(field).max() * 4
    return field > np.quantile(field, 1 - share)


drawn = np.zeros((NZ, NY, NX), bool)
for k, share in ((0, 0.18), (3, 0.30), (8, 0.10)):
    drawn[k] = blob(2.5, share)


def signed(mask):
    most = np.hypot(NY * SPACING[1], NX * SPACING[2])
    inside = ndi.distance_transform_edt(mask, sampling=SPACING[1:])
    outside = ndi.distance_transform_edt(~mask, sampling=SPACING[1:])
    return np.minimum(inside, most) - np.minimum(outside, most)


between, ties = drawn.copy(), 0
for low, high in ((0, 3), (3, 8)):
    a, b = signed(drawn[low]), signed(drawn[high])
    for k in range(low + 1, high):
        share = (k - low) / (high - low)
        mixed = a * (1 - share) + b * share
        # Where both outlines are as far, rounding decides; such pixels belong to the shape.
        between[k] = mixed >= -1e-9
        ties += int((np.abs(mixed) < 1e-9).sum())

noise = ndi.gaussian_filter(rng.standard_normal((NZ, NY, NX)), (0.6, 1.2, 1.2))
holed = noise > np.quantile(noise, 0.25)
by_slice = np.stack([ndi.binary_fill_holes(s) for s in holed])
in_space = ndi.binary_fill_holes(holed)

pieces = noise > np.quantile(noise, 0.8)


def largest(structure):
    labels, n = ndi.label(pieces, structure)
    sizes = np.bincount(labels.ravel())[1:]
    return labels == 1 + int(np.argmax(sizes))


image = np.round(ndi.gaussian_filter(rng.standard_normal((NZ, NY, NX)), (0.8, 2, 2)) * 1000).astype(int)
seed = (4, 20, 24)
out = {
    "versions": {"scipy": scipy.__version__, "scikit-image": skimage.__version__, "numpy": np.__version__},
    "size": [NX, NY, NZ], "spacing_mm": list(SPACING[::-1]),
    "ties": ties, "drawn": runs(drawn), "interpolated": runs(between),
    "holed": runs(holed), "filled_by_slice": runs(by_slice), "filled_in_space": runs(in_space),
    "pieces": runs(pieces),
    "largest": {str(n): runs(largest(ndi.generate_binary_structure(3, c))) for n, c in ((6, 1), (18, 2), (26, 3))},
    "image": image.ravel().tolist(), "seed": list(seed[::-1]), "tolerance": 60,
    "flood": {str(n): runs(flood(image, seed, connectivity=c, tolerance=60)) for n, c in ((6, 1), (18, 2), (26, 3))},
}
json.dump(out, open(sys.argv[1], "w"), separators=(",", ":"))
