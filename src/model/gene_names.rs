//! Other names for the genes of a table: without the version of an identifier, symbols for identifiers, and what becomes
//! of genes that share a name.

use super::{Column, Expression};
use crate::base::{Error, Result};
use std::collections::BTreeMap;

/// What becomes of genes of one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// Each stays, as it is called.
    #[default]
    Keep,
    /// The second is called `NAME-1`, the third `NAME-2`, as scanpy and Seurat do.
    Unique,
    /// One gene, whose values are their sum.
    Sum,
}

/// An Ensembl identifier without its version (`ENSG00000175206.11`); `None` for any other name.
#[must_use]
pub fn without_version(name: &str) -> Option<&str> {
    let (id, version) = name.rsplit_once('.')?;
    let digits = id.strip_prefix("ENS")?.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let is_number = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    (digits.len() == 11 && is_number(digits) && is_number(version)).then_some(id)
}

impl Expression {
    /// The same values with other names and identifiers (or none) of its genes, in their order.
    pub fn with_genes(self, genes: Vec<String>, ids: Vec<String>) -> Result<Self> {
        let (columns, gene_columns, unit) = (self.columns.clone(), self.gene_columns.clone(), self.unit.clone());
        let observations = self.observations().to_vec();
        let (offsets, rows, values) = self.into_parts();
        let mut renamed = Self::new(genes, ids, observations, offsets, rows, values)?;
        (renamed.columns, renamed.gene_columns, renamed.unit) = (columns, gene_columns, unit);
        Ok(renamed)
    }

    /// Genes of one name treated as asked for, and how many were renamed or joined.
    pub fn with_duplicates(self, rule: Duplicates) -> Result<(Self, usize)> {
        match rule {
            Duplicates::Keep => Ok((self, 0)),
            Duplicates::Unique => {
                let (names, n) = unique(self.genes());
                let ids = self.gene_ids().to_vec();
                Ok((self.with_genes(names, ids)?, n))
            }
            Duplicates::Sum => self.summed(),
        }
    }

    fn summed(self) -> Result<(Self, usize)> {
        let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        self.genes().iter().enumerate().for_each(|(g, name)| groups.entry(name.as_str()).or_default().push(g));
        let mut order: Vec<Vec<usize>> = groups.into_values().collect();
        order.sort();
        let n_joined = self.genes().len() - order.len();
        if n_joined == 0 {
            return Ok((self, 0));
        }
        let (mut offsets, mut rows, mut values) = (vec![0_u64], Vec::new(), Vec::new());
        for group in &order {
            let mut sums: BTreeMap<u32, f32> = BTreeMap::new();
            for &gene in group {
                let (at, v) = self.gene(gene);
                at.iter().zip(v).for_each(|(row, value)| *sums.entry(*row).or_default() += value);
            }
            sums.into_iter().for_each(|(row, value)| {
                rows.push(row);
                values.push(value);
            });
            offsets.push(rows.len() as u64);
        }
        let first: Vec<usize> = order.iter().filter_map(|g| g.first().copied()).collect();
        let pick = |names: &[String]| first.iter().filter_map(|&g| names.get(g).cloned()).collect::<Vec<_>>();
        let (genes, ids) = (pick(self.genes()), pick(self.gene_ids()));
        let mut joined = Self::new(genes, ids, self.observations().to_vec(), offsets, rows, values)?;
        joined.gene_columns = self.gene_columns.iter().map(|(k, c): (&String, &Column)| (k.clone(), c.subset(&first))).collect();
        (joined.columns, joined.unit) = (self.columns, self.unit);
        Ok((joined, n_joined))
    }

    /// Genes without the version of their Ensembl identifiers, and how many had one.
    pub fn without_versions(self) -> Result<(Self, usize)> {
        let bare = |names: &[String]| -> Vec<String> {
            names.iter().map(|n| without_version(n).map_or_else(|| n.clone(), str::to_owned)).collect()
        };
        let count = |names: &[String]| names.iter().filter(|n| without_version(n).is_some()).count();
        let n = count(self.genes()).max(count(self.gene_ids()));
        if n == 0 {
            return Ok((self, 0));
        }
        let (genes, ids) = (bare(self.genes()), bare(self.gene_ids()));
        Ok((self.with_genes(genes, ids)?, n))
    }

    /// Genes called by `names` of their identifiers or names; what has none keeps its own. How many were found.
    /// [`Error::Parameter`] where none is.
    pub fn mapped(self, names: &BTreeMap<String, String>) -> Result<(Self, usize)> {
        let look = |g: usize| {
            let id = self.gene_ids().get(g);
            id.and_then(|i| names.get(i)).or_else(|| names.get(&self.genes()[g]))
        };
        let n = (0..self.genes().len()).filter(|&g| look(g).is_some()).count();
        if n == 0 {
            let example = self.genes().first().map_or("", String::as_str);
            return Err(Error::parameter(format!("none of the genes (such as {example}) is in the table of names")));
        }
        let genes = (0..self.genes().len()).map(|g| look(g).cloned().unwrap_or_else(|| self.genes()[g].clone())).collect();
        // What they were called stays as their identifier.
        let ids = if self.gene_ids().is_empty() { self.genes().to_vec() } else { self.gene_ids().to_vec() };
        Ok((self.with_genes(genes, ids)?, n))
    }
}

/// Names of which none stands twice, and how many were changed.
fn unique(names: &[String]) -> (Vec<String>, usize) {
    let mut taken: std::collections::BTreeSet<String> = names.iter().cloned().collect();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut n_changed = 0;
    let mut out = Vec::with_capacity(names.len());
    for name in names {
        let count = seen.entry(name).or_default();
        if *count == 0 {
            *count = 1;
            out.push(name.clone());
            continue;
        }
        n_changed += 1;
        let mut other = format!("{name}-{count}");
        while taken.contains(&other) {
            *count += 1;
            other = format!("{name}-{count}");
        }
        *count += 1;
        taken.insert(other.clone());
        out.push(other);
    }
    (out, n_changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(genes: &[&str]) -> Expression {
        let genes: Vec<String> = genes.iter().map(|g| (*g).to_owned()).collect();
        let n = genes.len() as u64;
        let rows = (0..n as u32).map(|g| g % 2).collect();
        Expression::new(genes, vec![], vec!["a".into(), "b".into()], (0..=n).collect(), rows, (1..=n).map(|v| v as f32).collect())
            .unwrap()
    }

    #[test]
    fn versions_go_and_duplicates_are_as_asked() {
        assert_eq!(without_version("ENSG00000175206.11"), Some("ENSG00000175206"));
        assert_eq!(without_version("ENSMUSG00000041616.3"), Some("ENSMUSG00000041616"));
        assert!(["RP11-34.1", "ENSG00000175206", "ENSG1.2", "ENSG00000175206.x"].iter().all(|n| without_version(n).is_none()));
        let (bare, n) = table(&["ENSG00000175206.11", "NPPA"]).without_versions().unwrap();
        assert_eq!((bare.genes()[0].as_str(), n), ("ENSG00000175206", 1));
        let (kept, n) = table(&["A", "B", "A", "A-1", "A"]).with_duplicates(Duplicates::Unique).unwrap();
        assert_eq!((kept.genes().join(" "), n), ("A B A-2 A-1 A-3".into(), 2));
        let (summed, n) = table(&["A", "B", "A", "C", "A"]).with_duplicates(Duplicates::Sum).unwrap();
        assert_eq!((summed.genes().join(" "), n, summed.dense(0)), ("A B C".into(), 2, vec![9.0, 0.0]));
    }

    #[test]
    fn names_come_from_a_table() {
        let names = BTreeMap::from([("ENSG1".to_owned(), "NPPA".to_owned())]);
        let (mapped, n) = table(&["ENSG1", "ENSG2"]).mapped(&names).unwrap();
        assert_eq!((mapped.genes().join(" "), mapped.gene_ids().join(" "), n), ("NPPA ENSG2".into(), "ENSG1 ENSG2".into(), 1));
        assert!(table(&["X"]).mapped(&names).is_err());
    }
}
