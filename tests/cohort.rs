//! The cohort from outside: the built-in one as files and back, sheets on the command line, exclusions with
//! reasons in the session.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test stops here; numbers stand as other programs print them"
)]

use myoscope::base::{Limits, Progress, Warnings};
use myoscope::io::{Content, Reading, open, write_cohort};
use myoscope::model::Cohort;
use myoscope::phantom::make_cohort;
use std::path::Path;
use std::time::Instant;

fn read(path: &Path) -> (Cohort, Warnings) {
    let (mut warnings, progress) = (Warnings::default(), Progress::none());
    let found = open(path, &mut Reading { limits: Limits::default(), progress: &progress, warnings: &mut warnings }).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    let Content::Cohort(cohort) = found.into_iter().next().unwrap().content else { panic!("no cohort") };
    (cohort, warnings)
}

/// Everything of a cohort but its name; missing values compare as equal.
fn facts(cohort: &Cohort) -> String {
    let views: Vec<_> = cohort.views().iter().map(|v| (&v.name, &v.unit, &v.table, &v.missing)).collect();
    format!("{:?}\n{:?}\n{views:?}", cohort.subjects(), cohort.covariates())
}

#[test]
fn the_built_in_cohort_comes_back_from_its_files() {
    for seed in [0, 7] {
        let cohort = make_cohort(seed).unwrap().cohort;
        let folder = tempfile::tempdir().unwrap();
        let files = write_cohort(folder.path(), &cohort).unwrap();
        assert_eq!(files, ["sample_sheet.csv", "phenotypes.csv", "bulk.csv", "single_cell.csv", "protein.csv"]);
        let (back, warnings) = read(&folder.path().join("sample_sheet.csv"));
        assert_eq!(warnings.notes, []);
        assert_eq!(facts(&back), facts(&cohort));
        // A folder with the sheet gives the sheet; its tables belong to it.
        assert_eq!(facts(&read(folder.path()).0), facts(&cohort));
    }
}

#[test]
fn it_is_made_at_once() {
    let began = Instant::now();
    make_cohort(1).unwrap();
    assert!(began.elapsed().as_secs_f64() < 0.2, "{:?}", began.elapsed());
}
