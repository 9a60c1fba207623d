"""Numbers of scanpy and scikit-learn for tests/omics.rs: `python gen_omics.py [heart_ST_CN73.h5ad] > omics.json`.
Made with scanpy 1.11.5, scikit-learn 1.9.1, scikit-misc 0.5.3 (loess), NumPy 2.4.6, SciPy 1.17.1, Python 3.11. Inputs come from lcg.py
(arithmetic only, so any language makes the same table); the second part is for a real file, where it is given."""
import json, sys, warnings
import anndata, numpy as np, scanpy as sc, scipy.sparse as sp
from sklearn.decomposition import PCA
from skmisc.loess import loess
from lcg import Lcg
warnings.filterwarnings("ignore")
N, M = 80, 300


def counts():
    r = Lcg(701)
    weight = [8.0 * u * u for u in r.U(M)]
    depth = [0.3 + u for u in r.U(N)]
    return np.array([[np.floor(r.n() ** 2 * weight[g] * depth[s]) for g in range(M)] for s in range(N)], np.float32)


def table(x):
    return anndata.AnnData(sp.csr_matrix(x))


def flavor(a, name, n):
    v = sc.pp.highly_variable_genes(a, flavor=name, n_top_genes=n, inplace=False)
    score = "variances_norm" if name == "seurat_v3" else "dispersions_norm"
    keep = lambda c: [None if np.isnan(x) else float(x) for x in v[c]]
    out = dict(n=n, variable=np.flatnonzero(v["highly_variable"].to_numpy()).tolist(), means=keep("means"), scores=keep(score))
    if name != "seurat_v3":
        out["dispersions"] = keep("dispersions")
    return out


def components(x, k, scale=False):
    x = np.asarray(x, np.float64)
    if scale:
        sd = x.std(0, ddof=1)
        x = (x - x.mean(0)) / np.where(sd > 0, sd, 1)
    p = PCA(n_components=k, svd_solver="full").fit(x)
    sign = np.sign(p.components_[np.arange(k), np.abs(p.components_).argmax(1)])
    return dict(variance=p.explained_variance_.tolist(), ratio=p.explained_variance_ratio_.tolist(),
                scores=(p.transform(x)[:4] * sign).tolist(), loadings=(p.components_.T[:6] * sign).tolist())


x = counts()
out = dict(n=N, m=M, sum=float(x.sum()))
a = table(x)
sc.pp.normalize_total(a)
out["median"] = a.X[:3].toarray().tolist()
logs = table(x)
sc.pp.normalize_total(logs, target_sum=1e4)
sc.pp.log1p(logs)
out["log_cp10k"] = logs.X[:3].toarray().tolist()
out["seurat"] = flavor(logs, "seurat", 50)
out["cell_ranger"] = flavor(logs, "cell_ranger", 50)
out["seurat_v3"] = flavor(table(x), "seurat_v3", 50)
# Components of whole numbers: both programs start from the same bits.
out["pca"] = components(x, 10)
out["pca_scaled"] = components(x, 10, True)
out["pca_log"] = components(logs.X.toarray(), 10)
r = Lcg(702)
lx = r.N(150)
ly = lx * lx / 3 + 0.2 * r.N(150)
m = loess(lx, ly, span=0.3, degree=2)
m.fit()
out["loess"] = m.outputs.fitted_values.tolist()

if len(sys.argv) > 1:
    raw = anndata.read_h5ad(sys.argv[1])
    logs = raw.copy()
    sc.pp.normalize_total(logs, target_sum=1e4)
    sc.pp.log1p(logs)
    real = dict(shape=list(raw.shape), log_sum=float(logs.X.sum(dtype=np.float64)))
    # cell_ranger fails on the unfiltered file (equal percentiles), so it gets genes of at least 3 spots.
    seen = logs[:, np.asarray((raw.X > 0).sum(0)).ravel() >= 3].copy()
    for name, table_of in [("seurat", logs), ("cell_ranger", seen), ("seurat_v3", raw)]:
        v = sc.pp.highly_variable_genes(table_of, flavor=name, n_top_genes=2000, inplace=False)
        real[name] = np.flatnonzero(v["highly_variable"].to_numpy()).tolist()
    real["pca"] = components(raw.X[:, real["seurat"]].toarray(), 20)
    real["pca_log"] = components(logs.X[:, real["seurat"]].toarray(), 20)
    out["heart_ST_CN73"] = real
json.dump(out, sys.stdout, separators=(",", ":"))
