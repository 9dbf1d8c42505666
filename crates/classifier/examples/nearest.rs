//! Which pictures of a folder are most like another: features of a network, compared by the angle between them.
//!
//! ```sh
//! cargo run -p cnn-classifier --example nearest resnet20_cifar cat.jpg photos
//! ```

use cnn_classifier::{Features, Form, Known, Trained, pictures};
use cnn_data::Picture;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [weights, picture, folder] = &arguments[..] else {
        return Err("which weights, which picture, and which folder?".into());
    };
    let features = Features::new(&Trained::open(weights, &Known::default())?, None, Form::Pooled)?;
    let wanted = unit(features.of(&Picture::open(picture)?)?);

    let mut found = Vec::new();
    let files = pictures(std::slice::from_ref(folder))?.files;
    features.of_files(
        &files,
        |path| Picture::open(path),
        |(path, values)| {
            match values {
                Ok(values) => found.push((unit(values).iter().zip(&wanted).map(|(a, b)| a * b).sum::<f32>(), path)),
                Err(problem) => eprintln!("{problem}"),
            }
            true
        },
    )?;
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (likeness, path) in found.iter().take(5) {
        println!("{likeness:.3}  {}", path.display());
    }
    Ok(())
}

/// The features with length 1.
fn unit(mut features: Vec<f32>) -> Vec<f32> {
    let length = features.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    features.iter_mut().for_each(|x| *x /= length);
    features
}
