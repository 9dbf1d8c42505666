//! `train`: a network, a data set, settings, and a folder for what comes of it.

use super::{data, report};
use crate::cli::{self, Common, EngineName, OptimizerName, ScheduleName};
use crate::watching::watched;
use anyhow::{Result, bail};
use cnn_data::Fit;
use cnn_report::Run;
use cnn_train::{Engine, Rule, RunFolder, Schedule, Settings, Task, recipe, train};
use cnn_zoo::{Entry, Family};
use serde_json::json;
use std::path::{Path, PathBuf};

pub fn run(args: &cli::Train, common: &Common) -> Result<()> {
    // What can be wrong is found before anything is loaded, drawn or written.
    if args.exact || Family::find(&args.network).is_none() {
        cnn_zoo::find(&args.network)?;
    }
    let device = common.device.open()?;
    let dataset = data::dataset(&args.data, common.seed)?;
    let entry = choose(args, dataset.train().shape())?;
    let engine = match args.engine {
        None => Engine::usual(&device),
        Some(EngineName::Candle) => Engine::Candle,
        Some(EngineName::Plan) => Engine::Plan,
    };
    let settings = settings(args, entry.name, common.seed)?;
    settings.check()?;
    let architecture = entry.architecture(dataset.classes().len());
    let resize = args.resize.map(|side| side as usize);
    let (network, preparation) = cnn_train::fit(&architecture, dataset.train(), resize)?;
    announce(args, &network, &preparation.fit, dataset.train().shape());

    let mut folder = match &args.out {
        Some(path) if args.overwrite => RunFolder::create_or_overwrite(path)?,
        Some(path) => RunFolder::create(path)?,
        None => RunFolder::create(&free_folder(&format!("{}-{}", entry.name, dataset.name())))?,
    };
    folder.write_config(&json!({
        "network": entry.name,
        "classes": dataset.classes().len(),
        "input": network.input().dims(),
        "dataset": dataset.name(),
        "preparation": preparation,
        "settings": settings,
        "engine": engine,
    }))?;
    println!("writing to {}", folder.path().display());
    let task = Task { network: &network, dataset: &dataset, preparation, settings, device, engine };
    let outcome = watched(&args.watching, |observer| Ok(train(&task, Some(&mut folder), observer)?))?;
    let best = &outcome.epochs[outcome.best];
    println!(
        "best test accuracy {:.2} % after epoch {}: {}",
        100.0 * best.test_accuracy,
        best.epoch,
        folder.best().display()
    );
    if !args.watching.no_report {
        let page = report::judged(&Run::read(folder.path())?, &dataset, &task.device)?;
        println!("report: {}", page.display());
    }
    Ok(())
}

/// The network of that very name, or the family's variant that fits the images.
fn choose(args: &cli::Train, images: [usize; 3]) -> Result<Entry> {
    let name = match Family::find(&args.network) {
        Some(family) if !args.exact => family.variant_for(images),
        _ => &args.network,
    };
    Ok(cnn_zoo::find(name)?)
}

fn announce(args: &cli::Train, network: &cnn_core::Network, fit: &Fit, [c, h, w]: [usize; 3]) {
    let chosen = if network.name() == args.network { String::new() } else { format!(" (chosen for {})", args.network) };
    let how = match fit {
        Fit::None => String::new(),
        Fit::Pad { height, width } => format!(", framed to {height}×{width}"),
        Fit::Resize { height, width } => format!(", stretched to {height}×{width}"),
    };
    let parameters = network.summary().parameters;
    println!("{}{chosen}: {parameters} parameters, images {c}×{h}×{w}{how}", network.name());
}

/// The network's recipe with what the command line changes.
fn settings(args: &cli::Train, network: &str, seed: u64) -> Result<Settings> {
    let mut settings = Settings { seed, ..recipe::usual(network) };
    settings.epochs = args.epochs.map_or(settings.epochs, |epochs| epochs as usize);
    settings.batch_size = args.batch_size.unwrap_or(settings.batch_size);
    settings.rule = match (args.optimizer, settings.rule) {
        (None, rule) | (Some(OptimizerName::Sgd), rule @ Rule::Sgd { .. }) => rule,
        (Some(OptimizerName::Sgd), Rule::AdamW { .. }) => Rule::sgd(0.9),
        (Some(OptimizerName::Adamw), _) => {
            settings.learning_rate = 1e-3;
            Rule::ADAMW
        }
    };
    settings.learning_rate = args.lr.unwrap_or(settings.learning_rate);
    settings.schedule = match args.schedule {
        None => settings.schedule,
        Some(ScheduleName::Constant) => Schedule::Constant,
        Some(ScheduleName::Cosine) => Schedule::Cosine,
    };
    match &mut settings.rule {
        Rule::Sgd { momentum, nesterov, weight_decay } => {
            *momentum = args.momentum.unwrap_or(*momentum);
            *nesterov |= args.nesterov;
            *weight_decay = args.weight_decay.unwrap_or(*weight_decay);
        }
        Rule::AdamW { .. } if args.momentum.is_some() || args.nesterov => {
            bail!("--momentum and --nesterov belong to --optimizer sgd")
        }
        Rule::AdamW { weight_decay, .. } => *weight_decay = args.weight_decay.unwrap_or(*weight_decay),
    }
    Ok(settings)
}

/// `runs/NAME`, or the first of `runs/NAME-2`, `runs/NAME-3` … that is not there.
fn free_folder(name: &str) -> PathBuf {
    let numbered = |number: usize| match number {
        1 => Path::new("runs").join(name),
        _ => Path::new("runs").join(format!("{name}-{number}")),
    };
    (1..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| numbered(1))
}
