//! `report`: one run's page anew, or several runs side by side.

use crate::cli::{self, Common};
use crate::data::{self, RunData};
use crate::data_name::{folder_of, is_same};
use crate::judging::{self, Verdict, Verdicts, WEIGHTS};
use crate::{learnt, trained};
use anyhow::{Result, bail, ensure};
use cnn_data::{Dataset, FolderImages};
use cnn_report::{Comparison, Cost, Judged, Report, Run};
use cnn_train::RunFolder;
use std::path::{Path, PathBuf};

pub fn run(args: &cli::Report, common: &Common) -> Result<()> {
    report(args, common).map_err(data::put_back)
}

fn report(args: &cli::Report, common: &Common) -> Result<()> {
    let runs: Vec<Run> = args.runs.iter().map(|path| Run::read(path)).collect::<Result<_, _>>()?;
    for run in runs.iter().filter(|run| run.epochs.is_empty()) {
        trained::settled(&run.path)?;
    }
    if let [run] = runs.as_slice() {
        ensure!(args.out.is_none(), "--out is for several runs; the report of one lies in its folder");
        let page = match dataset(args, run, common)? {
            Some((dataset, of)) => {
                let verdicts = judging::judged(run, &dataset, &common.device.open()?)?;
                verdicts.notes.iter().for_each(|note| eprintln!("warning: {}", cnn_figures::printable(note)));
                if of.is_none() {
                    RunFolder::write_judgement(&run.path, &verdicts.as_json(run))?;
                }
                write_of(run, &verdicts, of.as_deref())?
            }
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

/// The data set to judge on: the one asked for, else the run's own, if it is still there. With a name of the images where they
/// are not the run's own.
fn dataset(args: &cli::Report, run: &Run, common: &Common) -> Result<Option<(Dataset, Option<String>)>> {
    let asked = args.data(run.dataset());
    let own = RunData::of(&run.path)?;
    if let Some(args) = &asked {
        let seed = own.as_ref().map_or_else(|| seed(run, common), |own| own.seed);
        let is_own = |own: &RunData| match (&own.choice.dataset, &args.dataset) {
            (Some(own), Some(asked)) => is_same(own, asked),
            (own, asked) => own == asked,
        };
        let chosen = own.as_ref().and_then(|own| if is_own(own) { Some(own.clone()) } else { own.moved(args) });
        let (dataset, of, notes) = match chosen {
            Some(chosen) => {
                let chosen = chosen.located(args)?;
                let dataset = chosen.load()?;
                let notes = chosen.note(&dataset).into_iter().chain(learnt::twice(&dataset)).collect();
                (dataset, None, notes)
            }
            None => {
                let upright = own.as_ref().is_none_or(|own| !own.choice.no_exif);
                let dataset = elsewhere(args, seed, upright)?;
                let notes: Vec<String> = own.and_then(|own| learnt::note(&own, dataset.test())).into_iter().collect();
                let of = dataset.name().to_string();
                (dataset, Some(of), notes)
            }
        };
        notes.iter().for_each(|note| eprintln!("warning: {note}"));
        return Ok(Some((dataset, of)));
    }
    let Some(own) = own.filter(|_| run.path.join(WEIGHTS).is_file()) else { return Ok(None) };
    match own.load().map_err(data::put_back) {
        Ok(dataset) => {
            let notes = own.note(&dataset).into_iter().chain(learnt::twice(&dataset));
            notes.for_each(|note| eprintln!("warning: {note}"));
            Ok(Some((dataset, None)))
        }
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

/// Images that are not the run's: of a folder all that `eval` judges, since the run has set none of them aside.
fn elsewhere(args: &cli::Data, seed: u64, upright: bool) -> Result<Dataset> {
    let Some(folder) = args.dataset.as_deref().and_then(folder_of) else { return data::dataset(args, seed) };
    let FolderImages { path, classes, images, .. } = data::folder_to_judge(args, &folder, upright)?;
    let last = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let asked = last(&std::path::absolute(&folder)?);
    let name = if path == folder { asked } else { format!("{asked}/{}", last(&path)) };
    Ok(Dataset::new(name, classes, images.select(&[])?, images)?)
}

/// Whether a build with the hub can do it.
fn needs_hub(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(cnn_data::Error::HubFeature { .. }))
}

/// Writes a run's report with what its best weights say.
pub fn write(run: &Run, verdicts: &Verdicts) -> Result<PathBuf> {
    write_of(run, verdicts, None)
}

/// The same, of images of this name where they are not the run's own.
fn write_of(run: &Run, verdicts: &Verdicts, of: Option<&str>) -> Result<PathBuf> {
    let classes = &verdicts.classes;
    let held_out = verdicts.held_out.as_ref().map(|verdict| judged(verdict, classes, None));
    let judged = Some(judged(&verdicts.test, classes, of));
    Ok(Report { run, cost: cost(run), judged, held_out }.write()?)
}

fn judged<'a>(verdict: &'a Verdict, classes: &'a [String], of: Option<&'a str>) -> Judged<'a> {
    let Verdict { images, predictions } = verdict;
    Judged { images, classes, predictions, weights: WEIGHTS, of }
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
