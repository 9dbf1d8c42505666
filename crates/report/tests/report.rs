//! Reports: what is counted, what is written, and what is said of folders that are no runs.

use crate::judged::{Failure, images, of_run, predictions};
use cnn_report::{Comparison, Cost, Judgement, Report, Run};
use std::path::Path;

fn names(classes: usize) -> Vec<String> {
    (0..classes).map(|class| format!("class <{class}>")).collect()
}

fn write_run(folder: &Path, rate: &str, epochs: usize) -> Result<(), Failure> {
    let config = format!(
        "{{\"network\": \"lenet\", \"dataset\": \"digits\", \"classes\": 10, \"input\": [1, 32, 32], \"settings\": \
         {{\"learning_rate\": {rate}, \"rule\": {{\"momentum\": 0.9}}}}}}"
    );
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("config.json"), config)?;
    let line = |epoch: usize| {
        let (loss, accuracy) = (2.0 / epoch as f64, 1.0 - 0.5 / epoch as f64);
        format!(
            "{{\"epoch\":{epoch},\"train_loss\":{loss},\"train_accuracy\":{accuracy},\"test_loss\":{loss},\
             \"test_accuracy\":{accuracy},\"learning_rate\":{rate},\"images_per_second\":1000.0,\"seconds\":30.0}}\n"
        )
    };
    std::fs::write(folder.join("metrics.jsonl"), (1..=epochs).map(line).collect::<String>())?;
    Ok(())
}

#[test]
fn a_judgement_counts_by_hand() -> Result<(), Failure> {
    // Class 0: two right, one taken for 1. Class 1: one right. Class 2: one taken for 0.
    let images = images(3, &[(0, 0), (0, 0), (1, 0), (1, 1), (0, 2)])?;
    let judgement = Judgement::of(&predictions(&images)?);
    assert_eq!(judgement.confusion, [[2, 1, 0], [0, 1, 0], [1, 0, 0]]);
    assert_eq!((judgement.images(), judgement.accuracy()), (5, 0.6));
    let classes = judgement.classes();
    assert_eq!((classes[0].precision, classes[0].recall), (Some(2.0 / 3.0), Some(2.0 / 3.0)));
    assert_eq!((classes[1].precision, classes[1].recall), (Some(0.5), Some(1.0)));
    assert_eq!((classes[2].precision, classes[2].recall), (None, Some(0.0)));
    // The image that is darker is the one the model is less sure of.
    assert_eq!(judgement.mistakes.iter().map(|mistake| mistake.image).collect::<Vec<_>>(), [2, 4]);
    // p = e^2.53 / (e^2.53 + 2), loss = ln(e^2.53 + 2).
    let [worst, _] = judgement.mistakes[..] else { return Err("two mistakes".into()) };
    let sum = 2.53_f64.exp() + 2.0;
    assert!((f64::from(worst.probability) - 2.53_f64.exp() / sum).abs() < 1e-6);
    assert!((worst.loss - sum.ln()).abs() < 1e-6);
    // All five lie in one interval, so the error is the distance of the means.
    let mean = (0..5).map(|image| (2.55 - 0.01 * f64::from(image)).exp()).map(|e| e / (e + 2.0)).sum::<f64>() / 5.0;
    assert!((judgement.calibration_error() - (mean - 0.6)).abs() < 1e-6);
    Ok(())
}

#[test]
fn a_report_stands_alone() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    for classes in [2, 3, 10, 120] {
        let taken: Vec<(usize, u32)> = (0..240).map(|i| (i % classes, (i * i % classes) as u32)).collect();
        let images = images(classes, &taken)?;
        let (names, predictions) = (names(classes), predictions(&images)?);
        write_run(folder.path(), "0.02", 3)?;
        let run = Run::read(folder.path())?;
        let judged = of_run(&images, &names, &predictions);
        let cost = Some(Cost { parameters: 61706, macs: 416_520 });
        let page = std::fs::read_to_string(Report { run: &run, cost, judged: Some(judged), held_out: None }.write()?)?;
        for text in
            ["61,706", "416,520", "83.33 % after epoch 3", "1 min 30 s", "class &lt;1&gt;", "settings.rule.momentum"]
        {
            assert!(page.contains(text), "{classes} classes: no {text}");
        }
        for foreign in ["<script", "href=", "src=\"http", "url("] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        let report = folder.path().join("report");
        for picture in ["curves.svg", "confusion.svg", "calibration.svg"] {
            let text = std::fs::read_to_string(report.join(picture))?;
            roxmltree::Document::parse(&text).map_err(|error| format!("{picture}: {error}"))?;
            assert!(page.contains(&text), "{picture} is not in the page");
        }
        let wrong = Judgement::of(&predictions).mistakes.len();
        assert_eq!(std::fs::read_dir(report.join("mistakes")).map_or(0, Iterator::count), wrong.min(24));
    }
    Ok(())
}

#[test]
fn a_mistake_is_the_image_itself() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    write_run(folder.path(), "0.02", 1)?;
    let images = images(3, &[(0, 0), (1, 2)])?;
    let (names, predictions) = (names(3), predictions(&images)?);
    let judged = of_run(&images, &names, &predictions);
    let run = Run::read(folder.path())?;
    Report { run: &run, cost: None, judged: Some(judged), held_out: None }.write()?;
    let picture = image::open(folder.path().join("report/mistakes/01-image-1.png"))?.into_luma8();
    let expected = images.image(1).ok_or("no image")?;
    assert_eq!((picture.dimensions(), picture.as_raw().as_slice()), ((3, 1), expected));
    // Without predictions, nothing of them is left. What is not the report's stays.
    std::fs::write(folder.path().join("report/mistakes/notes.txt"), "mine")?;
    Report { run: &run, cost: None, judged: None, held_out: None }.write()?;
    let left = std::fs::read_dir(folder.path().join("report/mistakes"))?.collect::<Result<Vec<_>, _>>()?;
    assert!(matches!(&left[..], [notes] if notes.file_name() == "notes.txt"), "{left:?}");
    assert!(!folder.path().join("report/confusion.svg").exists());
    Ok(())
}

#[test]
fn a_report_that_cannot_be_written_leaves_the_earlier_one() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    write_run(folder.path(), "0.02", 1)?;
    let run = Run::read(folder.path())?;
    let page = Report { run: &run, cost: None, judged: None, held_out: None }.write()?;
    let before = std::fs::read(&page)?;
    // Predictions of other images.
    let (images, others) = (images(3, &[(0, 0)])?, images(3, &[(0, 0), (1, 2)])?);
    let (names, predictions) = (names(3), predictions(&others)?);
    let judged = of_run(&images, &names, &predictions);
    assert!(Report { run: &run, cost: None, judged: Some(judged), held_out: None }.write().is_err());
    // A picture whose place is taken.
    std::fs::remove_file(folder.path().join("report/curves.svg"))?;
    std::fs::create_dir(folder.path().join("report/curves.svg"))?;
    assert!(Report { run: &run, cost: None, judged: None, held_out: None }.write().is_err());
    assert_eq!(std::fs::read(&page)?, before);
    Ok(())
}

#[test]
fn every_number_can_be_shown() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    write_run(folder.path(), "0.02", 1)?;
    let hard =
        ["0", "-0.0", "1", "-1", "1.7e308", "-1.7e308", "1e300", "5e-324", "-5e-324", "1.0000000000000002", "1e19"];
    let names =
        ["train_loss", "train_accuracy", "test_loss", "test_accuracy", "learning_rate", "images_per_second", "seconds"];
    for (first, second) in hard.iter().flat_map(|first| hard.map(|second| (first, second))) {
        let line = |epoch: &str, number: &str| {
            let fields: Vec<String> = names.iter().map(|name| format!("\"{name}\":{number}")).collect();
            format!("{{\"epoch\":{epoch},{},\"peak_memory\":18446744073709551615}}\n", fields.join(","))
        };
        let lines = line("1", first) + &line("18446744073709551615", second) + &line("0", first);
        std::fs::write(folder.path().join("metrics.jsonl"), lines)?;
        let run = Run::read(folder.path())?;
        let page = std::fs::read_to_string(Report { run: &run, cost: None, judged: None, held_out: None }.write()?)?;
        let comparison = Comparison::of(vec![(run.clone(), None), (run, None)]);
        let curves = std::fs::read_to_string(folder.path().join("report/curves.svg"))?;
        roxmltree::Document::parse(&curves).map_err(|error| format!("{first}, {second}: {error}"))?;
        assert!(!curves.contains("NaN") && !curves.contains("inf"), "{first}, {second}: {curves}");
        let longest = comparison.to_string().lines().map(str::len).max().unwrap_or(0);
        assert!(page.len() < 40_000 && longest < 300, "{first}, {second}: {} {longest}", page.len());
    }
    Ok(())
}

#[test]
fn a_long_run_is_a_small_page() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    write_run(folder.path(), "0.02", 100_000)?;
    let run = Run::read(folder.path())?;
    let page = std::fs::read(Report { run: &run, cost: None, judged: None, held_out: None }.write()?)?;
    assert!(page.len() < 300_000, "{} bytes", page.len());
    Ok(())
}

#[test]
fn names_cannot_act_on_a_terminal_or_break_a_page() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("run\u{1b}[2J\u{7}");
    write_run(&path, "0.02", 2)?;
    let config = std::fs::read_to_string(path.join("config.json"))?;
    std::fs::write(path.join("config.json"), config.replace("\"lenet\"", "\"le\\u001b]0;x\\u0007net\""))?;
    let run = Run::read(&path)?;
    let page = std::fs::read_to_string(Report { run: &run, cost: None, judged: None, held_out: None }.write()?)?;
    let comparison = Comparison::of(vec![(run.clone(), None), (run, None)]);
    let table = comparison.to_string();
    comparison.write(&folder.path().join("out"))?;
    let curves = std::fs::read_to_string(folder.path().join("out/curves.svg"))?;
    roxmltree::Document::parse(&curves)?;
    for text in [&page, &table, &curves] {
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text}");
    }
    assert!(table.contains("le\\u{1b}]0;x\\u{7}net"), "{table}");
    std::fs::write(path.join("metrics.jsonl"), "{\"epoch\": \"\u{1b}[31m\"}")?;
    let message = Run::read(&path).err().ok_or("it was read")?.to_string();
    assert!(!message.chars().any(char::is_control), "{message}");
    Ok(())
}

#[test]
fn runs_stand_side_by_side() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
    write_run(&first, "0.02", 3)?;
    write_run(&second, "0.1", 0)?;
    let runs = vec![(Run::read(&first)?, Some(Cost { parameters: 61706, macs: 1 })), (Run::read(&second)?, None)];
    let comparison = Comparison::of(runs);
    let golden = "\
run     network  data set  parameters  best test accuracy   epoch  training accuracy  time of an epoch  peak memory
first     lenet    digits      61,706             83.33 %  3 of 3            83.33 %            30.0 s            –
second    lenet    digits           –                   –       –                  –                 –            –

setting                 first  second
settings.learning_rate  0.02   0.1
";
    assert_eq!(comparison.to_string(), golden);
    let out = folder.path().join("out");
    let page = std::fs::read_to_string(comparison.write(&out)?)?;
    let curves = std::fs::read_to_string(out.join("curves.svg"))?;
    roxmltree::Document::parse(&curves)?;
    assert!(page.contains(&curves) && page.contains("<td>settings.learning_rate</td>"));
    Ok(())
}

#[test]
fn folders_that_are_no_runs() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let message = |folder: &Path| Run::read(folder).err().map(|error| error.to_string()).unwrap_or_default();
    let path = folder.path().display().to_string();
    assert_eq!(message(folder.path()), format!("{path}: not a run's folder: it has no config.json"));
    assert_eq!(message(&folder.path().join("none")), format!("{path}/none: there is no such folder"));
    std::fs::write(folder.path().join("config.json"), "[1]")?;
    assert_eq!(message(folder.path()), format!("{path}/config.json: line 1: not an object of settings"));
    write_run(folder.path(), "0.02", 2)?;
    let metrics = folder.path().join("metrics.jsonl");
    let whole = std::fs::read_to_string(&metrics)?;
    std::fs::write(&metrics, &whole[..whole.len() - 20])?;
    let damaged = message(folder.path());
    assert!(damaged.starts_with(&format!("{path}/metrics.jsonl: line 2: ")), "{damaged}");
    let second_line = |text: &[u8]| -> Result<String, Failure> {
        let first = whole.lines().next().ok_or("no line")?;
        std::fs::write(&metrics, [first.as_bytes(), b"\n", text].concat())?;
        Ok(message(folder.path()))
    };
    for garbage in [&b"\n"[..], b"\xff\xfe", b"[]", b"1e999", b"null", &b"[".repeat(10_000), &b"x".repeat(70_000)] {
        let said = second_line(garbage)?;
        assert!(said.starts_with(&format!("{path}/metrics.jsonl: line 2: ")) && said.len() < 400, "{said}");
    }
    assert!(second_line(&b" ".repeat(70_000))?.ends_with("line 2: longer than 65536 bytes"));
    std::fs::remove_file(&metrics)?;
    std::fs::create_dir(&metrics)?;
    assert_eq!(
        message(folder.path()),
        format!("{path}/metrics.jsonl: cannot read: expected a regular file, found a folder")
    );
    std::fs::remove_dir(&metrics)?;
    assert!(Run::read(folder.path())?.epochs.is_empty());
    std::fs::write(folder.path().join("config.json"), " ".repeat(5_000_000))?;
    assert_eq!(
        message(folder.path()),
        format!("{path}/config.json: cannot read: expected at most 4.2 MB, found 5.0 MB")
    );
    Ok(())
}
