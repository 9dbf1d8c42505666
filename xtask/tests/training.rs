//! Training as its users meet it: recipes, folders of images, other classes, searches, reports.

mod common;

use common::{Failure, classic_files, error_of, path, xtask};
use std::path::Path;

/// Runs the program, which must succeed; what it printed.
fn printed(args: &[&str]) -> Result<String, Failure> {
    let output = xtask(args)?;
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

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
    let output = xtask(&[&args[..], &["--skip-damaged", "--overwrite"]].concat())?;
    let warnings = String::from_utf8(output.stderr)?;
    assert!(output.status.success() && warnings.contains(path(&bad)), "{warnings}");
    std::fs::create_dir(images.join("empty"))?;
    let message = error_of(&args)?;
    assert_eq!(message, format!("{}: expected images of the class, found none", images.join("empty").display()));
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
    assert_eq!((picture.width(), picture.height()), (4 * 112, 2 * 112));
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
