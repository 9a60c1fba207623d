//! Stores that another program wrote: every codec and layout, and damaged ones.

use super::*;
use crate::base::{Progress, Warnings};
use crate::io::Reading;

/// A store that another program wrote, unpacked.
pub(crate) fn golden(name: &str) -> tempfile::TempDir {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cells").join(name);
    let mut warnings = Warnings::default();
    let mut reading = Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings };
    crate::io::archive::unpack(&path, crate::io::archive::Archive::Zip, &mut reading).unwrap()
}

fn wide() -> Vec<f64> {
    (0..1200).map(|i| f64::from(i % 97)).collect()
}

#[test]
fn every_codec_and_layout_gives_the_numbers_of_zarr() {
    let folder = golden("codecs.zarr.zip");
    let store = Zarr::open(folder.path(), Limits::default()).unwrap();
    let mut with_fill = wide();
    (0..16).for_each(|r| with_fill[r * 30 + 16..r * 30 + 30].fill(9.0));
    for name in ["none", "gzip", "zstd", "blosc", "crc", "big", "transpose", "dots", "shard"] {
        let expected = if matches!(name, "gzip" | "shard") { &with_fill } else { &wide() };
        assert_eq!(&store.f64s(name).unwrap(), expected, "{name}");
    }
    for name in ["none", "zlib", "gzip", "lz4", "zstd", "blosc", "fortran", "slash", "shuffle"] {
        assert_eq!(store.f64s(&format!("old/{name}")).unwrap(), wide(), "old/{name}");
    }
    let holes = store.f64s("holes").unwrap();
    assert_eq!((holes[0], holes[15], holes[16].is_nan(), holes[16 * 30].is_nan()), (1.5, 1.5, true, true));
    let text: Vec<String> = (0..50).map(|k| format!("text {k} ä").repeat(k % 3)).collect();
    assert_eq!(store.strings("words").unwrap(), text);
    assert_eq!(store.strings("wide_text").unwrap(), ["ab", "cdef", ""]);
    assert_eq!(store.children("").unwrap().groups, ["old"]);
    assert_eq!(store.u32s_at("shard", 17, 2).unwrap(), (510..570).map(|i| i % 97).collect::<Vec<u32>>());
    let (number, bytes) = store.piece("zstd", &[10, 5], &[9, 14]).unwrap();
    let expected: Vec<f64> = (10..19).flat_map(|r| (5..19).map(move |c| f64::from((r * 30 + c) % 97))).collect();
    assert_eq!(number.f64s(&bytes), expected);
}

#[test]
fn bad_stores_get_a_sentence() {
    let folder = golden("codecs.zarr.zip");
    let store = || Zarr::open(folder.path(), Limits::default()).unwrap();
    for (file, bytes, part) in [
        ("zstd/c/0/0", &b"no chunk"[..], "damaged"),
        ("none/c/0/0", b"short", "instead of 512"),
        ("crc/c/1/0", &[0; 516], "checksum"),
        ("shard/c/0/0", &[0; 100], "index"),
        ("gzip/zarr.json", b"{", "JSON"),
        ("old/zlib/.zarray", b"{\"shape\":[4],\"chunks\":[0],\"dtype\":\"<f4\"}", "without elements"),
    ] {
        std::fs::write(folder.path().join(file), bytes).unwrap();
        let array = file.split("/c/").next().unwrap().trim_end_matches("/zarr.json").trim_end_matches("/.zarray");
        let error = store().f64s(array).unwrap_err().to_string();
        assert!(error.contains(part), "{file}: {error}");
    }
    let big = r#"{"shape":[4000000000,4000000000],"chunks":[1,1],"dtype":"<f8","compressor":null,"fill_value":0,"order":"C","filters":null,"zarr_format":2}"#;
    std::fs::write(folder.path().join("old/gzip/.zarray"), big).unwrap();
    assert!(matches!(store().f64s("old/gzip"), Err(Error::TooLarge { .. })));
    assert!(store().f64s("../x").is_err() && Zarr::open(&folder.path().join("none/c"), Limits::default()).is_err());
}
