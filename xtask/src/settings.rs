//! The settings of a run: a recipe, and what the command line changes.

use crate::cli::{self, DecayName, OptimizerName, PrecisionName, ScheduleName, TestTimeName};
use crate::lists;
use anyhow::{Context, Result, bail};
use cnn_figures::path;
use cnn_train::{ClassWeights, Clip, Decay, Precision, Recipe, Rule, Schedule, Settings, TestTime, WarmUp};
use std::collections::BTreeMap;
use std::path::Path;

/// Changes a recipe as the command line says, in which no setting is said twice in two ways.
pub fn change(recipe: &mut Recipe, args: &cli::Settings) -> Result<()> {
    by_flags(recipe, args)?;
    let by_name = recipe.training.schedule.clone();
    for assignment in &args.set {
        recipe.set(assignment)?;
    }
    let settings = &mut recipe.training;
    if let Some(name) = args.schedule.filter(|_| settings.schedule == by_name) {
        // Its numbers are shares of a run that --set may have made longer.
        settings.schedule = schedule(name, settings.epochs);
    }
    if let Some(change) = differs(recipe, |recipe| by_flags(recipe, args))? {
        bail!("a flag and --set say different things, {change}: leave one of them out");
    }
    for assignment in &args.set {
        if differs(recipe, |recipe| Ok(recipe.set(assignment)?))?.is_some() {
            bail!("--set '{assignment}' and a later --set say different things: leave one of them out");
        }
    }
    Ok(())
}

/// What a change that was made before would make of a recipe once more; `None` where it makes nothing else of it.
pub fn differs(recipe: &Recipe, change: impl Fn(&mut Recipe) -> Result<()>) -> Result<Option<String>> {
    let mut again = recipe.clone();
    change(&mut again)?;
    // As text, in which NaN is the same as itself.
    if again.to_toml()? == recipe.to_toml()? {
        return Ok(None);
    }
    Ok(again.training.changes(&recipe.training).first().map(ToString::to_string))
}

/// Changes a recipe as all flags but `--set` say.
fn by_flags(recipe: &mut Recipe, args: &cli::Settings) -> Result<()> {
    let settings = &mut recipe.training;
    let set = |place: &mut usize, value: Option<usize>| *place = value.unwrap_or(*place);
    set(&mut settings.epochs, args.epochs.map(|epochs| epochs as usize));
    set(&mut settings.batch_size, args.batch_size);
    set(&mut settings.accumulate, args.accumulate);
    settings.optimizer = match args.optimizer {
        Some(name) if Some(name) != name_of(settings.optimizer) => {
            let (rule, learning_rate) = usual(name);
            settings.learning_rate = learning_rate;
            rule
        }
        _ => settings.optimizer,
    };
    settings.learning_rate = args.lr.unwrap_or(settings.learning_rate);
    if let Some(name) = args.schedule {
        settings.schedule = schedule(name, settings.epochs);
    }
    if let Some(epochs) = args.warm_up {
        settings.warm_up = (epochs != 0.0).then_some(WarmUp { epochs, from: 0.0 });
    }
    match &mut settings.optimizer {
        Rule::Sgd { momentum, nesterov, .. } => {
            *momentum = args.momentum.unwrap_or(*momentum);
            *nesterov |= args.nesterov;
        }
        Rule::RmsProp { momentum, .. } if !args.nesterov => *momentum = args.momentum.unwrap_or(*momentum),
        _ if args.nesterov => bail!("--nesterov belongs to --optimizer sgd"),
        _ if args.momentum.is_some() => bail!("--momentum belongs to --optimizer sgd or rmsprop"),
        _ => {}
    }
    if let Some(decay) = args.weight_decay {
        settings.optimizer = settings.optimizer.decaying(decay);
    }
    settings.decay = match args.decay {
        None => settings.decay,
        Some(DecayName::All) => Decay::All,
        Some(DecayName::Weights) => Decay::Weights,
    };
    settings.label_smoothing = args.label_smoothing.unwrap_or(settings.label_smoothing);
    settings.balance |= args.balance;
    settings.sync_batch_norm |= args.sync_batch_norm;
    if let Some(weights) = &args.class_weights {
        settings.class_weights = class_weights(weights)?;
    }
    let clip = args.clip_norm.map(Clip::Norm).or(args.clip_value.map(Clip::Value));
    settings.clip = clip.or(settings.clip);
    settings.average = args.average.or(settings.average);
    settings.patience = args.patience.or(settings.patience);
    for prefix in &args.freeze {
        if !settings.freeze.contains(prefix) {
            settings.freeze.push(prefix.clone());
        }
    }
    settings.augmentation = args.augment.clone().unwrap_or(std::mem::take(&mut settings.augmentation));
    settings.test_time = args.test_time.map_or(settings.test_time, test_time);
    settings.recompute |= args.recompute.recompute;
    settings.precision = match args.precision {
        None => settings.precision,
        Some(PrecisionName::F32) => Precision::F32,
        Some(PrecisionName::Bf16) => Precision::Bf16,
    };
    Ok(())
}

/// The views that a name stands for.
pub fn test_time(name: TestTimeName) -> TestTime {
    match name {
        TestTimeName::Plain => TestTime::Plain,
        TestTimeName::Flip => TestTime::Flip,
    }
}

/// Weights of classes: `auto`, `none`, or those in a file, a class and its weight on each line with a comma or a blank between.
fn class_weights(name: &str) -> Result<Option<ClassWeights>> {
    match name {
        "auto" => return Ok(Some(ClassWeights::Auto)),
        "none" => return Ok(None),
        _ => {}
    }
    let file = Path::new(name);
    let lines =
        lists::lines(file).with_context(|| format!("--class-weights {}: expected auto, none or a file", path(file)))?;
    let mut weights = BTreeMap::new();
    for (number, line) in lines {
        let parts = line.rsplit_once([',', ' ', '\t']);
        let name = |class: &str| class.trim().trim_end_matches(',').trim_end().to_string();
        let entry = parts.and_then(|(class, weight)| Some((name(class), weight.trim().parse().ok()?)));
        let Some((class, weight)) = entry else {
            bail!("{}:{number}: expected a class and its weight, as `cat 2.5`", path(file));
        };
        if weights.insert(class.clone(), weight).is_some() {
            bail!("{}:{number}: {class} has a weight already", path(file));
        }
    }
    Ok(Some(ClassWeights::Of(weights)))
}

fn name_of(rule: Rule) -> Option<OptimizerName> {
    match rule {
        Rule::Sgd { .. } => Some(OptimizerName::Sgd),
        Rule::AdamW { .. } => Some(OptimizerName::Adamw),
        Rule::RmsProp { .. } => Some(OptimizerName::Rmsprop),
        _ => None,
    }
}

/// A rule where the recipe has another, and the learning rate that suits it.
fn usual(name: OptimizerName) -> (Rule, f64) {
    match name {
        OptimizerName::Sgd => (Rule::sgd(0.9), Settings::default().learning_rate),
        OptimizerName::Adamw => (Rule::ADAMW, 1e-3),
        OptimizerName::Rmsprop => (Rule::RMSPROP, 1e-3),
    }
}

/// A schedule with the numbers that its name's help says.
fn schedule(name: ScheduleName, epochs: usize) -> Schedule {
    let epochs = epochs as f64;
    match name {
        ScheduleName::Constant => Schedule::Constant,
        ScheduleName::Step => Schedule::Step { every: epochs / 3.0, factor: 0.1 },
        ScheduleName::MultiStep => Schedule::MultiStep { at: vec![epochs * 0.5, epochs * 0.75], factor: 0.1 },
        ScheduleName::Exponential => Schedule::Exponential { factor: 0.01_f64.powf(1.0 / epochs) },
        ScheduleName::Cosine => Schedule::Cosine,
        // torch's shares: a 25th at the start, a ten thousandth of that at the end.
        ScheduleName::OneCycle => Schedule::OneCycle { peak_at: 0.3, start: 1.0 / 25.0, end: 1.0 / 25e4 },
        ScheduleName::Triangle => Schedule::Triangle { peak_at: 0.25, start: 0.1, end: 0.0 },
        ScheduleName::Plateau => Schedule::Plateau { factor: 0.1, patience: 5 },
    }
}
