//! The matrix of an `AnnData` file: compressed rows, compressed columns or dense, integers or floats.

use super::frame::{Frame, texts};
use crate::base::{Error, Result};
use crate::io::Reading;
use crate::io::sparse::{Names, merge, read_rows, tell_oddities};
use crate::io::stored::Stored;
use crate::model::Expression;
use std::path::Path;

/// The matrix `at` with gene names from `var`; columns of observations move in from `obs`.
pub(super) fn read_expression(
    file: &dyn Stored,
    at: &str,
    (obs, mut var): (Frame, Frame),
    path: &Path,
    reading: &mut Reading,
) -> Result<Expression> {
    let (genes, ids) = gene_names(&mut var);
    let shape = [obs.index.len(), genes.len()];
    let mut expression = if file.is_group(at) {
        sparse(file, at, (genes, ids, obs.index), reading)?
    } else if file.is_array(at) {
        dense(file, at, (genes, ids, obs.index), reading)?
    } else {
        let text = format!("there is no X; {} observations × {} genes are empty", shape[0], shape[1]);
        reading.warnings.warn("no-matrix", text, Some(path));
        let offsets = vec![0; shape[1] + 1];
        Expression::new(genes, ids, obs.index, offsets, Vec::new(), Vec::new())?
    };
    expression.columns = obs.columns;
    expression.gene_columns = var.columns;
    expression.unit = unit(file, &expression).into();
    tell_oddities(&expression, path, reading.warnings);
    if at == "X" && expression.unit != "counts" && file.is_group("raw") {
        let text = "X holds transformed values and is used; the file also has raw/X (--matrix raw)";
        reading.warnings.note("raw-available", text, Some(path));
    }
    Ok(expression)
}

fn unit(file: &dyn Stored, expression: &Expression) -> &'static str {
    if expression.value_facts().are_counts() {
        "counts"
    } else if file.is_group("uns/log1p") {
        "log1p"
    } else {
        "values"
    }
}

/// Names and identifiers. An index of Ensembl identifiers gives way to a column of symbols.
/// The column that is used moves out of the frame.
pub(super) fn gene_names(var: &mut Frame) -> (Vec<String>, Vec<String>) {
    let ensembl = |s: &String| s.starts_with("ENS") && s.bytes().filter(u8::is_ascii_digit).count() >= 6;
    let by_id = 2 * var.index.iter().filter(|s| ensembl(s)).count() > var.index.len();
    if !by_id {
        let ids = take(var, &["gene_ids", "gene_id", "ensembl_id", "ensembl"]);
        return (var.index.clone(), ids.unwrap_or_default());
    }
    let symbols = take(var, &["gene_symbols", "gene_symbol", "gene_name", "gene_names", "feature_name", "symbol", "SYMBOL"]);
    let mut names = symbols.unwrap_or_else(|| var.index.clone());
    for (name, id) in names.iter_mut().zip(&var.index).filter(|(n, _)| n.is_empty()) {
        name.clone_from(id);
    }
    (names, var.index.clone())
}

fn take(var: &mut Frame, names: &[&str]) -> Option<Vec<String>> {
    names.iter().find_map(|n| var.columns.remove(*n)).map(|c| texts(&c))
}

fn sparse(file: &dyn Stored, at: &str, (genes, ids, observations): Names, reading: &mut Reading) -> Result<Expression> {
    let encoding = file.text_attribute(at, "encoding-type").or_else(|| file.text_attribute(at, "h5sparse_format"));
    let shape = file.count_attribute(at, "shape").or_else(|| file.count_attribute(at, "h5sparse_shape"));
    let wanted = [observations.len() as u64, genes.len() as u64];
    if shape.as_ref().is_some_and(|s| s[..] != wanted) {
        return Err(Error::malformed(format!("{at} is {shape:?}, but obs and var have {wanted:?} rows; write the file again")));
    }
    reading.progress.step(0.2, "reading counts")?;
    if matches!(encoding.as_deref(), Some("csr_matrix" | "csr")) {
        return read_rows(file, at, (genes, ids, observations), reading);
    }
    let offsets = file.u64s(&format!("{at}/indptr"))?;
    let indices = file.u32s(&format!("{at}/indices"))?;
    reading.progress.step(0.5, "reading counts")?;
    let values = file.f32s(&format!("{at}/data"))?;
    reading.limits.check("the sparse matrix", &[values.len() as u64 + wanted[1]], 32)?;
    match encoding.as_deref() {
        Some("csc_matrix" | "csc") => {
            let fits = offsets.windows(2).all(|w| w[0] <= w[1]) && offsets.last() == Some(&(indices.len() as u64));
            if !fits || indices.len() != values.len() {
                return Err(Error::malformed(format!("the offsets of {at} do not fit its {} values", values.len())));
            }
            let (mut offsets, (mut indices, mut values)) = (offsets.clone(), sorted_columns(&offsets, indices, values));
            merge(&mut offsets, &mut indices, &mut values, reading);
            Expression::new(genes, ids, observations, offsets, indices, values)
        }
        other => Err(Error::unsupported(format!(
            "{at} has the encoding {}, expected csr_matrix or csc_matrix",
            other.unwrap_or("none")
        ))),
    }
}

fn sorted_columns(offsets: &[u64], mut rows: Vec<u32>, mut values: Vec<f32>) -> (Vec<u32>, Vec<f32>) {
    for w in offsets.windows(2) {
        let range = w[0] as usize..w[1] as usize;
        if rows[range.clone()].is_sorted() {
            continue;
        }
        let mut pairs: Vec<(u32, f32)> = range.clone().map(|i| (rows[i], values[i])).collect();
        pairs.sort_by_key(|p| p.0);
        for (i, (row, value)) in range.zip(pairs) {
            (rows[i], values[i]) = (row, value);
        }
    }
    (rows, values)
}

fn dense(file: &dyn Stored, at: &str, (genes, ids, observations): Names, reading: &Reading) -> Result<Expression> {
    let (n, m) = (observations.len(), genes.len());
    let shape = file.shape(at)?;
    if shape != [n as u64, m as u64] {
        return Err(Error::malformed(format!("{at} is {shape:?}, but obs has {n} rows and var {m}; write the file again")));
    }
    reading.limits.check("the dense matrix", &[n as u64, m as u64], 12)?;
    reading.progress.step(0.3, "reading counts")?;
    let all = file.f32s(at)?;
    let (mut offsets, mut rows, mut values) = (vec![0_u64], Vec::new(), Vec::new());
    for gene in 0..m {
        for (row, &value) in all.iter().skip(gene).step_by(m).enumerate().filter(|(_, v)| **v != 0.0) {
            rows.push(row as u32);
            values.push(value);
        }
        offsets.push(rows.len() as u64);
    }
    Expression::new(genes, ids, observations, offsets, rows, values)
}
