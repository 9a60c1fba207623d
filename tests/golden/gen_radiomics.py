"""Values of mirp for made-up regions, and the consensus values of the standard for its digital phantom.

python gen_radiomics.py IBSI_TABLE.csv   (mirp 2.5.0, numpy 2.4.6, nibabel 5.4.2; writes radiomics.json)

The table is ibsi_1_dig_phantom.csv: consensus values of the Image Biomarker Standardisation Initiative
(Zwanenburg A and others, Radiology 2020;295:328), as transcribed in oncoray/mirp at d8a6a72.
"""
import csv
import json
import logging
import os
import re
import sys
import tempfile
import warnings
from importlib.metadata import version

import nibabel
import numpy as np

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
from mirp import extract_features

SIZE = (24, 20, 14)
SPACING = (1.25, 1.25, 3.0)


def texture(seed):
    """Sums of 27 whole random numbers around each voxel, in eighths; the same in any language."""
    n, s = SIZE[0] * SIZE[1] * SIZE[2], seed
    values = np.empty(n, dtype=np.int64)
    for i in range(n):
        s = (1103515245 * s + 12345) % 2**31
        values[i] = (s >> 8) % 100
    v = np.pad(values.reshape(SIZE[::-1]), 1, mode="edge")
    sums = sum(v[k:k + SIZE[2], j:j + SIZE[1], i:i + SIZE[0]] for k in range(3) for j in range(3) for i in range(3))
    return sums / 8.0


def mask():
    """An ellipsoid with a hollow, a notch and a voxel of its own, in whole numbers."""
    k, j, i = np.mgrid[:SIZE[2], :SIZE[1], :SIZE[0]]
    inside = ((2 * i - 23) ** 2 * 64 * 25 + (2 * j - 18) ** 2 * 81 * 25 + (2 * k - 13) ** 2 * 81 * 64) < 4 * 81 * 64 * 25
    inside &= ~((i - 14) ** 2 + (j - 9) ** 2 + 4 * (k - 6) ** 2 < 9)
    inside &= ~((i > 16) & (j > 9) & (k > 7))
    inside[11, 16, 21] = True
    return inside


GLCM = ["2d_average", "2d_slice_merge", "2.5d_direction_merge", "2.5d_volume_merge", "3d_average", "3d_volume_merge"]
ZONE = ["2d", "2.5d", "3d"]
SPATIAL = dict(glcm_spatial_method=GLCM, glrlm_spatial_method=GLCM, glszm_spatial_method=ZONE, gldzm_spatial_method=ZONE,
               ngtdm_spatial_method=ZONE, ngldm_spatial_method=ZONE)
CASES = {
    "count": dict(base_discretisation_method="fixed_bin_number", base_discretisation_n_bins=16),
    "width": dict(base_discretisation_method="fixed_bin_size", base_discretisation_bin_width=7.0,
                  resegmentation_intensity_range=[140.0, 195.0]),
    "resampled": dict(base_discretisation_method="fixed_bin_number", base_discretisation_n_bins=12, new_spacing=2.0,
                      anti_aliasing=False, spline_order=1, roi_spline_order=1),
}


def tag(name):
    """The tag of the reference table."""
    name = re.sub(r"_(fbn_n\d+|fbs_w[\d.]+)$", "", name)
    name = re.sub(r"_d1(_a0\.0)?_", "_", name)
    name = name.replace("_2.5d", "_2_5D").replace("_2d", "_2D").replace("_3d", "_3D")
    name = re.sub(r"_(s_mrg|v_mrg)$", "_comb", name)
    return re.sub(r"_d_mrg$", "_avg", name)


def run(image, inside, options):
    with tempfile.TemporaryDirectory() as folder:
        affine = np.diag([-SPACING[0], -SPACING[1], SPACING[2], 1.0])
        paths = [os.path.join(folder, f"{n}.nii") for n in ("image", "mask")]
        nibabel.save(nibabel.Nifti1Image(image.T.astype(np.float32), affine), paths[0])
        nibabel.save(nibabel.Nifti1Image(inside.T.astype(np.uint8), affine), paths[1])
        table = extract_features(image=paths[0], mask=paths[1], image_modality="mr", num_cpus=1, **options, **SPATIAL)[0]
    row = table.iloc[0]
    kept = {tag(n): float(v) for n, v in row.items() if re.match(r"(morph|loc|stat|ih|ivh|cm|rlm|szm|dzm|ngt|ngl)_", n)}
    if inside.sum() > 1000 and "new_spacing" not in options:
        # mirp draws some voxels at random here; the sum over all pairs is checked by plain counting.
        del kept["morph_moran_i"], kept["morph_geary_c"]
    return {k: v for k, v in kept.items() if np.isfinite(v)}


def main():
    rows = list(csv.DictReader(open(sys.argv[1]), delimiter=";"))
    table = {r["tag"]: [float(r["reference value"]), float(r["tolerance"])] for r in rows if r["reference value"]}
    digits = {r["tag"]: r["reference value"] for r in rows if r["reference value"]}
    inside = mask()
    out = {
        "made_with": {p: version(p) for p in ("mirp", "numpy", "nibabel")},
        "reference": [[t, digits[t], table[t][1]] for t in table],
        "n_voxels": int(inside.sum()),
        "mirp": {name: run(texture(7), inside, options) for name, options in CASES.items()},
    }
    json.dump(out, open(os.path.join(os.path.dirname(__file__), "radiomics.json"), "w"), indent=0)


main()
