"""Leave-one-out errors of eggplant's human heart sections by NumPy 2.4.6 and SciPy 1.17.1 (constants in ../registration.rs).
Usage: gen_heart_sections.py FOLDER, the folder that holds landmarks/ and references/."""
import sys
import numpy as np, json
from scipy.interpolate import RBFInterpolator
D = sys.argv[1] + '/'
def rd(f):
    L=[l.rstrip('\n').split('\t') for l in open(f)][1:]
    return {l[0]:(float(l[1]),float(l[2])) for l in L}
ref=rd(D+'references/landmarks.tsv'); out={}
def sim(x,y):
    zx=x[:,0]+1j*x[:,1]; zy=y[:,0]+1j*y[:,1]; mx,my=zx.mean(),zy.mean()
    # via svd (Umeyama)
    X=x-x.mean(0);Y=y-y.mean(0); U,d,Vt=np.linalg.svd(Y.T@X/len(x)); S=np.diag([1,np.sign(np.linalg.det(U)*np.linalg.det(Vt))]); R=U@S@Vt; c=np.trace(np.diag(d)@S)/X.var(0).sum()
    t=y.mean(0)-c*R@x.mean(0); return lambda p:(c*R@p.T).T+t
def aff(x,y):
    A=np.c_[x,np.ones(len(x))]; M=np.linalg.lstsq(A,y,rcond=None)[0]; return lambda p: np.c_[p,np.ones(len(p))]@M
def tps(x,y): return RBFInterpolator(x,y,kernel='thin_plate_spline',degree=1)
for s in ['V10B01-014_A1','V10F24-105_A1','V10F24-105_B1','V10S28-371_A1']:
    m=rd(D+f'landmarks/{s}.tsv'); names=[k for k in m if k in ref]; x=np.array([m[k] for k in names])/1000; y=np.array([ref[k] for k in names])
    for nm,f in (('similarity',sim),('affine',aff),('tps',tps)):
        e=[]
        for i in range(len(x)):
            k=np.arange(len(x))!=i; e.append(float(np.linalg.norm(f(x[k],y[k])(x[i:i+1])[0]-y[i])))
        r=f(x,y)(x)-y
        out.setdefault(s,{})[nm]=dict(n=len(x),rms=float(np.sqrt((r**2).sum(1).mean())),median=float(np.median(e)),first=e[0],last=e[-1])
print(json.dumps(out,indent=1))
