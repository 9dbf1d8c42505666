//! A file of weights and a picture in, class names and probabilities out. Weights may be a file, the folder of a run, or a
//! name: `lenet` and `resnet20_cifar` come along.
//!
//! ```sh
//! cargo run -p cnn-classifier --example classify lenet digit.png
//! ```
//!
//! The same is a static program with weights inside, which reads nothing but the picture:
//!
//! ```sh
//! cargo rustc --release -p cnn-classifier --example classify -- -C target-feature=+crt-static
//! ldd target/release/examples/classify     # statically linked
//! ```

use cnn_classifier::Classifier;
use cnn_data::Picture;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(weights), Some(picture)) = (arguments.next(), arguments.next()) else {
        return Err("which weights, and which picture?".into());
    };
    let classifier = Classifier::open(&weights)?;
    for answer in classifier.classify(&Picture::open(picture)?, 3)? {
        println!("{:6.2} %  {}", 100.0 * answer.probability, answer.class);
    }
    Ok(())
}
