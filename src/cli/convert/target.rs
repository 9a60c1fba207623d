//! What is written: by the ending of the output, or as what a folder is asked for.

use crate::base::{Error, Result};
use crate::io::{self, Content, bytes};
use clap::ValueEnum;
use std::path::Path;

/// Forms that are a folder of files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum FolderForm {
    /// DICOM images without anything that names the patient.
    #[default]
    Dicom,
    /// Contour text, a file for each image.
    Sunnybrook,
}

/// What the output asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Nifti,
    AnnData,
    /// DICOM, for labels.
    Segmentation,
    /// Contours, an electrocardiogram, or cells × genes; all but contours and electrocardiograms also as TSV or Parquet.
    Table,
    Mesh,
    Folder(FolderForm),
}

impl Target {
    /// Of an output; `Parameter` for endings that nothing is written as.
    pub fn of(path: &Path, form: Option<FolderForm>) -> Result<Self> {
        let is_gzip = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
        let ending = bytes::ending(path);
        let is_folder = path.is_dir() || form.is_some() || ending.is_empty() || path.as_os_str().to_string_lossy().ends_with('/');
        match ending.as_str() {
            _ if is_folder => Ok(Self::Folder(form.unwrap_or_default())),
            "nii" => Ok(Self::Nifti),
            "dcm" => Ok(Self::Segmentation),
            "h5ad" if !is_gzip => Ok(Self::AnnData),
            "csv" | "tsv" | "parquet" if !is_gzip => Ok(Self::Table),
            "obj" | "ply" | "stl" if !is_gzip => Ok(Self::Mesh),
            _ => Err(Error::parameter(format!(
                "the output must be a folder or end in .nii, .nii.gz, .dcm, .csv, .tsv, .parquet, .ply, .stl, .obj or .h5ad, which decides what is written: {}",
                path.display()
            ))),
        }
    }

    /// Whether it holds such a thing.
    pub fn takes(self, content: &Content) -> bool {
        match content {
            Content::Volume(_) => matches!(self, Self::Nifti | Self::Folder(FolderForm::Dicom)),
            Content::Labels(_) => !matches!(self, Self::AnnData | Self::Folder(FolderForm::Dicom)),
            Content::Section(s) => self.is_expression() && s.expression.is_some(),
            Content::Contours(_) => matches!(self, Self::Nifti | Self::Segmentation | Self::Table),
            Content::Surface(_) => matches!(self, Self::Nifti | Self::Segmentation | Self::Mesh),
            Content::Ecg(_) => self == Self::Table,
            Content::Cohort(_) => false,
        }
    }

    /// Whether cells × genes can be written so.
    pub fn is_expression(self) -> bool {
        matches!(self, Self::AnnData | Self::Table)
    }

    /// What it holds, for errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nifti => "an image, labels, contours or a mesh, which NIfTI holds",
            Self::Segmentation => "labels, which a DICOM segmentation holds",
            Self::AnnData => "a table of expression, which h5ad holds",
            Self::Table => "a table of expression, contours, labels to be outlined, or an electrocardiogram, which a table holds",
            Self::Mesh => "a mesh, or labels to be made one",
            Self::Folder(FolderForm::Dicom) => "an image, which DICOM files hold",
            Self::Folder(FolderForm::Sunnybrook) => "labels, whose outlines contour text holds",
        }
    }
}

/// Whether two things, one maybe not there yet, are the same file.
pub(super) fn same_place(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// The things of a list with their numbers, for people.
pub(super) fn listed(items: &[&io::Found]) -> String {
    let one = |f: &&io::Found| format!("{} ({})", f.item, f.summary);
    items.iter().map(one).collect::<Vec<_>>().join("; ")
}
