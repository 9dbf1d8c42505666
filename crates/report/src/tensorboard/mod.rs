//! Event files that TensorBoard opens.
//!
//! A file is a sequence of records (`record.rs`), each a protocol buffer `Event` (`event.rs`). Of the messages of
//! TensorFlow's `event.proto` and `summary.proto` five fields are needed; they are encoded here by hand, which takes
//! fewer lines than a build that generates code for all of them.

mod event;
mod record;

pub use event::{Event, What};
pub use record::{framed, masked_crc};

use crate::error::{Error, Result};
use cnn_train::{Begin, Epoch, Observer, Recent, RunFolder, StepReport, Stop, make_within};
use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The folder of event files within a run's.
const FOLDER: &str = RunFolder::EVENTS;

/// What a file's name begins with: TensorBoard looks for it.
const PREFIX: &str = RunFolder::EVENT_FILE;

/// Points of a curve over a run's steps, about. TensorBoard itself shows a thousand.
const POINTS: usize = 1000;

/// Writes the figures of a run to `tensorboard/` in its folder, for `tensorboard --logdir`.
///
/// Over steps, thinned to about a thousand: `step/loss`, `step/accuracy` (means since the point before),
/// `step/learning_rate`, `step/images_per_second`. Over epochs: `epoch/train_loss`, `epoch/test_loss` and the like. A
/// run that begins anew replaces the files there; one that is resumed adds a file, and TensorBoard joins them.
///
/// An observer cannot fail a run: the first error ends the writing, and [`TensorBoard::finish`] gives it back.
#[derive(Debug, Default)]
pub struct TensorBoard {
    file: Option<(PathBuf, File)>,
    failed: Option<Error>,
    recent: Recent,
}

impl TensorBoard {
    /// Writes nothing before the run begins, and nothing at all for one that has no folder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether all was written.
    ///
    /// # Errors
    ///
    /// The first error of writing.
    pub fn finish(self) -> Result<()> {
        self.failed.map_or(Ok(()), Err)
    }

    fn write(&mut self, what: What<'_>, step: usize) {
        let Some((path, file)) = &mut self.file else { return };
        let event = Event { wall_time: now(), step: i64::try_from(step).unwrap_or(i64::MAX), what };
        if let Err(error) = file.write_all(&framed(&event.encoded())) {
            self.failed = Some(Error::file(&*path, "cannot write")(error));
            self.file = None;
        }
    }

    fn open(folder: &Path, begin: &Begin<'_>) -> Result<(PathBuf, File)> {
        make_within(folder)?;
        if begin.epochs_done == 0 && begin.steps_done == 0 {
            remove_events(folder).map_err(Error::file(folder, "cannot replace"))?;
        }
        let name = format!("{PREFIX}{:010}.cnn.{}", now() as u64, std::process::id());
        let path = folder.join(name);
        let file = File::create(&path).map_err(Error::file(&path, "cannot write"))?;
        Ok((path, file))
    }
}

fn remove_events(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

impl Observer for TensorBoard {
    fn begin(&mut self, begin: &Begin<'_>) {
        let Some(folder) = begin.folder else { return };
        match Self::open(&folder.join(FOLDER), begin) {
            Ok(file) => {
                self.file = Some(file);
                self.write(What::Version, 0);
            }
            Err(error) => self.failed = Some(error),
        }
    }

    fn step(&mut self, step: &StepReport) -> ControlFlow<Stop> {
        self.recent.add(step);
        let every = step.all().div_ceil(POINTS).max(1);
        let number = step.done();
        if number.is_multiple_of(every)
            && let Some(figures) = self.recent.take()
        {
            self.write(
                What::Scalars(&[
                    ("step/loss", figures.loss),
                    ("step/accuracy", figures.accuracy),
                    ("step/learning_rate", step.learning_rate),
                    ("step/images_per_second", figures.images_per_second),
                ]),
                number,
            );
        }
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, epoch: &Epoch, _: bool) {
        self.write(
            What::Scalars(&[
                ("epoch/train_loss", epoch.train_loss),
                ("epoch/train_accuracy", epoch.train_accuracy),
                ("epoch/test_loss", epoch.test_loss),
                ("epoch/test_accuracy", epoch.test_accuracy),
                ("epoch/learning_rate", epoch.learning_rate),
                ("epoch/images_per_second", epoch.images_per_second),
                ("epoch/seconds", epoch.seconds),
            ]),
            epoch.epoch,
        );
    }
}
