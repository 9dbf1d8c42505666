//! What is to be said of images that are judged and were trained on.

use crate::data::RunData;
use crate::sentence;
use cnn_data::{Dataset, Images};
use cnn_figures::plural;

/// Of images that a run did not set aside itself; nothing where it was trained on none of them.
pub fn note(run: &RunData, judged: &Images) -> Option<String> {
    let own = match run.load() {
        // What it was trained on may be gone, or be judged now.
        Ok(own) if run.note(&own).is_some() => {
            return Some(
                "whether the run was trained on some of these images cannot be told: its own have changed since"
                    .to_string(),
            );
        }
        Ok(own) => own,
        Err(error) => {
            let why = sentence(&error);
            return Some(format!(
                "whether the run was trained on some of these images cannot be told: its own cannot be read: {why}"
            ));
        }
    };
    match judged.among(own.train()) {
        0 => None,
        all if all == judged.len() => Some("the run was trained on all of these images".to_string()),
        some => Some(format!("the run was trained on {some} of these {} images", judged.len())),
    }
}

/// Of images to judge that are to train on too. Of files, copies under other names are found by `cargo xtask data check`, which reads
/// every file.
pub fn twice(dataset: &Dataset) -> Option<String> {
    let judged = [Some(dataset.test()), dataset.held_out()].into_iter().flatten();
    let found = judged.map(|images| images.among_by_name(dataset.train())).sum();
    let images = plural(found, "image to judge is", "images to judge are");
    let alike = if dataset.train().file(0).is_some() { "name and bytes" } else { "pixels" };
    (found > 0).then(|| format!("{images} among those to train on, of the same {alike}: their accuracy says little"))
}
