"""Files of expression as other programs write them, and their numbers: tests/golden/cells/.

h5py, hdf5plugin, anndata, zarr and numcodecs; versions are kept in cells.json.
"""
import gzip, json, os, shutil, warnings
import h5py, hdf5plugin, numpy as np, pandas as pd, anndata as ad, scipy.sparse as sp, zarr, numcodecs

warnings.simplefilter("ignore")
here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cells")
os.makedirs(here, exist_ok=True)
out = {"versions": {m.__name__: m.__version__ for m in (h5py, ad, zarr, numcodecs, np)}}
out["versions"]["hdf5plugin"] = hdf5plugin.version

# Every filter of HDF5: the same numbers, a ramp that compresses and noise that does not.
i = np.arange(1003)
ramp = (i // 5 * 3).astype("<i4")
noise = (i[:600] * i[:600] * 7919 % 10007).astype("<f8") / 7
wide = (np.arange(40 * 30) % 97).astype("<u2").reshape(40, 30)
text = np.array([f"text {k} ä" * (k % 3) for k in range(50)], dtype=object)
B = hdf5plugin.Blosc
filters = {"none": {}, "gzip": dict(compression="gzip", shuffle=True), "lzf": dict(compression="lzf", shuffle=True),
           "fletcher": dict(fletcher32=True, compression="gzip"), "scaleoffset": dict(scaleoffset=0),
           "zstd": hdf5plugin.Zstd(clevel=5), "zstd_shuffle": dict(shuffle=True, fletcher32=True, **hdf5plugin.Zstd()),
           "lz4": hdf5plugin.LZ4(nbytes=512), "bitshuffle": hdf5plugin.Bitshuffle(cname="none"),
           "bitshuffle_lz4": hdf5plugin.Bitshuffle(cname="lz4"), "bitshuffle_zstd": hdf5plugin.Bitshuffle(cname="zstd", clevel=3)}
for c in ("blosclz", "lz4", "lz4hc", "zlib", "zstd"):
    for s, word in ((B.NOSHUFFLE, "plain"), (B.SHUFFLE, "bytes"), (B.BITSHUFFLE, "bits")):
        filters[f"blosc_{c}_{word}"] = B(cname=c, clevel=9, shuffle=s)
with h5py.File(f"{here}/filters.h5", "w", libver=("earliest", "v110")) as f:
    for name, how in filters.items():
        how = dict(how)
        f.create_dataset(f"{name}/ramp", data=ramp, chunks=(400,), **how)
        if name != "scaleoffset":
            f.create_dataset(f"{name}/noise", data=noise, chunks=(512,), **how)
            if name in ("none", "gzip", "lzf", "zstd"):  # others take no text
                f.create_dataset(f"{name}/text", data=text, dtype=h5py.string_dtype(), chunks=(20,), **how)
        if not name.startswith("blosc"):
            f.create_dataset(f"{name}/wide", data=wide, chunks=(16, 16), **how)
    f.create_dataset("big", data=ramp.astype(">i8"), chunks=(400,), **hdf5plugin.Zstd())
    f.create_dataset("half", data=(i[:100] / 8).astype("<f2"))
    f.create_dataset("blosc2", data=ramp, chunks=(400,), **hdf5plugin.Blosc2())
out["filters"] = sorted(filters)

# One table with everything in it.
rng = np.random.default_rng(5)
n, m = 23, 7
x = rng.poisson(0.8, (n, m)).astype(np.float32)
obs = pd.DataFrame({"kind": pd.Categorical.from_codes(rng.integers(-1, 3, n), ["a", "b", "ü"]),
                    "stage": pd.Categorical(rng.choice(["low", "high"], n), ["low", "high"], ordered=True),
                    "size": rng.normal(size=n), "count": rng.integers(0, 9, n), "good": rng.random(n) > 0.5,
                    "maybe": pd.array([None if k % 4 == 0 else k for k in range(n)], dtype="Int64"),
                    "flag": pd.array([None if k % 5 == 0 else k % 2 == 0 for k in range(n)], dtype="boolean"),
                    "word": [f"w{k % 4}" for k in range(n)]}, index=[f"cell-{k}" for k in range(n)])
obs.index.name = "barcode"
var = pd.DataFrame({"gene_ids": [f"ENSG{k:011d}" for k in range(m)]}, index=[f"G{k}" for k in range(m)])


def table(matrix):
    a = ad.AnnData(matrix, obs=obs.copy(), var=var.copy())
    a.raw = a.copy()
    a.layers["counts"] = sp.csr_matrix(x)
    a.layers["dense"] = np.log1p(x)
    a.obsm["spatial"] = np.c_[np.arange(n) * 10.0, np.arange(n) % 5 * 20.0]
    a.obsm["X_pca"] = rng.normal(size=(n, 4)).astype(np.float32) * 0 + np.arange(n * 4).reshape(n, 4)
    a.obsm["X_sparse"] = sp.csr_matrix(np.eye(n, 3) * 2)
    a.obsm["fractions"] = pd.DataFrame({"q05_A": np.arange(n) / n, "q05_B": 1 - np.arange(n) / n}, index=a.obs_names)
    a.obsp["connectivities"] = sp.csr_matrix((np.ones(n - 1), (np.arange(n - 1), np.arange(1, n))), (n, n))
    a.uns["text"] = "words"
    a.uns["nested"] = {"list": np.array(["x", "y"]), "n": 3, "deep": {"f": 1.5}}
    hires = (np.add.outer(np.arange(24), np.arange(60))[..., None] * [1, 2, 3] % 256).astype(np.uint8)
    factors = {"tissue_hires_scalef": 0.25, "spot_diameter_fullres": 6.5}
    a.uns["spatial"] = {"lib": {"images": {"hires": hires}, "scalefactors": factors}}
    return a


out["x_sum_by_gene"] = x.sum(0).tolist()
out["kind_codes"] = obs["kind"].cat.codes.tolist()
def blosc(path):
    """Numbers packed by Blosc; its filter takes no text."""
    with h5py.File(path, "r+") as f:
        found = []
        f.visititems(lambda at, d: found.append(at) if isinstance(d, h5py.Dataset) and d.shape and d.dtype.kind in "iuf" else None)
        for at in found:
            values, attributes = f[at][...], dict(f[at].attrs)
            del f[at]
            f.create_dataset(at, data=values, chunks=True, **B(cname="lz4", shuffle=B.SHUFFLE)).attrs.update(attributes)


for name, matrix, how in [("csr_gzip", sp.csr_matrix(x), dict(compression="gzip")), ("csc_lzf", sp.csc_matrix(x), dict(compression="lzf")),
                          ("dense_zstd", x, dict(compression=hdf5plugin.FILTERS["zstd"])), ("csr_blosc", sp.csr_matrix(x), {}), ("dense_none", x, {})]:
    table(matrix).write_h5ad(f"{here}/{name}.h5ad", **how)
    if name == "csr_blosc":
        blosc(f"{here}/{name}.h5ad")

# As anndata 0.6 wrote it: tables of records, categories in uns, a sparse matrix with attributes of its own.
with h5py.File(f"{here}/legacy.h5ad", "w") as f:
    rows = np.zeros(n, dtype=[("index", "S8"), ("kind", "i1"), ("count", "<i8"), ("word", "S4")])
    rows["index"], rows["kind"], rows["count"], rows["word"] = obs.index, obs["kind"].cat.codes, obs["count"], obs["word"]
    f["obs"] = rows
    f["uns/kind_categories"] = np.array(["a", "b", "ü"], dtype=object)
    f["var"] = np.array([(g,) for g in var.index], dtype=[("index", h5py.string_dtype())])
    matrix = sp.csr_matrix(x)
    g = f.create_group("X")
    g.attrs["h5sparse_format"], g.attrs["h5sparse_shape"] = "csr", (n, m)
    g["data"], g["indices"], g["indptr"] = matrix.data, matrix.indices, matrix.indptr
    place = np.zeros(n, dtype=[("spatial", "<f8", (2,)), ("X_pca", "<f4", (3,))])
    place["spatial"] = np.c_[np.arange(n) * 10.0, np.arange(n) % 5 * 20.0]
    f["obsm"] = place

# Zarr of both versions, as folders packed into one file each.
for version in (2, 3):
    for name, matrix in (("csr", sp.csr_matrix(x)), ("dense", x)):
        folder = f"{here}/{name}_v{version}.zarr"
        ad.settings.zarr_write_format = version
        table(matrix).write_zarr(folder, chunks=(8, 3) if name == "dense" else None)
        if name == "dense":
            zarr.consolidate_metadata(folder)
        shutil.make_archive(folder, "zip", folder)
        shutil.rmtree(folder)

# Every codec and layout of Zarr arrays.
folder = f"{here}/codecs.zarr"
root = zarr.open_group(folder, mode="w", zarr_format=3)
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, TransposeCodec, ZstdCodec
for name, kw in {"none": dict(compressors=None), "gzip": dict(compressors=GzipCodec()), "zstd": dict(compressors=ZstdCodec(checksum=True)),
                 "blosc": dict(compressors=BloscCodec(cname="lz4", shuffle="bitshuffle")), "crc": dict(compressors=[Crc32cCodec()]),
                 "big": dict(serializer=BytesCodec(endian="big"), compressors=None), "transpose": dict(filters=[TransposeCodec(order=(1, 0))]),
                 "dots": dict(chunk_key_encoding={"name": "v2", "separator": "."}),
                 "shard": dict(shards=(32, 32), compressors=ZstdCodec())}.items():
    a = root.create_array(name, shape=wide.shape, chunks=(16, 16), dtype="uint16", fill_value=9, **kw)
    a[...] = wide
    if name in ("gzip", "shard"):
        a[:16, 16:] = 9  # equals the fill value: the chunk is not written
a = root.create_array("holes", shape=(40, 30), chunks=(16, 16), dtype="float32", fill_value=float("nan"))
a[:16, :16] = 1.5
a = root.create_array("words", shape=(50,), chunks=(20,), dtype=str)
a[:] = text.astype(str)
root.create_array("wide_text", shape=(3,), chunks=(2,), dtype="<U4")[:] = np.array(["ab", "cdef", ""])
old = zarr.open_group(f"{folder}/old", mode="w", zarr_format=2)
for name, kw in {"none": dict(compressors=None), "zlib": dict(compressors=numcodecs.Zlib()), "gzip": dict(compressors=numcodecs.GZip()),
                 "lz4": dict(compressors=numcodecs.LZ4()), "zstd": dict(compressors=numcodecs.Zstd()),
                 "blosc": dict(compressors=numcodecs.Blosc("zstd", 5, 1)), "fortran": dict(order="F", compressors=None),
                 "slash": dict(chunk_key_encoding={"name": "v2", "separator": "/"}), "shuffle": dict(filters=[numcodecs.Shuffle(2)], compressors=None)}.items():
    old.create_array(name, shape=wide.shape, chunks=(16, 16), dtype="uint16", fill_value=9, **kw)[...] = wide
shutil.make_archive(folder, "zip", folder)
shutil.rmtree(folder)
# Pictures of both versions: two channels with colors and windows, two levels of block means, 0.5 µm pixels.
base = (np.arange(96)[:, None] * 2 + np.arange(128)[None, :]).astype(np.uint16)
full = np.stack([base * 10, 4000 - base * 10])
half = full.reshape(2, 48, 2, 64, 2).mean((2, 4)).astype(np.uint16)
axes = [{"name": "c", "type": "channel"}] + [{"name": a, "type": "space", "unit": "micrometer"} for a in "yx"]
sets = [{"path": str(k), "coordinateTransformations": [{"type": "scale", "scale": [1, s, s]}, {"type": "translation", "translation": [0, t, t]}]}
        for k, (s, t) in enumerate([(0.5, 0.0), (1.0, 0.25)])]
channels = [{"label": n, "color": c, "active": True, "window": {"start": 0, "end": 4000, "min": 0, "max": 65535}} for n, c in (("DAPI", "0000FF"), ("WGA", "00FF00"))]
for version, form in (("0.4", 2), ("0.5", 3)):
    folder = f"{here}/picture_{version}.ome.zarr"
    root = zarr.open_group(folder, mode="w", zarr_format=form)
    told = {"multiscales": [{"version": version, "axes": axes, "datasets": sets, "name": "p"}], "omero": {"channels": channels}}
    root.attrs.update(told if form == 2 else {"ome": {"version": version, **told}})
    for k, level in enumerate((full, half)):
        root.create_array(str(k), shape=level.shape, chunks=(1, 32, 32), dtype="uint16")[...] = level
    shutil.make_archive(folder, "zip", folder)
    shutil.rmtree(folder)

for name in sorted(os.listdir(here)):
    if name.endswith((".h5", ".h5ad")):  # mostly empty space
        with open(f"{here}/{name}", "rb") as f, gzip.GzipFile(f"{here}/{name}.gz", "wb", mtime=0) as g:
            g.write(f.read())
        os.remove(f"{here}/{name}")
json.dump(out, open(f"{here}/cells.json", "w"), indent=1)
