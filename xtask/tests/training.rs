//! Training as its users meet it: recipes, folders of images, other classes, searches, reports.

use crate::common::{Failure, classic_files, error_of, path, printed, xtask};
use std::path::Path;

/// Pictures of two classes that any network can tell apart: dark ones, and ones that are bright on the left.
fn pictures(folder: &Path, each: u32) -> Result<(), Failure> {
    for (class, name) in ["dark", "left"].into_iter().enumerate() {
        std::fs::create_dir_all(folder.join(name))?;
        for number in 0..each {
            let (width, height) = (30 + number % 7, 34 + number % 5);
            let picture = image::RgbImage::from_fn(width, height, |x, _| {
                let bright = class == 1 && x < width / 2;
                image::Rgb([if bright { 230 } else { 20 }, (number * 13 % 50) as u8, 30])
            });
            let kind = if number % 3 == 0 { "png" } else { "jpg" };
            picture.save(folder.join(name).join(format!("{number:03}.{kind}")))?;
        }
    }
    Ok(())
}

#[test]
fn recipes_are_listed_and_printed() -> Result<(), Failure> {
    let list = printed(&["recipes"])?;
    assert!(list.lines().any(|line| line.starts_with("resnet-cifar ")), "{list}");
    let recipe = printed(&["recipes", "mnist"])?;
    assert!(recipe.contains("learning-rate = 0.01") && recipe.contains("networks = [\"mnist_conv\""), "{recipe}");
    let message = error_of(&["recipes", "nothing"])?;
    assert!(message.starts_with("there is no recipe nothing, nor a file of that name; there are mnist, "), "{message}");
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, "[training]\nepochs = 2\nrate = 3\n")?;
    let message = error_of(&["train", "lenet", "--recipe", path(&file)])?;
    assert!(message.starts_with(&format!("{}:3: unknown field `rate`", file.display())), "{message}");
    std::fs::write(&file, "[training]\nepochs = 2\n")?;
    let message = error_of(&["train", "--recipe", path(&file)])?;
    assert!(message.starts_with("this recipe names no network"), "{message}");
    Ok(())
}

#[test]
fn a_folder_of_pictures_is_learnt_and_its_network_learns_other_classes() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let (images, first) = (folder.path().join("images"), folder.path().join("first"));
    pictures(&images, 40)?;
    let dataset = format!("folder:{}", images.display());
    let args =
        ["train", "resnet20_cifar", "--dataset", &dataset, "--resize", "32", "--batch-size", "16", "--lr", "0.05"];
    let augmented = ["--augment", "random-resized-crop:0.5,mixup:0.1", "--epochs", "4", "--tensorboard"];
    let text = printed(&[&args[..], &augmented, &["--out", path(&first)]].concat())?;
    assert!(text.contains("best test accuracy 100.00 %"), "{text}");
    let page = std::fs::read_to_string(first.join("report/index.html"))?;
    assert!(page.contains("resnet20_cifar on images") && !page.contains("<script"), "{page}");
    assert!(first.join("tensorboard").read_dir()?.count() == 1);
    let weights = first.join("best.safetensors");
    let text = printed(&["eval", "resnet20_cifar", "--weights", path(&weights), "--dataset", &dataset])?;
    assert!(text.starts_with("accuracy 100.00 %"), "{text}");

    // Ten digits instead of two kinds of pictures: other channels, so not even the first layer fits.
    let digits = folder.path().join("digits");
    std::fs::create_dir(&digits)?;
    classic_files(&digits, 30, 3)?;
    let mnist = ["--dataset", "mnist", "--data-dir", path(&digits), "--epochs", "1"];
    let init = ["train", "resnet20_cifar", "--init", path(&weights)];
    let message = error_of(&[&init[..], &mnist, &["--out", path(&folder.path().join("none"))]].concat())?;
    let shapes = "resnet20_cifar: tensor conv1.weight should be 16×1×3×3, but the weights have 16×3×3×3";
    assert_eq!(message, format!("{}: {shapes}", weights.display()));

    // A third class: the last layer begins anew, what is frozen stays.
    std::fs::create_dir(images.join("third"))?;
    for number in 0..20 {
        let picture = image::RgbImage::from_pixel(40, 40, image::Rgb([10, 20, 200 + number]));
        picture.save(images.join("third").join(format!("{number}.png")))?;
    }
    let second = folder.path().join("second");
    let tuned = ["--init", path(&weights), "--freeze", "conv1,bn1,layer1", "--epochs", "1", "--out", path(&second)];
    let text = printed(&[&args[..], &tuned].concat())?;
    assert!(text.contains("begin anew: linear.weight, linear.bias"), "{text}");
    let read = |file: &Path| cnn_core::candle_core::safetensors::load(file, &cnn_core::candle_core::Device::Cpu);
    let (before, after) = (read(&weights)?, read(&second.join("last.safetensors"))?);
    for (name, stays) in
        [("layer1.0.bn1.running_mean", true), ("layer1.0.conv1.weight", true), ("layer2.0.conv1.weight", false)]
    {
        let [before, after] = [&before[name], &after[name]].map(|tensor| tensor.flatten_all()?.to_vec1::<f32>());
        assert_eq!(before? == after?, stays, "{name}");
    }
    Ok(())
}

#[test]
fn a_damaged_picture_ends_a_run_or_is_left_out() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let images = folder.path().join("images");
    pictures(&images, 10)?;
    let bad = images.join("left/001.jpg");
    let whole = std::fs::read(&bad)?;
    std::fs::write(&bad, &whole[..whole.len() / 2])?;
    let dataset = format!("folder:{}", images.display());
    let out = folder.path().join("run");
    let args = ["train", "mnist_mlp", "--dataset", &dataset, "--resize", "28", "--epochs", "1", "--out", path(&out)];
    let message = error_of(&args)?;
    assert!(message.starts_with(&format!("{}: it is damaged: ", bad.display())), "{message}");
    assert!(message.ends_with("; --skip-damaged leaves such files out"), "{message}");
    // It was found before anything was written.
    assert!(!out.exists());
    let output = xtask(&[&args[..], &["--skip-damaged"]].concat())?;
    let warnings = String::from_utf8(output.stderr)?;
    assert!(output.status.success() && warnings.contains(path(&bad)) && !warnings.contains('\u{1b}'), "{warnings}");
    // Report and evaluation know the same images, and so does the run when it goes on.
    for command in ["report", "eval"] {
        let output = xtask(&[command, path(&out)])?;
        let said = String::from_utf8(output.stderr)?;
        assert!(output.status.success() && !said.contains("the data changed"), "{said}");
    }
    let text = printed(&["train", "--resume", path(&out), "--epochs", "2"])?;
    assert!(text.contains("going on after epoch 1 of 2") && text.contains("from here on epochs 1 → 2"), "{text}");
    std::fs::create_dir(images.join("empty"))?;
    let message = error_of(&args)?;
    assert_eq!(
        message,
        format!(
            "{}: expected images of the class, found none: remove the folder, or put its images there",
            images.join("empty").display()
        )
    );
    Ok(())
}

#[test]
fn a_search_tries_every_combination_and_reports() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 60, 3)?;
    let out = folder.path().join("sweep");
    let data = ["--dataset", "mnist", "--data-dir", path(folder.path()), "--epochs", "1", "--out", path(&out)];
    let axes = ["--lr", "0.01,1e30", "--over", "label-smoothing = 0.0, 0.1"];
    let sweep = [&["sweep", "mnist_conv"], &axes[..], &data].concat();
    let text = printed(&sweep)?;
    let runs: Vec<&str> = text.lines().filter(|line| line.starts_with("run ")).collect();
    assert!(runs.iter().any(|line| line.ends_with("lr=0.01,label-smoothing=0.1")), "{text}");
    assert_eq!(text.matches("diverged: lr=1").count(), 2, "{text}");
    let picture = std::fs::read_to_string(out.join("sweep.svg"))?;
    assert!(picture.contains("diverged") && picture.contains("label-smoothing 0.1"), "{picture}");
    // What is done is not done again.
    let weights = out.join("lr=0.01,label-smoothing=0.1/last.safetensors");
    let before = std::fs::metadata(&weights)?.modified()?;
    printed(&sweep)?;
    assert_eq!(std::fs::metadata(&weights)?.modified()?, before);
    let message = error_of(&["sweep", "mnist_conv"])?;
    assert!(message.starts_with("nothing to try"), "{message}");

    let two = folder.path().join("two");
    let [one, other] = ["lr=0.01,label-smoothing=0.0", "lr=0.01,label-smoothing=0.1"].map(|name| out.join(name));
    let text = printed(&["report", path(&one), path(&other), "--out", path(&two)])?;
    assert!(text.contains("settings.label-smoothing") && two.join("index.html").exists(), "{text}");
    let message = error_of(&["report", path(folder.path())])?;
    assert!(message.starts_with(&format!("{}: not a run's folder", folder.path().display())), "{message}");
    Ok(())
}

#[test]
fn a_sheet_of_augmented_images() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let sheet = folder.path().join("sheet.png");
    let args =
        ["augment", "--augment", "affine:10:0.1,erasing:1", "--images", "2", "--count", "3", "--out", path(&sheet)];
    printed(&args)?;
    let picture = image::open(&sheet)?;
    // Two rows of four digits, 28 pixels enlarged to at least 96.
    // Between them two pixels, enlarged too.
    assert_eq!((picture.width(), picture.height()), (4 * 112 + 3 * 8, 2 * 112 + 8));
    let output = xtask(&["augment", "--augment", "flip:2", "--out", path(&sheet)])?;
    let text = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("flip: expected a probability from 0 to 1, found 2"), "{text}");
    Ok(())
}

#[test]
fn without_a_terminal_the_dashboard_says_so() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 20, 3)?;
    let out = folder.path().join("run");
    let data = ["--dataset", "mnist", "--data-dir", path(folder.path()), "--epochs", "1", "--out", path(&out)];
    let output = xtask(&[&["train", "mnist_mlp", "--tui"], &data[..]].concat())?;
    let text = String::from_utf8(output.stderr)?;
    assert!(output.status.success() && text.contains("going on without it"), "{text}");
    Ok(())
}

/// The same pictures in folders with the names of splits.
fn splits(folder: &Path, counts: [(&str, u32); 3]) -> Result<(), Failure> {
    for (split, each) in counts {
        pictures(&folder.join(split), each)?;
    }
    Ok(())
}

#[test]
fn a_folder_with_three_splits_holds_test_out_and_says_what_it_does() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let (images, out) = (folder.path().join("photos"), folder.path().join("run"));
    splits(&images, [("Train", 20), ("valid", 6), ("TEST", 5)])?;
    std::fs::write(images.join("Train/labels.txt"), "none")?;
    std::fs::create_dir(images.join("valid/left/more"))?;
    std::fs::rename(images.join("valid/left/000.png"), images.join("valid/left/more/000.png"))?;
    // A plain path is a folder, from any working directory.
    let args = ["train", "mnist_mlp", "--dataset", path(&images), "--epochs", "2", "--lr", "0.01", "--out", path(&out)];
    let output = xtask(&args)?;
    let (text, said) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    assert!(output.status.success(), "{said}");
    for line in ["training   40 images of ", "judging    12 images of ", "held out   10 images of "] {
        assert!(text.lines().any(|it| it.starts_with(line)), "{line}: {text}");
    }
    assert!(text.contains("classes    dark 20, left 20") && text.contains("epochs     2 of "), "{text}");
    assert!(
        text.lines().any(|line| line.starts_with("epoch 2/2  loss ") && line.contains("  learning rate ")),
        "{text}"
    );
    let last = text.lines().last().unwrap_or_default();
    assert!(last.starts_with("held-out accuracy ") && last.contains("10 images of test"), "{text}");
    assert!(
        said.contains("1 member is no picture of a class and passed over") && said.contains("labels.txt"),
        "{said}"
    );
    let judgement: serde_json::Value = serde_json::from_slice(&std::fs::read(out.join("judgement.json"))?)?;
    assert_eq!((judgement["test"]["images"].as_u64(), judgement["held_out"]["images"].as_u64()), (Some(12), Some(10)));
    let page = std::fs::read_to_string(out.join("report/index.html"))?;
    assert!(page.contains("<h2>Held out</h2>") && page.contains("macro F1"), "{page}");
    for table in ["epochs.csv", "classes.csv", "confusion.csv", "mistakes.csv", "held-out-classes.csv"] {
        assert!(std::fs::read_to_string(out.join("report").join(table))?.lines().count() >= 1, "{table}");
    }
    let metrics = std::fs::read_to_string(out.join("metrics.jsonl"))?;
    assert!(metrics.contains("macro-f1"), "{metrics}");
    let recipe = std::fs::read_to_string(out.join("recipe.toml"))?;
    assert!(recipe.contains(&format!("dataset = \"folder:{}\"", images.display())), "{recipe}");

    // What is judged is what the run judged, by its folder alone; a part of it; and all of a folder.
    let text = printed(&["eval", path(&out)])?;
    let [chosen, held_out] = ["valid", "TEST"].map(|split| images.join(split).display().to_string());
    assert!(text.contains(&format!("on 12 images of {chosen}\n")), "{text}");
    let last = text.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("held out: accuracy ") && last.ends_with(&format!(" on 10 images of {held_out}")),
        "{text}"
    );
    let json: serde_json::Value = serde_json::from_str(&printed(&["eval", path(&out), "--json"])?)?;
    assert_eq!(json["of"], format!("12 images of {chosen}"));
    assert_eq!(json["held_out"]["of"], format!("10 images of {held_out}"));
    assert_eq!(json["held_out"]["accuracy"], judgement["held_out"]["accuracy"]);
    let text = printed(&["eval", path(&out), "--limit", "4"])?;
    assert!(text.contains(&format!("on 4 of 12 images of {chosen}")) && !text.contains("held out"), "{text}");
    let text = printed(&["eval", path(&out), "--dataset", path(&images.join("TEST"))])?;
    assert!(text.contains("on 10 images of "), "{text}");
    for (flags, expected) in [
        (["--test-share", "0.3"], "--test-share would make it another run; the images were set aside by the run"),
        (["--seed", "9"], "the run set its images aside by seed 1, not by 9: leave --seed out"),
    ] {
        let message = error_of(&[&["eval", path(&out)], &flags[..]].concat())?;
        assert!(message.starts_with(expected), "{message}");
    }
    // Data that changed, and settings that would make it another run.
    let moved = folder.path().join("elsewhere");
    std::fs::rename(&images, &moved)?;
    let go_on = ["train", "--resume", path(&out), "--epochs", "3", "--dataset", path(&moved)];
    let message = error_of(&[&go_on[..], &["--limit", "3"]].concat())?;
    assert!(message.starts_with("--limit would make it another run; --resume goes on"), "{message}");
    std::fs::remove_file(moved.join("Train/dark/003.png"))?;
    let message = error_of(&go_on)?;
    assert!(message.contains("but the data changed and is now 39 images to train on"), "{message}");
    assert_eq!(std::fs::read_to_string(out.join("recipe.toml"))?, recipe);
    pictures(&moved.join("Train"), 20)?;
    let text = printed(&go_on)?;
    assert!(text.contains("from here on epochs 2 → 3") && text.contains("epoch 3/3"), "{text}");
    let message = error_of(&["train", "--resume", path(&out), "--label-smoothing", "0.1"])?;
    assert!(message.starts_with("the run is over after 3 epochs, so label-smoothing "), "{message}");
    Ok(())
}

#[test]
fn lopsided_classes_are_told_and_can_be_made_to_count() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let images = folder.path().join("images");
    splits(&images, [("train", 3), ("val", 4), ("other", 1)])?;
    std::fs::remove_dir_all(images.join("other"))?;
    // Many more of one class, that look alike.
    for number in 0..40_u8 {
        image::RgbImage::from_pixel(30, 30, image::Rgb([20, number, 30]))
            .save(images.join("train/dark").join(format!("more{number}.png")))?;
    }
    let weights = folder.path().join("weights.txt");
    std::fs::write(&weights, "dark,1\nleft,12\n")?;
    let args = ["train", "mnist_mlp", "--dataset", path(&images), "--epochs", "1", "--no-report"];
    for (number, more) in
        [&["--class-weights", "auto"][..], &["--class-weights", path(&weights)], &["--balance"]].iter().enumerate()
    {
        let out = folder.path().join(number.to_string());
        let output = xtask(&[&args[..], more, &["--out", path(&out)]].concat())?;
        let said = String::from_utf8(output.stderr)?;
        assert!(output.status.success() && said.contains("dark has 14.3 times as many images"), "{said}");
        // It is written down, and goes on.
        printed(&["train", "--resume", path(&out), "--epochs", "2", "--no-report"])?;
        if number == 0 {
            let off =
                printed(&["train", "--resume", path(&out), "--epochs", "3", "--class-weights", "none", "--no-report"])?;
            assert!(off.contains("class-weights auto → none"), "{off}");
        }
        let message = error_of(&["train", "--resume", path(&out), "--epochs", "4", "--set", "seed = 9"])?;
        assert!(message.starts_with("seed = 9 would make it another run"), "{message}");
    }
    // What archives leave behind is no class, and a link that leads nowhere may be passed over.
    std::fs::create_dir_all(images.join("train/__MACOSX"))?;
    let out = folder.path().join("linked");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path().join("nowhere"), images.join("train/dark/link.png"))?;
        let message = error_of(&[&args[..], &["--out", path(&out)]].concat())?;
        assert!(message.contains("link.png") && message.contains("--skip-damaged leaves such files out"), "{message}");
    }
    printed(&[&args[..], &["--skip-damaged", "--out", path(&out)]].concat())?;
    #[cfg(unix)]
    std::fs::remove_file(images.join("train/dark/link.png"))?;
    std::fs::write(&weights, "dark,1\n")?;
    let out = folder.path().join("none");
    let message = error_of(&[&args[..], &["--class-weights", path(&weights), "--out", path(&out)]].concat())?;
    assert_eq!(message, "class weights: \"left\" has none, and each class of images needs one");
    assert!(!out.exists());
    Ok(())
}

#[test]
fn seeds_and_parts_of_the_data_are_brought_together_and_more_epochs_go_on() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 60, 3)?;
    let data = ["--dataset", "mnist", "--data-dir", path(folder.path())];
    let out = folder.path().join("seeds");
    let sweep = |epochs: &'static str, more: &[&str]| -> Vec<String> {
        let args = [&["sweep", "mnist_mlp", "--epochs", epochs][..], &data, more].concat();
        args.into_iter().map(str::to_string).collect()
    };
    let run = |args: &[String]| printed(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let seeds = ["--seeds", "1,2", "--lr", "0.01,0.02", "--out", path(&out)];
    let text = run(&sweep("1", &seeds))?;
    assert!(text.contains("best test accuracy over what was repeated") && text.contains("2 of 2"), "{text}");
    let table = std::fs::read_to_string(out.join("sweep.csv"))?;
    assert_eq!((table.lines().count(), table.starts_with("lr,seed,best_epoch,")), (5, true), "{table}");
    // The data is that of one seed, so a run's own judgement holds.
    let recipe = std::fs::read_to_string(out.join("lr=0.01,seed=2/recipe.toml"))?;
    assert!(recipe.contains("seed = 1") && recipe.contains("seed = 2"), "{recipe}");
    let text = run(&sweep("2", &seeds))?;
    assert_eq!(text.matches("from here on epochs 1 → 2").count(), 4, "{text}");
    let args = sweep("2", &[&seeds[..], &["--set", "label-smoothing = 0.1"]].concat());
    let message = error_of(&args.iter().map(String::as_str).collect::<Vec<_>>())?;
    assert!(message.contains("holds a run that differs: label-smoothing 0.0 → 0.1; only --epochs"), "{message}");
    let out = folder.path().join("folds");
    let text = run(&sweep("1", &["--folds", "3", "--out", path(&out)]))?;
    assert!(text.contains("3 of 3") && text.contains("run 3 of 3: fold=3"), "{text}");
    Ok(())
}

#[test]
fn a_learning_rate_is_looked_for_and_drawn() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    classic_files(folder.path(), 200, 3)?;
    let data = ["--dataset", "mnist", "--data-dir", path(folder.path()), "--batch-size", "20"];
    let text = printed(&[&["train", "mnist_conv", "--find-lr", "--out", path(folder.path())], &data[..]].concat())?;
    assert!(text.contains("the recipe has 0.01"), "{text}");
    assert!(text.contains("up to 200 steps at rates from 1e-6 to 1e1; epochs, schedule"), "{text}");
    let picture = std::fs::read_to_string(folder.path().join("mnist_conv-mnist-learning-rates.svg"))?;
    assert!(picture.contains("training loss over the learning rate"), "{picture}");
    assert!(!folder.path().join("recipe.toml").exists());
    Ok(())
}

#[test]
fn grey_pictures_go_to_a_network_that_reads_grey() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let images = folder.path().join("images");
    for (class, shade) in [("a", 20), ("b", 200)] {
        for split in ["train", "val"] {
            let place = images.join(split).join(class);
            std::fs::create_dir_all(&place)?;
            for number in 0..6_u8 {
                image::GrayImage::from_pixel(28, 28, image::Luma([shade + number]))
                    .save(place.join(format!("{number}.png")))?;
            }
        }
    }
    let run = |name: &str, more: &[&str]| {
        let out = folder.path().join(name);
        let args = ["train", "lenet", "--dataset", path(&images), "--epochs", "1", "--out", path(&out)];
        printed(&[&args[..], more].concat())
    };
    let text = run("grey", &[])?;
    assert!(text.contains("the pictures are grey, and so is what the network reads"), "{text}");
    assert!(text.contains("pictures   1×28×28, framed to 32×32"), "{text}");
    assert!(run("colours", &["--channels", "3"])?.contains("pictures   3×28×28, framed to 32×32"));
    assert!(printed(&["eval", path(&folder.path().join("grey"))])?.contains("on 12 images of "));
    Ok(())
}
