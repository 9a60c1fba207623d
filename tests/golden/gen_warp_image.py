"""Numbers of SciPy and SimpleITK for `warp image`: a smooth 60 x 44 picture pulled through an affine map and through a thin plate
onto 50 x 48 pixels. Maps lead from moving to fixed pixels; the plate is inverted by solving for every fixed pixel.
Run: python gen_warp_image.py > warp_image.json
"""
import json
import sys

import numpy as np
import scipy
import SimpleITK as sitk
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import map_coordinates
from scipy.optimize import fsolve

W, H, OUT_W, OUT_H = 60, 44, 50, 48
y, x = np.mgrid[:H, :W]
picture = (100 + 40 * np.sin(x / 5.0) * np.cos(y / 7.0) + 0.5 * x).astype(np.float32)
fixed = np.stack(np.meshgrid(np.arange(OUT_W), np.arange(OUT_H)), -1).reshape(-1, 2).astype(float)

affine = np.array([[0.9, -0.25, 6.0], [0.2, 1.05, -3.5], [0, 0, 1]])
pairs_moving = np.array([[5, 5], [52, 6], [8, 38], [50, 36], [28, 20], [20, 30]], float)
pairs_fixed = np.array([[3, 6], [44, 2], [6, 43], [45, 40], [23, 25], [14, 33]], float)
plate = RBFInterpolator(pairs_moving, pairs_fixed, kernel="thin_plate_spline")

back = np.linalg.inv(affine)
at_affine = fixed @ back[:2, :2].T + back[:2, 2]
start = np.linalg.lstsq(np.c_[pairs_fixed, np.ones(6)], pairs_moving, rcond=None)[0]
at_plate = np.array([fsolve(lambda p: plate(p[None])[0] - q, np.r_[q, 1] @ start, xtol=1e-12) for q in fixed])


def pulled(at, order):
    # Inside is [0, n - 1]; the half pixel around it, which ITK and this program have too, is left to ITK's numbers.
    values = map_coordinates(picture.astype(float), [at[:, 1], at[:, 0]], order=order, mode="constant", cval=np.nan)
    return [None if np.isnan(v) else round(float(v), 5) for v in values]


image = sitk.GetImageFromArray(picture)
transform = sitk.AffineTransform(back[:2, :2].ravel().tolist(), back[:2, 2].tolist())  # fixed -> moving
like = sitk.Image(OUT_W, OUT_H, sitk.sitkFloat32)
itk = sitk.GetArrayFromImage(sitk.Resample(image, like, transform, sitk.sitkLinear, -1.0))
itk_nearest = sitk.GetArrayFromImage(sitk.Resample(image, like, transform, sitk.sitkNearestNeighbor, -1.0))
listed = lambda a: [None if v == -1 else round(float(v), 5) for v in a.ravel()]
json.dump(dict(
    versions=dict(numpy=np.__version__, scipy=scipy.__version__, SimpleITK=sitk.Version_VersionString(), python=sys.version.split()[0]),
    size=[W, H], out_size=[OUT_W, OUT_H], affine=affine.tolist(),
    pairs_moving=pairs_moving.tolist(), pairs_fixed=pairs_fixed.tolist(),
    affine_scipy=pulled(at_affine, 1), affine_itk=listed(itk), affine_itk_nearest=listed(itk_nearest), plate_scipy=pulled(at_plate, 1),
), sys.stdout)
