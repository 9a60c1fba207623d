//! Which features the planted factors drive, how strongly, and which they do not touch at all.

use crate::stats::Stream;

/// Number of planted factors.
pub(super) const N_FACTORS: usize = 4;
/// Streams of this file begin here.
const STREAM: u64 = 21_000;

/// One feature before anybody is measured. A value is
/// `mean + sd · (loadings · factors + age · decades over 60 + batch · [batch B] + noise · normal)`.
pub(super) struct Plan {
    pub view: &'static str,
    pub name: String,
    pub mean: f64,
    pub sd: f64,
    pub loadings: [f64; N_FACTORS],
    pub age: f64,
    pub batch: f64,
    pub noise: f64,
    /// Values are kept inside.
    pub bounds: [f64; 2],
    /// Decimals that are written down.
    pub decimals: i32,
}

impl Plan {
    /// Whether nothing but noise and batch is in it.
    pub fn is_null(&self) -> bool {
        self.loadings == [0.0; N_FACTORS] && self.age == 0.0
    }
}

/// Name, mean, standard deviation, loadings (in standard deviations per factor), least and greatest value.
type Phenotype = (&'static str, f64, f64, [f64; N_FACTORS], [f64; 2]);

/// Imaging phenotypes; the unit is in the name. Rates and the right ventricle depend on no factor.
const PHENOTYPES: [Phenotype; 14] = [
    ("edv_ml", 168.0, 36.0, [0.86, 0.10, 0.0, 0.10], [60.0, 400.0]),
    ("ef_percent", 48.0, 10.0, [-0.86, -0.18, 0.0, 0.0], [12.0, 78.0]),
    ("lv_mass_g", 132.0, 27.0, [0.25, 0.0, 0.0, 0.68], [50.0, 350.0]),
    ("wall_thickness_mm", 10.2, 1.5, [-0.20, 0.0, 0.0, 0.68], [5.0, 20.0]),
    ("scar_percent", 13.0, 5.0, [0.15, 0.70, 0.0, 0.0], [0.0, 60.0]),
    ("ecv_percent", 28.5, 3.6, [0.10, 0.68, 0.12, 0.0], [18.0, 60.0]),
    ("t1_ms", 1012.0, 42.0, [0.10, 0.55, 0.30, 0.0], [850.0, 1300.0]),
    ("t2_ms", 47.0, 3.2, [0.0, 0.0, 0.65, 0.0], [35.0, 75.0]),
    ("gls_percent", -15.5, 3.4, [0.82, 0.20, 0.0, 0.10], [-26.0, -2.0]),
    ("gcs_percent", -17.5, 3.8, [0.82, 0.15, 0.0, 0.0], [-30.0, -2.0]),
    ("grs_percent", 32.0, 8.0, [-0.75, -0.15, 0.0, 0.0], [3.0, 75.0]),
    ("la_volume_ml", 82.0, 20.0, [0.66, 0.0, 0.0, 0.20], [25.0, 220.0]),
    ("rv_edv_ml", 152.0, 30.0, [0.0; N_FACTORS], [60.0, 320.0]),
    ("heart_rate_bpm", 70.0, 10.0, [0.0; N_FACTORS], [42.0, 120.0]),
];

/// Genes of heart muscle that fall as the ventricle dilates.
const MUSCLE: [&str; 18] = [
    "MYH6", "ATP2A2", "RYR2", "PLN", "CASQ2", "KCND3", "KCNIP2", "CKM", "CKMT2", "MB", "FABP3", "COX6A2", "COX7A1", "TNNI3",
    "MYL3", "CSRP3", "PDK4", "HRC",
];
/// Genes that rise with it.
const STRETCH: [&str; 14] =
    ["NPPA", "NPPB", "XIRP1", "XIRP2", "ANKRD1", "FLNC", "UCHL1", "CLU", "TNFRSF12A", "MYH9", "RTN4", "KRT18", "CCN1", "CCN2"];
const FIBROSIS: [&str; 24] = [
    "COL1A1", "COL1A2", "COL3A1", "COL5A1", "COL6A3", "COL8A1", "COL14A1", "POSTN", "FN1", "SPARC", "LUM", "DCN", "BGN", "FMOD",
    "ASPN", "OGN", "COMP", "THBS4", "FAP", "LOX", "CTHRC1", "CILP", "SFRP4", "TNC",
];
const INFLAMMATION: [&str; 14] = [
    "CCL2", "CXCL8", "IL6", "IL1RL1", "SPP1", "LGALS3", "CD68", "CD163", "S100A8", "S100A9", "HMOX1", "STAT3", "SERPINE1",
    "TIMP1",
];
const HYPERTROPHY: [&str; 10] = ["ACTA1", "MYBPC3", "TTN", "TPM1", "DES", "CRYAB", "MYOZ2", "LDB3", "TCAP", "HSPB7"];

/// What the planted factors are called, in order.
pub(super) const FACTOR_NAMES: [&str; N_FACTORS] = ["remodeling", "fibrosis", "inflammation", "hypertrophy"];

/// Gene symbols of the section that depend on nothing, in the order of their list.
fn silent() -> impl Iterator<Item = &'static str> {
    let list = include_str!("../../../assets/genes.txt").lines().filter_map(|l| l.split_once(' '));
    list.filter(|(_, class)| matches!(class.trim(), "housekeeping" | "noise")).map(|(gene, _)| gene)
}

/// A loading of a factor, a little different for every seed.
fn along(factor: usize, size: f64, s: &mut Stream) -> [f64; N_FACTORS] {
    let mut loadings = [0.0; N_FACTORS];
    loadings[factor] = size * s.between(0.85, 1.1);
    loadings
}

/// Noise that makes the variance of a feature about 1.
fn rest(loadings: &[f64; N_FACTORS]) -> f64 {
    (1.0 - loadings.iter().map(|l| l * l).sum::<f64>()).max(0.15).sqrt()
}

fn phenotypes(seed: u64) -> Vec<Plan> {
    let plan = |(i, &(name, mean, sd, loadings, bounds)): (usize, &Phenotype)| {
        let s = &mut Stream::new(seed, STREAM + i as u64);
        let loadings = loadings.map(|l| l * s.between(0.94, 1.06));
        let age = if name == "ecv_percent" { 0.12 } else { 0.0 };
        let noise = rest(&loadings);
        Plan { view: "phenotypes", name: name.to_owned(), mean, sd, loadings, age, batch: 0.0, noise, bounds, decimals: 1 }
    };
    PHENOTYPES.iter().enumerate().map(plan).collect()
}

/// One gene or protein. `batch` is the spread of the effect of the laboratory run.
fn molecule(view: &'static str, name: String, loadings: [f64; N_FACTORS], batch: f64, s: &mut Stream) -> Plan {
    let (mean, sd) = match view {
        "bulk" => (s.between(3.0, 10.0), s.between(0.5, 1.0)),
        "protein" => (s.between(1.0, 8.0), s.between(0.4, 0.9)),
        _ => (s.between(0.6, 2.6), s.between(0.18, 0.35)),
    };
    let noise = rest(&loadings);
    // Every run of a laboratory shifts most of what it measures.
    let batch = if s.uniform() < 0.7 { batch * s.normal() } else { 0.0 };
    let low = if view == "protein" { -3.0 } else { 0.0 };
    Plan { view, name, mean, sd, loadings, age: 0.0, batch, noise, bounds: [low, 20.0], decimals: 3 }
}

fn bulk(seed: u64) -> Vec<Plan> {
    let driven: [(&[&str], usize, f64); 5] =
        [(&MUSCLE, 0, -0.82), (&STRETCH, 0, 0.84), (&FIBROSIS, 1, 0.68), (&INFLAMMATION, 2, 0.62), (&HYPERTROPHY, 3, 0.62)];
    let mut plans = Vec::new();
    for (genes, factor, size) in driven {
        for gene in genes {
            let s = &mut Stream::new(seed, STREAM + 100 + plans.len() as u64);
            let loadings = along(factor, size, s);
            plans.push(molecule("bulk", (*gene).to_owned(), loadings, 0.6, s));
        }
    }
    for gene in silent().take(120) {
        let s = &mut Stream::new(seed, STREAM + 100 + plans.len() as u64);
        plans.push(molecule("bulk", gene.to_owned(), [0.0; N_FACTORS], 0.6, s));
    }
    plans
}

/// Cell types with their share in a heart, what drives the logarithm of the share, and marker genes with
/// their factor and size.
pub(super) type CellType = (&'static str, f64, [f64; N_FACTORS], [(&'static str, usize, f64); 6]);

pub(super) const CELL_TYPES: [CellType; 5] = [
    (
        "Cardiomyocyte",
        0.40,
        [-0.28, 0.0, 0.0, 0.0],
        [("NPPA", 0, 0.84), ("NPPB", 0, 0.8), ("MYH6", 0, -0.82), ("ATP2A2", 0, -0.75), ("ACTA1", 3, 0.62), ("TTN", 3, 0.5)],
    ),
    (
        "Fibroblast",
        0.24,
        [0.0, 0.32, 0.0, 0.0],
        [("COL1A1", 1, 0.7), ("COL3A1", 1, 0.66), ("POSTN", 1, 0.7), ("FAP", 1, 0.6), ("LUM", 1, 0.5), ("CCN2", 0, 0.6)],
    ),
    (
        "Endothelial",
        0.20,
        [0.0, 0.0, 0.0, 0.0],
        [("VWF", 2, 0.5), ("ACKR1", 2, 0.5), ("PECAM1", 2, 0.0), ("CDH5", 2, 0.0), ("KDR", 1, -0.5), ("PLVAP", 1, 0.5)],
    ),
    (
        "Macrophage",
        0.10,
        [0.0, 0.0, 0.40, 0.0],
        [("CD163", 2, 0.5), ("SPP1", 2, 0.66), ("CCL2", 2, 0.62), ("IL6", 2, 0.6), ("S100A8", 2, 0.6), ("CD68", 2, 0.0)],
    ),
    (
        "Pericyte",
        0.06,
        [0.0, 0.0, 0.0, 0.0],
        [("RGS5", 0, 0.0), ("PDGFRB", 1, 0.4), ("KCNJ8", 0, 0.0), ("ABCC9", 0, 0.0), ("NOTCH3", 0, 0.0), ("CSPG4", 0, 0.0)],
    ),
];

/// Genes of each cell type that depend on nothing.
const SILENT_PER_TYPE: usize = 8;

fn single_cell(seed: u64) -> Vec<Plan> {
    let mut plans = Vec::new();
    for (cell_type, _, _, markers) in &CELL_TYPES {
        let silent = silent().take(SILENT_PER_TYPE).map(|g| (g, 0, 0.0));
        for (gene, factor, size) in markers.iter().copied().chain(silent) {
            let s = &mut Stream::new(seed, STREAM + 500 + plans.len() as u64);
            let loadings = if size == 0.0 { [0.0; N_FACTORS] } else { along(factor, size, s) };
            plans.push(molecule("single_cell", format!("{cell_type}:{gene}"), loadings, 0.45, s));
        }
    }
    plans
}

/// Proteins in plasma: name, factor and size.
const PROTEINS: [(&str, usize, f64); 22] = [
    ("NTproBNP", 0, 0.86),
    ("BNP", 0, 0.82),
    ("TNNI3", 0, 0.66),
    ("MB", 0, 0.55),
    ("FABP3", 0, 0.58),
    ("IGFBP7", 0, 0.62),
    ("PCOLCE", 1, 0.66),
    ("LGALS3", 1, 0.6),
    ("TIMP1", 1, 0.66),
    ("POSTN", 1, 0.62),
    ("MMP2", 1, 0.55),
    ("SPON1", 1, 0.5),
    ("CRP", 2, 0.66),
    ("IL6", 2, 0.66),
    ("CCL2", 2, 0.6),
    ("CXCL8", 2, 0.52),
    ("IL18", 2, 0.5),
    ("TNFRSF1A", 2, 0.6),
    ("IL1RL1", 2, 0.5),
    ("REN", 3, 0.52),
    ("ADM", 3, 0.5),
    ("FGF23", 3, 0.5),
];
const SILENT_PROTEINS: [&str; 22] = [
    "ADA", "AXIN1", "CASP8", "CD40", "CD5", "CDCP1", "CST5", "CX3CL1", "DNER", "EGF", "EIF4EBP1", "FLT3LG", "HGF", "IL10RB",
    "IL12B", "IL7", "KITLG", "LTA", "MMP10", "NTF3", "OSM", "SIRT2",
];

fn protein(seed: u64) -> Vec<Plan> {
    let silent = SILENT_PROTEINS.iter().map(|p| (*p, 0, 0.0));
    let all = PROTEINS.into_iter().chain(silent).enumerate();
    all.map(|(i, (name, factor, size))| {
        let s = &mut Stream::new(seed, STREAM + 800 + i as u64);
        let loadings = if size == 0.0 { [0.0; N_FACTORS] } else { along(factor, size, s) };
        let age = if name == "FGF23" || name == "NTproBNP" { 0.15 } else { 0.0 };
        Plan { age, ..molecule("protein", name.to_owned(), loadings, 0.5, s) }
    })
    .collect()
}

/// All features but the derived ones, view by view.
pub(super) fn plan(seed: u64) -> Vec<Plan> {
    [phenotypes(seed), bulk(seed), single_cell(seed), protein(seed)].into_iter().flatten().collect()
}
