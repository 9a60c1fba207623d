//! The door for HDF5 files: tells `AnnData` from 10x count matrices by what is in them.

use super::hdf5_read::Hdf5;
use super::stored::Stored;
use super::{Found, Reading, h5ad, tenx};
use crate::base::{Error, Result};
use std::path::Path;

/// Reads an `.h5ad` of any version since 0.7 or a 10x `.h5`, whatever it is called. One section per
/// thing found; a file with several sections in one table gives one for each.
pub fn read_hdf5(path: &Path, reading: &mut Reading) -> Result<Vec<Found>> {
    open(path, reading).map_err(|e| e.at(path))
}

fn open(path: &Path, reading: &mut Reading) -> Result<Vec<Found>> {
    reading.progress.step(0.0, "opening HDF5")?;
    let file = Hdf5::open(path, reading.limits)?;
    let top = file.children("")?;
    if top.has("obs") || top.has("X") {
        return h5ad::read(&file, path, reading);
    }
    if tenx::is_tenx(&file)? {
        return Ok(vec![tenx::read(&file, path, reading)?]);
    }
    let names = [top.groups, top.arrays].concat();
    Err(Error::unsupported(format!(
        "an HDF5 file with {} is neither AnnData (obs, var, X) nor a 10x matrix (matrix/barcodes)",
        if names.is_empty() { "nothing in it".to_owned() } else { names.join(", ") }
    )))
}

/// What the tests of the readers share.
#[cfg(test)]
pub(crate) mod trial {
    use crate::base::{Error, Limits, Progress, Result, Warnings, stream_seed};
    use crate::io::Reading;
    use std::path::{Path, PathBuf};

    /// A real file of the shared data, where it is there.
    pub fn shared(name: &str) -> Option<PathBuf> {
        let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
        let path = std::env::var("MYOSCOPE_SHARED").map_or_else(|_| beside(), PathBuf::from).join("data").join(name);
        if !path.exists() {
            eprintln!("absent: {}", path.display());
        }
        path.exists().then_some(path)
    }

    /// Runs a reader and gives its result with everything it said.
    pub fn run<T>(read: impl FnOnce(&mut Reading) -> Result<T>) -> (Result<T>, Warnings) {
        let mut warnings = Warnings::default();
        let mut reading = Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings };
        (read(&mut reading), warnings)
    }

    /// Codes of everything said, in order.
    pub fn codes(warnings: &Warnings) -> Vec<&'static str> {
        warnings.notes.iter().map(|n| n.code).collect()
    }

    /// Feeds 500 damaged copies to a parser; any answer will do, as long as it is an answer.
    pub fn damage<T>(bytes: &[u8], parse: impl Fn(Vec<u8>, Limits) -> Result<T>) {
        let limits = Limits { max_bytes: 64 << 20 };
        let mut n_refused = 0;
        for case in 0..500_u64 {
            let random = |k: u64| stream_seed(case, k) as usize;
            let mut copy = bytes.to_vec();
            match case % 5 {
                0 => copy.truncate(random(0) % bytes.len()),
                1 => {
                    let at = random(1) % bytes.len();
                    let end = (at + 8).min(bytes.len());
                    copy[at..end].fill(if random(2) % 2 == 0 { 0xff } else { 0 });
                }
                _ => (0..=random(3) % 12).for_each(|k| copy[random(10 + k as u64) % bytes.len()] = random(50 + k as u64) as u8),
            }
            match parse(copy, limits) {
                Err(Error::Malformed { .. } | Error::Unsupported { .. } | Error::TooLarge { .. }) => n_refused += 1,
                Err(other) => panic!("{other:?} for damaged bytes"),
                Ok(_) => {}
            }
        }
        assert!(n_refused > 50, "only {n_refused} of 500 damaged copies were refused");
    }
}

#[cfg(test)]
mod tests {
    use super::trial::{codes, run, shared};
    use super::*;
    use crate::io::Content;

    #[test]
    fn real_10x_files_have_the_numbers_of_h5py() {
        let cases: [(&str, usize, usize, f64, &[&str]); 4] = [
            ("h5ad-zarr-formats/10x_data/1.2.0/filtered_gene_bc_matrices_h5.h5", 12, 343, 12.0, &[]),
            ("h5ad-zarr-formats/10x_data/1.2.0/multiple_genomes.h5", 12, 686, 25.0, &["several-genomes"]),
            ("h5ad-zarr-formats/10x_data/3.0.0/filtered_feature_bc_matrix.h5", 1107, 507, 41549.0, &[]),
            ("h5ad-zarr-formats/platform_mini/Xenium_small/cell_feature_matrix.h5", 6, 4, 21.0, &[]),
        ];
        for (name, n, m, sum, said) in cases {
            let Some(path) = shared(name) else { return };
            let (found, warnings) = run(|r| read_hdf5(&path, r));
            let found = found.unwrap();
            let Content::Section(section) = &found[0].content else { panic!() };
            let e = section.expression.as_ref().unwrap();
            assert_eq!((e.observations().len(), e.genes().len(), e.gene_ids().len()), (n, m, m), "{name}");
            assert_eq!(e.totals().iter().sum::<f64>(), sum, "{name}");
            assert_eq!(codes(&warnings), said, "{name}");
            assert!(section.spots.is_none());
        }
    }
}
