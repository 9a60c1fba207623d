"""Spatial graphs and autocorrelation of libpysal and esda on made-up spots.

python gen_autocorrelation.py   (esda 2.9.0, libpysal 4.14.1, numpy 2.4.6, scipy; writes autocorrelation.json)
"""
import json
import os
import warnings
from importlib.metadata import version

import esda
import libpysal
import numpy as np
from scipy.spatial import Delaunay

warnings.filterwarnings("ignore")
N, GENES = 150, 8


def numbers(seed, n):
    s, out = seed, []
    for _ in range(n):
        s = (1103515245 * s + 12345) % 2**31
        out.append((s >> 7) % 10000)
    return np.array(out)


def finite(values):
    return [float(v) if np.isfinite(v) else None for v in values]


def main():
    u = numbers(3, 2 * N)
    xy = np.c_[u[:N] / 1000.0, u[N:] / 2000.0]
    values = np.empty((GENES, N))
    for g in range(GENES):
        noise = numbers(100 + g, N)
        if g % 2:    # counts, mostly 0
            values[g] = np.where(noise < 2000, noise % 7 + np.where(xy[:, 0] > 6, 5, 0), 0)
        else:        # a gradient and noise, in eighths so that single precision holds them
            values[g] = np.floor(8 * (g * xy[:, 1] + noise / 1000.0)) / 8
    points = Delaunay(xy)
    pairs = {i: set() for i in range(N)}
    for t in points.simplices:
        for a in t:
            pairs[int(a)] |= {int(b) for b in t if b != a}
    graphs = {
        "knn": libpysal.weights.KNN.from_array(xy, k=6),
        "radius": libpysal.weights.DistanceBand.from_array(xy, threshold=0.9, silence_warnings=True),
        "delaunay": libpysal.weights.W({i: sorted(v) for i, v in pairs.items()}),
    }
    out = {"made_with": {p: version(p) for p in ("esda", "libpysal", "numpy", "scipy")}, "graphs": {}}
    for name, w in graphs.items():
        w.transform = "r"
        genes = []
        for y in values:
            m, c = esda.Moran(y, w, permutations=0), esda.Geary(y, w, permutations=0)
            genes.append(dict(i=m.I, i_z=m.z_rand, i_p=m.p_rand, c=c.C, c_z=c.z_rand))
        local = esda.Moran_Local(values[2], w, permutations=0)
        lee = esda.lee.Spatial_Pearson(connectivity=w.sparse, permutations=0).fit(values[2][:, None], values[4][:, None])
        out["graphs"][name] = dict(neighbors=[sorted(int(j) for j in w.neighbors[i]) for i in range(N)], genes=genes,
                                   local=finite(local.Is),
                                   # The moments belong to the scaling by n.
                                   local_z=finite((local.Is * N / (N - 1) - local.EI) / np.sqrt(local.VI)),
                                   lee=float(lee.association_[0, 1]))
    json.dump(out, open(os.path.join(os.path.dirname(__file__), "autocorrelation.json"), "w"), indent=0)
    print(out["made_with"], {k: (len(v["genes"]), v["genes"][1], sum(not n for n in v["neighbors"]), v["lee"]) for k, v in out["graphs"].items()})


main()
