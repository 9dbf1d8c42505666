//! Which pictures a person means: files, folders with all that lies in them, and patterns.

use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// Pictures that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The files, in the order they were named; those of a folder or a pattern sorted.
    pub files: Vec<PathBuf>,
    /// Files of folders that do not end as pictures do, and were passed over.
    pub passed_over: usize,
}

/// The pictures that paths and patterns (`*`, `?`, `[…]`, `**`) name. What is a file is taken whatever its ending; of a
/// folder all files that end as pictures do, at any depth; hidden ones are passed over.
///
/// # Errors
///
/// [`Error::NoPicture`] for a name that leads to none; a folder that cannot be read.
pub fn pictures(names: &[String]) -> Result<Found> {
    let mut found = Found::default();
    for name in names {
        let (path, before) = (Path::new(name), found.files.len());
        if path.is_dir() {
            within(path, &mut found)?;
        } else if path.exists() {
            found.files.push(path.to_path_buf());
        } else {
            let problem = |problem: String| Error::NoPicture { name: name.clone(), problem };
            let matches = glob::glob(name).map_err(|error| problem(of_pattern(&error)))?;
            for path in matches {
                let path = path.map_err(|error| problem(format!("{}: {}", error.path().display(), error.error())))?;
                if path.is_dir() { within(&path, &mut found)? } else { found.files.push(path) }
            }
        }
        if found.files.len() == before {
            let problem = if path.is_dir() { "the folder has no picture in it" } else { "no such file" };
            return Err(Error::NoPicture { name: name.clone(), problem: problem.to_string() });
        }
    }
    Ok(found)
}

/// What is wrong with a name that is no file's.
fn of_pattern(error: &glob::PatternError) -> String {
    let what = match error.msg {
        message if message.contains("range") => "a [ without its ]",
        message if message.contains("recursive wildcards must") => {
            "a ** that is no whole folder, as in photos/**/1.jpg"
        }
        _ => "more than two * in a row",
    };
    format!("no such file, and as a pattern it has {what}")
}

fn within(folder: &Path, found: &mut Found) -> Result<()> {
    let hidden = |entry: &walkdir::DirEntry| entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(|entry| !hidden(entry));
    for entry in entries {
        let unread = |error: walkdir::Error| {
            let problem = match (error.path(), error.io_error()) {
                (Some(path), Some(error)) => format!("{}: {error}", path.display()),
                _ => error.to_string(),
            };
            Error::NoPicture { name: folder.display().to_string(), problem }
        };
        let entry = entry.map_err(unread)?;
        if entry.file_type().is_dir() {
            continue;
        }
        match cnn_data::is_named_like_a_picture(entry.path()) {
            true => found.files.push(entry.into_path()),
            false => found.passed_over += 1,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_folders_and_patterns_are_found_in_order() -> Result<(), Box<dyn std::error::Error>> {
        let place = tempfile::tempdir()?;
        for name in ["b.png", "a/2.JPG", "a/1.jpeg", "a/deep/3.webp", "a/notes.txt", "a/.hidden.png", "odd.data"] {
            let path = place.path().join(name);
            std::fs::create_dir_all(path.parent().ok_or("no parent")?)?;
            std::fs::write(path, "")?;
        }
        let at = |name: &str| place.path().join(name);
        let named = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| at(name).display().to_string()).collect();
            pictures(&names)
        };
        let found = named(&["odd.data", "a"])?;
        assert_eq!(found.files, ["odd.data", "a/1.jpeg", "a/2.JPG", "a/deep/3.webp"].map(at));
        assert_eq!(found.passed_over, 1);
        assert_eq!(named(&["*.png"])?.files, [at("b.png")]);
        for (name, problem) in [
            ("none.png", "no such file"),
            ("c*.png", "no such file"),
            ("a[", "no such file, and as a pattern it has a [ without its ]"),
            ("a***", "no such file, and as a pattern it has more than two * in a row"),
            ("a**b", "no such file, and as a pattern it has a ** that is no whole folder, as in photos/**/1.jpg"),
        ] {
            let message = named(&[name]).unwrap_err().to_string();
            assert_eq!(message, format!("{}: {problem}", at(name).display()));
        }
        Ok(())
    }
}
