//! Genes of other tables found in a table: by name, by identifier, by identifier without its version.

use crate::model::Expression;
use std::collections::BTreeMap;

/// Where genes stand in a table.
#[derive(Debug)]
pub(super) struct GenePlaces<'a> {
    names: BTreeMap<&'a str, usize>,
    ids: BTreeMap<&'a str, usize>,
}

/// An Ensembl identifier without its version; other names as they are.
fn plain(name: &str) -> &str {
    match name.split_once('.') {
        Some((id, version)) if id.starts_with("ENS") && version.bytes().all(|b| b.is_ascii_digit()) => id,
        _ => name,
    }
}

impl<'a> GenePlaces<'a> {
    /// Of all genes; the first of equal names counts.
    pub(super) fn new(expression: &'a Expression) -> Self {
        let (mut names, mut ids) = (BTreeMap::new(), BTreeMap::new());
        for (gene, name) in expression.genes().iter().enumerate() {
            names.entry(name.as_str()).or_insert(gene);
            ids.entry(plain(name)).or_insert(gene);
        }
        for (gene, id) in expression.gene_ids().iter().enumerate() {
            ids.entry(plain(id)).or_insert(gene);
        }
        Self { names, ids }
    }

    /// The gene of this name, or of this identifier.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.names.get(name).or_else(|| self.ids.get(plain(name))).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_before_identifiers() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let e = Expression::new(words("TTN A.1 TTN"), words("ENSG1.4 ENSG2 ENSG3.1"), words("s"), vec![0; 4], vec![], vec![])
            .unwrap();
        let places = GenePlaces::new(&e);
        let found: Vec<_> = ["TTN", "A.1", "A", "ENSG1", "ENSG3.9", "ENSG2.1"].map(|n| places.find(n)).to_vec();
        assert_eq!(found, [Some(0), Some(1), None, Some(0), Some(2), Some(1)]);
    }
}
