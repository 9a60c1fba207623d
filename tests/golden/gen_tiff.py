"""Small TIFF files written by tifffile, with what tifffile reads from them again.
Made with Python 3.11, numpy 2.4.6, tifffile 2026.3.3, Pillow (LZW and JPEG): python gen_tiff.py
`rgba` of each level is the SHA-256 of the bytes that must be shown (8 bits: as read; tolerance for JPEG in the test)."""
import hashlib, io, json, os
import numpy as np, PIL, tifffile
from PIL import Image

def rgb(h, w, seed):
    y, x = np.mgrid[0:h, 0:w]
    return np.stack([(x * 5 + seed) % 256, (y * 7 + x) % 256, (x * y + 3 * seed) % 256], -1).astype(np.uint8)

def halved(a):
    b = a.astype(float); h, w = b.shape[0] // 2 * 2, b.shape[1] // 2 * 2
    b = b[:h, :w]
    return np.round((b[0::2, 0::2] + b[1::2, 0::2] + b[0::2, 1::2] + b[1::2, 1::2]) / 4).astype(a.dtype)

def rgba(a):
    if a.ndim == 2: a = np.stack([a] * 3, -1)
    if a.shape[-1] == 3: a = np.concatenate([a, np.full(a.shape[:2] + (1,), 255, np.uint8)], -1)
    return hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()

HERE = os.path.dirname(os.path.abspath(__file__))
os.makedirs(os.path.join(HERE, "tiff"), exist_ok=True)
cases = []
def case(name, data, levels, **facts):
    file = name.replace(" ", "-").replace(",", "").lower() + ".tif"
    open(os.path.join(HERE, "tiff", file), "wb").write(data)
    cases.append({"name": name, "file": file, "levels": levels, **facts})
def level(a, scale): return {"width": a.shape[1], "height": a.shape[0], "scale": scale, "rgba": rgba(a)}
def check(data, a, **k):
    with tifffile.TiffFile(io.BytesIO(data)) as t: assert np.array_equal(t.pages[0].asarray(**k), a)

a = rgb(30, 41, 1); f = io.BytesIO(); tifffile.imwrite(f, a, photometric="rgb", rowsperstrip=7, metadata=None)
check(f.getvalue(), a); case("strips", f.getvalue(), [level(a, 1)], um_per_px=None)

a = rgb(30, 41, 2); f = io.BytesIO(); tifffile.imwrite(f, np.moveaxis(a, -1, 0), photometric="rgb", planarconfig="separate", tile=(16, 16), compression="zlib", metadata=None)
check(f.getvalue(), np.moveaxis(a, -1, 0)); case("planar tiles deflate", f.getvalue(), [level(a, 1)], um_per_px=None)

a = rgb(33, 20, 3)[..., 0]; f = io.BytesIO(); tifffile.imwrite(f, a, photometric="minisblack", bigtiff=True, byteorder=">", metadata=None, resolution=(40000, 40000), resolutionunit="CENTIMETER")
check(f.getvalue(), a); case("big-endian BigTIFF gray, 40000 px per cm", f.getvalue(), [level(a, 1)], um_per_px=0.25)

a = rgb(33, 20, 3)[..., 0]; f = io.BytesIO(); tifffile.imwrite(f, a, photometric="miniswhite", metadata=None, resolution=(72, 72), resolutionunit="INCH")
case("white is zero, 72 dpi", f.getvalue(), [level(255 - a, 1)], um_per_px=None)

a = np.concatenate([rgb(20, 31, 4), rgb(20, 31, 9)[..., :1]], -1); f = io.BytesIO(); tifffile.imwrite(f, a, photometric="rgb", extrasamples=["unassalpha"], predictor=True, compression="zlib", metadata=None)
check(f.getvalue(), a); case("rgba with predictor", f.getvalue(), [level(a, 1)], um_per_px=None)

a = (rgb(20, 31, 5).astype(np.uint16) * 257); f = io.BytesIO(); tifffile.imwrite(f, a, photometric="rgb", metadata=None)
check(f.getvalue(), a); case("rgb of 16 bits", f.getvalue(), [level((a // 257).astype(np.uint8), 1)], um_per_px=None)

# OME-TIFF with smaller copies below the page; widths are odd, so that scales need the rounding rule.
a = (rgb(131, 141, 6) // 32 * 32); l1 = halved(a); l2 = halved(l1); f = io.BytesIO()
with tifffile.TiffWriter(f, ome=True) as t:
    o = dict(photometric="rgb", tile=(64, 64), compression="zlib")
    t.write(a, subifds=2, metadata={"axes": "YXS", "PhysicalSizeX": 250, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 250, "PhysicalSizeYUnit": "nm"}, **o)
    t.write(l1, subfiletype=1, **o); t.write(l2, subfiletype=1, **o)
check(f.getvalue(), a); case("OME pyramid", f.getvalue(), [level(a, 1), level(l1, 2), level(l2, 4)], um_per_px=0.25)

# As whole-slide scanners write: smaller copies in the chain, then label and overview.
f = io.BytesIO(); d = "Aperio Image Library v1\r\n141x131|AppMag = 20|MPP = 0.4990"
with tifffile.TiffWriter(f) as t:
    t.write(a, photometric="rgb", tile=(64, 64), compression="zlib", description=d, metadata=None)
    t.write(l2, photometric="rgb", compression="zlib", description="Aperio thumbnail", metadata=None)
    t.write(l1, photometric="rgb", tile=(64, 64), compression="zlib", description="Aperio 70x65", metadata=None)
    t.write(rgb(40, 90, 7), photometric="rgb", compression="zlib", subfiletype=1, description="Aperio label 90x40", metadata=None)
    t.write(rgb(65, 70, 8), photometric="rgb", compression="zlib", subfiletype=9, description="Aperio macro 70x65", metadata=None)
case("slide with label and macro", f.getvalue(), [level(a, 1), level(l1, 2), level(l2, 4)], um_per_px=0.499)

# Fluorescence: three channels of 16 bits, one page each; mixed with the named colors.
z, y, x = 3, 24, 30
c = np.stack([(np.arange(y * x).reshape(y, x) * (k + 2)) % 997 + 100 * k for k in range(z)]).astype(np.uint16)
f = io.BytesIO(); tifffile.imwrite(f, c, photometric="minisblack", ome=True, metadata={"axes": "CYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "Channel": {"Name": ["DAPI", "WGA", "TNNT2"]}})
case("fluorescence", f.getvalue(), [], um_per_px=0.5, channels=["DAPI", "WGA", "TNNT2"], size=[x, y])

im = Image.fromarray(rgb(30, 41, 10)); f = io.BytesIO(); im.save(f, "TIFF", compression="tiff_lzw")
case("LZW", f.getvalue(), [level(rgb(30, 41, 10), 1)], um_per_px=None)
y, x = np.mgrid[0:48, 0:64]; smooth = np.stack([x * 3 + 20, y * 4 + 30, 200 - x * 2], -1).astype(np.uint8)
f = io.BytesIO(); Image.fromarray(smooth).save(f, "TIFF", compression="jpeg", quality=95)
case("JPEG", f.getvalue(), [], um_per_px=None, size=[64, 48], corners=[[int(v) for v in smooth[0, 0]], [int(v) for v in smooth[47, 63]]])

json.dump({"versions": {"tifffile": tifffile.__version__, "numpy": np.__version__, "pillow": PIL.__version__}, "cases": cases},
          open(os.path.join(HERE, "tiff.json"), "w"), indent=1)
