//! Decoding held to `tests/goldens/pictures.py`: the pixels of the Python Imaging Library, of every format and mode.

use cnn_data::{Picture, Reading};
use safetensors::SafeTensors;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Case {
    /// Channels, height and width, upright.
    shape: [usize; 3],
    stored: u32,
    upright: u32,
}

const GOLDENS: &[u8] = include_bytes!("../../../tests/goldens/pictures.safetensors");

fn cases() -> BTreeMap<String, Case> {
    let (_, metadata) = SafeTensors::read_metadata(GOLDENS).unwrap();
    let texts = metadata.metadata().as_ref().unwrap();
    serde_json::from_str(&texts["pictures"]).unwrap()
}

#[test]
fn every_format_and_mode_has_the_pixels_of_pillow() {
    let files = SafeTensors::deserialize(GOLDENS).unwrap();
    let (cases, mut wrong) = (cases(), Vec::new());
    for (name, case) in &cases {
        let bytes = files.tensor(name).unwrap().data();
        let decoded = |upright| Picture::decode(name, bytes, Reading { upright, ..Reading::default() });
        match (decoded(false), decoded(true)) {
            (Ok(stored), Ok(upright)) => {
                let found = [&stored, &upright].map(|picture| crc32fast::hash(picture.pixels()));
                if found != [case.stored, case.upright] || upright.shape() != case.shape {
                    wrong.push(format!("{name}: {:?}, expected {:?}", upright.shape(), case.shape));
                }
            }
            (Err(error), _) | (_, Err(error)) => wrong.push(error.to_string()),
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() > 60, "{}", cases.len());
}
