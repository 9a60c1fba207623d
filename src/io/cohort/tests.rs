//! Sample sheets and tables of cohorts: what is read, what is refused.

use super::*;
use crate::base::{Limits, Progress, Warnings};
use crate::model::{ItemKind, NOT_LISTED};

fn parse(sheet: &str, files: &[(&str, &str)]) -> (Result<Cohort>, Warnings) {
    let files = files.iter().map(|(n, t)| ((*n).to_owned(), t.as_bytes().to_vec())).collect();
    let mut warnings = Warnings::default();
    let progress = Progress::none();
    let mut reading = Reading { limits: Limits::default(), progress: &progress, warnings: &mut warnings };
    let cohort = parse_cohort(sheet.as_bytes(), &files, &mut reading);
    (cohort, warnings)
}

const SHEET: &str = "\
subject,patient,batch,site,age [years],scan,labels,block,section,phenotypes,bulk [log2 CPM],view:Lipids,outcome
S1,P1,1,north,61,scans/s1.nii.gz,,B1,B1-1,pheno.csv#S1,bulk.csv,,1
S1,P1,,,,,,B1,B1-2,,,,
S2,P2,2,south,n/a,scans/gone.nii.gz,,,,pheno.csv#X2,bulk.csv#two,lipids.csv,0
S3,P2,1,north,70,MR-3,,,,pheno.csv#S3,missing: no biopsy,,
";
const PHENO: &str = "id,edv_ml,note\nS1,160,\nX2,171,fine\nS3,,\nS9,1,\n";
const BULK: &str = "id,NPPA,MYH6\nS1,3.5,\ntwo,4,2\n";

fn files() -> Vec<(&'static str, &'static str)> {
    vec![("pheno.csv", PHENO), ("bulk.csv", BULK), ("scans/s1.nii.gz", "x")]
}

#[test]
fn a_sheet_is_read_with_everything_missing_named() {
    let (cohort, warnings) = parse(SHEET, &files());
    let cohort = cohort.unwrap();
    let ids: Vec<&str> = cohort.subjects().iter().map(|s| s.id.as_str()).collect();
    assert_eq!((ids, cohort.n_patients()), (vec!["S1", "S2", "S3"], 2));
    assert_eq!(cohort.covariate("Age").unwrap().values, Values::Number(vec![Some(61.0), None, Some(70.0)]));
    assert_eq!(cohort.covariate("age").unwrap().unit, "years");
    assert_eq!(cohort.covariate("batch").unwrap().values.levels(), ["1", "2"], "a batch is a word");
    assert_eq!(cohort.outcome().unwrap().values.text(1).as_deref(), Some("0"));
    let items = &cohort.subjects()[0].items;
    let of = |kind| items.iter().filter(|i| i.kind == kind).map(|i| (i.reference.as_str(), i.state)).collect::<Vec<_>>();
    assert_eq!(of(ItemKind::Scan), [("scans/s1.nii.gz", ItemState::File)]);
    assert_eq!(of(ItemKind::Section), [("B1-1", ItemState::Identifier), ("B1-2", ItemState::Identifier)]);
    assert!(items.iter().filter(|i| i.kind == ItemKind::Section).all(|i| i.block.as_deref() == Some("B1")));
    assert_eq!(cohort.subjects()[2].items[0].state, ItemState::Identifier);

    let bulk = cohort.view("bulk").unwrap();
    assert_eq!((bulk.unit.as_str(), bulk.n_subjects()), ("log2 CPM", 2));
    assert_eq!(bulk.row(1).unwrap(), [4.0, 2.0]);
    assert_eq!(bulk.missing, [None, None, Some("no biopsy".to_owned())]);
    let lipids = cohort.view("Lipids").unwrap();
    assert_eq!(lipids.missing[0].as_deref(), Some(NOT_LISTED));
    assert_eq!(lipids.missing[1].as_deref(), Some("the file lipids.csv is not there"));
    assert_eq!(cohort.view("phenotypes").unwrap().missing[2].as_deref(), Some("the row S3 of pheno.csv is empty"));

    let said: Vec<(&str, &str)> = warnings.notes.iter().map(|n| (n.code, n.message.as_str())).collect();
    assert_eq!(
        said,
        [
            ("missing-file", "row 3, column scan: the file scans/gone.nii.gz is not there"),
            ("not-a-number", "pheno.csv: row 2, column note is no finite number; the column is left out"),
            ("empty-row", "row 4, column phenotypes: the row S3 of pheno.csv is empty"),
            ("missing-file", "row 3, column view:Lipids: the file lipids.csv is not there"),
            ("unused-rows", "1 rows of pheno.csv belong to no subject of the sheet (as S9)"),
            ("subject-without-view", "1 of 3 subjects have no view at all (as S3)"),
        ]
    );
}

#[test]
fn people_are_not_shown() {
    let sheet = "subject,patient,birth_date,visit,scan,bulk\n\"Doe, Jane\",DOE^JANE,1954-03-12,a,scans/DOE^JANE/i.nii,b.csv\nS2,DOE^JANE,,2020-01-05,,\nS3,,,,,\n";
    let (cohort, warnings) = parse(sheet, &[("b.csv", "id,G\n\"Doe, Jane\",1\n\"Roe, Jim\",2\n")]);
    let cohort = cohort.unwrap();
    let shown = format!("{cohort:?} {:?}", warnings.notes);
    for word in ["Doe", "DOE", "Jane", "Roe", "1954", "2020-01"] {
        assert!(!shown.contains(word), "{word} in {shown}");
    }
    assert_eq!(cohort.subjects()[0].id, "subject-001");
    assert_eq!(cohort.subjects()[0].patient, cohort.subjects()[1].patient, "still one patient");
    assert_eq!(cohort.view("bulk").unwrap().row(0).unwrap(), [1.0], "the row is found by its real name");
    let codes: Vec<&str> = warnings.notes.iter().map(|n| n.code).collect();
    assert_eq!(codes.iter().filter(|c| **c == "personal-data").count(), 2);
    assert_eq!(codes.iter().filter(|c| **c == "personal-identifier").count(), 3);
}

#[test]
fn contradictions_are_sentences() {
    let error = |sheet: &str| parse(sheet, &[]).0.unwrap_err().to_string();
    assert!(
        error("subject,patient,section\nS1,P1,B1\nS2,P2,B1\n").contains("the section B1 is listed under two patients, P1 and P2")
    );
    assert!(error("subject,patient,bulk\nS1,P1,\nS1,P2,\n").contains("row 2, column patient"));
    assert!(error("subject,bulk\n,\n").contains("no subject"));
    assert!(error("id,bulk\nS1,\n").contains("no column subject"));
    let (cohort, warnings) =
        parse("subject,site,bulk\nS1,north,b.csv\nS1,south,c.csv\n,x,\n", &[("b.csv", "id,G\nS1,1\nS1,2\n")]);
    assert_eq!(cohort.unwrap().view("bulk").unwrap().missing[0].as_deref(), Some("b.csv has more than one row S1"));
    let codes: Vec<&str> = warnings.notes.iter().map(|n| n.code).collect();
    assert_eq!(codes, ["conflicting-fact", "second-measurement", "no-subject", "duplicate-row", "subject-without-view"]);
}

#[test]
fn several_tables_make_one_view() {
    let files = [("a.csv", "id,G1,G2\nS1,1,2\n"), ("b.tsv", "id\tG2\tG3\nS2\t3\t4\n")];
    let (cohort, _) = parse("subject,bulk\nS1,a.csv\nS2,b.tsv\n", &files);
    let bulk = cohort.unwrap().view("bulk").unwrap().table.clone().unwrap();
    assert_eq!(bulk.features(), ["G1", "G2", "G3"]);
    assert!(bulk.row(0)[2].is_nan() && bulk.row(1)[0].is_nan());
    assert_eq!(bulk.row(1)[1..], [3.0, 4.0]);
}

#[test]
fn a_written_cohort_comes_back() {
    let cohort = crate::io::cohort::tests::parse(SHEET, &files()).0.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let names = write_cohort(folder.path(), &cohort).unwrap();
    assert_eq!(names, ["sample_sheet.csv", "phenotypes.csv", "bulk.csv", "Lipids.csv"]);
    let mut warnings = Warnings::default();
    let progress = Progress::none();
    let mut reading = Reading { limits: Limits::default(), progress: &progress, warnings: &mut warnings };
    let found = read_cohort(&folder.path().join("sample_sheet.csv"), &mut reading).unwrap();
    let Content::Cohort(back) = found.content else { panic!("a cohort") };
    assert_eq!(
        back.subjects().iter().map(|s| &s.id).collect::<Vec<_>>(),
        cohort.subjects().iter().map(|s| &s.id).collect::<Vec<_>>()
    );
    assert_eq!(back.covariates(), cohort.covariates());
    let again = tempfile::tempdir().unwrap();
    write_cohort(again.path(), &back).unwrap();
    for name in &names {
        assert_eq!(std::fs::read(folder.path().join(name)).unwrap(), std::fs::read(again.path().join(name)).unwrap(), "{name}");
    }
}
