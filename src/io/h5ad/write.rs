//! Writes a section as an `.h5ad` that anndata, scanpy and squidpy open.

use super::matrix_write::{Late, MOST_PACKED};
use crate::base::{Error, Result};
use crate::io::hdf5_build::{encode, encode_group, finish, pack, strings, text, write_whole, write_with_holes};
use crate::io::predictor_file::ScaleRow;
use crate::model::{Column, Expression, ExpressionScale, Graph, PictureLevel, PixelSize, Section, Spots};
use hdf5_pure::{AttrValue, EnumTypeBuilder, FileBuilder, GroupBuilder, make_i8_type};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Pictures larger than this stay out of the file.
const MOST_PICTURE_PX: usize = 4096;

/// Writes a section with counts: X as compressed rows, its tables, positions in full-resolution pixels
/// (`obsm/spatial`), scale factors and up to two pictures (`uns/spatial`). The same section gives the
/// same bytes; the file appears whole or not at all.
pub fn write_h5ad(path: &Path, section: &Section) -> Result<()> {
    write_h5ad_with(path, section, &Extras::default())
}

/// What goes into a file beside its section.
#[derive(Clone, Debug, Default)]
pub struct Extras<'a> {
    /// Matrices beside `X`, gene by gene: one value per observation, NaN where there is none.
    pub layers: Vec<(&'a str, &'a [Vec<f64>])>,
    /// Sparse matrices beside `X`, with the same observations and genes.
    pub matrices: BTreeMap<String, Expression>,
    /// What predicted values are (`uns/prediction`).
    pub expression: Option<ExpressionScale>,
    /// Arrays of observations (`obsm`), by name: columns and values, row by row.
    pub obsm: BTreeMap<String, (usize, Vec<f64>)>,
    /// Graphs of observations (`obsp`), by name.
    pub graphs: BTreeMap<String, Graph>,
    /// Texts (`uns`), by name.
    pub texts: BTreeMap<String, String>,
}

/// As [`write_h5ad`], with more matrices, arrays and texts.
pub fn write_h5ad_with(path: &Path, section: &Section, extras: &Extras) -> Result<()> {
    write_packing(path, section, extras, MOST_PACKED)
}

/// As [`write_h5ad_with`]; matrices of more than `most_packed` values are not compressed.
pub(super) fn write_packing(path: &Path, section: &Section, extras: &Extras, most_packed: usize) -> Result<()> {
    let mut late = Late::above(most_packed);
    let file = assemble(section, extras, &mut late)?;
    if late.is_empty() { write_whole(path, &finish(file)?) } else { write_with_holes(path, file, |holes| late.fill(holes)) }
}

/// The bytes that [`write_h5ad`] writes.
pub fn build_h5ad(section: &Section) -> Result<Vec<u8>> {
    build_h5ad_with(section, &Extras::default())
}

/// The bytes that [`write_h5ad_with`] writes, though large matrices are packed as well.
pub fn build_h5ad_with(section: &Section, extras: &Extras) -> Result<Vec<u8>> {
    finish(assemble(section, extras, &mut Late::above(usize::MAX))?)
}

fn assemble<'a>(section: &'a Section, extras: &'a Extras, late: &mut Late<'a>) -> Result<FileBuilder> {
    let Some(expression) = &section.expression else {
        return Err(Error::parameter(format!("{} has no genes, so there is nothing to write as AnnData", section.name)));
    };
    let n = expression.observations().len();
    if let Some(spots) = section.spots.as_ref().filter(|s| s.px.len() != n || s.in_tissue.len() != n) {
        return Err(Error::parameter(format!("{} spots and {n} observations do not match", spots.px.len())));
    }
    let mut file = FileBuilder::new();
    file.set_attr("encoding-type", text("anndata"));
    file.set_attr("encoding-version", text("0.1.0"));
    let x = late.matrix(file.create_group("X"), "X", expression);
    file.add_group(x);
    let mut columns = expression.columns.clone();
    if let Some(spots) = &section.spots {
        columns.insert("in_tissue".into(), Column::Number(spots.in_tissue.iter().map(|&t| f64::from(u8::from(t))).collect()));
    }
    table(&mut file, "obs", expression.observations(), &columns);
    let mut var = expression.gene_columns.clone();
    if !expression.gene_ids().is_empty() {
        var.insert("gene_ids".to_owned(), Column::Text(expression.gene_ids().to_vec()));
    }
    table(&mut file, "var", expression.genes(), &var);
    layers(&mut file, [n, expression.genes().len()], extras, late)?;
    graphs(&mut file, n, &extras.graphs)?;
    for name in ["varm", "varp"] {
        let mut group = file.create_group(name);
        encode_group(&mut group, "dict", "0.1.0");
        file.add_group(group.finish());
    }
    let mut obsm = file.create_group("obsm");
    encode_group(&mut obsm, "dict", "0.1.0");
    if let Some(spots) = &section.spots {
        let flat: Vec<f64> = spots.px.iter().flat_map(|p| [p.x, p.y]).collect();
        encode(obsm.create_dataset("spatial").with_f64_data(&flat).with_shape(&[n as u64, 2]), "array");
    }
    for (name, (width, values)) in &extras.obsm {
        if values.len() != n * width {
            return Err(Error::parameter(format!("{} numbers for {n} observations × {width} of {name}", values.len())));
        }
        encode(obsm.create_dataset(name).with_f64_data(values).with_shape(&[n as u64, *width as u64]), "array");
    }
    file.add_group(obsm.finish());
    let mut uns = file.create_group("uns");
    encode_group(&mut uns, "dict", "0.1.0");
    if let Some(spots) = &section.spots {
        spatial(&mut uns, section, spots);
    }
    if expression.unit.starts_with("log1p") {
        let mut log1p = uns.create_group("log1p");
        encode_group(&mut log1p, "dict", "0.1.0");
        uns.add_group(log1p.finish());
    }
    if ["connectivities", "distances"].iter().all(|g| extras.graphs.contains_key(*g)) {
        neighbors(&mut uns);
    }
    if let Some(scale) = extras.expression {
        prediction(&mut uns, &ScaleRow::of(scale));
    }
    for (name, value) in &extras.texts {
        let dataset = uns.create_dataset(name);
        dataset.with_vlen_strings(&[value.as_str()]).with_shape(&[]);
        encode(dataset, "string");
    }
    file.add_group(uns.finish());
    Ok(file)
}

/// Graphs as compressed rows.
fn graphs(file: &mut FileBuilder, n: usize, graphs: &BTreeMap<String, Graph>) -> Result<()> {
    let mut group = file.create_group("obsp");
    encode_group(&mut group, "dict", "0.1.0");
    for (name, graph) in graphs {
        if graph.n_nodes() != n {
            return Err(Error::parameter(format!("the graph {name} has {} nodes for {n} observations", graph.n_nodes())));
        }
        let (offsets, targets, weights) = graph.parts();
        let mut inner = group.create_group(name);
        encode_group(&mut inner, "csr_matrix", "0.1.0");
        inner.set_attr("shape", AttrValue::I64Array(vec![n as i64; 2]));
        pack(inner.create_dataset("data").with_f32_data(weights), weights.len());
        let targets: Vec<i32> = targets.iter().map(|t| *t as i32).collect();
        pack(inner.create_dataset("indices").with_i32_data(&targets), targets.len());
        let offsets: Vec<i32> = offsets.iter().map(|o| *o as i32).collect();
        pack(inner.create_dataset("indptr").with_i32_data(&offsets), offsets.len());
        group.add_group(inner.finish());
    }
    file.add_group(group.finish());
    Ok(())
}

/// Where scanpy finds the graph of neighbors.
fn neighbors(uns: &mut GroupBuilder) {
    let mut group = uns.create_group("neighbors");
    encode_group(&mut group, "dict", "0.1.0");
    let word = |group: &mut GroupBuilder, name: &str, value: &str| {
        let dataset = group.create_dataset(name);
        dataset.with_vlen_strings(&[value]).with_shape(&[]);
        encode(dataset, "string");
    };
    word(&mut group, "connectivities_key", "connectivities");
    word(&mut group, "distances_key", "distances");
    let mut params = group.create_group("params");
    encode_group(&mut params, "dict", "0.1.0");
    word(&mut params, "method", "umap");
    word(&mut params, "metric", "euclidean");
    group.add_group(params.finish());
    uns.add_group(group.finish());
}

/// Matrices of observations × genes beside `X`.
fn layers<'a>(file: &mut FileBuilder, [n, m]: [usize; 2], extras: &'a Extras, late: &mut Late<'a>) -> Result<()> {
    let mut group = file.create_group("layers");
    encode_group(&mut group, "dict", "0.1.0");
    for (name, layer) in &extras.matrices {
        if [layer.observations().len(), layer.genes().len()] != [n, m] {
            return Err(Error::parameter(format!("the layer {name} does not have {n} observations × {m} genes")));
        }
        let inner = late.matrix(group.create_group(name), &format!("layers/{name}"), layer);
        group.add_group(inner);
    }
    for (name, columns) in &extras.layers {
        if columns.len() != m || columns.iter().any(|c| c.len() != n) {
            return Err(Error::parameter(format!("the layer {name} does not have {n} observations × {m} genes")));
        }
        let flat: Vec<f32> = (0..n).flat_map(|i| columns.iter().map(move |c| c[i] as f32)).collect();
        let dataset = group.create_dataset(name).with_f32_data(&flat).with_shape(&[n as u64, m as u64]);
        encode(dataset, "array");
    }
    file.add_group(group.finish());
    Ok(())
}

fn prediction(uns: &mut GroupBuilder, row: &ScaleRow) {
    let mut group = uns.create_group("prediction");
    encode_group(&mut group, "dict", "0.1.0");
    strings(group.create_dataset("expression"), &[row.scale.as_str()]);
    if let Some(target) = row.target {
        encode(group.create_dataset("target").with_f64_data(&[target]), "array");
    }
    uns.add_group(group.finish());
}

fn table(file: &mut FileBuilder, name: &str, index: &[String], columns: &BTreeMap<String, Column>) {
    let mut group = file.create_group(name);
    encode_group(&mut group, "dataframe", "0.2.0");
    group.set_attr("_index", text("_index"));
    let columns: BTreeMap<String, &Column> =
        columns.iter().filter(|(k, _)| !k.is_empty() && *k != "_index").map(|(k, c)| (k.replace('/', "_"), c)).collect();
    let names: Vec<String> = columns.keys().cloned().collect();
    // An empty list of names is an array of floats, as h5py writes it.
    let order = if names.is_empty() { AttrValue::F64Array(Vec::new()) } else { AttrValue::VarLenStringArray(names) };
    group.set_attr("column-order", order);
    strings(group.create_dataset("_index"), index);
    for (name, column) in columns {
        write_column(&mut group, &name, column);
    }
    file.add_group(group.finish());
}

fn write_column(group: &mut GroupBuilder, name: &str, column: &Column) {
    match column {
        // Masks of genes are truth values for scanpy, numbers would be taken for places.
        Column::Number(v) if name == "highly_variable" && v.iter().all(|v| *v == 0.0 || *v == 1.0) => mask(group, name, v),
        Column::Number(v) if v.iter().all(|v| v.fract() == 0.0 && v.abs() < 9e15) => {
            encode(group.create_dataset(name).with_i64_data(&v.iter().map(|&v| v as i64).collect::<Vec<_>>()), "array");
        }
        Column::Number(v) => encode(group.create_dataset(name).with_f64_data(v), "array"),
        Column::Text(v) => strings(group.create_dataset(name), v),
        Column::Category { codes, names } => {
            if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
                let flat: Vec<&str> = codes.iter().map(|&c| names.get(c as usize).map_or("", String::as_str)).collect();
                return strings(group.create_dataset(name), &flat);
            }
            let mut inner = group.create_group(name);
            encode_group(&mut inner, "categorical", "0.2.0");
            inner.set_attr("ordered", AttrValue::U8(0));
            let codes: Vec<i32> = codes.iter().map(|&c| if (c as usize) < names.len() { c as i32 } else { -1 }).collect();
            encode(inner.create_dataset("codes").with_i32_data(&codes), "array");
            strings(inner.create_dataset("categories"), names);
            group.add_group(inner.finish());
        }
    }
}

fn mask(group: &mut GroupBuilder, name: &str, values: &[f64]) {
    let kind = EnumTypeBuilder::with_base(make_i8_type()).value("FALSE", 0).value("TRUE", 1).build();
    let bytes: Vec<u8> = values.iter().map(|v| u8::from(*v != 0.0)).collect();
    match kind {
        Ok(kind) => encode(group.create_dataset(name).with_enum_u8_data(kind, &bytes), "array"),
        Err(_) => encode(group.create_dataset(name).with_u8_data(&bytes), "array"),
    }
}

fn spatial(uns: &mut GroupBuilder, section: &Section, spots: &Spots) {
    let levels: Vec<&PictureLevel> = section.picture.iter().flat_map(|p| &p.levels).collect();
    let levels: Vec<&PictureLevel> = levels.into_iter().filter(|l| l.width.max(l.height) <= MOST_PICTURE_PX).take(2).collect();
    let mut outer = uns.create_group("spatial");
    encode_group(&mut outer, "dict", "0.1.0");
    let name = if section.name.is_empty() { "section".to_owned() } else { section.name.replace('/', "_") };
    let mut library = outer.create_group(&name);
    encode_group(&mut library, "dict", "0.1.0");
    let mut factors = library.create_group("scalefactors");
    encode_group(&mut factors, "dict", "0.1.0");
    let mut factor = |key: &str, value: f64| {
        let dataset = factors.create_dataset(key).with_f64_data(&[value]).with_shape(&[]);
        encode(dataset, "numeric-scalar");
    };
    // The drawn diameter of Space Ranger is 65 µm where 55 µm are printed.
    factor("spot_diameter_fullres", spots.diameter_px * 65.0 / 55.0);
    if let PixelSize::Known { um_per_px, .. } = &section.pixel_size {
        factor("microns_per_pixel", *um_per_px);
    }
    for (level, key) in levels.iter().zip(["tissue_hires_scalef", "tissue_lowres_scalef"]) {
        factor(key, 1.0 / level.scale);
    }
    library.add_group(factors.finish());
    let mut images = library.create_group("images");
    encode_group(&mut images, "dict", "0.1.0");
    for (level, key) in levels.iter().zip(["hires", "lowres"]) {
        let rgb: Vec<u8> = level.rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        let shape = [level.height as u64, level.width as u64, 3];
        let dataset = images.create_dataset(key).with_u8_data(&rgb).with_shape(&shape);
        dataset.with_chunks(&[shape[0].min(256), shape[1].min(256), 3]).with_deflate(4);
        encode(dataset, "array");
    }
    library.add_group(images.finish());
    outer.add_group(library.finish());
    uns.add_group(outer.finish());
}
