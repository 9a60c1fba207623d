//! Sound tables, sections and projects, to be damaged.

use super::*;

pub fn pair_seeds() -> Vec<Vec<u8>> {
    let csv = "name,moving_x,moving_y,fixed_x,fixed_y,fixed_z,active\na,1,2,3,4,5,1\n\"b, c\",1.5e3,,3,4,5,\n";
    let mut gz = Vec::new();
    bytes::write_gzip(csv.as_bytes(), &mut gz).unwrap();
    vec![csv.into(), gz, csv.replace(',', "\t").into(), b"name,moving_x,moving_y,fixed_x,fixed_y\r\n,,,,\r\n".to_vec()]
}

/// A sheet and the table that it links, with a zero byte between.
pub fn cohort_seeds() -> Vec<Vec<u8>> {
    let sheet = "subject,patient,batch,age [years],scan,block,section,phenotypes,bulk,view:x,outcome\nS1,P1,1,61,a.nii,B1,B1-1;B1-2,t.csv,t.csv#two,,1\nS1,P1,,,,,,,,,\n\"Doe, J\",,2,x,MR,,,missing: no,t.csv#S1,t.csv#q,0\n";
    let table = "id,edv_ml,G1\nS1,1.5,2\ntwo,,-3e2\nq,nan,\n";
    vec![format!("{sheet}\0{table}").into_bytes(), sheet.as_bytes().to_vec(), sheet.replace(',', ";").into_bytes()]
}

pub fn parquet_seeds() -> Vec<Vec<u8>> {
    let table = |n: usize| {
        let word = |i: usize| (!i.is_multiple_of(5)).then(|| format!("word {}", i % 3));
        Table::new(vec![
            TableColumn::text("name", (0..n).map(word)),
            TableColumn::numbers("x", (0..n).map(|i| (i % 7 > 0).then_some(i as f64 / 3.0))),
            TableColumn::whole("n", (0..n).map(|i| Some(i as i64 * 1000))),
        ])
    };
    [2, 300].map(|n| table(n).unwrap().to_bytes(TableKind::Parquet).unwrap()).to_vec()
}

pub fn section() -> Section {
    let names = |word: &str, n: usize| (0..n).map(|i| format!("{word}{i}")).collect::<Vec<_>>();
    let rows = (vec![0u64, 1, 2, 3], vec![0u32, 1, 1], vec![1.0f32, 2.0, 3.0]);
    let expression =
        Expression::from_rows(names("gene", 2), names("id", 2), names("spot", 3), &rows.0, &rows.1, &rows.2).unwrap();
    let spots = Spots { px: vec![DVec2::ZERO, DVec2::X, DVec2::Y].into(), diameter_px: 1.0, in_tissue: vec![true; 3] };
    Section {
        name: "s".into(),
        picture: None,
        pixel_size: PixelSize::Unknown,
        spots: Some(spots.into()),
        expression: Some(expression.into()),
    }
}

pub fn h5ad_seeds() -> Vec<Vec<u8>> {
    let layer = vec![vec![0.5, f64::NAN, 2.0]; 2];
    let scale = ExpressionScale::Log1pScaled { target: 7.0 };
    let extras = Extras { layers: vec![("a", &layer)], expression: Some(scale), ..Extras::default() };
    vec![build_h5ad(&section()).unwrap(), build_h5ad_with(&section(), &extras).unwrap()]
}

/// A table with coordinates and a graph.
pub fn array_seeds() -> Vec<Vec<u8>> {
    let graph = Graph::new(vec![0, 1, 2, 2], vec![1, 0], vec![1.0, 1.0]).unwrap();
    let extras = Extras {
        obsm: [("X_a".to_owned(), (2, vec![0.5; 6]))].into(),
        graphs: [("connectivities".to_owned(), graph)].into(),
        ..Extras::default()
    };
    [vec![build_h5ad_with(&section(), &extras).unwrap()], packed_seeds()].concat()
}

pub fn golden(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cells").join(name)).unwrap()
}

/// Tables that anndata wrote: packed by Blosc and Zstandard, and of records.
pub fn packed_seeds() -> Vec<Vec<u8>> {
    let inflated = |name: &str| bytes::inflate(golden(name), &LIMITS).unwrap();
    ["csr_blosc.h5ad.gz", "dense_zstd.h5ad.gz", "legacy.h5ad.gz"].map(inflated).to_vec()
}

/// Metadata of arrays of both versions with their first chunk, a zero byte between.
pub fn zarr_seeds() -> Vec<Vec<u8>> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(golden("codecs.zarr.zip"))).unwrap();
    let mut file = |name: &str| {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut zip.by_name(name).unwrap(), &mut bytes).unwrap();
        bytes
    };
    let arrays = ["gzip", "zstd", "blosc", "crc", "transpose", "shard", "words"].map(|n| (n.to_owned(), "zarr.json", "c/0/0"));
    let old = ["zlib", "lz4", "blosc", "fortran"].map(|n| (format!("old/{n}"), ".zarray", "0.0"));
    let mut pair = |(array, meta, chunk): (String, &str, &str)| {
        let chunk = if array == "words" { "c/0" } else { chunk };
        [file(&format!("{array}/{meta}")), vec![0], file(&format!("{array}/{chunk}"))].concat()
    };
    arrays.into_iter().chain(old).map(&mut pair).collect()
}

pub fn region_seeds() -> Vec<Vec<u8>> {
    let text = r#"{"features":[{"geometry":{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,0]],[[1,1],[2,1],[2,2],[1,1]]]},
        "properties":{"name":"a","classification":{"name":"Tumor","colorRGB":-3670016}}}]}"#;
    vec![text.into(), text.replace("Polygon", "MultiPolygon").replace("[[[0", "[[[[0").into()]
}

/// The files that another program wrote, kept for the numbers.
pub fn tiff_seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tiff");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files.iter().map(|f| std::fs::read(f).unwrap()).collect()
}

pub fn model_seeds() -> Vec<Vec<u8>> {
    let gene = PredictorGene { name: "g".into(), intercept: 1.0, residual_sd: 0.5, pearson: Some(0.3), position_pearson: None };
    let model = Predictor {
        method: "ridge".into(),
        features: vec![PredictorFeature { name: "f_od".into(), mean: 0.1, scale: 2.0 }; 2],
        genes: vec![gene; 3],
        coefficients: vec![0.25; 6],
        correlation: vec![1.0, 0.5, 0.5, 1.0],
        alpha: 3.0,
        n_train: 40,
        mean_leverage: 0.05,
        domain: Domain { shrinkage: 0.01, mahalanobis_limit: 9.0, length_limit: 8.0, limit: 1.1 },
        patch_um: Some(112.0),
        expression: ExpressionScale::Log1pScaled { target: 3230.5 },
    };
    vec![written("m.json", |p| write_predictor(p, &model, &PredictorNotes::default()).unwrap())]
}

pub fn tenx_seeds() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let section = Section { pixel_size: PixelSize::Known { um_per_px: 1.0, source: "typed".into() }, ..section() };
    write_visium(folder.path(), &section, &[(0, 0), (0, 2), (1, 1)]).unwrap();
    vec![std::fs::read(folder.path().join("filtered_feature_bc_matrix.h5")).unwrap()]
}

pub fn mtx_seeds() -> Vec<Vec<u8>> {
    let head = "%%MatrixMarket matrix coordinate";
    vec![
        format!("{head} integer general\n%\n3 4 5\n1 1 7\n2 1 1\n3 3 2\n1 4 90\n1 4 9\n").into(),
        format!("{head} real general\n2 2 2\n1 1 0.5\n2 2 -1e-3\n").into(),
        format!("{head} pattern general\n2 2 1\n2 1\n").into(),
    ]
}

pub fn count_seeds() -> Vec<Vec<u8>> {
    let csv = "id,TTN,\"MY,H7\",B\nAAACAAGTATCTCCCA-1,1,0,2\nAAACAAGTATCTCCCC-1,0,3.5,\n";
    let st = "\tTTN\tACTB\n1_15x16\t1\t0\n2_15.5x17\t0\t3\n";
    let mut gz = Vec::new();
    bytes::write_gzip(st.as_bytes(), &mut gz).unwrap();
    let columns = vec![TableColumn::text("id", [Some("a"), Some("b")]), TableColumn::numbers("TTN", [Some(1.0), None])];
    let parquet = Table::new(columns).unwrap().to_bytes(TableKind::Parquet).unwrap();
    vec![csv.into(), st.into(), gz, parquet, b"\ts1\ts2\nENSG00000198888\t1\t2\n".to_vec()]
}

pub fn project_seeds() -> Vec<Vec<u8>> {
    let manifest = Manifest { format: FORMAT.into(), version: 1, ..Manifest::default() };
    let project = Project { manifest, history: vec!["{}".into()] };
    vec![written("a.myo", |p| write_project(p, &project, &std::collections::BTreeMap::new(), &Progress::none()).unwrap())]
}

pub fn position_seeds() -> Vec<Vec<u8>> {
    let head = "barcode,in_tissue,array_row,array_col,pxl_row_in_fullres,pxl_col_in_fullres\n";
    let rows = "AAAC-1,1,0,0,100,200\nAAAG-1,0,0,2,100,300\nAAAT-1,1,1,1,190,250\n";
    vec![format!("{head}{rows}").into(), rows.into()]
}

pub fn scale_seeds() -> Vec<Vec<u8>> {
    let text = r#"{"spot_diameter_fullres": 89.4, "tissue_hires_scalef": 0.17, "fiducial_diameter_fullres": 144.4, "tissue_lowres_scalef": 0.05}"#;
    vec![text.into()]
}
