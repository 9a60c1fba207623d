//! Lists of genes in GMT files: one set in a line, name, description and genes with tabs between.
//! Format: GSEA documentation, "Data formats", Gene Matrix Transposed.

use super::Reading;
use super::bytes::read_inflated;
use crate::base::{Error, Result};
use std::collections::BTreeSet;
use std::path::Path;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GmtSet {
    /// First field.
    pub name: String,
    /// Second field, often an address.
    pub description: String,
    /// The others, each once.
    pub genes: Vec<String>,
}

/// Marker genes of the cells of the heart, with their sources as descriptions.
const CARDIAC: &[u8] = include_bytes!("../../assets/cardiac_markers.gmt");

/// The built-in lists of marker genes of the cells of the human heart.
pub fn cardiac_sets(reading: &mut Reading) -> Result<Vec<GmtSet>> {
    parse_gmt(CARDIAC, reading)
}

/// Reads a GMT file, gzip or not.
pub fn read_gmt(path: &Path, reading: &mut Reading) -> Result<Vec<GmtSet>> {
    let bytes = read_inflated(path, &reading.limits).map_err(|e| e.at(path))?;
    parse_gmt(&bytes, reading).map_err(|e| e.at(path))
}

/// From bytes: empty lines and lines that begin with `#` are passed over; a set without genes is a note; a
/// name that is there twice, or a line without tabs, is [`Error::Malformed`].
pub fn parse_gmt(bytes: &[u8], reading: &mut Reading) -> Result<Vec<GmtSet>> {
    reading.limits.check("the gene sets", &[bytes.len() as u64], 4)?;
    let text =
        std::str::from_utf8(bytes).map_err(|_| Error::malformed("the gene sets are no UTF-8 text; a GMT file was expected"))?;
    let (mut sets, mut names) = (Vec::new(), BTreeSet::new());
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let mut fields = line.split('\t').map(str::trim);
        let (name, description) = (fields.next().unwrap_or_default(), fields.next());
        let Some(description) = description.filter(|_| !name.is_empty()) else {
            let what =
                format!("line {} has no name and description with a tab between; expected name, description, genes", number + 1);
            return Err(Error::malformed(what));
        };
        if !names.insert(name) {
            return Err(Error::malformed(format!("the set {name} is there twice (line {}); rename one", number + 1)));
        }
        let mut seen = BTreeSet::new();
        let genes: Vec<String> = fields.filter(|g| !g.is_empty() && seen.insert(*g)).map(str::to_owned).collect();
        if genes.is_empty() {
            reading.warnings.note("empty-set", format!("the set {name} has no genes and is left out"), None);
            continue;
        }
        sets.push(GmtSet { name: name.to_owned(), description: description.to_owned(), genes });
    }
    if sets.is_empty() {
        return Err(Error::malformed("there is no gene set in it; a line has name, description and genes with tabs between"));
    }
    Ok(sets)
}

#[cfg(test)]
mod tests {
    use super::super::hdf5_open::trial::run;
    use super::*;

    #[test]
    fn the_built_in_lists_have_sources() {
        let sets = run(cardiac_sets).0.unwrap();
        assert!(sets.len() > 10 && sets.iter().all(|s| s.description.contains("doi:") && s.genes.len() >= 6));
    }

    #[test]
    fn lines_become_sets() {
        let (sets, notes) = run(|r| parse_gmt(b"# sets\nA\tx\tG1\tG2\tG1\n\nB\t\tG3\t\r\nC\tnone\n", r));
        let sets = sets.unwrap();
        assert_eq!((sets[0].genes.join(" "), sets[1].genes.join(" "), sets.len()), ("G1 G2".into(), "G3".into(), 2));
        assert_eq!(notes.notes[0].code, "empty-set");
        for (bad, part) in
            [("A B C", "line 1"), ("A\tx\tG\nA\ty\tG\n", "twice (line 2)"), ("", "no gene set"), ("\tx\tG", "line 1")]
        {
            let error = run(|r| parse_gmt(bad.as_bytes(), r)).0.unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(run(|r| parse_gmt(b"\xff\xfe", r)).0.is_err());
    }
}
