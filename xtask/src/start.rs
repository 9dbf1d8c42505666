//! What is said before the first step of a run.

mod besides;
mod learning;

use crate::learnt;
use crate::session::Session;
use anyhow::Result;
use cnn_data::{ClassNote, Dataset, Fit, FolderImages, Images, class_notes};
use cnn_figures::{bytes, count, number, path, plural, printable};
use cnn_train::{ClassWeights, Engine, Precision, Rule, Schedule, Settings, Task, TestTime};
use std::path::{Path, PathBuf};

/// The most classes that are each told with a number.
const FEW: usize = 12;
/// From so many times as many images in one class as in another on, there is a warning.
const LOPSIDED: f64 = 3.0;
/// But only where the difference is so many times as large as two counts of alike classes differ by chance, by the square root
/// of their sum.
const BY_CHANCE: f64 = 2.5;
/// As wide are the names before what is said.
const NAMES: usize = 10;

/// What the lines are said before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// One run.
    Run,
    /// The runs of a sweep, which differ in some settings.
    Sweep,
    /// A search for learning rates, which judges nothing.
    RateSearch,
}

/// The lines that say what is trained, on what, and how.
pub fn lines(session: &Session, before: Before) -> Result<Vec<String>> {
    let task = &session.task(&session.recipe);
    let (dataset, network, settings) = (&session.dataset, &session.network, &task.settings);
    let mut lines = Vec::new();
    let mut say = |name: &str, text: String| lines.push(format!("{name:<NAMES$} {}", printable(&text)));
    let chosen = session.chosen_for.as_ref().map_or_else(String::new, |asked| format!(", chosen for {asked}"));
    let parameters = count(network.summary().parameters);
    let classes = plural(dataset.classes().len(), "class", "classes");
    say("network", format!("{}{chosen}: {parameters} parameters, {classes}", network.name()));
    say("recipe", recipe(session));
    say("training", of_images(dataset.train().len(), dataset, dataset.origins().map(|origins| &*origins.train)));
    let trains = before != Before::RateSearch;
    if trains {
        of_judging(session, before).into_iter().for_each(|(name, text)| say(name, text));
    }
    say("classes", balance(dataset));
    say("pictures", pictures(session));
    let varied = if before == Before::Sweep { ", but for what the sweep tries" } else { "" };
    if trains {
        say("epochs", format!("{}{varied}", epochs(task)));
    }
    if settings.precision == Precision::Bf16 && task.engine == Engine::Plan {
        say("numbers", "convolutions multiply bf16; all else, and what is judged, is of f32".to_string());
    }
    if trains {
        say("rates", format!("{}{varied}", rates(settings)));
    }
    let besides = match trains {
        true => besides::of(settings, dataset)?,
        // What a search for rates leaves out.
        false => {
            let left_out = Settings { average: None, lookahead: None, patience: None, ..settings.clone() };
            besides::of(&Settings { test_time: TestTime::Plain, ..left_out }, dataset)?
        }
    };
    if !besides.is_empty() {
        say("besides", besides.join("; "));
    }
    if let Some(memory) = task.step_memory()? {
        say("memory", format!("about {} for a step{varied}", bytes(memory)));
    }
    lines.extend(session.notes.iter().map(|note| printable(note).into_owned()));
    Ok(lines)
}

/// The lines of what is judged.
fn of_judging(session: &Session, before: Before) -> Vec<(&'static str, String)> {
    let dataset = &session.dataset;
    let judged = dataset.origins().map(|origins| &*origins.test);
    let unjudged = |images: &Images| unjudged(dataset.classes(), images);
    // Of images in memory no origin tells of a fold.
    let fold = session.recipe.data.fold.filter(|_| judged.is_none());
    let fold = fold.map_or_else(String::new, |fold| format!(", the part {fold} of those to train on"));
    let images = of_images(dataset.test().len(), dataset, judged);
    let mut lines = vec![("judging", format!("{images}{fold}, after each epoch{}", unjudged(dataset.test())))];
    if let Some(images) = dataset.held_out() {
        let origin = dataset.origins().and_then(|origins| origins.held_out.as_deref());
        let when = match before {
            Before::Sweep => "judged by no run of a sweep (`cargo xtask eval` judges them)",
            _ => "judged once at the end",
        };
        lines.push(("held out", format!("{}, {when}{}", of_images(images.len(), dataset, origin), unjudged(images))));
    }
    lines
}

/// What whoever reads an accuracy should know of the classes.
pub fn warnings(session: &Session) -> Result<Vec<String>> {
    let (dataset, settings) = (&session.dataset, &session.recipe.training);
    let (counts, names) = (dataset.counts(), dataset.classes());
    // A class without an image is told apart.
    let least = (0..counts.len()).filter(|class| counts[*class] > 0).min_by_key(|class| counts[*class]);
    let most = (0..counts.len()).max_by_key(|class| counts[*class]);
    let (Some(least), Some(most)) = (least, most) else { return Ok(Vec::new()) };
    let ratio = counts[most] as f64 / counts[least] as f64;
    let mut warnings = Vec::new();
    let [more, less] = [most, least].map(|class| counts[class] as f64);
    if ratio >= LOPSIDED && more - less >= BY_CHANCE * (more + less).sqrt() {
        let way_out = match settings.class_weights.is_some() || settings.balance {
            true => "",
            false => "; --class-weights auto or --balance makes them count",
        };
        warnings.push(format!(
            "{} has {ratio:.1} times as many images to train on as {}: accuracy alone says little of the rarer classes{way_out}",
            names[most], names[least]
        ));
    }
    if settings.balance && settings.class_weights == Some(ClassWeights::Auto) {
        warnings.push(
            "--balance shows rare classes as often as others, and --class-weights auto lets their images count more beside: \
             one of them is enough"
                .to_string(),
        );
    }
    let empty: Vec<&str> =
        names.iter().zip(&counts).filter(|(_, count)| **count == 0).map(|(name, _)| &**name).collect();
    if let [first, ..] = empty[..] {
        warnings.push(format!(
            "of {} of {} classes there is no image to train on, {first} first",
            empty.len(),
            names.len()
        ));
    }
    if let Some(warm_up) = settings.warm_up.filter(|warm_up| warm_up.epochs >= settings.epochs as f64) {
        warnings.push(format!(
            "the warm-up of {} epochs does not end before the last step of {}: the learning rate is never reached",
            number(warm_up.epochs),
            settings.epochs
        ));
    }
    warnings.extend(learning::warnings(session)?);
    let batches = dataset.train().len().div_ceil(settings.batch_size);
    if settings.accumulate > batches {
        let batches = plural(batches, "batch", "batches");
        warnings.push(format!("a step is of {} batches, but an epoch has {batches}", settings.accumulate));
    }
    warnings.extend(learnt::twice(dataset));
    warnings.extend(strays(dataset.strays()));
    let unlabelled = dataset.origins().and_then(|origins| origins.unlabelled.clone());
    let unlabelled = unlabelled.map(|split| ClassNote::Unlabelled { split });
    warnings.extend(class_notes(names).iter().chain(&unlabelled).map(ToString::to_string));
    Ok(warnings)
}

/// What is said of images of a folder that was asked for: where in it they lie, and what was passed over.
pub fn of_folder(found: &FolderImages, asked: &Path) -> Vec<String> {
    let within = (found.path != asked).then(|| format!("judged are the images of {}", path(&found.path)));
    within.into_iter().chain(strays(&found.strays)).collect()
}

/// What is said of members of a folder that are no pictures.
fn strays(strays: &[PathBuf]) -> Option<String> {
    let first = strays.first()?;
    let members = plural(strays.len(), "member is no picture", "members are no pictures");
    Some(format!("{members} of a class and passed over, {} first", path(first)))
}

fn recipe(session: &Session) -> String {
    match session.recipe.about.is_empty() {
        true => session.recipe_name.clone(),
        false => format!("{}: {}", session.recipe_name, session.recipe.about),
    }
}

fn of_images(number: usize, dataset: &Dataset, origin: Option<&str>) -> String {
    format!("{} of {}", plural(number, "image", "images"), origin.unwrap_or(dataset.name()))
}

/// Classes that have none of the images that are judged.
fn unjudged(names: &[String], images: &Images) -> String {
    let mut judged = vec![false; names.len()];
    images.labels().iter().for_each(|label| judged[*label as usize] = true);
    let missing: Vec<&str> = names.iter().zip(judged).filter(|(_, judged)| !judged).map(|(name, _)| &**name).collect();
    match missing[..] {
        [] => String::new(),
        [first, ..] => format!("; of {} of {} classes there is none, {first} first", missing.len(), names.len()),
    }
}

/// How many images each class has.
fn balance(dataset: &Dataset) -> String {
    let (counts, names) = (dataset.counts(), dataset.classes());
    if names.len() <= FEW {
        let each: Vec<String> =
            names.iter().zip(counts).map(|(name, images)| format!("{name} {}", count(images))).collect();
        return each.join(", ");
    }
    let mut sorted: Vec<(usize, &String)> = counts.into_iter().zip(names).collect();
    sorted.sort_unstable();
    let [(least, rarest), .., (most, commonest)] = sorted[..] else { return String::new() };
    if least == most {
        return format!("{} each", plural(most, "image", "images"));
    }
    let middle = sorted[sorted.len() / 2].0;
    format!(
        "{} to {} images each, half of them {} or more ({rarest} has the fewest, {commonest} the most)",
        count(least),
        count(most),
        count(middle)
    )
}

fn pictures(session: &Session) -> String {
    let images = session.dataset.train();
    let [c, h, w] = images.shape();
    let found = match images.have_one_size() {
        true => format!("{c}×{h}×{w}"),
        false => {
            let [height, width] = images.usual_size();
            format!("{} of several sizes, {height}×{width} in the middle", plural(c, "channel", "channels"))
        }
    };
    let fit = session.preparation.fit;
    let how = match fit {
        Fit::None => "as they are".to_string(),
        fit => match fit.interpolation() {
            Some(filter) => format!("{fit} ({filter})"),
            None => fit.to_string(),
        },
    };
    let dims = session.network.input().dims();
    let [height, width] = [dims[1], dims[2]];
    let usual = match cnn_zoo::find(session.network.name()) {
        Ok(entry) => entry.architecture(entry.classes).usual_input(),
        Err(_) => [dims[0], height, width],
    };
    match session.recipe.data.resize.is_none() && [usual[1], usual[2]] != [height, width] {
        true => format!("{found}, {how} (the network's usual is {}×{}: --resize)", usual[1], usual[2]),
        false => format!("{found}, {how}"),
    }
}

fn epochs(task: &Task<'_>) -> String {
    let settings = &task.settings;
    let batches = task.dataset.train().len().div_ceil(settings.batch_size);
    let steps = batches.div_ceil(settings.accumulate);
    let batch = match settings.accumulate {
        1 => format!("batches of {}", settings.batch_size),
        several => format!("{several} batches of {} a step", settings.batch_size),
    };
    let patience =
        settings.patience.map_or_else(String::new, |epochs| format!(", fewer after {epochs} without a new best"));
    format!("{} of {} steps, {batch}, seed {}{patience}", settings.epochs, count(steps), settings.seed)
}

fn rates(settings: &Settings) -> String {
    let warm_up = settings
        .warm_up
        .map_or_else(String::new, |warm_up| format!(" after {} epochs of warm-up", number(warm_up.epochs)));
    let schedule = match &settings.schedule {
        Schedule::Constant => "constant".to_string(),
        Schedule::Step { every, factor } => format!("times {} every {} epochs", number(*factor), number(*every)),
        Schedule::MultiStep { at, factor } => {
            let at: Vec<String> = at.iter().copied().map(number).collect();
            format!("times {} after {} epochs", number(*factor), at.join(" and "))
        }
        Schedule::Exponential { factor } => format!("times {} over each epoch", number(*factor)),
        Schedule::Cosine => "along a cosine".to_string(),
        Schedule::OneCycle { .. } => "in one cycle".to_string(),
        Schedule::Triangle { .. } => "up and down along straight lines".to_string(),
        Schedule::Plateau { factor, patience } => {
            format!("times {} when the loss stays for {patience} epochs", number(*factor))
        }
        _ => "as its schedule says".to_string(),
    };
    let weight_decay = number(settings.optimizer.weight_decay());
    let rule = match settings.optimizer {
        Rule::Sgd { momentum, nesterov, .. } => {
            let nesterov = if nesterov { " of Nesterov" } else { "" };
            format!("SGD with momentum {}{nesterov}, weight decay {weight_decay}", number(momentum))
        }
        Rule::AdamW { .. } => format!("AdamW with weight decay {weight_decay}"),
        Rule::RmsProp { momentum, .. } => {
            format!("RMSprop with momentum {}, weight decay {weight_decay}", number(momentum))
        }
        other => format!("{other:?}"),
    };
    format!("learning rate {} {schedule}{warm_up}; {rule}", number(settings.learning_rate))
}
