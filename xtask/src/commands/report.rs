//! `report`: one run's page anew, or several runs side by side.

use crate::cli::{self, Common};
use crate::data::{self, RunData};
use crate::data_name::{folder_of, name_of_folder};
use crate::judging::{self, Verdict, Verdicts, WEIGHTS};
use crate::own_data::OwnData;
use crate::{learnt, start, trained};
use anyhow::{Error, Result, bail, ensure};
use cnn_data::{Dataset, FolderImages};
use cnn_report::{Comparison, Cost, Judged, Report, Run, Whose};
use cnn_train::RunFolder;
use std::path::{Path, PathBuf};

/// Images to judge, and whose they are.
struct Asked {
    dataset: Dataset,
    whose: Whose,
}

pub fn run(args: &cli::Report, common: &Common) -> Result<()> {
    let runs: Vec<Run> = args.runs.iter().map(|path| Run::read(path)).collect::<Result<_, _>>()?;
    for run in runs.iter().filter(|run| run.epochs.is_empty()) {
        trained::settled(&run.path)?;
    }
    if let [run] = runs.as_slice() {
        ensure!(args.out.is_none(), "--out is for several runs; the report of one lies in its folder");
        let page = match asked(args, run, common)? {
            Some(asked) => judge(run, &asked, common).map_err(|error| way_out(&asked.whose, error))?,
            None => Report { run, cost: cost(run), judged: None, held_out: None }.write()?,
        };
        print!("{}", Comparison::of(vec![(run.clone(), cost(run))]));
        println!("report: {}", cnn_figures::path(&page));
        return Ok(());
    }
    ensure!(args.dataset.is_none() && args.data_dir.is_none(), "--dataset and --data-dir are for a single run");
    let runs = runs.into_iter().map(|run| (cost(&run), run)).map(|(cost, run)| (run, cost));
    let comparison = Comparison::of(runs.collect());
    let out = args.out.as_deref().unwrap_or(Path::new("runs/report"));
    let of_a_run = out.ancestors().take(2).any(RunFolder::has_recipe);
    ensure!(!of_a_run, "{} is a run's own folder or lies in one: choose another --out", cnn_figures::path(out));
    let page = comparison.write(out)?;
    print!("{comparison}");
    println!("report: {}", cnn_figures::path(&page));
    Ok(())
}

/// Judges a run's best weights and writes the page of it.
fn judge(run: &Run, asked: &Asked, common: &Common) -> Result<PathBuf> {
    let verdicts = judging::judged(run, &asked.dataset, &common.device.open()?)?;
    warn(verdicts.notes.iter().cloned());
    // What a run came to is of the images that it set aside.
    if matches!(asked.whose, Whose::Run) {
        RunFolder::write_judgement(&run.path, &verdicts.as_json(run))?;
    }
    write_of(run, &verdicts, &asked.whose)
}

/// An error of a damaged file with what helps where the images are whose they are.
fn way_out(whose: &Whose, error: Error) -> Error {
    match whose {
        Whose::Run | Whose::Changed(_) => data::put_back(error),
        Whose::Others(_) => data::mend(error),
    }
}

/// The images to judge: those asked for, else the run's own, if they are still there.
fn asked(args: &cli::Report, run: &Run, common: &Common) -> Result<Option<Asked>> {
    let own = RunData::of(&run.path)?;
    if args.dataset.is_some() || args.data_dir.is_some() {
        let found = own.as_ref().map(|own| OwnData::of(own, &args.data())).transpose().map_err(data::put_back)?;
        return match found.flatten() {
            Some(found) => Ok(Some(of_run(found))),
            None => others(args, run, own.as_ref(), common).map_err(data::mend).map(Some),
        };
    }
    let Some(own) = own.filter(|_| run.path.join(WEIGHTS).is_file()) else { return Ok(None) };
    match OwnData::read(own).map_err(data::put_back) {
        Ok(found) => Ok(Some(of_run(found))),
        Err(error) if needs_hub(&error) => Err(error),
        // A page without them would take the place of one with them.
        Err(error) if run.shows_judgement() => bail!(
            "{}; the report that is there stays: --dataset says where the run's images are now",
            crate::sentence(&error)
        ),
        Err(error) => {
            let why = crate::sentence(&error);
            eprintln!("warning: the run's data cannot be read, so its page shows no judgement of images: {why}");
            Ok(None)
        }
    }
}

fn warn(notes: impl IntoIterator<Item = String>) {
    notes.into_iter().for_each(|note| eprintln!("warning: {}", cnn_figures::printable(&note)));
}

/// A run's own images; what is to be said of them is said.
fn of_run(OwnData { dataset, changed, .. }: OwnData) -> Asked {
    warn(changed.clone().into_iter().chain(learnt::twice(&dataset)));
    Asked { dataset, whose: changed.map_or(Whose::Run, Whose::Changed) }
}

/// Images that are not the run's: of a folder all that `eval` judges, since the run has set none of them aside.
fn others(args: &cli::Report, run: &Run, own: Option<&RunData>, common: &Common) -> Result<Asked> {
    let of_run = own.and_then(|own| own.choice.dataset.as_deref()).unwrap_or(run.dataset());
    let data = args.data();
    let data = cli::Data { dataset: Some(data.dataset.unwrap_or_else(|| of_run.to_string())), ..data };
    let dataset = match data.dataset.as_deref().and_then(folder_of) {
        Some(folder) => {
            let upright = own.is_none_or(|own| !own.choice.no_exif);
            let found = data::folder_to_judge(&data, &folder, upright)?;
            warn(start::of_folder(&found, &folder));
            whole(found, &folder)?
        }
        None => data::dataset(&data, own.map_or_else(|| seed(run, common), |own| own.seed))?,
    };
    warn(own.and_then(|own| learnt::note(own, dataset.test())));
    let whose = Whose::Others(dataset.name().to_string());
    Ok(Asked { dataset, whose })
}

/// All images of a folder that was asked for as a data set to judge.
fn whole(found: FolderImages, asked: &Path) -> Result<Dataset> {
    let FolderImages { path, classes, images, .. } = found;
    let name = name_of_folder(asked);
    let name = if path == asked { name } else { format!("{name}/{}", name_of_folder(&path)) };
    Ok(Dataset::new(name, classes, images.select(&[])?, images)?)
}

/// Whether a build with the hub can do it.
fn needs_hub(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(cnn_data::Error::HubFeature { .. }))
}

/// Writes a run's report with what its best weights say of its own images.
pub fn write(run: &Run, verdicts: &Verdicts) -> Result<PathBuf> {
    write_of(run, verdicts, &Whose::Run)
}

fn write_of(run: &Run, verdicts: &Verdicts, whose: &Whose) -> Result<PathBuf> {
    let judged = |verdict| judged(verdict, &verdicts.classes, whose);
    let (test, held_out) = (judged(&verdicts.test), verdicts.held_out.as_ref().map(judged));
    Ok(Report { run, cost: cost(run), judged: Some(test), held_out }.write()?)
}

fn judged<'a>(verdict: &'a Verdict, classes: &'a [String], whose: &'a Whose) -> Judged<'a> {
    let Verdict { images, predictions } = verdict;
    Judged { images, classes, predictions, weights: WEIGHTS, whose }
}

/// What a run's network costs, if it is of the zoo.
pub fn cost(run: &Run) -> Option<Cost> {
    let entry = cnn_zoo::find(run.network()).ok()?;
    let network = entry.architecture(run.classes()?).at(run.input()?).ok()?;
    Some(Cost::from(&network.summary()))
}

/// Digits are drawn from the seed of the run.
fn seed(run: &Run, common: &Common) -> u64 {
    run.config["settings"]["seed"].as_u64().unwrap_or_else(|| common.seed())
}
