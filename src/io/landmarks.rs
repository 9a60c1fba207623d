//! Landmark pairs as tables: `name,moving_x,moving_y[,moving_z],fixed_x,fixed_y[,fixed_z][,active]`.
//! An empty coordinate means that this side is not placed yet.

use super::Reading;
use super::bytes;
use super::table::{Table, TableColumn, TableKind};
use crate::base::{Error, Result};
use crate::model::{Landmark, Landmarks};
use crate::space::{DVec2, DVec3};
use std::collections::BTreeSet;
use std::path::Path;

/// One pair in the table's own units; the third number of a 2-D side is 0.
#[derive(Clone, Debug, PartialEq)]
pub struct PairRow {
    /// As `anterior RV insertion`.
    pub name: String,
    /// The moving point, where it is placed.
    pub moving: Option<[f64; 3]>,
    /// The fixed point, where it is placed.
    pub fixed: Option<[f64; 3]>,
    /// Whether a fit uses it.
    pub active: bool,
}

/// Pairs and how many coordinates each side has (2 or 3).
#[derive(Clone, Debug, PartialEq)]
pub struct PairTable {
    /// Coordinates of a moving point.
    pub moving_dims: usize,
    /// Coordinates of a fixed point.
    pub fixed_dims: usize,
    /// The pairs in the order of the file.
    pub rows: Vec<PairRow>,
}

/// Reads pairs from CSV, TSV or Parquet, gzip or not.
pub fn read_pairs(path: &Path, reading: &mut Reading) -> Result<PairTable> {
    let table = Table::read(path, &reading.limits)?;
    let pairs = PairTable::from_table(&table).map_err(|e| e.at(path))?;
    let repeated = pairs.repeated_names();
    if !repeated.is_empty() {
        let what = format!("more than one pair is called {}; reports cannot tell them apart", repeated.join(", "));
        reading.warnings.warn("duplicate-names", what, Some(path));
    }
    Ok(pairs)
}

/// Whether a file is a table of landmark pairs, by the names of its columns.
#[must_use]
pub fn is_pairs(path: &Path) -> bool {
    if !matches!(bytes::ending(path).as_str(), "csv" | "tsv" | "txt") {
        return false;
    }
    let first = bytes::first_bytes(path, 4096).unwrap_or_default();
    let first = if bytes::is_gzip(&first) { bytes::inflated_start(&first, 4096) } else { first };
    let header = String::from_utf8_lossy(&first);
    let header = header.trim_start_matches('\u{feff}').lines().next().unwrap_or_default().replace(['"', '\t'], ",");
    let has = |name: &str| header.split(',').any(|field| field.trim() == name);
    has("moving_x") && has("moving_y") && has("fixed_x") && has("fixed_y")
}

/// Pairs from the bytes of a CSV file, gzip or not.
pub fn parse_pairs(data: &[u8], reading: &mut Reading) -> Result<PairTable> {
    let data = bytes::inflate(data.to_vec(), &reading.limits)?;
    PairTable::from_table(&Table::parse(data, TableKind::Csv, &reading.limits)?)
}

/// Writes pairs atomically; the ending says how.
pub fn write_pairs(path: &Path, pairs: &PairTable) -> Result<()> {
    pairs.to_table()?.write(path)
}

impl PairTable {
    /// The pairs of a table; [`Error::Malformed`] naming row and column where a cell is no finite number.
    pub fn from_table(table: &Table) -> Result<Self> {
        let (moving_dims, moving) = side(table, "moving")?;
        let (fixed_dims, fixed) = side(table, "fixed")?;
        let names = if table.column("name").is_some() { table.texts("name")? } else { vec![None; table.n_rows()] };
        let active = if table.column("active").is_some() { table.texts("active")? } else { vec![None; table.n_rows()] };
        let rows = names.into_iter().zip(active).zip(moving.into_iter().zip(fixed)).enumerate();
        let rows = rows.map(|(row, ((name, active), (moving, fixed)))| {
            let name = name.map(|n| n.trim().to_owned()).filter(|n| !n.is_empty());
            let name = name.unwrap_or_else(|| format!("pair {}", row + 1));
            Ok(PairRow { name, moving, fixed, active: is_active(active.as_deref(), row)? })
        });
        Ok(Self { moving_dims, fixed_dims, rows: rows.collect::<Result<_>>()? })
    }

    /// The table that [`Self::from_table`] reads.
    pub fn to_table(&self) -> Result<Table> {
        let mut columns = vec![TableColumn::text("name", self.rows.iter().map(|r| Some(r.name.clone())))];
        let sides: [(&str, usize, fn(&PairRow) -> Option<[f64; 3]>); 2] =
            [("moving", self.moving_dims, |r| r.moving), ("fixed", self.fixed_dims, |r| r.fixed)];
        for (side, dims, point) in sides {
            for (axis, letter) in ["x", "y", "z"].iter().enumerate().take(dims) {
                let values = self.rows.iter().map(|r| point(r).map(|p| p[axis]));
                columns.push(TableColumn::numbers(&format!("{side}_{letter}"), values));
            }
        }
        columns.push(TableColumn::whole("active", self.rows.iter().map(|r| Some(i64::from(r.active)))));
        Table::new(columns)
    }

    /// The pairs of a section and a heart: moving points times `mm_per_unit`, fixed points as they are
    /// (LPS mm). [`Error::Parameter`] where the table has other dimensions.
    pub fn to_landmarks(&self, mm_per_unit: f64) -> Result<Landmarks> {
        if (self.moving_dims, self.fixed_dims) != (2, 3) {
            let (m, f) = (self.moving_dims, self.fixed_dims);
            return Err(Error::parameter(format!("these pairs lead from {m}-D to {f}-D; a section in a heart needs 2-D to 3-D")));
        }
        let pairs = self.rows.iter().map(|r| Landmark {
            name: r.name.clone(),
            moving: r.moving.map(|m| DVec2::new(m[0], m[1]) * mm_per_unit),
            fixed: r.fixed.map(DVec3::from_array),
            active: r.active,
        });
        Ok(Landmarks { pairs: pairs.collect() })
    }

    /// The table of a registration's pairs, moving points in the unit of `mm_per_unit`.
    #[must_use]
    pub fn from_landmarks(landmarks: &Landmarks, mm_per_unit: f64) -> Self {
        let rows = landmarks.pairs.iter().map(|l| PairRow {
            name: l.name.clone(),
            moving: l.moving.map(|m| [m.x / mm_per_unit, m.y / mm_per_unit, 0.0]),
            fixed: l.fixed.map(|f| f.to_array()),
            active: l.active,
        });
        Self { moving_dims: 2, fixed_dims: 3, rows: rows.collect() }
    }

    /// Names that more than one pair has, sorted.
    #[must_use]
    pub fn repeated_names(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let repeated: BTreeSet<&str> = self.rows.iter().map(|r| r.name.as_str()).filter(|n| !seen.insert(*n)).collect();
        repeated.into_iter().collect()
    }
}

/// Dimensions and points of one side. A z column without any number is none.
fn side(table: &Table, side: &str) -> Result<(usize, Vec<Option<[f64; 3]>>)> {
    let coordinate = |letter: &str| -> Result<Vec<Option<f64>>> {
        let name = format!("{side}_{letter}");
        let values = table.numbers(&name)?;
        match values.iter().position(|v| v.is_some_and(|v| !v.is_finite())) {
            Some(row) => Err(Error::malformed(format!("row {} of column {name} is not finite", row + 1))),
            None => Ok(values),
        }
    };
    let (x, y) = (coordinate("x")?, coordinate("y")?);
    let z = if table.column(&format!("{side}_z")).is_some() { Some(coordinate("z")?) } else { None };
    let z = z.filter(|z| z.iter().any(Option::is_some));
    let point = |row: usize| Some([x[row]?, y[row]?, z.as_ref().map_or(Some(0.0), |z| z[row])?]);
    Ok((if z.is_some() { 3 } else { 2 }, (0..table.n_rows()).map(point).collect()))
}

fn is_active(cell: Option<&str>, row: usize) -> Result<bool> {
    match cell.map(|c| c.trim().to_lowercase()).as_deref() {
        None | Some("" | "1" | "true" | "yes") => Ok(true),
        Some("0" | "false" | "no") => Ok(false),
        Some(other) => Err(Error::malformed(format!("row {} of column active is {other:?}; 1 or 0 was expected", row + 1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Limits, Progress, Warnings};

    fn parse(text: &str) -> Result<PairTable> {
        let mut warnings = Warnings::default();
        parse_pairs(
            text.as_bytes(),
            &mut Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings },
        )
    }

    #[test]
    fn half_placed_and_inactive() {
        let text = "name,moving_x,moving_y,fixed_x,fixed_y,fixed_z,active\na,1,2,3,4,5,1\nb,1,,3,4,5,\nc,,,,,,no\n,7,8,,,,TRUE\n";
        let pairs = parse(text).unwrap();
        assert_eq!((pairs.moving_dims, pairs.fixed_dims), (2, 3));
        assert_eq!(pairs.rows[0].fixed, Some([3.0, 4.0, 5.0]));
        assert_eq!((pairs.rows[1].moving, pairs.rows[1].active), (None, true));
        assert_eq!((pairs.rows[2].fixed, pairs.rows[2].active), (None, false));
        assert_eq!(pairs.rows[3].name, "pair 4");

        let landmarks = pairs.to_landmarks(0.001).unwrap();
        assert_eq!(landmarks.pairs[0].moving, Some(DVec2::new(0.001, 0.002)));
        let back = PairTable::from_landmarks(&landmarks, 0.001);
        assert_eq!(back, pairs);
    }

    #[test]
    fn pairs_are_known_by_their_columns() {
        let folder = tempfile::tempdir().unwrap();
        let known = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            is_pairs(&path)
        };
        assert!(known("a.csv", "name,moving_x,moving_y,fixed_x,fixed_y,fixed_z\n"));
        assert!(known("b.tsv", "\u{feff}\"moving_x\"\tmoving_y\tfixed_x\tfixed_y\r\na"));
        assert!(!known("c.csv", "x,y\n1,2\n") && !known("d.png", "moving_x,moving_y,fixed_x,fixed_y\n") && !known("e.csv", ""));
    }

    #[test]
    fn written_pairs_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let pairs = parse("name,moving_x,moving_y,fixed_x,fixed_y\na,0.1,2,3,4\na,,,3,4\n").unwrap();
        assert_eq!(pairs.repeated_names(), ["a"]);
        for name in ["p.csv", "p.tsv.gz", "p.parquet"] {
            let path = folder.path().join(name);
            write_pairs(&path, &pairs).unwrap();
            let mut warnings = Warnings::default();
            let mut reading = Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings };
            assert_eq!(read_pairs(&path, &mut reading).unwrap(), pairs);
            assert_eq!(warnings.notes[0].code, "duplicate-names");
        }
        let csv = std::fs::read_to_string(folder.path().join("p.csv")).unwrap();
        assert_eq!(csv, "name,moving_x,moving_y,fixed_x,fixed_y,active\na,0.1,2,3,4,1\na,,,3,4,1\n");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, part) in [
            ("name,moving_x,fixed_x,fixed_y\na,1,2,3\n", "no column moving_y"),
            ("moving_x,moving_y,fixed_x,fixed_y\n1,inf,2,3\n", "row 1 of column moving_y is not finite"),
            ("moving_x,moving_y,fixed_x,fixed_y\n1,1,2,three\n", "row 1 of column fixed_y is \"three\""),
            ("moving_x,moving_y,fixed_x,fixed_y,active\n1,1,2,3,maybe\n", "1 or 0"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
