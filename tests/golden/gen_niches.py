"""Log-ratios of compositions by scikit-bio and silhouettes by scikit-learn, for `tests/niches.rs`.

    python gen_niches.py > niches.json

Inputs come from `lcg.py`, so that the test can repeat them. Versions are stored with the numbers.
"""
import json
import numpy as np
import skbio
import sklearn
from skbio.stats.composition import ilr, multi_replace
from sklearn.metrics import silhouette_score
from lcg import Lcg

r = Lcg(921)
n, k = 90, 5
# Three niches around three profiles; a fifth of the small shares are none.
profiles = np.array([[8, 1, 1, 0.5, 0.5], [1, 8, 0.5, 1, 2], [0.5, 1, 1, 8, 4]], float)
x = np.zeros((n, k))
for i in range(n):
    for j in range(k):
        v = profiles[i % 3, j] * (0.5 + r.u())
        x[i, j] = 0.0 if r.u() < 0.2 and v < 1.0 else v
filled = multi_replace(x)
z = ilr(filled)
d = np.sqrt(((z[:, None] - z[None]) ** 2).sum(-1))
print(json.dumps(dict(
    versions=dict(skbio=skbio.__version__, sklearn=sklearn.__version__, numpy=np.__version__),
    replaced=filled.tolist(), distances=d[0].tolist(), others=d[7].tolist(),
    silhouette=float(silhouette_score(z, np.arange(n) % 3)),
)))
