"""Numbers of other programs for the tests of molecular methods (`tests/molecules.rs`).

    python gen_molecules.py > molecules.json

Inputs come from `lcg.py`, so that the tests can repeat them. Versions are stored with the numbers.
"""
import json
import numpy as np
import scipy
from scipy.optimize import nnls
from lcg import Lcg

out = {"versions": {"scipy": scipy.__version__, "numpy": np.__version__}}


def deconvolution():
    """50 spots of 6 types and 40 genes; counts are whole, so that both programs see the same."""
    r = Lcg(811)
    genes, types, spots = 40, 6, 50
    s = np.array([[r.u() ** 4 * 50 for _ in range(types)] for _ in range(genes)])
    f = np.array([[max(r.u() - 0.5, 0) for _ in range(types)] for _ in range(spots)])
    x = np.floor(f @ s.T * 8 + 3 * np.array([[r.u() for _ in range(genes)] for _ in range(spots)]))
    scaled = x * 1e4 / x.sum(1, keepdims=True)
    fits = [nnls(s, b) for b in scaled]
    w = np.array([a for a, _ in fits])
    return dict(fractions=(w / w.sum(1, keepdims=True)).tolist(), residual=[float(b) for _, b in fits])


def moderated():
    """200 genes of 12 samples with a batch: limma's lmFit and eBayes, as pylimma has them."""
    import pylimma
    r = Lcg(812)
    n, m = 12, 200
    group = np.array([i % 2 for i in range(n)])
    batch = np.array([i // 5 for i in range(n)])
    sd = np.array([0.3 + r.u() for _ in range(m)])
    shift = np.array([2 * r.n() if g % 10 == 0 else 0.0 for g in range(m)])
    y = np.array([[5 + sd[g] * r.n() + shift[g] * group[s] + 0.3 * batch[s] for s in range(n)] for g in range(m)])
    y = y.astype(np.float32).astype(float)
    d = np.column_stack([np.ones(n), batch == 1, batch == 2, group == 1]).astype(float)
    fit = pylimma.e_bayes(pylimma.lm_fit(y, d))
    get = lambda k: np.asarray(fit[k])
    c = dict(log2fc=get("coefficients")[:, 3], average=get("Amean"), t=get("t")[:, 3], p=get("p_value")[:, 3], b=get("lods")[:, 3])
    return {k: np.asarray(v, float).tolist() for k, v in c.items()} | dict(version=pylimma.__version__)


def mixed():
    """Numbers of statsmodels for one gene of 30 samples of 10 patients."""
    import pandas as pd, statsmodels, statsmodels.formula.api as smf
    r = Lcg(813)
    g = np.repeat(np.arange(10), 3)
    x = r.N(30)
    y = (0.5 * x + r.N(10)[g] + r.N(30)).astype(np.float32).astype(float)
    x = x.astype(float)
    m = smf.mixedlm("y~x", pd.DataFrame(dict(x=x, y=y, g=g)), groups="g").fit(reml=True, gtol=1e-12)
    # Its standard error is that of the observed information; beside it, that of generalized least squares.
    design = np.column_stack([np.ones(30), x])
    v = m.scale * np.eye(30) + float(m.cov_re.iloc[0, 0]) * (g[:, None] == g[None])
    gls = np.sqrt(np.linalg.inv(design.T @ np.linalg.solve(v, design))[1, 1])
    return dict(beta=float(m.params["x"]), se=float(gls), observed_se=float(m.bse["x"]), group=float(m.cov_re.iloc[0, 0]), noise=float(m.scale), version=statsmodels.__version__)


out["deconvolution"] = deconvolution()
out["moderated"] = moderated()
out["mixed"] = mixed()
print(json.dumps(out))
