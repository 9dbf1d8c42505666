//! Pictures are prepared as those were that weights were trained on, by every command that reads them.

use crate::common::{Failure, outputs, path};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use std::io::Cursor;
use std::path::Path;

/// Two classes whose pictures are bright on the left and at the top.
fn halves(folder: &Path, side: u32, each: u8, encoded: impl Fn(GrayImage) -> Vec<u8>) -> Result<(), Failure> {
    for class in ["left", "top"] {
        std::fs::create_dir_all(folder.join(class))?;
        for number in 0..each {
            let bright = |x: u32, y: u32| if class == "left" { x < side / 2 } else { y < side / 2 };
            let picture =
                GrayImage::from_fn(side, side, |x, y| Luma([if bright(x, y) { 200 + number } else { number }]));
            std::fs::write(folder.join(class).join(format!("{number}.jpg")), encoded(picture))?;
        }
    }
    Ok(())
}

/// As a camera stores it that was held on its side.
fn on_its_side(picture: GrayImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut bytes, ImageFormat::Jpeg).expect("a JPEG");
    let mut bytes = bytes.into_inner();
    let exif = b"\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    bytes.splice(2..2, exif.iter().copied());
    bytes
}

fn png(picture: GrayImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut bytes, ImageFormat::Png).expect("a PNG");
    bytes.into_inner()
}

#[test]
fn pictures_stay_unturned_for_weights_that_learnt_such() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, out, turned, next] = ["data", "run", "turned", "next"].map(|name| place.path().join(name));
    halves(&data, 28, 20, png)?;
    halves(&turned, 28, 10, on_its_side)?;
    let train = ["train", "lenet", "--epochs", "2", "--dataset", path(&data), "--no-exif", "--no-report", "--out"];
    outputs(&[&train[..], &[path(&out)]].concat())?;
    let picture = turned.join("left/3.jpg");
    let eval = ["eval", path(&out), "--json", "--dataset", path(&turned)];
    let predict = ["predict", "--weights", path(&out), "--csv", path(&picture)];
    for (command, source) in [(&eval[..], "best.safetensors"), (&predict[..], "best.safetensors")] {
        let [found, beside] = outputs(command)?;
        let [asked, _] = outputs(&[command, &["--no-exif"]].concat())?;
        assert_eq!(found, asked);
        let line = beside.lines().find(|line| line.starts_with("pictures: ")).ok_or("no pictures")?;
        assert!(line.contains("not turned as their cameras noted") && line.contains(source), "{line}");
    }
    // They are turned for weights that learnt turned ones, unless the command line says otherwise.
    let [usual, _] = outputs(&["predict", "lenet", "--csv", path(&picture)])?;
    let [asked, beside] = outputs(&["predict", "lenet", "--csv", path(&picture), "--no-exif"])?;
    assert!(usual != asked && beside.contains("not turned as their cameras noted (--no-exif)"), "{beside}");
    let init = ["train", "lenet", "--epochs", "1", "--dataset", path(&turned), "--init", path(&out), "--no-report"];
    let [text, _] = outputs(&[&init[..], &["--out", path(&next)]].concat())?;
    assert!(text.contains("; not turned as their cameras noted"), "{text}");
    assert!(std::fs::read_to_string(next.join("recipe.toml"))?.contains("no-exif = true"));
    Ok(())
}

#[test]
fn images_of_another_size_are_judged_as_predict_prepares_them() -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    let [data, out, large] = ["data", "run", "large"].map(|name| place.path().join(name));
    halves(&data, 28, 20, png)?;
    halves(&large, 41, 10, png)?;
    outputs(&["train", "lenet", "--epochs", "2", "--dataset", path(&data), "--out", path(&out)])?;
    let [judged, beside] = outputs(&["eval", path(&out), "--json", "--dataset", path(&large)])?;
    assert!(beside.contains("pictures: stretched to 28×28 first"), "{beside}");
    let judged: serde_json::Value = serde_json::from_str(&judged)?;
    let [answers, _] = outputs(&["predict", "--weights", path(&out), "--top", "1", "--csv", path(&large)])?;
    let right = answers.lines().skip(1).filter(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        Path::new(fields[0]).parent().is_some_and(|folder| folder.ends_with(fields[2]))
    });
    assert_eq!(judged["accuracy"].as_f64(), Some(right.count() as f64 / 20.0));
    let [_, beside] = outputs(&["report", path(&out), "--dataset", path(&large)])?;
    assert!(beside.contains("images of another size are stretched to 28×28 first, as predict does"), "{beside}");
    Ok(())
}
