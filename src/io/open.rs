//! What a path holds, recognized by content: one file, or a folder with everything in it. A file that
//! cannot be read is named in the warnings; the rest stays open.

use super::archive::{self, Archive};
use super::contours::ContourKind;
use super::mesh::MeshKind;
use super::{
    Found, Reading, beside, bytes, cohort, contours, counts, dicom, hdf5_open, mesh, mtx, nifti, picture, table, tiff, visium,
    volume_formats, xenium, zarr_open,
};
use crate::base::{Error, Note, Result};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// How deep folders are searched.
const MAX_FOLDER_DEPTH: usize = 16;
/// How many files of a folder are looked at.
const MAX_FILES: usize = 100_000;
/// So many first bytes recognize every format.
const N_FIRST_BYTES: usize = 4096;
/// So many recognize a table of counts, whose header names every gene.
const N_TABLE_BYTES: usize = 1 << 20;

/// Everything that can be shown or used in a file or folder, sorted by path, with item numbers that
/// are the same for the same input. An error where nothing can be opened; in a folder, other failures
/// become warnings. Folders are searched with their folders, links to folders are not followed.
pub fn open(path: &Path, reading: &mut Reading) -> Result<Vec<Found>> {
    let facts = std::fs::metadata(path).map_err(|e| Error::io("opening", e, path))?;
    let mut found = if facts.is_dir() { open_folder(path, false, reading)? } else { open_file(path, reading)? };
    found.sort_by(|a, b| a.path.cmp(&b.path).then(a.item.cmp(&b.item)));
    for (item, one) in found.iter_mut().enumerate() {
        one.item = item;
    }
    Ok(found)
}

/// DICOM files of a path; those of an archive lie in a temporary folder that goes with this.
#[derive(Debug)]
pub struct DicomFiles {
    /// The files, in order of their path.
    pub paths: Vec<PathBuf>,
    _unpacked: Option<tempfile::TempDir>,
}

/// The DICOM files of a file, folder or archive; `None` where it holds none.
pub fn dicom_files(path: &Path, reading: &mut Reading) -> Result<Option<DicomFiles>> {
    let facts = std::fs::metadata(path).map_err(|e| Error::io("opening", e, path))?;
    let kind = if facts.is_dir() { Kind::Unknown } else { kind_of(path)? };
    let unpacked = match kind {
        Kind::Archive(kind) => Some(archive::unpack(path, kind, reading)?),
        _ => None,
    };
    let root = unpacked.as_ref().map_or(path, |folder| folder.path());
    let all = if root.is_dir() { dicom::files_of(root)? } else { dicom::listed_or_alone(root, reading)? };
    let is_dicom = |file: &PathBuf| matches!(kind_of(file), Ok(Kind::Dicom));
    let paths: Vec<PathBuf> = all.into_iter().filter(is_dicom).collect();
    Ok((!paths.is_empty()).then_some(DicomFiles { paths, _unpacked: unpacked }))
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Nifti,
    /// The voxels of a pair; its header opens it.
    NiftiImage,
    Hdf5,
    /// A matrix with its names beside it.
    Mtx,
    /// A table of counts.
    Counts,
    Dicom,
    Picture,
    Tiff,
    /// NRRD or MetaImage.
    Lattice,
    /// Something packed, but for projects of this program.
    Archive(Archive),
    /// A sample sheet.
    Cohort,
    Contours(ContourKind),
    Mesh(MeshKind),
    /// Known, not opened here; the sentence says what to do.
    Other(&'static str),
    Unknown,
}

fn kind_of(path: &Path) -> Result<Kind> {
    let first = bytes::first_bytes(path, N_FIRST_BYTES)?;
    let ending = bytes::ending(path);
    if is_sample_sheet(path, &first) {
        return Ok(Kind::Cohort);
    }
    if ending == "myo" && first.starts_with(b"PK") {
        return Ok(Kind::Other("a project of this program; open it alone"));
    }
    let kind = kind_of_bytes(&first);
    if kind != Kind::Unknown {
        return Ok(kind);
    }
    if let Some(kind) = contours::kind_of(path, &inflated_first(&first)) {
        return Ok(Kind::Contours(kind));
    }
    if let Some(kind) = mesh::kind_of(path, &first) {
        return Ok(Kind::Mesh(kind));
    }
    // A damaged file is still read by the reader of its name, which says what is wrong with it.
    Ok(match ending.as_str() {
        "nii" | "hdr" => Kind::Nifti,
        "img" if ["hdr", "hdr.gz", "HDR"].iter().any(|e| path.with_file_name(format!("{}.{e}", bytes::stem(path))).is_file()) => {
            Kind::NiftiImage
        }
        "h5" | "h5ad" => Kind::Hdf5,
        "dcm" => Kind::Dicom,
        "png" | "jpg" | "jpeg" => Kind::Picture,
        "csv" | "tsv" | "txt" if is_counts(path, &first)? => Kind::Counts,
        "tif" | "tiff" | "btf" | "svs" => Kind::Tiff,
        "csv" | "tsv" | "parquet" => Kind::Other("a table; give it to the command that takes such a table"),
        "json" => Kind::Other("JSON; a transform is given with --transform"),
        "nrrd" | "nhdr" | "mha" | "mhd" => Kind::Lattice,
        _ => Kind::Unknown,
    })
}

/// The first bytes, inflated where they are gzip.
fn inflated_first(first: &[u8]) -> Vec<u8> {
    if bytes::is_gzip(first) { bytes::inflated_start(first, N_FIRST_BYTES) } else { first.to_vec() }
}

/// Whether a table has the columns of a sample sheet.
fn is_sample_sheet(path: &Path, first: &[u8]) -> bool {
    if first.starts_with(b"PAR1") {
        return table::parquet_names(path).is_ok_and(|names| cohort::is_sheet(names.iter().map(String::as_str)));
    }
    let is_table = matches!(bytes::ending(path).as_str(), "csv" | "tsv" | "txt");
    let inflated = || bytes::inflated_start(first, N_FIRST_BYTES);
    is_table && if bytes::is_gzip(first) { cohort::is_sheet_text(&inflated()) } else { cohort::is_sheet_text(first) }
}

fn kind_of_bytes(first: &[u8]) -> Kind {
    const STARTS: [(&[u8], Kind); 10] = [
        (b"\x89HDF\r\n\x1a\n", Kind::Hdf5),
        (b"\x89PNG\r\n\x1a\n", Kind::Picture),
        (b"\xff\xd8\xff", Kind::Picture),
        (b"\x28\xb5\x2f\xfd", Kind::Other("a zstd archive; unpack it first")),
        (b"II*\0", Kind::Tiff),
        (b"MM\0*", Kind::Tiff),
        (b"II+\0", Kind::Tiff),
        (b"MM\0+", Kind::Tiff),
        (b"PAR1", Kind::Other("a Parquet table; give it to the command that takes such a table")),
        (b"NRRD000", Kind::Lattice),
    ];
    let is_dicom = first.get(128..132) == Some(b"DICM");
    if let Some(kind) = archive::kind_of(first).filter(|_| !is_dicom) {
        return Kind::Archive(kind);
    }
    if bytes::is_gzip(first) {
        return match kind_of_bytes(&bytes::inflated_start(first, 1024)) {
            kind @ (Kind::Nifti | Kind::Mtx) => kind,
            Kind::Other(what) => Kind::Other(what),
            _ => Kind::Unknown,
        };
    }
    if volume_formats::is_metaimage(first) {
        return Kind::Lattice;
    }
    if first.get(..14).is_some_and(|s| s.eq_ignore_ascii_case(b"%%MatrixMarket")) {
        return Kind::Mtx;
    }
    if nifti::is_nifti(first) {
        return Kind::Nifti;
    }
    // The preamble of a DICOM file may be the start of a TIFF file.
    if is_dicom {
        return Kind::Dicom;
    }
    // HDF5 may begin after a block of the user, at 512 bytes or a doubling of it.
    let is_later_hdf5 = [512, 1024, 2048].iter().any(|&at| first.get(at..at + 8) == Some(b"\x89HDF\r\n\x1a\n".as_slice()));
    let start = STARTS.into_iter().find(|(start, _)| first.starts_with(start)).map(|(_, kind)| kind);
    match start {
        Some(kind) => kind,
        None if is_later_hdf5 => Kind::Hdf5,
        None if dicom::is_dicom(first) => Kind::Dicom,
        None => Kind::Unknown,
    }
}

/// Whether a text file is a table of counts; where the header is long, more of the file is looked at.
fn is_counts(path: &Path, first: &[u8]) -> Result<bool> {
    let is_long = first.len() == N_FIRST_BYTES;
    Ok(if is_long { counts::is_counts(&bytes::first_bytes(path, N_TABLE_BYTES)?) } else { counts::is_counts(first) })
}

fn open_file(path: &Path, reading: &mut Reading) -> Result<Vec<Found>> {
    let kind = kind_of(path)?;
    match kind {
        Kind::Other(what) => return Err(Error::unsupported(format!("this is {what}")).at(path)),
        Kind::Unknown => return Err(unknown(path)),
        _ => {}
    }
    // The last net: a decoder that panics costs its file, not the program.
    let read = catch_unwind(AssertUnwindSafe(|| match kind {
        Kind::Nifti | Kind::NiftiImage => open_nifti(path, reading),
        Kind::Hdf5 => hdf5_open::read_hdf5(path, reading),
        Kind::Mtx => mtx::read_mtx(path, reading).map(|f| vec![f]),
        Kind::Counts => counts::read_found(path, reading),
        Kind::Dicom => dicom::read_dicom(path, reading),
        Kind::Picture => picture::read_picture(path, reading).map(|f| vec![f]),
        Kind::Tiff => tiff::read_tiff(path, reading).map(|f| vec![f]),
        Kind::Lattice => volume_formats::read_lattice(path, reading).map(|f| vec![f]),
        Kind::Archive(kind) => open_archive(path, kind, reading),
        Kind::Cohort => cohort::read_cohort(path, reading).map(|f| vec![f]),
        Kind::Contours(kind) => contours::read(path, kind, reading).map(|f| vec![f]),
        Kind::Mesh(kind) => mesh::read(path, kind, reading).map(|f| vec![f]),
        Kind::Other(_) | Kind::Unknown => Err(unknown(path)),
    }));
    let read = read.unwrap_or_else(|_| Err(Error::malformed("its reader stopped in the middle; the file is damaged")));
    read.map_err(|e| e.at(path))
}

fn unknown(path: &Path) -> Error {
    let is_empty = std::fs::metadata(path).is_ok_and(|m| m.len() == 0);
    let what = if is_empty { "the file is empty" } else { "the content is of no known kind" };
    Error::malformed(format!("{what}; NIfTI, NRRD, MetaImage, DICOM, h5ad, 10x h5 or MTX, PNG, JPEG or TIFF was expected"))
        .at(path)
}

/// What an archive holds, as if it were a folder of that name. Archives in it are not opened.
fn open_archive(path: &Path, kind: Archive, reading: &mut Reading) -> Result<Vec<Found>> {
    let unpacked = Unpacked { folder: archive::unpack(path, kind, reading)?, archive: path.to_path_buf() };
    let n_notes = reading.warnings.notes.len();
    let found = open_folder(unpacked.folder.path(), true, reading);
    unpacked.name_notes(&mut reading.warnings.notes[n_notes..]);
    let mut found = found.map_err(|e| e.moved(unpacked.folder.path(), path))?;
    found.sort_by(|a, b| a.path.cmp(&b.path).then(a.item.cmp(&b.item)));
    for (item, one) in found.iter_mut().enumerate() {
        (one.path, one.item) = (path.to_path_buf(), item);
        if let super::Content::Section(section) = &mut one.content {
            archive::rename(section, unpacked.folder.path(), path);
        }
    }
    Ok(found)
}

/// An archive and the temporary folder that it was unpacked to.
#[derive(Debug)]
struct Unpacked {
    folder: tempfile::TempDir,
    archive: PathBuf,
}

impl Unpacked {
    /// Names the archive where notes name the folder.
    fn name_notes(&self, notes: &mut [Note]) {
        let root = self.folder.path();
        for note in notes {
            let inner = note.file.take().map(|file| file.strip_prefix(root).map_or(file.clone(), |rest| self.archive.join(rest)));
            note.message = note.message.replace(&root.display().to_string(), &self.archive.display().to_string());
            note.file = inner;
        }
    }
}

fn open_nifti(path: &Path, reading: &mut Reading) -> Result<Vec<Found>> {
    let content = nifti::read_nifti(path, reading)?;
    let n_files = if matches!(bytes::ending(path).as_str(), "hdr" | "img") { 2 } else { 1 };
    Ok(vec![Found { n_files, ..Found::alone(content, path) }])
}

/// What a folder holds, before anything is read.
#[derive(Debug, Default)]
struct Inventory {
    visium: Vec<PathBuf>,
    zarr: Vec<PathBuf>,
    xenium: Vec<PathBuf>,
    files: Vec<PathBuf>,
    /// Folders with contour files of one image each, and these.
    contours: BTreeMap<PathBuf, Vec<PathBuf>>,
    has_dicom: bool,
    archives: Vec<(PathBuf, Archive)>,
    /// Folders below which DICOM files lie, the folder itself first.
    dicom_roots: Vec<PathBuf>,
    unknown: Vec<PathBuf>,
    is_cut: bool,
    /// Whether the folder was an archive: then archives in it stay closed.
    in_archive: bool,
}

fn open_folder(folder: &Path, in_archive: bool, reading: &mut Reading) -> Result<Vec<Found>> {
    let mut inventory = Inventory { in_archive, ..Inventory::default() };
    list(folder, 0, &mut inventory, reading)?;
    if inventory.is_cut {
        let what =
            format!("only the first {MAX_FILES} files, {MAX_FOLDER_DEPTH} folders deep, were looked at; open a part of it");
        reading.warnings.warn("folder-too-large", what, Some(folder));
    }
    let n_notes = reading.warnings.notes.len();
    let mut failures = Vec::new();
    let unpacked = unpack_all(folder, &mut inventory, &mut failures, reading)?;
    let mut found = read_all(folder, &inventory, &unpacked, &mut failures, reading)?;
    contours::place_with_images(&mut found, reading);
    for one in &unpacked {
        one.name_notes(&mut reading.warnings.notes[n_notes..]);
        failures = failures.into_iter().map(|e| e.moved(one.folder.path(), &one.archive)).collect();
        for inside in found.iter_mut().filter(|f| f.path.starts_with(one.folder.path())) {
            inside.path.clone_from(&one.archive);
            if let super::Content::Section(section) = &mut inside.content {
                archive::rename(section, one.folder.path(), &one.archive);
            }
        }
    }
    failures.sort_by(|a, b| path_of(a).cmp(&path_of(b)));
    finish(folder, found, failures, &inventory.unknown, reading)
}

/// Unpacks the archives of a folder and adds what they hold to its inventory, so that a series that lies in several
/// archives is one. Roots of DICOM files are those for which [`Inventory::has_dicom`] holds.
fn unpack_all(
    folder: &Path,
    inventory: &mut Inventory,
    failures: &mut Vec<Error>,
    reading: &mut Reading,
) -> Result<Vec<Unpacked>> {
    let mut unpacked = Vec::new();
    for (path, kind) in std::mem::take(&mut inventory.archives) {
        reading.progress.step(0.0, "unpacking")?;
        match archive::unpack(&path, kind, reading) {
            Ok(inside) => {
                let mut own = Inventory { in_archive: true, ..Inventory::default() };
                list(inside.path(), 0, &mut own, reading)?;
                inventory.visium.append(&mut own.visium);
                inventory.xenium.append(&mut own.xenium);
                inventory.zarr.append(&mut own.zarr);
                inventory.files.append(&mut own.files);
                inventory.contours.append(&mut own.contours);
                inventory.unknown.append(&mut own.unknown);
                if own.has_dicom {
                    inventory.dicom_roots.push(inside.path().to_path_buf());
                }
                unpacked.push(Unpacked { folder: inside, archive: path });
            }
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(e) => failures.push(e.at(&path)),
        }
    }
    if inventory.has_dicom {
        inventory.dicom_roots.insert(0, folder.to_path_buf());
    }
    Ok(unpacked)
}

/// Reads everything of an inventory.
fn read_all(
    folder: &Path,
    inventory: &Inventory,
    unpacked: &[Unpacked],
    failures: &mut Vec<Error>,
    reading: &mut Reading,
) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut keep = |read: Result<Vec<Found>>| match read {
        Ok(more) => found.extend(more),
        Err(e) => failures.push(e),
    };
    for folder in &inventory.visium {
        keep(visium::read_visium(folder, reading).map(|f| vec![f]).map_err(|e| e.at(folder)));
    }
    for folder in &inventory.xenium {
        keep(xenium::read_xenium(folder, reading).map(|f| vec![f]).map_err(|e| e.at(folder)));
    }
    for folder in &inventory.zarr {
        keep(zarr_open::read_zarr(folder, reading).map_err(|e| e.at(folder)));
    }
    if !inventory.dicom_roots.is_empty() {
        let n_notes = reading.warnings.notes.len();
        // What lies in one archive only is shown as that archive.
        let shown = match (&inventory.dicom_roots[..], unpacked) {
            ([root], unpacked) => unpacked.iter().find(|u| u.folder.path() == root).map_or(folder, |u| &u.archive),
            _ => folder,
        };
        keep(dicom::read_dicom_roots(&inventory.dicom_roots, shown, reading).map_err(|e| e.at(shown)));
        // The other files are opened here, so they are not left out.
        let said = reading.warnings.notes.split_off(n_notes);
        reading.warnings.notes.extend(said.into_iter().filter(|n| n.code != "not-dicom"));
    }
    for (folder, files) in &inventory.contours {
        keep(contours::read_sunnybrook_folder(folder, files, reading).map(|f| vec![f]).map_err(|e| e.at(folder)));
    }
    let n = inventory.files.len() as f64;
    for (i, file) in inventory.files.iter().enumerate() {
        reading.progress.step(i as f64 / n, "opening files")?;
        keep(open_file(file, reading));
    }
    beside::compare(&found, &inventory.unknown, reading)?;
    Ok(found)
}

/// Failures become warnings where something was opened, else the first of them is the error.
fn finish(
    folder: &Path,
    found: Vec<Found>,
    failures: Vec<Error>,
    unknown: &[PathBuf],
    reading: &mut Reading,
) -> Result<Vec<Found>> {
    if failures.iter().any(|e| matches!(e, Error::Cancelled)) {
        return Err(Error::Cancelled);
    }
    if let (true, Some(first)) = (
        found.is_empty(),
        failures.into_iter().fold(None, |first, e| {
            reading.warnings.error(e.code(), e.to_string(), path_of(&e));
            first.or(Some(e))
        }),
    ) {
        return Err(first);
    }
    if found.is_empty() {
        let what = format!(
            "nothing to open among {} files; NIfTI, NRRD, MetaImage, DICOM, h5ad, 10x h5 or MTX, PNG, JPEG, TIFF or Visium was expected",
            unknown.len()
        );
        return Err(Error::malformed(what).at(folder));
    }
    if let [first, ..] = unknown {
        let name = first.file_name().unwrap_or_default().to_string_lossy();
        let what = match unknown.len() {
            1 => format!("1 file of another kind was left out ({name})"),
            n => format!("{n} files of another kind were left out (as {name})"),
        };
        reading.warnings.note("left-out", what, Some(folder));
    }
    Ok(found)
}

fn path_of(error: &Error) -> Option<&Path> {
    match error {
        Error::Malformed { path, .. }
        | Error::Unsupported { path, .. }
        | Error::TooLarge { path, .. }
        | Error::Io { path, .. } => path.as_deref(),
        Error::Parameter(_) | Error::Degenerate(_) | Error::Cancelled => None,
    }
}

/// Sorts the files of a folder and its folders by name into an inventory. Hidden ones are left out.
fn list(folder: &Path, depth: usize, inventory: &mut Inventory, reading: &mut Reading) -> Result<()> {
    reading.progress.step(0.0, "looking through folders")?;
    if visium::is_visium(folder) {
        inventory.visium.push(folder.to_path_buf());
        return Ok(());
    }
    if xenium::is_xenium(folder) {
        inventory.xenium.push(folder.to_path_buf());
        return Ok(());
    }
    if zarr_open::is_zarr(folder) {
        inventory.zarr.push(folder.to_path_buf());
        return Ok(());
    }
    let wrap = |e| Error::io("reading", e, folder);
    let mut entries = std::fs::read_dir(folder).map_err(wrap)?.collect::<std::io::Result<Vec<_>>>().map_err(wrap)?;
    entries.retain(|e| !e.file_name().to_string_lossy().starts_with('.'));
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|t| t.is_dir());
        if inventory.files.len() + inventory.unknown.len() >= MAX_FILES || (is_folder && depth >= MAX_FOLDER_DEPTH) {
            inventory.is_cut = true;
        } else if is_folder {
            list(&path, depth + 1, inventory, reading)?;
        } else if path.is_file() {
            sort_in(path, inventory);
        }
    }
    Ok(())
}

fn is_name_of_matrix(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_name = ["barcodes.tsv", "features.tsv", "genes.tsv"].iter().any(|n| name.trim_end_matches(".gz").ends_with(n));
    is_name && path.parent().is_some_and(|folder| mtx::matrices(folder).iter().any(|m| m.has(path)))
}

fn sort_in(path: PathBuf, inventory: &mut Inventory) {
    match kind_of(&path) {
        Ok(Kind::Dicom) => inventory.has_dicom = true,
        Ok(Kind::Contours(ContourKind::Sunnybrook)) => {
            let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
            inventory.contours.entry(folder).or_default().push(path);
        }
        Ok(Kind::NiftiImage) => {}
        // The names beside a matrix are read with it.
        Ok(Kind::Unknown | Kind::Counts | Kind::Other(_)) if is_name_of_matrix(&path) => {}
        Ok(Kind::Archive(_)) if inventory.in_archive => inventory.unknown.push(path),
        Ok(Kind::Archive(kind)) => inventory.archives.push((path, kind)),
        Ok(Kind::Unknown | Kind::Other(_)) => inventory.unknown.push(path),
        // Opening it again says why it cannot be read.
        Ok(_) | Err(_) => inventory.files.push(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Limits, Progress, Severity, Warnings};
    use crate::model::{LabelMap, Samples, Volume};
    use crate::space::{DAffine3, Grid};

    fn open_all(path: &Path) -> (Result<Vec<Found>>, Warnings) {
        let mut warnings = Warnings::default();
        let found = open(path, &mut Reading { limits: Limits::default(), progress: &Progress::none(), warnings: &mut warnings });
        (found, warnings)
    }

    fn fill(folder: &Path) {
        let grid = Grid::new([2, 2, 3], DAffine3::IDENTITY).unwrap();
        let volume = Volume::new("v", grid, vec![Samples::I16((0..12).map(|i| i * 7).collect())]).unwrap();
        let labels = LabelMap::new("l", grid, vec![[0u8, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0].into()]).unwrap();
        std::fs::create_dir(folder.join("b")).unwrap();
        nifti::write_nifti_volume(&folder.join("b/image.nii.gz"), &volume).unwrap();
        nifti::write_nifti_labels(&folder.join("a_gt.nii"), &labels).unwrap();
        // Gzip under a plain name is recognized by content.
        std::fs::copy(folder.join("b/image.nii.gz"), folder.join("c.nii")).unwrap();
        std::fs::write(folder.join("SOURCE.txt"), "words").unwrap();
        std::fs::write(folder.join("broken.nii"), [0; 100]).unwrap();
        std::fs::write(folder.join("d.tar.xz"), b"\xfd7zXZ\0abc").unwrap();
    }

    #[test]
    fn a_folder_gives_all_it_can() {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        let (found, warnings) = open_all(folder.path());
        let found = found.unwrap();
        let names: Vec<String> =
            found.iter().map(|f| f.path.strip_prefix(folder.path()).unwrap().display().to_string()).collect();
        assert_eq!(names, ["a_gt.nii", "b/image.nii.gz", "c.nii"]);
        assert_eq!(found.iter().map(|f| f.item).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(found[0].summary, "labels 2×2×3 voxels, 1×1×1 mm: 1 RV cavity, 2 Myocardium, 3 LV cavity");
        assert_eq!(found[1].summary, "volume 2×2×3 voxels, 1×1×1 mm");
        let errors: Vec<_> = warnings.notes.iter().filter(|n| n.severity == Severity::Error).collect();
        assert_eq!(errors.len(), 2);
        for (error, name) in errors.iter().zip(["broken.nii", "d.tar.xz"]) {
            assert!(error.message.ends_with(name) && error.code == "malformed", "{error:?}");
        }
        assert!(warnings.notes.iter().any(|n| n.code == "left-out" && n.message.starts_with("1 file ")));
    }

    #[test]
    fn errors_name_the_file_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        for (name, part) in
            [("SOURCE.txt", "no known kind"), ("d.tar.xz", "the archive is damaged"), ("broken.nii", "NIfTI"), ("no", "opening")]
        {
            let error = open_all(&folder.path().join(name)).0.unwrap_err().to_string();
            assert!(error.contains(part) && error.ends_with(name), "{error}");
        }
        let empty = tempfile::tempdir().unwrap();
        assert!(open_all(empty.path()).0.unwrap_err().to_string().contains("nothing to open among 0 files"));
    }
}
