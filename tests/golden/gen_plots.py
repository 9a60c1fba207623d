"""Violins by numpy and scipy, dots and leading genes by scanpy, q-values by scipy, for `tests/plots.rs`.

    python gen_plots.py > plots.json

Inputs come from `lcg.py`, so that the test can repeat them. Versions are stored with the numbers.
"""
import json
import anndata
import numpy as np
import pandas as pd
import scanpy as sc
import scipy
from scipy.stats import false_discovery_control, gaussian_kde, ttest_ind
from lcg import Lcg

r = Lcg(77)
n, m, k = 120, 8, 3
# Counts: gene g stands out in group g % 3; the last gene is nowhere.
counts = np.zeros((n, m))
for i in range(n):
    for g in range(m):
        u = r.u()
        high = 30 if g % k == i % k else 6
        counts[i, g] = 0.0 if g == m - 1 else np.floor(u * u * high)
names = np.array(["a", "b", "c"])[np.arange(n) % k]
data = anndata.AnnData(counts.astype(np.float32), obs=pd.DataFrame({"group": pd.Categorical(names)}, index=[f"s{i}" for i in range(n)]))
data.var_names = [f"g{g}" for g in range(m)]
sc.pp.normalize_total(data, target_sum=1e4)
sc.pp.log1p(data)

violins = []
for group in "abc":
    v = np.asarray(data.X)[names == group, 1].astype(float)
    kde = gaussian_kde(v)
    at = np.linspace(v.min(), v.max(), 9)
    violins.append(dict(
        n=len(v), mean=float(v.mean()), quantiles=np.quantile(v, [0, 0.25, 0.5, 0.75, 1]).tolist(),
        bandwidth=float(np.sqrt(kde.covariance[0, 0])), density=kde(at).tolist(),
    ))

genes = [f"g{g}" for g in (4, 0, 7, 2)]
plot = sc.pl.dotplot(data, genes, groupby="group", return_fig=True)
scaled = sc.pl.dotplot(data, genes, groupby="group", standard_scale="var", return_fig=True)
sc.tl.rank_genes_groups(data, "group", method="t-test", use_raw=False)
ranked = data.uns["rank_genes_groups"]

# Two sets of spots: those of the first 60 of group a against the first 60 of group b, by the median total.
total = counts.sum(1)
e = np.log1p(counts * (np.median(total) / total)[:, None])
p = [float(ttest_ind(e[names == "a", g], e[names == "b", g], equal_var=False).pvalue) for g in range(m - 1)]

print(json.dumps(dict(
    versions=dict(scanpy=sc.__version__, scipy=scipy.__version__, numpy=np.__version__),
    violins=violins,
    fraction=plot.dot_size_df[genes].T.values.tolist(),
    mean=plot.dot_color_df[genes].T.values.tolist(),
    scaled=scaled.dot_color_df[genes].T.fillna(0).values.tolist(),
    leading={g: dict(names=ranked["names"][g][:3].tolist(), scores=ranked["scores"][g][:3].tolist()) for g in "abc"},
    p=p, q=false_discovery_control(p).tolist(),
)))
