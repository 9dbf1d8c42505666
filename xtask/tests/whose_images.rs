//! Whose images are judged: the run's own, those in their place, or others.

use crate::common::{Failure, classic_files, error_of, path, said, shades};
use std::path::Path;

fn train(data: &[&str], out: &Path) -> Result<String, Failure> {
    said(&[&["train", "lenet", "--epochs", "1", "--out", path(out)], data].concat())
}

/// The same files, but for what the pixels of the images to train on are.
fn classic(folder: &Path, other_pixels: bool) -> Result<(), Failure> {
    std::fs::create_dir(folder)?;
    classic_files(folder, 20, 3)?;
    let file = folder.join("train-images-idx3-ubyte");
    let mut bytes = std::fs::read(&file)?;
    bytes[16..].iter_mut().filter(|_| other_pixels).for_each(|byte| *byte ^= 0x55);
    Ok(std::fs::write(file, bytes)?)
}

/// A folder may be called as a data set is, whose recipe it does not have for that.
#[test]
fn a_folders_name_chooses_no_recipe() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let mut recipes = Vec::new();
    for name in ["flowers", "cifar10", "folder", "imagenet"] {
        let (folder, out) = (place.path().join(name), place.path().join(format!("run-{name}")));
        shades(&folder, &["a", "b"], 4)?;
        let net = ["train", "resnet18", "--exact", "--resize", "32", "--epochs", "1", "--no-report"];
        said(&[&net[..], &["--dataset", path(&folder), "--out", path(&out)]].concat())?;
        let recipe = std::fs::read_to_string(out.join("recipe.toml"))?;
        recipes.push(recipe.replace(path(&folder), "FOLDER"));
    }
    assert!(recipes.iter().all(|recipe| *recipe == recipes[0]), "{recipes:#?}");
    Ok(())
}

/// Classic files of another place are the run's own only if they are known again.
#[test]
fn classic_files_of_another_place_are_told_apart() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, copy, other, out] = ["data", "copy", "other", "run"].map(|name| place.path().join(name));
    [(&data, true), (&copy, true), (&other, false)].into_iter().try_for_each(|(folder, own)| classic(folder, own))?;
    // What the run was trained on is to be judged there.
    std::fs::copy(data.join("train-images-idx3-ubyte"), other.join("t10k-images-idx3-ubyte"))?;
    let text = train(&["--dataset", "mnist", "--data-dir", path(&data)], &out)?;
    assert!(!text.contains("among those to train on"), "{text}");
    let judgement = std::fs::read(out.join("judgement.json"))?;
    for command in ["eval", "report"] {
        let of = |folder: &Path| said(&[command, path(&out), "--data-dir", path(folder)]);
        let [same, others] = [of(&copy)?, of(&other)?];
        assert!(!same.contains("the run was trained on"), "{same}");
        assert!(others.contains("the run was trained on all of these images"), "{others}");
        assert!(!others.contains("the data changed"), "{others}");
    }
    assert!(std::fs::read(out.join("judgement.json"))? == judgement);
    assert!(std::fs::read_to_string(out.join("report-mnist/index.html"))?.contains("of mnist, not the run's own"));
    Ok(())
}

#[test]
fn images_in_memory_that_are_learnt_and_judged_are_told() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, out] = ["data", "run"].map(|name| place.path().join(name));
    classic(&data, false)?;
    std::fs::copy(data.join("train-images-idx3-ubyte"), data.join("t10k-images-idx3-ubyte"))?;
    for (channels, out) in [("1", out.join("one")), ("3", out.join("three"))] {
        let text = train(&["--dataset", "mnist", "--data-dir", path(&data), "--channels", channels], &out)?;
        assert!(text.contains("20 images to judge are among those to train on, of the same pixels"), "{text}");
    }
    Ok(())
}

#[test]
fn a_report_of_changed_data_leaves_the_judgement() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, out, gone] = ["data", "run", "gone"].map(|name| place.path().join(name));
    for split in ["train", "val", "test"] {
        shades(&data.join(split), &["a", "b"], 6)?;
    }
    std::fs::remove_dir_all(data.join("test/b"))?;
    let text = train(&["--dataset", path(&data)], &out)?;
    let held_out = text.lines().find(|line| line.starts_with("held out")).ok_or("no line of images held out")?;
    assert!(held_out.ends_with("judged once at the end; of 1 of 2 classes there is none, b first"), "{held_out}");
    let text = said(&["eval", path(&out)])?;
    assert!(text.contains("of the images held out: 1 of the 2 classes of the weights has no image: b"), "{text}");
    let judgement = || std::fs::read(out.join("judgement.json"));
    let before = judgement()?;
    std::fs::remove_file(data.join("val/a/0.png"))?;
    let text = said(&["report", path(&out)])?;
    assert!(text.contains("the data changed since the run was trained on"), "{text}");
    assert!(judgement()? == before);
    let page = std::fs::read_to_string(out.join("report/index.html"))?;
    assert!(page.contains("on the 11 images to judge as they are now (the data changed since"), "{page}");
    std::fs::rename(&data, gone)?;
    let message = error_of(&["train", "--resume", path(&out), "--epochs", "2"])?;
    assert!(
        message.ends_with("is gone, whose images the run set aside: --dataset says where they are now"),
        "{message}"
    );
    Ok(())
}

/// Pictures that were trained on come to lie among those to judge, and nobody can tell which.
#[test]
fn images_that_moved_from_one_side_to_the_other_are_told() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, out, copy] = ["data", "run", "copy"].map(|name| place.path().join(name));
    shades(&data.join("train"), &["a", "b"], 12)?;
    train(&["--dataset", path(&data)], &out)?;
    for flag in [["--mean", "0.5"], ["--std", "1"], ["--crop", "28"], ["--interpolation", "nearest"]] {
        let message = error_of(&[&["eval", path(&out)][..], &flag].concat())?;
        assert!(message.ends_with(&format!("leave {} out, or name another --dataset", flag[0])), "{message}");
    }
    for class in ["a", "b"] {
        std::fs::create_dir_all(data.join("val").join(class))?;
        for number in 0..5 {
            let file = format!("{class}/{number}.png");
            std::fs::rename(data.join("train").join(&file), data.join("val").join(&file))?;
        }
    }
    shades(&copy, &["a", "b"], 3)?;
    for command in ["eval", "report"] {
        let text = said(&[command, path(&out)])?;
        assert!(text.contains("and images that it was trained on may be among those that are judged"), "{text}");
        for other in [data.join("val"), copy.clone()] {
            let text = said(&[command, path(&out), "--dataset", path(&other)])?;
            assert!(text.contains("cannot be told: its own have changed since"), "{text}");
        }
    }
    Ok(())
}

/// What `eval` tells of a folder, `report` tells too; and what neither can leave out is not said to be left out.
#[test]
fn a_report_of_another_folder_tells_what_eval_tells() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, out, other] = ["data", "run", "other"].map(|name| place.path().join(name));
    shades(&data, &["a", "b"], 20)?;
    train(&["--dataset", path(&data)], &out)?;
    for split in ["train", "val"] {
        shades(&other.join(split), &["a", "b"], 5)?;
    }
    std::fs::write(other.join("val/a/notes.txt"), "none")?;
    for command in ["eval", "report"] {
        let text = said(&[command, path(&out), "--dataset", path(&other)])?;
        assert!(text.contains("judged are the images of") && text.contains("1 member is no picture"), "{text}");
    }
    std::fs::write(other.join("val/a/0.png"), "no picture")?;
    std::fs::remove_dir_all(other.join("train"))?;
    let val = other.join("val");
    let load = ["bench", "lenet", "--load", path(&val), "--runs", "1"];
    for args in [&["report", path(&out), "--dataset", path(&other)][..], &load] {
        let message = error_of(args)?;
        assert!(message.ends_with("; put an intact file in its place, or take it away"), "{message}");
    }
    // However the path is written, a folder of that name may be the one that was trained on.
    let weights = place.path().join("bare.safetensors");
    std::fs::copy(out.join("best.safetensors"), &weights)?;
    let text = said(&["eval", path(&weights), "--dataset", path(&data.join("a/.."))])?;
    assert!(text.contains("the weights were trained on a data set of this name"), "{text}");
    Ok(())
}
