"""Numbers of scikit-learn and scipy for ridge regression, the HEST protocol and scores.
Made with Python 3.11, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1: python gen_prediction.py"""
import json, os, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lcg import Lcg
import numpy as np, scipy, sklearn
from scipy.stats import pearsonr, spearmanr
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

out = {"versions": {"python": sys.version.split()[0], "numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__}}

# Ridge with scaler: 50 training rows, 10 held out, 7 features (one follows from two others), 3 responses.
r = Lcg(301)
X = r.N(60, 7) * np.array([1, 10, 0.1, 3, 1, 1, 1]) + np.array([0, 100, -5, 2, 0, 0, 7])
X[:, 6] = X[:, 0] + X[:, 4]
Y = r.N(60, 3) + X[:, :3] @ np.array([[1, 0, 0.5], [0.1, -0.2, 0], [3, 0, 2.0]])
tr, te = slice(0, 50), slice(50, 60)
out["ridge"] = []
for alpha in (0.01, 1.0, 37.5):
    m = make_pipeline(StandardScaler(), Ridge(alpha=alpha, solver="cholesky")).fit(X[tr], Y[tr])
    out["ridge"].append({"alpha": alpha, "coefficients": m[1].coef_.T.tolist(), "intercept": m[1].intercept_.tolist(), "held_out": m.predict(X[te]).T.tolist()})
P = np.array(out["ridge"][1]["held_out"])
out["pearson"] = [float(pearsonr(P[g], Y[te][:, g])[0]) for g in range(3)]
out["spearman"] = [float(spearmanr(np.round(P[g]), np.round(Y[te][:, g]))[0]) for g in range(3)]

# The protocol of HEST: scaler, PCA, ridge without intercept.
r = Lcg(41)
E = r.N(60, 20); W = r.N(20, 6)
Yg = np.log1p(np.maximum(0, E @ W * 0.5 + 1 + 0.5 * r.N(60, 6)))
tr, te = slice(0, 45), slice(45, 60)
pipe = make_pipeline(StandardScaler(), PCA(n_components=8, svd_solver="full"))
A, B = pipe.fit_transform(E[tr]), pipe.transform(E[te])
alpha = 100 / (A.shape[1] * Yg.shape[1])
out["hest"] = {"alpha": alpha}
for solver in ("lsqr", "cholesky"):
    m = Ridge(solver=solver, alpha=alpha, fit_intercept=False, max_iter=1000).fit(A, Yg[tr])
    out["hest"][solver] = [float(np.corrcoef(m.predict(B)[:, g], Yg[te][:, g])[0, 1]) for g in range(6)]
json.dump(out, open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "prediction.json"), "w"), indent=1)
