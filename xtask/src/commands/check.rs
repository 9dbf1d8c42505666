//! `data check`: a folder of images looked through before training.

use crate::cli::DataCheck;
use crate::progress;
use anyhow::Result;
use cnn_data::{FolderCheck, Reading, check};
use cnn_figures::{Table, path, plural, printable};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// Of what is long, so many lines are shown.
const SHOWN: usize = 20;

pub fn run(args: &DataCheck) -> Result<ExitCode> {
    let reading = Reading { max_pixels: args.max_pixels.unwrap_or(Reading::MAX_PIXELS), ..Reading::default() };
    let bar = progress::bar(0);
    let found = check(&args.folder, reading, |done, all| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let found = found?;
    if args.json {
        println!("{:#}", as_json(&found));
    } else if args.csv {
        print!("{}", as_csv(&found)?);
    } else {
        show(&found);
    }
    Ok(if found.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is wrong, each with its path.
fn problems(found: &FolderCheck) -> Vec<(PathBuf, String)> {
    let mut problems: Vec<(PathBuf, String)> =
        found.unsound.iter().map(|unsound| (unsound.path.clone(), unsound.problem.clone())).collect();
    for same in found.duplicates.iter().filter(|same| same.across_classes || same.across_splits) {
        let place = if same.across_classes { "another class" } else { "another split" };
        for other in &same.paths[1..] {
            let problem = format!("the same file lies in {place}: {}", other.display());
            problems.push((same.paths[0].clone(), problem));
        }
    }
    problems
}

fn show(found: &FolderCheck) {
    let mut classes = Table::new(["class", "split", "images"]).text_columns(2);
    for class in found.classes.iter().take(SHOWN) {
        classes.row([class.class.as_str(), class.split.as_deref().unwrap_or(""), &class.images.to_string()]);
    }
    print!("{classes}");
    more(found.classes.len(), "classes");
    let mut kinds = Table::new(["pictures", "files"]);
    for (kind, count) in &found.kinds {
        kinds.row([kind, &count.to_string()]);
    }
    println!();
    print!("{kinds}");
    let mut sizes: Vec<_> = found.sizes.iter().collect();
    sizes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut table = Table::new(["height × width", "files"]);
    for ([height, width], count) in sizes.iter().take(SHOWN) {
        table.row([format!("{height} × {width}"), count.to_string()]);
    }
    println!();
    print!("{table}");
    more(sizes.len(), "sizes");
    println!();
    if let Some(ratio) = found.imbalance().filter(|ratio| *ratio >= 1.5) {
        println!("the largest class has {ratio:.1} times as many images as the smallest");
    }
    for note in &found.notes {
        println!("{}", printable(&note.to_string()));
    }
    if let Some(first) = found.strays.first() {
        println!("no pictures of a class, and passed over: {}, the first {}", found.strays.len(), path(first));
    }
    let twice = found.duplicates.iter().filter(|same| !same.across_classes && !same.across_splits).count();
    if twice > 0 {
        println!("{} more than once in their class", plural(twice, "picture lies", "pictures lie"));
    }
    let problems = problems(found);
    for (file, problem) in problems.iter().take(SHOWN) {
        println!("{}: {}", path(file), printable(problem));
    }
    more(problems.len(), "problems, which --csv lists");
    let decoded = plural(found.files, "picture", "pictures");
    match problems.len() {
        0 => println!("{decoded} decoded, nothing is wrong"),
        wrong => println!("{decoded} decoded, {}", plural(wrong, "problem", "problems")),
    }
}

fn more(count: usize, what: &str) {
    if count > SHOWN {
        println!("… and {} more {what}", count - SHOWN);
    }
}

fn as_csv(found: &FolderCheck) -> Result<String> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["path", "problem"])?;
    for (file, problem) in problems(found) {
        table.write_record([&*file.to_string_lossy(), &*problem])?;
    }
    Ok(String::from_utf8(table.into_inner()?)?)
}

fn as_json(found: &FolderCheck) -> Value {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    json!({
        "files": found.files,
        "sound": found.is_sound(),
        "problems": problems(found).iter().map(|(path, problem)| json!({ "path": text(path), "problem": problem })).collect::<Vec<_>>(),
        "classes": found.classes.iter().map(|class| json!({ "split": class.split, "class": class.class, "images": class.images })).collect::<Vec<_>>(),
        "sizes": found.sizes.iter().map(|([height, width], count)| json!({ "height": height, "width": width, "files": count })).collect::<Vec<_>>(),
        "kinds": found.kinds,
        "imbalance": found.imbalance(),
        "notes": found.notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "strays": found.strays.iter().map(text).collect::<Vec<_>>(),
        "duplicates": found.duplicates.iter().map(|same| json!({
            "paths": same.paths.iter().map(text).collect::<Vec<_>>(),
            "across_classes": same.across_classes,
            "across_splits": same.across_splits,
        })).collect::<Vec<_>>(),
    })
}
