//! The folder of a run: whose it is, who writes to it, what is removed from it and when.
#![cfg(unix)]

use crate::common::{Failure, classic_files, error_from, error_of, path, xtask};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Files of a folder and those below, each with its bytes.
fn files(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>, Failure> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push((path.clone(), std::fs::read(path)?)) }
        }
    }
    files.sort();
    Ok(files)
}

fn data(folder: &Path) -> [&str; 4] {
    ["--dataset", "mnist", "--data-dir", path(folder)]
}

/// Starts the program. Whoever runs the tests may ignore signals, as `nohup` and a shell's `&` do, and the program would
/// ignore them too.
fn start(args: &[&str]) -> Result<Child, Failure> {
    let program = env!("CARGO_BIN_EXE_xtask");
    let mut command = match cfg!(target_os = "linux") {
        true => Command::new("env"),
        false => Command::new(program),
    };
    if cfg!(target_os = "linux") {
        command.args(["--default-signal=INT,TERM,HUP", program]);
    }
    Ok(command.args(args).env_remove("CARGO").stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?)
}

/// Waits for a file that a running program writes.
fn wait_for(child: &mut Child, file: &Path) -> Result<(), Failure> {
    while !file.exists() {
        assert!(child.try_wait()?.is_none(), "ended before {} was there", file.display());
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn signal(child: &Child, name: &str) -> Result<(), Failure> {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status()?.success());
    Ok(())
}

/// A training that goes on for minutes if nothing stops it.
fn long<'a>(folder: &'a Path, out: &'a Path) -> Vec<&'a str> {
    let more = ["--epochs", "100000", "--batch-size", "8", "--no-report", "--out", path(out)];
    [&["train", "mnist_mlp"], &data(folder)[..], &more].concat()
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 20, 3)?;
    for name in ["config.json", "report/index.html", "checkpoints/photo.raw", "recipe.toml", "tensorboard/mine"] {
        let theirs = folder.path().join("theirs");
        let file = theirs.join(name);
        std::fs::create_dir_all(file.parent().ok_or("no parent")?)?;
        std::fs::write(&file, "theirs")?;
        let before = files(&theirs)?;
        let args = [&["train", "mnist_mlp", "--epochs", "1"], &data(folder.path())[..], &["--out", path(&theirs)]];
        let first = name.split('/').next().unwrap_or_default();
        let expected = format!("{}: holds {first}, which no run wrote there; choose another folder", theirs.display());
        assert_eq!(error_of(&args.concat())?, expected);
        assert_eq!(error_of(&[&args.concat()[..], &["--overwrite"]].concat())?, expected);
        let sweep = ["sweep", "mnist_mlp", "--lr", "0.1", "--epochs", "1", "--out", path(&theirs)];
        if first == "report" {
            assert_eq!(error_of(&[&sweep[..], &data(folder.path())].concat())?, expected);
        }
        assert!(files(&theirs)? == before, "{name}");
        std::fs::remove_dir_all(&theirs)?;
    }
    Ok(())
}

#[test]
fn a_run_is_replaced_only_by_one_that_came_to_something() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 20, 3)?;
    let run = folder.path().join("run");
    let train = [&["train", "mnist_mlp", "--epochs", "1", "--out", path(&run)], &data(folder.path())[..]].concat();
    assert!(xtask(&train)?.status.success());
    std::fs::write(run.join("notes.txt"), "mine")?;
    std::fs::write(run.join("checkpoints/notes.txt"), "mine")?;
    let before = files(&run)?;
    let recipe = folder.path().join("recipe.toml");
    let write = |text: &str| std::fs::write(&recipe, format!("network = \"mnist_mlp\"\n{text}"));
    let overwrite = |more: &[&str]| {
        let args = ["train", "--recipe", path(&recipe), "--out", path(&run), "--overwrite"];
        error_of(&[&args, &data(folder.path())[..], more].concat())
    };
    for (text, expected) in [
        ("[data]\nresize = 65536\n", "resize 65536 must be from 1 to 4096"),
        ("[data]\nresize = 0\n", "resize 0 must be from 1 to 4096"),
        ("[data]\nlimit = 0\n", "limit 0 must be at least 1"),
        ("[training]\nepochs = 9223372036854775807\n", "epochs 9223372036854775807 must be at most 1000000"),
        ("[training]\nbatch-size = 9223372036854775807\n", "batch size 9223372036854775807 must be at most 1000000"),
        ("[training]\npatience = 9223372036854775807\n", "patience 9223372036854775807 must be at most 1000000"),
    ] {
        write(text)?;
        assert_eq!(overwrite(&[])?, expected);
        assert!(files(&run)? == before, "{text}");
    }
    write("")?;
    let message = overwrite(&["--seed", "18446744073709551615"])?;
    assert_eq!(message, "seed 18446744073709551615 must be at most 9223372036854775807");
    // What is known only after the first step.
    assert!(overwrite(&["lenet", "--lr", "1e30", "--epochs", "3", "--log", "error"])?.starts_with("training diverged"));
    assert!(files(&run)? == before);

    write("[training]\nepochs = 2\n")?;
    let args = ["train", "--recipe", path(&recipe), "--out", path(&run), "--overwrite"];
    let output = xtask(&[&args, &data(folder.path())[..]].concat())?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_to_string(run.join("metrics.jsonl"))?.lines().count(), 2);
    assert_eq!(std::fs::read_to_string(run.join("notes.txt"))?, "mine");
    assert_eq!(std::fs::read_to_string(run.join("checkpoints/notes.txt"))?, "mine");
    assert!(!run.join(".replaced").exists());
    Ok(())
}

#[test]
fn one_training_at_a_time_writes_to_a_folder() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 200, 3)?;
    let run = folder.path().join("run");
    let args = long(folder.path(), &run);
    let mut first = start(&args)?;
    wait_for(&mut first, &run.join("last.safetensors"))?;
    let expected =
        format!("{}: another training is writing to this folder; let it end, or choose another folder", run.display());
    assert_eq!(error_of(&args)?, expected);
    assert_eq!(error_of(&[&args[..], &["--overwrite"]].concat())?, expected);
    assert_eq!(error_of(&["train", "--resume", path(&run)])?, expected);
    // The lock goes with the process.
    first.kill()?;
    first.wait()?;
    let mut second = start(&["train", "--resume", path(&run)])?;
    std::thread::sleep(Duration::from_millis(300));
    assert!(second.try_wait()?.is_none());
    second.kill()?;
    second.wait()?;
    Ok(())
}

#[test]
fn a_folder_that_is_moved_or_removed_ends_the_run_and_a_checkpoint_is_kept() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 200, 3)?;
    for removed in [false, true] {
        let [run, other] = ["run", "other"].map(|name| folder.path().join(format!("{name}-{removed}")));
        let args = long(folder.path(), &run);
        let mut child = start(&args)?;
        wait_for(&mut child, &run.join("last.safetensors"))?;
        let began = Instant::now();
        std::fs::rename(&run, &other)?;
        // The run may be writing there for a moment more.
        while removed && other.exists() {
            let _ = std::fs::remove_dir_all(&other);
        }
        let ended = child.wait_with_output()?;
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        let message = error_from(&args, ended)?;
        assert!(message.starts_with(&format!("{}: the run's folder was moved or removed", run.display())), "{message}");
        let left = if removed { run.clone() } else { other.canonicalize()? };
        let kept = message.contains(&format!("--resume {} goes on", left.display()));
        if removed && !kept {
            // It was caught between the renaming and the removal, and wrote into what was being removed.
            assert!(message.contains(path(&other)), "{message}");
            continue;
        }
        assert!(kept, "{message}");
        let mut child = start(&["train", "--resume", path(&left)])?;
        std::thread::sleep(Duration::from_millis(500));
        assert!(child.try_wait()?.is_none(), "{message}");
        child.kill()?;
        child.wait()?;
    }
    Ok(())
}

#[test]
fn a_signal_leaves_a_checkpoint_also_while_the_network_is_judged() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    // Few images to train on and many to judge: most of the time the run is judged.
    classic_files(folder.path(), 5000, 3)?;
    for (limit, name) in [("20", "-INT"), ("20", "-TERM"), ("20", "-HUP"), ("5000", "-TERM"), ("5000", "-HUP")] {
        let run = folder.path().join(format!("{limit}{name}"));
        let more = ["--epochs", "1000", "--limit", limit, "--no-report", "--out", path(&run)];
        let args = [&["train", "lenet"], &data(folder.path())[..], &more].concat();
        let mut child = start(&args)?;
        wait_for(&mut child, &run.join("last.safetensors"))?;
        std::thread::sleep(Duration::from_millis(100));
        let began = Instant::now();
        signal(&child, name)?;
        let ended = child.wait_with_output()?;
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        let message = error_from(&args, without_answer(ended)?)?;
        assert!(message.starts_with("interrupted at step "), "{message}");
        let mut child = start(&["train", "--resume", path(&run), "--no-report"])?;
        std::thread::sleep(Duration::from_millis(500));
        assert!(child.try_wait()?.is_none());
        child.kill()?;
        child.wait()?;
    }
    Ok(())
}

/// What a program said but for the answer that a signal gets where the end takes long, as beside other work.
fn without_answer(mut output: Output) -> Result<Output, Failure> {
    let said = String::from_utf8(output.stderr)?;
    output.stderr =
        said.split_inclusive('\n').filter(|line| !line.starts_with("stopping: ")).collect::<String>().into();
    Ok(output)
}

/// A step of sixty batches takes seconds.
#[test]
fn a_signal_is_answered_in_the_middle_of_a_long_step() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 4000, 3)?;
    let run = folder.path().join("run");
    let more = ["--threads", "1", "--batch-size", "64", "--set", "accumulate = 60", "--no-report", "--out", path(&run)];
    let args = [&["train", "resnet20_cifar", "--resize", "32"], &data(folder.path())[..], &more].concat();
    let mut child = start(&args)?;
    wait_for(&mut child, &run.join("config.json"))?;
    std::thread::sleep(Duration::from_millis(1500));
    signal(&child, "-INT")?;
    let said = String::from_utf8(child.wait_with_output()?.stderr)?;
    let [answer, error] = ["stopping: the step under way is finished", "error: interrupted at step 1 of epoch 1"];
    assert!(said.lines().any(|line| line.starts_with(answer)), "{said}");
    assert!(said.lines().last().is_some_and(|line| line.starts_with(error)), "{said}");
    Ok(())
}

/// The report of a whole run is being judged, or nothing is being trained at all: there is nothing to keep.
#[test]
fn a_signal_ends_what_is_no_training_at_once() -> Result<(), Failure> {
    use std::os::unix::process::ExitStatusExt;
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 20000, 3)?;
    let weights = folder.path().join("weights.safetensors");
    let network = cnn_zoo::find("resnet20_cifar")?.architecture(10).at([1, 28, 28])?;
    let (kind, device) = (cnn_core::candle_core::DType::F32, cnn_core::candle_core::Device::Cpu);
    cnn_core::model::initialise(&network, 1, kind, &device)?.save(&weights)?;
    let args = [&["eval", "resnet20_cifar", "--weights", path(&weights)], &data(folder.path())[..]].concat();
    for (name, number) in [("-INT", 2), ("-TERM", 15), ("-HUP", 1)] {
        let mut child = start(&args)?;
        std::thread::sleep(Duration::from_millis(500));
        assert!(child.try_wait()?.is_none());
        let began = Instant::now();
        signal(&child, name)?;
        assert_eq!(child.wait()?.signal(), Some(number));
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
    Ok(())
}

#[test]
fn a_signal_stops_a_sweep_in_any_of_its_runs() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 500, 3)?;
    let out = folder.path().join("sweep");
    let more = ["--lr", "0.001,0.01,0.02", "--epochs", "30", "--out", path(&out)];
    let args = [&["sweep", "mnist_mlp"], &data(folder.path())[..], &more].concat();
    let mut child = start(&args)?;
    wait_for(&mut child, &out.join("lr=0.01/metrics.jsonl"))?;
    signal(&child, "-TERM")?;
    let message = error_from(&args, without_answer(child.wait_with_output()?)?)?;
    assert!(message.starts_with("interrupted at step ") && message.contains("lr=0.01 goes on"), "{message}");
    let output = xtask(&args)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[test]
fn a_report_of_several_runs_replaces_only_its_like() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 200, 3)?;
    let runs = ["one", "two"].map(|name| folder.path().join(name));
    for out in &runs {
        let train = [&["train", "mnist_mlp", "--epochs", "1", "--limit", "50"], &data(folder.path())[..]].concat();
        assert!(xtask(&[&train[..], &["--no-report", "--out", path(out)]].concat())?.status.success());
    }
    let site = folder.path().join("site");
    let report = ["report", path(&runs[0]), path(&runs[1]), "--out", path(&site)];
    for file in ["index.html", "curves.svg"] {
        std::fs::create_dir_all(&site)?;
        std::fs::write(site.join(file), "mine")?;
        let message = error_of(&report)?;
        assert!(
            message.ends_with(&format!("holds {file}, which no report of several runs is; choose another folder")),
            "{message}"
        );
        assert_eq!(std::fs::read(site.join(file))?, b"mine");
        std::fs::remove_dir_all(&site)?;
    }
    for _ in 0..2 {
        assert!(xtask(&report)?.status.success());
    }
    Ok(())
}

#[test]
fn a_report_that_is_written_anew_says_what_it_said() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 200, 3)?;
    let out = folder.path().join("run");
    let train = [&["train", "mnist_mlp", "--epochs", "1", "--limit", "50"], &data(folder.path())[..]].concat();
    assert!(xtask(&[&train[..], &["--out", path(&out)]].concat())?.status.success());
    let page = out.join("report/index.html");
    let first = std::fs::read_to_string(&page)?;
    std::fs::remove_file(&page)?;
    assert!(xtask(&["report", path(&out)])?.status.success());
    assert_eq!(std::fs::read_to_string(&page)?, first);
    // Without the data the page that judges images stays; where there is none, one without them is written.
    std::fs::remove_file(folder.path().join("t10k-images-idx3-ubyte"))?;
    let said = error_of(&["report", path(&out)])?;
    assert!(said.ends_with("the report that is there stays: --dataset says where the run's images are now"), "{said}");
    assert_eq!(std::fs::read_to_string(&page)?, first);
    std::fs::remove_dir_all(out.join("report"))?;
    let output = xtask(&["report", path(&out)])?;
    let said = String::from_utf8(output.stderr)?;
    assert!(output.status.success() && said.starts_with("warning: the run's data cannot be read"), "{said}");
    assert!(std::fs::read_to_string(&page)?.len() < first.len());
    // Neither a comparison nor a sweep writes over a run's own page.
    let before = files(&out)?;
    let said = error_of(&["report", path(&out), path(&out), "--out", path(&out.join("report"))])?;
    assert!(said.ends_with("is a run's own folder or lies in one: choose another --out"), "{said}");
    let sweep = ["sweep", "lenet", "--dataset", "digits", "--limit", "50", "--lr", "0.1", "--out", path(&out)];
    assert_eq!(error_of(&sweep)?, format!("{}: holds a run, choose another --out", out.display()));
    assert!(files(&out)? == before);
    Ok(())
}

/// A folder of two classes with six drawn digits each.
fn photos(folder: &Path) -> Result<(), Failure> {
    let data = cnn_data::digits(cnn_data::DigitsConfig { train: 12, test: 12, ..Default::default() })?;
    for index in 0..12 {
        let class = folder.join(["even", "odd"][index % 2]);
        std::fs::create_dir_all(&class)?;
        std::fs::write(class.join(format!("{index}.png")), data.train().picture(index)?.png()?)?;
    }
    Ok(())
}

#[test]
fn what_a_run_writes_does_not_become_a_class() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let images = folder.path().join("photos");
    photos(&images)?;
    let train = ["train", "mnist_mlp", "--dataset", path(&images), "--resize", "28", "--epochs", "1", "--no-report"];
    for out in [images.clone(), images.join("run"), images.join("even/run"), images.join("../photos/x/y")] {
        let said = error_of(&[&train[..], &["--out", path(&out)]].concat())?;
        assert!(said.contains("lies in") && said.contains("choose an --out beside it"), "{said}");
        assert!(out == images || !out.exists(), "{}", out.display());
    }
    let said = error_of(&["sweep", "mnist_mlp", "--dataset", path(&images), "--lr", "0.1", "--out", path(&images)])?;
    assert!(said.contains("choose an --out beside it"), "{said}");
    // What an earlier version left there is passed over.
    for run in [images.join("run"), images.join("odd/run")] {
        std::fs::create_dir_all(run.join("report/mistakes"))?;
        std::fs::write(run.join(".cnn-run"), "")?;
        std::fs::copy(images.join("odd/1.png"), run.join("report/mistakes/1.png"))?;
    }
    let output = xtask(&[&train[..], &["--out", path(&folder.path().join("run"))]].concat())?;
    let said = String::from_utf8(output.stdout)?;
    assert!(output.status.success() && said.contains("2 classes"), "{said}");
    assert!(String::from_utf8(output.stderr)?.contains("2 members are no pictures of a class"));
    Ok(())
}

#[test]
fn a_run_whose_checkpoints_were_removed_is_not_begun_anew() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 100, 3)?;
    let out = folder.path().join("run");
    let more = ["--epochs", "3", "--keep", "3", "--no-report", "--out", path(&out)];
    assert!(xtask(&[&["train", "lenet"], &data(folder.path())[..], &more].concat())?.status.success());
    // Those that were kept stay when the run goes on.
    assert!(xtask(&["train", "--resume", path(&out), "--epochs", "4", "--no-report"])?.status.success());
    assert_eq!(std::fs::read_dir(out.join("checkpoints"))?.count(), 3);
    // Changes add up, and those that came to nothing are not among them.
    let said = error_of(&["train", "--resume", path(&out), "--epochs", "5", "--lr", "1e20", "--no-report"])?;
    assert!(said.contains("diverged"), "{said}");
    let recipe = || std::fs::read_to_string(out.join("recipe.toml"));
    assert!(recipe()?.contains("changed on the way (epochs 3 → 4), so that"), "{}", recipe()?);
    assert!(xtask(&["train", "--resume", path(&out), "--epochs", "5", "--no-report"])?.status.success());
    assert!(recipe()?.contains("changed on the way (epochs 3 → 4; then epochs 4 → 5), so that"), "{}", recipe()?);
    std::fs::remove_dir_all(out.join("checkpoints"))?;
    let before = files(&out)?;
    let said = error_of(&["train", "--resume", path(&out), "--epochs", "6"])?;
    assert!(said.contains("holds last.safetensors but no checkpoint to go on from"), "{said}");
    assert!(files(&out)? == before);
    // Nor where only what was in it was removed, and the figures too, which would have told how long the run was.
    std::fs::remove_file(out.join("metrics.jsonl"))?;
    std::fs::create_dir(out.join("checkpoints"))?;
    let before = files(&out)?;
    let said = error_of(&["train", "--resume", path(&out)])?;
    assert!(said.contains("holds last.safetensors but no checkpoint to go on from"), "{said}");
    assert!(files(&out)? == before);
    // A run that was killed while it wrote its first one has no other.
    std::fs::create_dir(out.join("checkpoints/.writing-abc"))?;
    let output = xtask(&["train", "--resume", path(&out), "--epochs", "2", "--no-report"])?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let left: Vec<PathBuf> =
        std::fs::read_dir(out.join("checkpoints"))?.map(|e| Ok(e?.path())).collect::<Result<_, Failure>>()?;
    assert!(left.iter().all(|path| path.to_string_lossy().contains("step-")), "{left:?}");
    Ok(())
}

/// As on a device that is full: no file grows beyond a limit.
#[test]
fn what_does_not_fit_on_the_disk_ends_the_run_and_damages_nothing() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 60, 3)?;
    let run = folder.path().join("run");
    let args =
        [&["train", "lenet", "--epochs", "1", "--no-report", "--out", path(&run)], &data(folder.path())[..]].concat();
    assert!(xtask(&args)?.status.success());
    let weights = std::fs::read(run.join("last.safetensors"))?;
    // 100 kB, of a file of 250.
    let script = "ulimit -f 200; exec \"$0\" train --resume \"$1\" --epochs 3 --no-report";
    let mut command = Command::new("bash");
    command.args(["-c", script, env!("CARGO_BIN_EXE_xtask"), path(&run)]).env_remove("CARGO");
    let message = error_from(&["train", "--resume"], command.output()?)?;
    assert!(message.contains("weights.safetensors: cannot write: File too large"), "{message}");
    assert!(message.starts_with(path(&run.join("checkpoints"))), "{message}");
    assert!(std::fs::read(run.join("last.safetensors"))? == weights);
    let left = std::fs::read_dir(run.join("checkpoints"))?.count();
    assert_eq!(left, 1);
    // What came to no checkpoint is not the run's: it is asked for again.
    let output = xtask(&["train", "--resume", path(&run), "--epochs", "3", "--no-report"])?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_to_string(run.join("metrics.jsonl"))?.lines().count(), 3);
    Ok(())
}

/// Otherwise pictures are answered by other weights than those that are named.
#[test]
fn a_runs_folder_is_taken_for_its_weights() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let (run, picture) = (folder.path().join("run"), folder.path().join("seven.png"));
    classic_files(folder.path(), 30, 3)?;
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/classifier/tests/seven.png"), &picture)?;
    let train = ["train", "mnist_mlp", "--epochs", "1", "--no-report", "--out", path(&run)];
    assert!(xtask(&[&train[..], &data(folder.path())].concat())?.status.success());
    let best = run.join("best.safetensors");
    let (run, picture, best) = (path(&run), path(&picture), path(&best));
    let answers = |args: &[&str]| -> Result<Vec<u8>, Failure> {
        let output = xtask(&[&["predict", "--csv"], args].concat())?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(output.stdout)
    };
    let by_flag = answers(&[picture, "--weights", run])?;
    assert_eq!(answers(&[run, picture])?, by_flag);
    assert_ne!(answers(&[picture])?, by_flag);
    // Beside the weights of a run, whatever else marks it.
    std::fs::remove_file(Path::new(run).join(".cnn-run"))?;
    assert_eq!(answers(&[run, picture])?, by_flag);

    let out = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (features, page, onnx) = (out("f.safetensors"), out("page.html"), out("net.onnx"));
    for command in [
        &["features", run, picture, "--out", &features][..],
        &["explain", run, picture, "--out", &page],
        &["export", run, "--onnx", &onnx],
        &["export", best, "--onnx", &onnx],
    ] {
        let output = xtask(command)?;
        let said = String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?;
        assert!(output.status.success() && said.contains("mnist_mlp"), "{command:?}: {said}");
    }
    let pictures = format!("{run} is the folder of a run, not of pictures: it goes first or behind --weights");
    let both = format!("{run} and --weights lenet both name weights: leave one out");
    for (command, expected) in [
        (&["predict", picture, run][..], &pictures),
        (&["features", picture, run, "--out", &features], &pictures),
        (&["explain", picture, run, "--out", &page], &pictures),
        (&["predict", run, picture, "--weights", "lenet"], &both),
        (&["eval", run, "--weights", "lenet"], &both),
        (&["export", run, "--weights", "lenet", "--onnx", &onnx], &both),
    ] {
        let output = xtask(command)?;
        let said = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(1), "{command:?}: {said}");
        assert_eq!(said.lines().last(), Some(format!("error: {expected}").as_str()), "{command:?}");
    }
    Ok(())
}
