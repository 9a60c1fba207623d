//! Tables of expression with what lies beside their matrix.

use super::Convert;
use crate::base::Result;
use crate::cli::Run;
use crate::io;
use crate::model::{Expression, Section};

impl Convert {
    /// Writes a section with what the input has beside its matrix.
    pub(super) fn write_h5ad(&self, section: &Section, run: &mut Run) -> Result<()> {
        let (Some(file), Some(expression)) = (io::table_file(&self.input), &section.expression) else {
            return io::write_h5ad(&self.output, section);
        };
        let n = expression.observations().len();
        let (arrays, layers) = io::read_all_arrays(&file, &mut run.reading())?;
        // Of one section among several, the rows would be others.
        let mut extras = io::Extras {
            obsm: arrays.arrays.into_iter().filter(|(_, (width, values))| values.len() == n * width).collect(),
            graphs: arrays.graphs.into_iter().filter(|(_, g)| g.n_nodes() == n).collect(),
            ..io::Extras::default()
        };
        let mut n_left = 0;
        for name in layers {
            // The notes of the table were given when it was read first.
            let n_notes = run.warnings.notes.len();
            let layer = io::read_matrix(&file, Some(&name), &mut run.reading())?.expression;
            run.warnings.notes.truncate(n_notes);
            let fits = |e: &Expression| e.observations() == expression.observations() && e.genes() == expression.genes();
            match layer.filter(|e| fits(e)) {
                Some(layer) => drop(extras.matrices.insert(if name == "raw" { "raw_X".into() } else { name }, (*layer).clone())),
                None => n_left += 1,
            }
        }
        if n_left > 0 {
            let text = format!("{n_left} matrices have other observations or genes than what is written and are left out");
            run.warnings.warn("left-out", text, Some(&file));
        }
        io::write_h5ad_with(&self.output, section, &extras)
    }
}
