//! `report`: one run's page anew, or several runs side by side.

use crate::cli::{self, Common};
use crate::data::RunData;
use anyhow::{Result, ensure};
use cnn_core::candle_core::Device;
use cnn_data::Card;
use cnn_data::{Dataset, Loader};
use cnn_report::{Comparison, Cost, Judged, Report, Run};
use cnn_train::{DataChoice, Predictions, TestTime, Weights, classifier, predict};
use std::path::{Path, PathBuf};

/// The weights that a report judges.
const WEIGHTS: &str = "best.safetensors";

pub fn run(args: &cli::Report, common: &Common) -> Result<()> {
    let runs: Vec<Run> = args.runs.iter().map(|path| Run::read(path)).collect::<Result<_, _>>()?;
    if let [run] = runs.as_slice() {
        ensure!(args.out.is_none(), "--out is for several runs; the report of one lies in its folder");
        let page = match dataset(args, run, common)? {
            Some(dataset) => judged(run, &dataset, &common.device.open()?)?,
            None => Report { run, cost: cost(run), judged: None }.write()?,
        };
        print!("{}", Comparison::of(vec![(run.clone(), cost(run))]));
        println!("report: {}", cnn_figures::path(&page));
        return Ok(());
    }
    ensure!(args.dataset.is_none() && args.data_dir.is_none(), "--dataset and --data-dir are for a single run");
    let runs = runs.into_iter().map(|run| (cost(&run), run)).map(|(cost, run)| (run, cost));
    let comparison = Comparison::of(runs.collect());
    let page = comparison.write(args.out.as_deref().unwrap_or(Path::new("runs/report")))?;
    print!("{comparison}");
    println!("report: {}", cnn_figures::path(&page));
    Ok(())
}

/// The data set to judge on: the one asked for, else the run's own, if it is still there.
fn dataset(args: &cli::Report, run: &Run, common: &Common) -> Result<Option<Dataset>> {
    let asked = args.data(run.dataset());
    let own = RunData::of(&run.path)?;
    if let Some(args) = &asked {
        let seed = own.as_ref().map_or_else(|| seed(run, common), |own| own.seed);
        let own = own.filter(|own| own.choice.dataset == args.dataset);
        let data = own.unwrap_or(RunData { choice: DataChoice::default(), seed, test_time: TestTime::Plain });
        return Ok(Some(data.changed(args).load()?));
    }
    let Some(own) = own.filter(|_| run.path.join(WEIGHTS).is_file()) else { return Ok(None) };
    match own.load() {
        Ok(dataset) => Ok(Some(dataset)),
        Err(error) if needs_hub(&error) => Err(error),
        Err(error) => {
            eprintln!("warning: the run's data cannot be read, so its page shows no judgement of images: {error:#}");
            Ok(None)
        }
    }
}

/// Whether a build with the hub can do it.
fn needs_hub(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(cnn_data::Error::HubFeature { .. }))
}

/// Judges a run's best weights on the test images of `dataset`, and writes its report.
pub fn judged(run: &Run, dataset: &Dataset, device: &Device) -> Result<PathBuf> {
    let predictions = predictions(run, dataset, device)?;
    let (images, classes) = (dataset.test(), dataset.classes());
    let judged = Judged { images, classes, predictions: &predictions, weights: WEIGHTS };
    Ok(Report { run, cost: cost(run), judged: Some(judged) }.write()?)
}

fn predictions(run: &Run, dataset: &Dataset, device: &Device) -> Result<Predictions> {
    let weights = Weights::read(run.path.join(WEIGHTS))?;
    let entry = cnn_zoo::find(run.network())?;
    let Some(card) = Card::of(&weights)? else {
        anyhow::bail!("{}: it does not say how its images are prepared", cnn_figures::path(&run.path.join(WEIGHTS)));
    };
    let architecture = entry.architecture(card.classes.len()).without_heads();
    let network = architecture.at(card.preparation.shape(dataset.test().shape())?)?;
    let loader = Loader::new(dataset.test(), card.preparation.clone(), 100)?;
    let test_time = RunData::of(&run.path)?.map_or(TestTime::Plain, |own| own.test_time);
    let model = test_time.judging(classifier(&network, &weights, device)?, network.input().dims()[2]);
    Ok(predict(&model, &loader)?)
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
