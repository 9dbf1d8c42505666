//! Which images of a folder are judged.

use cnn_data::{FolderConfig, Picture, folder_images};
use std::path::Path;

fn picture(path: &Path, shade: u8) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, Picture::new([1, 2, 2], vec![shade; 4]).unwrap().png().unwrap()).unwrap();
}

#[test]
fn images_to_judge_are_found_and_none_is_drawn() {
    let place = tempfile::tempdir().unwrap();
    let found = |name: &str| folder_images(&FolderConfig::new(place.path().join(name)));
    for (name, expected) in [
        ("plain/ant/1.png", ("plain", 1)),
        ("plain/bee/1.png", ("plain", 2)),
        ("split/Val/ant/1.png", ("split/Val", 1)),
        ("split/train/ant/2.png", ("split/Val", 1)),
        ("split/test/ant/3.png", ("split/test", 1)),
    ] {
        picture(&place.path().join(name), 3);
        let found = found(name.split('/').next().unwrap()).unwrap();
        assert_eq!((found.path, found.images.len()), (place.path().join(expected.0), expected.1), "{name}");
    }
    assert_eq!(found("plain").unwrap().classes, ["ant", "bee"]);
    picture(&place.path().join("only/TRAIN/ant/1.png"), 3);
    let error = found("only").unwrap_err().to_string();
    assert!(error.ends_with("only has images to train on alone: name the folder of those to judge"), "{error}");
}
