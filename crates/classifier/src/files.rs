//! Many pictures: decoded while others are computed.

use crate::classifier::{Answer, Classifier};
use crate::error::{Error, Result};
use crate::features::Features;
use cnn_data::Picture;
use rayon::prelude::*;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

/// Pictures that are computed together.
const BATCH: usize = 8;

/// A picture's file and what came of it.
pub type Judged<T> = (PathBuf, Result<T>);

/// What a picture's numbers are computed to.
trait Compute: Sync {
    type Found;

    fn prepared(&self, picture: &Picture<'_>) -> Result<Vec<f32>>;

    /// One for each of the pictures.
    fn compute(&self, pictures: &[f32]) -> Result<Vec<Self::Found>>;
}

struct Answering<'a> {
    classifier: &'a Classifier,
    top: usize,
}

impl Compute for Answering<'_> {
    type Found = Vec<Answer>;

    fn prepared(&self, picture: &Picture<'_>) -> Result<Vec<f32>> {
        self.classifier.prepare(picture)
    }

    fn compute(&self, pictures: &[f32]) -> Result<Vec<Vec<Answer>>> {
        self.classifier.classify_prepared(pictures, self.top)
    }
}

impl Compute for Features {
    type Found = Vec<f32>;

    fn prepared(&self, picture: &Picture<'_>) -> Result<Vec<f32>> {
        self.prepare(picture)
    }

    fn compute(&self, pictures: &[f32]) -> Result<Vec<Vec<f32>>> {
        let size: usize = self.dims().iter().product();
        Ok(self.of_prepared(pictures)?.chunks_exact(size).map(<[f32]>::to_vec).collect())
    }
}

impl Classifier {
    /// Classifies files, in their order, and gives each with its `top` answers or its own problem. The next files are
    /// decoded while the last ones are computed; memory holds a few of them at a time. `open` reads a file: [`Picture::open`],
    /// [`Picture::read`] as [`Card::reading`](cnn_data::Card::reading) says, or something of one's own.
    ///
    /// It goes on until there is no file, or `each` says so by `false`.
    ///
    /// # Errors
    ///
    /// Of the network alone: a file's own problem is given to `each`.
    pub fn classify_files(
        &self,
        files: &[PathBuf],
        top: usize,
        open: impl Fn(&Path) -> Result<Picture<'static>, cnn_data::Error> + Sync,
        each: impl FnMut(Judged<Vec<Answer>>) -> bool,
    ) -> Result<()> {
        of_files(&Answering { classifier: self, top }, files, open, each)
    }
}

impl Features {
    /// The features of files, as [`Classifier::classify_files`] classifies them.
    ///
    /// # Errors
    ///
    /// Of the network alone: a file's own problem is given to `each`.
    pub fn of_files(
        &self,
        files: &[PathBuf],
        open: impl Fn(&Path) -> Result<Picture<'static>, cnn_data::Error> + Sync,
        each: impl FnMut(Judged<Vec<f32>>) -> bool,
    ) -> Result<()> {
        of_files(self, files, open, each)
    }
}

/// What is computed of each of some pictures, together; one by one where some have no finite numbers, to find which.
fn computed<C: Compute>(network: &C, pictures: &[&Vec<f32>]) -> Result<Vec<Result<C::Found>>> {
    if pictures.is_empty() {
        return Ok(Vec::new());
    }
    match network.compute(&pictures.iter().copied().flatten().copied().collect::<Vec<f32>>()) {
        Ok(found) => Ok(found.into_iter().map(Ok).collect()),
        Err(Error::NoAnswer { .. }) => {
            Ok(pictures.iter().map(|picture| network.compute(picture).map(|mut found| found.swap_remove(0))).collect())
        }
        Err(problem) => Err(problem),
    }
}

fn of_files<C: Compute>(
    network: &C,
    files: &[PathBuf],
    open: impl Fn(&Path) -> Result<Picture<'static>, cnn_data::Error> + Sync,
    mut each: impl FnMut(Judged<C::Found>) -> bool,
) -> Result<()> {
    let prepare = |path: &PathBuf| {
        let prepared = open(path).map_err(Error::from).and_then(|picture| network.prepared(&picture));
        (path.clone(), prepared.map_err(|problem| named(path, problem)))
    };
    let mut judge = |prepared: Vec<Judged<Vec<f32>>>| -> Result<ControlFlow<()>> {
        let sound: Vec<_> = prepared.iter().filter_map(|(_, numbers)| numbers.as_ref().ok()).collect();
        let mut found = computed(network, &sound)?.into_iter();
        for (path, numbers) in prepared {
            let Some(outcome) = numbers.map(|_| found.next()).transpose() else { continue };
            let outcome = outcome.and_then(|outcome| outcome.map_err(|problem| named(&path, problem)));
            if !each((path, outcome)) {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    };
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(1);
        let prepared = |files: &[PathBuf]| files.par_iter().map(&prepare).collect::<Vec<_>>();
        let beside = move || {
            // An error is a receiver that wants no more.
            let _ = files.chunks(BATCH).try_for_each(|files| sender.send(prepared(files)));
        };
        if std::thread::Builder::new().name("pictures".to_string()).spawn_scoped(scope, beside).is_ok() {
            for prepared in receiver {
                if judge(prepared)?.is_break() {
                    break;
                }
            }
            return Ok(());
        }
        // A system that makes no thread more: one after the other.
        for files in files.chunks(BATCH) {
            if judge(prepared(files))?.is_break() {
                break;
            }
        }
        Ok(())
    })
}

/// A problem that names its file, once.
fn named(path: &Path, problem: Error) -> Error {
    match problem.to_string().contains(&path.display().to_string()) {
        true => problem,
        false => Error::Picture { path: path.to_path_buf(), source: Box::new(problem) },
    }
}
