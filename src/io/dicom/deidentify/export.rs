//! A folder of DICOM files rewritten without their patients: `series_001/IM00001.dcm`, in the order of series and
//! images, and the list of what stayed.

use super::super::element::Element;
use super::super::source::{Source, is_dicom};
use super::{KeptTags, Profile, clean, is_image, rows};
use crate::base::{Error, Result};
use crate::io::Reading;
use crate::io::bytes::{make_folder, read_file, write_bytes};
use crate::io::table::{Table, TableColumn};
use dicom::dictionary_std::tags;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Number of files.
    pub n_files: usize,
    /// Number of series, one folder each.
    pub n_series: usize,
    /// Attributes that stayed.
    pub kept: KeptTags,
}

/// Where an image belongs.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    series_number: i64,
    series_uid: String,
    instance: i64,
    frame: String,
    file: usize,
}

/// Rewrites the images and waveforms among `files` into `folder`, which is made, and lists the attributes that
/// stayed in `kept_tags.csv` there. Other DICOM files, damaged ones and those of other kinds are left out and named.
/// `only` keeps the images of these SOP Instance UIDs. `Malformed` where nothing is left; `Parameter` where the folder
/// holds something already. Cost: each file is read twice.
pub fn deidentify_files(
    files: &[PathBuf],
    folder: &Path,
    profile: Profile,
    only: &[&str],
    reading: &mut Reading,
) -> Result<Exported> {
    if std::fs::read_dir(folder).is_ok_and(|mut d| d.next().is_some()) {
        return Err(Error::parameter(format!("the folder to write is not empty; choose another: {}", folder.display())));
    }
    let places = places(files, only, reading)?;
    if places.is_empty() {
        return Err(Error::malformed("no DICOM image or waveform was found"));
    }
    make_folder(folder)?;
    let (mut done, mut series, mut texts, mut emptied): (Exported, BTreeMap<String, usize>, usize, usize) = Default::default();
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for (i, place) in places.iter().enumerate() {
        reading.progress.step(0.2 + 0.8 * i as f64 / places.len() as f64, "writing DICOM files")?;
        let path = &files[place.file];
        let cleaned = match read_file(path, &reading.limits).and_then(|data| clean(data, profile, &reading.limits)) {
            Ok(cleaned) => cleaned,
            Err(e) => {
                reading.warnings.error("unreadable-file", format!("{e}; it was not written"), Some(path));
                continue;
            }
        };
        let next = series.len() + 1;
        let number = *series.entry(place.series_uid.clone()).or_insert(next);
        let inside = folder.join(format!("series_{number:03}"));
        make_folder(&inside)?;
        let image = counts.entry(number).or_default();
        *image += 1;
        write_bytes(&inside.join(format!("IM{image:05}.dcm")), &cleaned.bytes)?;
        done.n_files += 1;
        texts += usize::from(cleaned.may_show_text);
        emptied += cleaned.n_emptied;
        for (place, tag) in cleaned.kept {
            done.kept.entry(place).and_modify(|k| k.n_files += 1).or_insert(tag);
        }
    }
    done.n_series = series.len();
    if done.n_files == 0 {
        return Err(Error::malformed("none of the DICOM files could be read to its end; nothing was written"));
    }
    say(texts, emptied, reading);
    kept_table(&done.kept)?.write(&folder.join("kept_tags.csv"))?;
    Ok(done)
}

fn say(texts: usize, emptied: usize, reading: &mut Reading) {
    if texts > 0 {
        let what = format!(
            "{texts} files may show text in their pixels (burned-in annotation); pixels are not changed, look at them before passing them on"
        );
        reading.warnings.warn("burned-in-annotation", what, None);
    }
    if emptied > 0 {
        let what =
            format!("{emptied} values held a name or number of the patient, or were not what their kind says, and were emptied");
        reading.warnings.note("emptied", what, None);
    }
}

/// Images in order.
fn places(files: &[PathBuf], only: &[&str], reading: &mut Reading) -> Result<Vec<Place>> {
    let (mut found, mut n_other) = (Vec::new(), 0);
    for (file, path) in files.iter().enumerate() {
        reading.progress.step(0.2 * file as f64 / files.len() as f64, "reading DICOM files")?;
        let data = match read_file(path, &reading.limits) {
            Ok(data) => data,
            Err(e) => {
                reading.warnings.error(e.code(), e.to_string(), Some(path));
                continue;
            }
        };
        if !is_dicom(&data) {
            n_other += 1;
            continue;
        }
        let source = match Source::open(data, &reading.limits) {
            Ok(source) => source,
            Err(e) => {
                reading.warnings.error(e.code(), e.to_string(), Some(path));
                continue;
            }
        };
        let set = source.data_set();
        let text = |tag| set.find(tag).map(Element::text).unwrap_or_default();
        if !is_image(&set) {
            reading.warnings.note("not-an-image", "neither image nor waveform, left out", Some(path));
            continue;
        }
        let uid = text(tags::SOP_INSTANCE_UID);
        if !only.is_empty() && !only.contains(&uid.as_str()) {
            continue;
        }
        found.push(Place {
            series_number: text(tags::SERIES_NUMBER).parse().unwrap_or(0),
            series_uid: text(tags::SERIES_INSTANCE_UID),
            instance: text(tags::INSTANCE_NUMBER).parse().unwrap_or(0),
            frame: format!("{} {}", rows(&set), uid),
            file,
        });
    }
    if n_other > 0 {
        reading.warnings.note("not-dicom", format!("{n_other} files are not DICOM and were left out"), None);
    }
    found.sort();
    Ok(found)
}

/// `tag,name,vr,action,n_files`.
fn kept_table(kept: &KeptTags) -> Result<Table> {
    let text = |name: &str, value: &dyn Fn(&str, &super::KeptTag) -> String| {
        TableColumn::text(name, kept.iter().map(|(place, tag)| Some(value(place, tag))))
    };
    Table::new(vec![
        text("tag", &|place, _| place.to_owned()),
        text("name", &|_, t| t.name.to_owned()),
        text("vr", &|_, t| t.vr.clone()),
        text("action", &|_, t| t.action.to_owned()),
        TableColumn::whole("n_files", kept.values().map(|t| Some(t.n_files as i64))),
    ])
}
