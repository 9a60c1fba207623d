//! Asking the system for files. The system's dialog may hang or be absent, so it runs on a thread of its own
//! and every dialog of the window also takes a typed path.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Files,
    Folder,
    /// A place for a project.
    Save,
    /// A place for a file of keys.
    SaveKeys,
}

/// A dialog of the system that may be open.
#[derive(Debug)]
pub(super) struct Picker {
    answers: Receiver<Vec<PathBuf>>,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Still open.
    Waiting,
    /// These; empty where it was closed or could not be opened.
    Paths(Vec<PathBuf>),
}

impl Picker {
    /// Opens the system's dialog; `wake` is called when it is answered.
    pub(super) fn open(ask: Ask, wake: impl FnOnce() + Send + 'static) -> Self {
        let (sender, answers) = channel();
        // Where no thread can be had the channel closes, which reads as an empty answer.
        let _ = std::thread::Builder::new().name("file dialog".into()).spawn(move || {
            let paths = std::panic::catch_unwind(|| choose(ask)).unwrap_or_default();
            let _ = sender.send(paths);
            wake();
        });
        Self { answers }
    }

    /// What came of it so far.
    pub(super) fn answer(&self) -> Answer {
        match self.answers.try_recv() {
            Ok(paths) => Answer::Paths(paths),
            Err(TryRecvError::Empty) => Answer::Waiting,
            Err(TryRecvError::Disconnected) => Answer::Paths(Vec::new()),
        }
    }
}

fn choose(ask: Ask) -> Vec<PathBuf> {
    let dialog = rfd::FileDialog::new();
    match ask {
        Ask::Files => dialog.set_title("Open files").pick_files().unwrap_or_default(),
        Ask::Folder => dialog.set_title("Open a folder").pick_folder().into_iter().collect(),
        Ask::SaveKeys => {
            let dialog = dialog.set_title("Export keys").set_file_name("myoscope-keys.json");
            dialog.add_filter("Keys", &["json"]).save_file().into_iter().collect()
        }
        Ask::Save => {
            let dialog = dialog.set_title("Save the project").set_file_name("case.myo");
            dialog.add_filter("Myoscope project", &["myo"]).save_file().into_iter().collect()
        }
    }
}
