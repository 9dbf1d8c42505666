//! The images of a folder that weights from elsewhere are judged on.

use super::find::{self, Found, SPLITS};
use super::{FolderConfig, Labelled, heads, images_of, intact};
use crate::{Error, Images, Reading};
use std::path::{Path, PathBuf};

/// Images to judge, and where they were found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FolderImages {
    /// The folder that holds the classes: the one asked for, or one in it.
    pub path: PathBuf,
    /// The names of its classes; a label is an index into them.
    pub classes: Vec<String>,
    /// All its images.
    pub images: Images,
    /// What lay there and is no picture.
    pub strays: Vec<PathBuf>,
}

/// All images of a folder to judge weights on that were trained elsewhere: those of `test` in it, else of `val`, `valid` or
/// `validation` (in any case), else, where the classes lie in the folder itself, all of them. Nothing is drawn.
///
/// # Errors
/// [`Error::OnlyTraining`] where there are images to train on alone; else as [`folder`](super::folder()).
pub fn folder_images(config: &FolderConfig) -> Result<FolderImages, Error> {
    let path = place(&config.path)?;
    let Found { classes, strays } = intact(find::classes(&path)?)?;
    let names: Vec<String> = classes.iter().map(|class| class.name.clone()).collect();
    let of_class = |(label, class): (usize, find::Class)| class.files.into_iter().map(move |file| (file, label as u32));
    let files: Labelled = classes.into_iter().enumerate().flat_map(of_class).collect();
    let reading = Reading { max_pixels: config.max_pixels, upright: config.upright };
    let heads = heads(files, reading, config.damage)?;
    let sizes = || heads.iter().map(|file| file.size);
    let least = sizes().reduce(|[a, b], [c, d]| [a.min(c), b.min(d)]).unwrap_or([1, 1]);
    let one_size = sizes().all(|size| size == least);
    let images = images_of(heads, least, one_size, reading, config.damage)?;
    Ok(FolderImages { path, classes: names, images, strays })
}

/// The folder that holds the classes to judge.
fn place(folder: &Path) -> Result<PathBuf, Error> {
    let unread = |source| Error::Read { path: folder.to_path_buf(), source };
    let mut splits = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        if SPLITS.contains(&name.as_str()) && path.is_dir() {
            splits.push((name, path));
        }
    }
    for wanted in ["test", "val", "valid", "validation"] {
        if let Some((_, path)) = splits.iter().find(|(name, _)| name == wanted) {
            return Ok(path.clone());
        }
    }
    match splits.is_empty() {
        true => Ok(folder.to_path_buf()),
        false => Err(Error::OnlyTraining { path: folder.to_path_buf() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Picture;

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
}
