"""Voxels and mean intensity of each of the 17 segments of a public heart (Sunnybrook 101, CC0), by NumPy and nibabel
from the definition: equal 60 degrees from a given anterior insertion, thirds of the slices with muscle all around.
Usage: python gen_segment_means.py FOLDER with SCD0000101_ED.nii.gz and SCD0000101_ED_gt.nii.gz."""
import json, sys
from pathlib import Path
import nibabel, numpy as np

folder = Path(sys.argv[1])
image, labels = (nibabel.load(folder / f"SCD0000101_ED{e}.nii.gz") for e in ("", "_gt"))
values, mask = image.get_fdata(), np.asanyarray(labels.dataobj).round().astype(int)
assert np.allclose(image.affine, labels.affine, atol=1e-4)
affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ labels.affine      # RAS to LPS
at = lambda ijk: ijk @ affine[:3, :3].T + affine[:3, 3]

cavity = [at(np.argwhere(mask[:, :, k] == 3) @ np.array([[1, 0, 0], [0, 1, 0]]) + [0, 0, k]) for k in range(mask.shape[2])]
wall = [np.argwhere(mask[:, :, k] == 2) @ np.array([[1, 0, 0], [0, 1, 0]]) + [0, 0, k] for k in range(mask.shape[2])]
has = [k for k in range(mask.shape[2]) if len(cavity[k])]
centers = {k: cavity[k].mean(0) for k in has}

# Apex and base: the ends of the cavity on the slice normal; the wider end is the base.
normal = np.cross(affine[:3, 0], affine[:3, 1]); normal /= np.linalg.norm(normal)
low, high = sorted((has[0], has[-1]), key=lambda k: len(cavity[k]))
axis = normal * np.sign((centers[high] - centers[low]) @ normal)
apex, base = centers[low], centers[low] + axis * ((centers[high] - centers[low]) @ axis)

# The insertions given: 60 degrees to both sides of a septum that looks to the right, front and feet.
septal = np.array([-0.7, -0.6, -0.2]); septal -= axis * (septal @ axis); septal /= np.linalg.norm(septal)
anterior = np.cross(axis, septal)
middle = centers[has[len(has) // 2]]
point = lambda deg: middle + 30 * (anterior * np.cos(np.radians(deg)) + septal * np.sin(np.radians(deg)))
insertions = [point(30.0), point(150.0)]
# The direction of an insertion is seen from the cavity's middle in the slice nearest to it.
level = lambda p: p @ axis
near = min(has, key=lambda k: abs(level(centers[k]) - level(insertions[0])))
start = insertions[0] - centers[near]; start -= axis * (start @ axis); start /= np.linalg.norm(start)
toward = -np.cross(axis, start)                                # anterior to septum to inferior


def angles(k):
    d = at(wall[k]) - centers[k]
    return np.degrees(np.arctan2(d @ toward, d @ start)) % 360.0


pixel = max(np.linalg.norm(affine[:3, 0]), np.linalg.norm(affine[:3, 1]))
def is_ring(k):
    if k not in centers or len(wall[k]) < 4: return False
    a = np.sort(angles(k)); gap = np.diff(np.r_[a, a[0] + 360.0]).max()
    radius = np.linalg.norm(at(wall[k]) - centers[k], axis=1).mean()
    return gap <= max(12.0, np.degrees(1.8 * pixel / radius))


rings = sorted((k for k in range(mask.shape[2]) if is_ring(k)), key=lambda k: -level(centers[k]))
n, counts, sums = len(rings), np.zeros(18, int), np.zeros(18)
for rank, k in enumerate(rings):
    phi = (angles(k) + 1e-9) % 360.0
    if rank < -(-2 * n // 3):
        segment = np.array([2, 3, 4, 5, 6, 1])[(phi // 60).astype(int)] + (0 if rank < -(-n // 3) else 6)
    else:
        segment = np.array([14, 15, 16, 13])[(((phi - 15.0) % 360.0) // 90).astype(int)]
    i, j, _ = wall[k].T
    np.add.at(counts, segment, 1); np.add.at(sums, segment, values[i, j, k])
out = {"versions": {"python": sys.version.split()[0], "numpy": np.__version__, "nibabel": nibabel.__version__},
       "apex": apex.tolist(), "base": base.tolist(), "insertions": [p.tolist() for p in insertions], "n_rings": n,
       "n_voxels": counts[1:].tolist(), "mean": [s / c if c else None for s, c in zip(sums[1:], counts[1:])]}
Path(__file__).with_name("segment_means.json").write_text(json.dumps(out, indent=1) + "\n")
print(out)
