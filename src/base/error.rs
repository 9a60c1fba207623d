//! One error type for the whole library. A variant says who must act: the file, us, the caller,
//! the mathematics, the machine, or nobody (a cancelled job). The path comes last in the sentence.

use std::path::{Path, PathBuf};

/// Result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be done. Every message says what was found, what was expected and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is damaged or is not what it claims to be.
    #[error("{what}{}", at(path.as_deref()))]
    Malformed {
        /// What was found, what was expected, what to do.
        what: String,
        /// The file, where there is one.
        path: Option<PathBuf>,
    },
    /// The file is valid, but this program cannot read such a thing.
    #[error("{what}{}", at(path.as_deref()))]
    Unsupported {
        /// What is not supported and what to do instead.
        what: String,
        /// The file, where there is one.
        path: Option<PathBuf>,
    },
    /// A setting or argument is out of its range.
    #[error("{0}")]
    Parameter(String),
    /// The input is fine, but the mathematics has no answer (collinear points, empty mask, …).
    #[error("{0}")]
    Degenerate(String),
    /// Refused before memory was taken.
    #[error("{what} needs {needed_bytes} bytes, the limit is {limit_bytes} bytes; raise it with --max-memory{}", at(path.as_deref()))]
    TooLarge {
        /// What would be allocated.
        what: String,
        /// How much it would take.
        needed_bytes: u64,
        /// How much is allowed.
        limit_bytes: u64,
        /// The file, where there is one.
        path: Option<PathBuf>,
    },
    /// The job was cancelled by the person or replaced by a newer request.
    #[error("cancelled")]
    Cancelled,
    /// The operating system said no.
    #[error("{doing}: {source}{}", at(path.as_deref()))]
    Io {
        /// What was being done, as "reading" or "writing".
        doing: &'static str,
        /// The cause.
        source: std::io::Error,
        /// The file, where there is one.
        path: Option<PathBuf>,
    },
}

impl Error {
    /// A damaged file, path not known yet (see [`Error::at`]).
    pub fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed { what: what.into(), path: None }
    }

    /// Something valid that this program cannot do.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into(), path: None }
    }

    /// A setting out of range.
    pub fn parameter(what: impl Into<String>) -> Self {
        Self::Parameter(what.into())
    }

    /// No mathematical answer.
    pub fn degenerate(what: impl Into<String>) -> Self {
        Self::Degenerate(what.into())
    }

    /// An operating-system error on a path.
    pub fn io(doing: &'static str, source: std::io::Error, path: impl Into<PathBuf>) -> Self {
        Self::Io { doing, source, path: Some(path.into()) }
    }

    /// What the person can do about an error of this kind; empty where nothing is to be done.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "Check that the file was copied whole; export or download it again.",
            Self::Unsupported { .. } => "Convert it with the program that made it, or leave it out.",
            Self::Parameter(_) => "Change what was asked for, as the sentence says.",
            Self::Degenerate(_) => "Give other input: for these numbers there is no answer.",
            Self::TooLarge { .. } => "Open a smaller part, or start with a larger --max-memory.",
            Self::Io { .. } => "Check that the path exists, may be read and written, and that the disk has room.",
            Self::Cancelled => "",
        }
    }

    /// A stable word for an error that becomes a note about a file.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed { what, .. } if what.contains("cut off") => "truncated",
            Self::Unsupported { .. } => "unsupported",
            Self::TooLarge { .. } => "too-large",
            Self::Io { .. } => "unreadable",
            Self::Cancelled => "cancelled",
            Self::Malformed { .. } | Self::Parameter(_) | Self::Degenerate(_) => "malformed",
        }
    }

    /// The same error with its file named, where it had none.
    #[must_use]
    pub fn at(mut self, file: &Path) -> Self {
        match &mut self {
            Self::Malformed { path, .. }
            | Self::Unsupported { path, .. }
            | Self::TooLarge { path, .. }
            | Self::Io { path, .. } => {
                path.get_or_insert_with(|| file.to_path_buf());
            }
            Self::Parameter(_) | Self::Degenerate(_) | Self::Cancelled => {}
        }
        self
    }
}

impl Error {
    /// The same error with a file under `from` named as one under `to`, as for the content of an archive.
    #[must_use]
    pub fn moved(mut self, from: &Path, to: &Path) -> Self {
        if let Self::Malformed { path, .. } | Self::Unsupported { path, .. } | Self::TooLarge { path, .. } | Self::Io { path, .. } =
            &mut self
            && let Some(rest) = path.as_deref().and_then(|p| p.strip_prefix(from).ok())
        {
            let moved = if rest.as_os_str().is_empty() { to.to_path_buf() } else { to.join(rest) };
            *path = Some(moved);
        }
        self
    }
}

fn at(path: Option<&Path>) -> String {
    path.map_or_else(String::new, |p| format!(": {}", p.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_comes_last_and_is_set_once() {
        let error = Error::malformed("12 bytes where 348 were expected").at(Path::new("a.nii")).at(Path::new("b.nii"));
        assert_eq!(error.to_string(), "12 bytes where 348 were expected: a.nii");
    }
}
