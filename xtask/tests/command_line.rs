//! The program as its users meet it: what it prints, and the one sentence it says where something is wrong.

use crate::common::{Failure, classic_files, error_from, error_of, path, xtask};
use std::path::Path;
use std::process::Command;

#[test]
fn unknown_names_are_answered_with_near_ones() -> Result<(), Failure> {
    let message = error_of(&["summary", "resnet5"])?;
    assert!(message.starts_with("there is no network resnet5; did you mean resnet50"), "{message}");
    let message = error_of(&["train", "lenett"])?;
    assert!(message.starts_with("there is no network lenett; did you mean lenet"), "{message}");
    let message = error_of(&["train", "lenet", "--dataset", "mnits"])?;
    assert!(message.contains("mnits") && message.contains("mnist"), "{message}");
    Ok(())
}

#[test]
fn instructions_that_are_none() -> Result<(), Failure> {
    let with = |name: &str, args: &[&str]| {
        let program = env!("CARGO_BIN_EXE_xtask");
        Command::new(program).args(args).env_remove("CARGO").env("CNN_INSTRUCTION_SET", name).output()
    };
    for args in [&["list"][..], &["bench", "lenet", "--batch", "1"]] {
        let message = error_from(args, with("avx9", args)?)?;
        assert_eq!(message, "CNN_INSTRUCTION_SET: avx9 is not one of avx512, avx2, neon, simd128, portable");
    }
    for name in ["portable", ""] {
        assert!(with(name, &["list"])?.status.success(), "{name}");
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_ends_it_without_a_word() -> Result<(), Failure> {
    let program = env!("CARGO_BIN_EXE_xtask");
    let (out, error) = (std::process::Stdio::piped(), std::process::Stdio::piped());
    let mut child = Command::new(program).arg("list").env_remove("CARGO").stdout(out).stderr(error).spawn()?;
    drop(child.stdout.take());
    let ended = child.wait_with_output()?;
    assert_eq!((ended.status.code(), String::from_utf8(ended.stderr)?.as_str()), (Some(141), ""));
    Ok(())
}

#[test]
fn an_input_too_small_names_the_node() -> Result<(), Failure> {
    let message = error_of(&["summary", "lenet", "--shape", "1,10,10"])?;
    assert_eq!(message, "conv2: kernel 5×5 exceeds padded input 3×3 (input 3×3)");
    let message = error_of(&["summary", "lenet", "--shape", "1,9999999999,9999999999"])?;
    assert!(message.starts_with("input: input of 1×9999999999×9999999999"), "{message}");
    let out = tempfile::tempdir()?;
    let message = error_of(&["train", "lenet", "--resize", "9", "--out", path(&out.path().join("run"))])?;
    let expected = "conv2: kernel 5×5 exceeds padded input 2×2 (input 2×2)";
    assert_eq!(message, format!("--resize 9 is too small, expected at least 16 for lenet: {expected}"));
    let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/classifier/tests/seven.png");
    let message = error_of(&["predict", picture, "--crop", "9"])?;
    assert!(message.starts_with("--crop 9 is too small, expected at least 16 for lenet: "), "{message}");
    assert!(!out.path().join("run").exists());
    Ok(())
}

#[test]
fn settings_that_cannot_be_meant() -> Result<(), Failure> {
    let refused = |args: &[&str]| error_of(&[&["train", "lenet"], args].concat());
    assert_eq!(refused(&["--epochs", "0"])?, "epochs must be at least 1");
    assert_eq!(refused(&["--batch-size", "0"])?, "batch size must be at least 1");
    assert_eq!(refused(&["--lr", "-1"])?, "learning rate -1 must be a number from 0 up");
    assert_eq!(refused(&["--lr", "nan"])?, "learning rate NaN must be a number from 0 up");
    assert_eq!(refused(&["--momentum", "1.5"])?, "momentum 1.5 must be in [0, 1)");
    assert_eq!(
        refused(&["--optimizer", "adamw", "--momentum", "0.5"])?,
        "--momentum belongs to --optimizer sgd or rmsprop"
    );
    assert_eq!(refused(&["--optimizer", "rmsprop", "--nesterov"])?, "--nesterov belongs to --optimizer sgd");
    assert_eq!(refused(&["--label-smoothing", "1"])?, "label smoothing 1 must be in [0, 1)");
    assert_eq!(refused(&["--average", "1.5"])?, "average 1.5 must be in [0, 1)");
    assert_eq!(refused(&["--clip-norm", "0"])?, "clip 0 must be a number above 0, in 32 bits too");
    assert_eq!(refused(&["--accumulate", "0"])?, "accumulate must be at least 1");
    assert_eq!(refused(&["--set", "epochs = -1"])?.split(':').next(), Some("epochs = -1"));
    assert!(refused(&["--set", "epoch = 1"])?.starts_with("epoch = 1: unknown field `epoch`"));
    assert!(refused(&["--recipe", "nothing"])?.starts_with("there is no recipe nothing, nor a file of that name"));
    assert_eq!(
        refused(&["--precision", "bf16", "--engine", "candle"])?,
        "precision bf16: on the CPU it belongs to the engine plan; f32 is trained on every CPU"
    );
    assert!(refused(&["--freeze", "layer9"])?.starts_with("freeze layer9: lenet has no tensor of that name"));
    assert_eq!(refused(&["--device", "cuda"])?, "device cuda:0: this program was built without the feature `cuda`");
    Ok(())
}

#[test]
fn flags_that_would_change_nothing_are_refused() -> Result<(), Failure> {
    let refused = |args: &[&str]| error_of(&[&["train"], args].concat());
    for flag in [&["--test-share", "0.3"][..], &["--skip-damaged"], &["--no-exif"], &["--max-pixels", "9"]] {
        let expected = format!("{} is about a folder of images, and digits is none: leave it out", flag[0]);
        assert_eq!(refused(&[&["lenet"], flag].concat())?, expected);
    }
    assert_eq!(
        refused(&["lenet", "--bucket", "32"])?,
        "--bucket is about gradients that ranks send each other, and this process is alone: leave it out"
    );
    assert_eq!(refused(&["lenet", "--sync-batch-norm"])?, "sync-batch-norm: lenet has no batch normalisation");
    let whole = "sync-batch-norm: a batch is whole; --set 'shards = N' or --processes N cuts it into shards";
    assert_eq!(refused(&["resnet20_cifar", "--exact", "--resize", "32", "--sync-batch-norm"])?, whole);
    // Before anything is fetched or built for it.
    assert_eq!(
        refused(&["lenet", "--dataset", "mnist", "--no-exif"])?,
        "--no-exif is about a folder of images, and mnist is none: leave it out"
    );
    assert_eq!(
        refused(&["lenet", "--engine", "candle", "--processes", "2"])?,
        "--processes belongs to the engine plan, which computes on the CPU"
    );
    assert_eq!(
        refused(&["lenet", "--batch-size", "4", "--processes", "1"])?,
        "batches of 4 cannot be cut into 8 shards for the ranks: choose --batch-size 8 or more, or --set 'shards = N'"
    );

    let folder = tempfile::tempdir()?;
    let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/classifier/tests/seven.png");
    for (class, name) in [("train/a", "1"), ("train/a", "2"), ("train/b", "1"), ("train/b", "2"), ("val/a", "1")] {
        std::fs::create_dir_all(folder.path().join(class))?;
        std::fs::copy(picture, folder.path().join(class).join(name).with_extension("png"))?;
    }
    let photos = ["lenet", "--dataset", path(folder.path()), "--test-share", "0.5"];
    let judged = folder.path().join("val");
    let expected =
        format!("--test-share has no effect: {} is judged, so nothing is drawn; leave it out", path(&judged));
    assert_eq!(refused(&photos)?, expected);
    let drawn = "nothing is drawn of it: its folder test is judged, else val, else all of it";
    for (flag, why) in [
        (["--test-share", "0.5"], drawn),
        (["--fold", "1/2"], drawn),
        (["--channels", "1"], "its images are read in the channels of the weights"),
        (["--data-dir", "."], "it is a folder of images, not the name of a data set"),
    ] {
        let eval = ["eval", "lenet", "--weights", "lenet", "--dataset", path(folder.path())];
        let said = error_of(&[&eval[..], &flag].concat())?;
        assert_eq!(said, format!("{} has no effect on {}: {why}; leave it out", flag[0], folder.path().display()));
    }
    std::fs::remove_dir_all(&judged)?;
    let fold = "--test-share has no effect beside the fold 1/2, which says what is judged: leave out one of the two";
    assert_eq!(refused(&[&photos[..], &["--fold", "1/2"]].concat())?, fold);
    Ok(())
}

/// Otherwise it would be taken for another flag, and the answer would be about that.
#[test]
fn a_number_below_zero_is_a_flags_value() -> Result<(), Failure> {
    for flag in ["--epochs", "--batch-size", "--limit", "--patience", "--keep", "--resize", "--threads", "--seed"] {
        let output = xtask(&["train", "lenet", flag, "-3"])?;
        let said = String::from_utf8(output.stderr)?;
        assert!(
            !output.status.success() && said.starts_with(&format!("error: invalid value '-3' for '{flag} <")),
            "{said}"
        );
    }
    Ok(())
}

#[test]
fn numbers_that_the_cpu_does_not_multiply() -> Result<(), Failure> {
    let program = env!("CARGO_BIN_EXE_xtask");
    let lacking = "portable has no instructions that multiply bf16; that takes avx512 with AVX512_BF16";
    let cases = [
        (
            &["train", "lenet", "--precision", "bf16"][..],
            format!("precision bf16: {lacking}; f32 is trained on every CPU"),
        ),
        (&["bench", "lenet", "--train", "--precision", "bf16"], format!("bf16: {lacking}")),
    ];
    for (args, expected) in cases {
        let output =
            Command::new(program).args(args).env_remove("CARGO").env("CNN_INSTRUCTION_SET", "portable").output()?;
        assert_eq!(error_from(args, output)?, expected);
    }
    assert_eq!(
        error_of(&["bench", "lenet", "--train", "--precision", "int8"])?,
        "--mode int8 belongs to forward passes"
    );
    Ok(())
}

#[test]
fn data_that_is_missing_cut_short_or_wrong() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let train = |folder: &Path| {
        error_of(&[
            "train",
            "lenet",
            "--dataset",
            "mnist",
            "--data-dir",
            path(folder),
            "--out",
            path(&folder.join("run")),
        ])
    };
    let message = train(folder.path())?;
    assert!(message.contains(path(folder.path())) && message.contains("train-images"), "{message}");

    classic_files(folder.path(), 20, 11)?;
    let message = train(folder.path())?;
    assert!(message.contains("labels-idx1-ubyte") && message.contains("11"), "{message}");

    classic_files(folder.path(), 20, 3)?;
    let images = folder.path().join("train-images-idx3-ubyte");
    let whole = std::fs::read(&images)?;
    std::fs::write(&images, &whole[..whole.len() / 2])?;
    let message = train(folder.path())?;
    assert!(message.contains("train-images-idx3-ubyte"), "{message}");

    std::fs::remove_file(&images)?;
    std::fs::write(folder.path().join("train-images-idx3-ubyte.gz"), b"\x1f\x8b not gzip at all")?;
    let message = train(folder.path())?;
    assert!(message.contains("train-images-idx3-ubyte.gz"), "{message}");
    assert!(!folder.path().join("run").exists());
    Ok(())
}

#[test]
fn weights_that_are_missing_cut_short_corrupt_or_of_another_network() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let run = folder.path().join("run");
    classic_files(folder.path(), 20, 3)?;
    let data = ["--dataset", "mnist", "--data-dir", path(folder.path())];
    let output = xtask(&[&["train", "mnist_conv", "--epochs", "1", "--out", path(&run)], &data[..]].concat())?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let last = run.join("last.safetensors");
    let eval = |net: &str, file: &Path| {
        [&["eval", net, "--weights", path(file)], &data[..]].concat().iter().map(|s| s.to_string()).collect::<Vec<_>>()
    };
    let refused = |net: &str, file: &Path| {
        let args = eval(net, file);
        error_of(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };

    let args = eval("mnist_conv", &last);
    let output = xtask(&args.iter().map(String::as_str).collect::<Vec<_>>())?;
    let text = String::from_utf8(output.stdout)?;
    let accuracy = text.lines().next().unwrap_or_default();
    let number = accuracy.strip_prefix("accuracy ").and_then(|rest| rest.strip_suffix(" %")).ok_or(text.clone())?;
    assert_eq!(number.split_once('.').map(|(_, decimals)| decimals.len()), Some(2), "{accuracy}");

    // Every tensor of mnist_conv is there, and one more.
    let surplus = folder.path().join("surplus.safetensors");
    let mut tensors = cnn_core::candle_core::safetensors::load(&last, &cnn_core::candle_core::Device::Cpu)?;
    tensors.insert("layer9.weight".to_string(), tensors["fc.bias"].clone());
    cnn_core::candle_core::safetensors::save(&tensors, &surplus)?;
    let expected = format!(
        "{}: mnist_conv: the weights have 1 tensor that it lacks, layer9.weight; are they another network's?",
        surplus.display()
    );
    assert_eq!(refused("mnist_conv", &surplus)?, expected);
    let message = refused("mnist_conv", folder.path())?;
    assert_eq!(message, format!("{}: no run's folder, since best.safetensors is not in it", folder.path().display()));

    let none = folder.path().join("none.safetensors");
    assert_eq!(
        refused("mnist_conv", &none)?,
        format!("cannot read {}: No such file or directory (os error 2)", none.display())
    );
    assert_eq!(
        refused("lenet", &last)?,
        format!("{} has weights of mnist_conv, not of lenet (leave the name out: the weights say it)", last.display())
    );
    let whole = std::fs::read(&last)?;
    for length in [0, 4, 100, whole.len() - 1] {
        let cut = folder.path().join("cut.safetensors");
        std::fs::write(&cut, &whole[..length])?;
        let message = refused("mnist_conv", &cut)?;
        assert!(message.starts_with(&format!("{} is not a whole safetensors file", cut.display())), "{message}");
    }
    let corrupt = folder.path().join("corrupt.safetensors");
    std::fs::write(&corrupt, [&whole[..8], &vec![0xff; whole.len() - 8]].concat())?;
    let message = refused("mnist_conv", &corrupt)?;
    assert!(message.starts_with(&format!("{} is not a whole safetensors file", corrupt.display())), "{message}");
    Ok(())
}

#[test]
fn weights_that_are_no_numbers_are_refused_by_file_and_tensor() -> Result<(), Failure> {
    use cnn_core::candle_core::{DType, Device, Tensor, safetensors};
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 20, 3)?;
    let run = folder.path().join("run");
    let data = ["--dataset", "mnist", "--data-dir", path(folder.path())];
    let trained = xtask(&[&["train", "mnist_conv", "--epochs", "1", "--out", path(&run)], &data[..]].concat())?;
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let whole = safetensors::load(run.join("last.safetensors"), &Device::Cpu)?;
    let input = folder.path().join("input.safetensors");
    let images = Tensor::zeros((1, 1, 28, 28), DType::F32, &Device::Cpu)?;
    safetensors::save(&[("input", images)].into(), &input)?;
    let file = folder.path().join("lies.safetensors");
    let integers = Tensor::zeros(whole["conv2.weight"].shape(), DType::I64, &Device::Cpu)?;
    let last = |value: f32| -> Result<Tensor, Failure> {
        let mut values = whole["conv2.weight"].flatten_all()?.to_vec1::<f32>()?;
        *values.last_mut().ok_or("no values")? = value;
        Ok(Tensor::from_vec(values, whole["conv2.weight"].shape(), &Device::Cpu)?)
    };
    for lie in [last(f32::NAN)?, last(f32::INFINITY)?, last(f32::NEG_INFINITY)?, integers] {
        let mut tensors = whole.clone();
        tensors.insert("conv2.weight".to_string(), lie);
        safetensors::save(&tensors, &file)?;
        let (output, out) = (folder.path().join("output"), folder.path().join("other"));
        for args in [
            [&["eval", "mnist_conv", "--weights", path(&file)], &data[..]].concat(),
            [&["train", "mnist_conv", "--init", path(&file), "--out", path(&out)], &data[..]].concat(),
            ["forward", "mnist_conv", "--weights", path(&file), "--input", path(&input), "--output", path(&output)]
                .into(),
        ] {
            let message = error_of(&args)?;
            assert!(message.starts_with(path(&file)) && message.contains("conv2.weight"), "{message}");
        }
        assert!(!output.exists() && !out.exists());
    }
    Ok(())
}

#[test]
fn a_file_of_another_network_is_never_a_beginning() -> Result<(), Failure> {
    use cnn_core::candle_core::{DType, Device};
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("resnet34.safetensors");
    let larger = cnn_zoo::find("resnet34")?.architecture(10).at_usual_input()?;
    cnn_core::model::initialise(&larger, 1, DType::F32, &Device::Cpu)?.save(&file)?;
    let out = folder.path().join("run");
    // All that resnet18 needs is there, and more.
    let args = ["train", "resnet18", "--exact", "--init", path(&file), "--out", path(&out)];
    let message = error_of(&args)?;
    assert!(message.starts_with(&format!("{}: resnet18: ", file.display())), "{message}");
    assert!(!out.exists());
    Ok(())
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_at_its_step() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 200, 3)?;
    let diverge = |name: &str, more: &[&str]| -> Result<String, Failure> {
        let run = folder.path().join(name);
        let (data, out) = (path(folder.path()), path(&run));
        let args = ["train", "lenet", "--dataset", "mnist", "--data-dir", data, "--lr", "1e30", "--out", out];
        let message = error_of(&[&args, more].concat())?;
        assert!(!run.join("last.safetensors").exists());
        Ok(message)
    };
    let message = diverge("steps", &[])?;
    assert!(message.starts_with("training diverged: the loss is "), "{message}");
    assert!(message.contains(" at step ") && message.contains(" of epoch 1 "), "{message}");
    // A single step, whose effect no later loss shows.
    let message = diverge("single", &["--batch-size", "200", "--epochs", "1"])?;
    assert!(message.contains(" at step 1 of epoch 1 "), "{message}");
    Ok(())
}

#[test]
fn a_folder_that_cannot_be_written_or_holds_a_run_is_left_alone() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 20, 3)?;
    let file = folder.path().join("file");
    std::fs::write(&file, "kept")?;
    let data = ["--dataset", "mnist", "--data-dir", path(folder.path()), "--epochs", "1"];
    let train = |out: &Path| {
        [&["train", "mnist_mlp", "--out", path(out)], &data[..]]
            .concat()
            .iter()
            .map(|s| s.to_string())
            .collect::<Vec<_>>()
    };
    let refused = |out: &Path| {
        let args = train(out);
        error_of(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let message = refused(&file.join("run"))?;
    assert!(message.starts_with(&format!("{}: cannot make the folder", file.join("run").display())), "{message}");
    assert_eq!(std::fs::read_to_string(&file)?, "kept");

    let run = folder.path().join("run");
    let args = train(&run);
    assert!(xtask(&args.iter().map(String::as_str).collect::<Vec<_>>())?.status.success());
    let before = std::fs::read(run.join("last.safetensors"))?;
    let message = refused(&run)?;
    assert!(message.contains("already holds a run (last.safetensors)"), "{message}");
    assert_eq!(std::fs::read(run.join("last.safetensors"))?, before);
    Ok(())
}

#[test]
fn the_same_seed_gives_the_same_bits_whatever_the_threads() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 300, 3)?;
    let train = |name: &str, seed: &str, threads: &str| -> Result<Vec<u8>, Failure> {
        let out = folder.path().join(name);
        let args = [
            "train",
            "lenet",
            "--dataset",
            "mnist",
            "--data-dir",
            path(folder.path()),
            "--epochs",
            "1",
            "--batch-size",
            "32",
            "--seed",
            seed,
            "--threads",
            threads,
            "--out",
            path(&out),
        ];
        let output = xtask(&args)?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(std::fs::read(out.join("last.safetensors"))?)
    };
    let first = train("a", "5", "1")?;
    assert!(first == train("b", "5", "1")?, "two runs differ");
    assert!(first == train("c", "5", "2")?, "one and two threads differ");
    assert!(first != train("d", "6", "1")?, "two seeds agree");
    Ok(())
}

#[cfg(unix)]
#[test]
fn an_interrupt_stops_at_a_step_and_leaves_whole_files() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("run");
    let mut child = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["train", "mnist_mlp", "--epochs", "10000", "--out", path(&out)])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()?;
    while !out.join("metrics.jsonl").exists() {
        assert!(child.try_wait()?.is_none(), "ended early");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status()?.success());
    let output = child.wait_with_output()?;
    let text = String::from_utf8(output.stderr)?;
    let message = text.lines().last().unwrap_or_default();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(message.starts_with("error: interrupted at step "), "{text}");
    assert!(message.contains(&format!("--resume {} goes on", out.display())), "{text}");
    let evaluated = xtask(&["eval", "mnist_mlp", "--weights", path(&out.join("last.safetensors"))])?;
    assert!(evaluated.status.success(), "{}", String::from_utf8_lossy(&evaluated.stderr));
    let left: Vec<_> = std::fs::read_dir(&out)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_, Failure>>()?;
    assert!(left.iter().all(|name| !name.starts_with(".writing")), "{left:?}");
    Ok(())
}

#[test]
fn the_summary_as_json() -> Result<(), Failure> {
    let output = xtask(&["summary", "googlenet", "--json"])?;
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(json["name"], "googlenet");
    assert_eq!(json["input"], serde_json::json!([3, 224, 224]));
    assert_eq!(json["parameters"], 13_004_888);
    assert_eq!(json["macs"], 1_498_376_192);
    let nodes = json["nodes"].as_array().ok_or("no nodes")?;
    let fc = nodes.iter().find(|node| node["path"] == "fc").ok_or("no fc")?;
    let expected = serde_json::json!({ "path": "fc", "op": "linear", "output": [1000], "parameters": 1_025_000, "macs": 1_024_000 });
    assert_eq!(*fc, expected);
    let tensors = json["tensors"].as_array().ok_or("no tensors")?;
    assert!(tensors.contains(&serde_json::json!({ "name": "conv1.bn.running_var", "shape": [64] })));
    assert!(tensors.iter().all(|tensor| tensor["name"].as_str().is_some_and(|name| !name.contains("num_batches"))));
    let output = xtask(&["summary", "googlenet", "--json", "--heads", "off", "--classes", "10"])?;
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(json["parameters"], 6_624_904 - 990 * 1025);
    Ok(())
}

#[test]
fn the_list_holds_every_family() -> Result<(), Failure> {
    let text = String::from_utf8(xtask(&["list"])?.stdout)?;
    for name in ["lenet ", "alexnet ", "vgg16_bn ", "nin ", "googlenet ", "inception_v3 ", "resnet50 ", "densenet121 "]
    {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name} is not in\n{text}");
    }
    Ok(())
}
