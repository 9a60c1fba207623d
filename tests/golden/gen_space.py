"""Landmark warps of space: SciPy's RBFInterpolator (kernel linear, which is -r, degree 1) and moving least squares
by their formulas with NumPy's singular values. Writes registration_space.json beside this file."""
import json, sys
from pathlib import Path
import numpy as np, scipy
from scipy.interpolate import RBFInterpolator
sys.path.insert(0, str(Path(__file__).resolve().parent))
from lcg import Lcg

g = Lcg(301)
moving = g.U(9, 3) * [40.0, 30.0, 25.0]
turn, _ = np.linalg.qr(Lcg(302).N(3, 3))
turn *= np.sign(np.linalg.det(turn))
fixed = 1.1 * moving @ turn.T + [12.0, -60.0, 95.0] + g.N(9, 3) * 1.5
query = g.U(12, 3) * [60.0, 50.0, 45.0] - 10.0
out = {"versions": {"python": sys.version.split()[0], "numpy": np.__version__, "scipy": scipy.__version__},
       "moving": moving.tolist(), "fixed": fixed.tolist(), "query": query.tolist()}

for smoothing in (0.0, 0.5, 8.0):
    fit = lambda p, q: RBFInterpolator(p, q, kernel="linear", degree=1, smoothing=smoothing)
    warp = fit(moving, fixed)
    rest = [np.delete(np.arange(9), i) for i in range(9)]
    left_out = [float(np.linalg.norm(fit(moving[r], fixed[r])(moving[i:i + 1])[0] - fixed[i])) for i, r in enumerate(rest)]
    out[f"tps_{smoothing}"] = {"at_query": warp(query).tolist(), "at_moving": warp(moving).tolist(), "leave_one_out": left_out}


def mls(kind, v):
    w = 1.0 / ((moving - v) ** 2).sum(1)
    p0, q0 = w @ moving / w.sum(), w @ fixed / w.sum()
    p, q = moving - p0, fixed - q0
    if kind == "affine":
        m = (q.T * w) @ p @ np.linalg.inv((p.T * w) @ p)
    else:
        u, s, vt = np.linalg.svd((q.T * w) @ p)
        d = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
        m = u @ d @ vt
        if kind == "similarity":
            m = m * (s * np.diag(d)).sum() / (w * (p ** 2).sum(1)).sum()
    return m @ (v - p0) + q0


for kind in ("rigid", "similarity", "affine"):
    out[f"mls_{kind}"] = [mls(kind, v).tolist() for v in query]
Path(__file__).with_name("registration_space.json").write_text(json.dumps(out, indent=1) + "\n")
