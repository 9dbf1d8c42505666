//! Pages used as a person would, in a real browser.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Chromium, and a Python with the package playwright that drives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    program: PathBuf,
    python: PathBuf,
}

impl Browser {
    /// Looks for them: in the variables `CHROMIUM` and `PYTHON`, else among the programs that there are.
    ///
    /// # Errors
    ///
    /// What is missing.
    pub fn find() -> Result<Self, &'static str> {
        let program = std::env::var_os("CHROMIUM").map(PathBuf::from).or_else(|| {
            let names = ["chromium", "chromium-browser", "google-chrome"];
            let folders = std::env::var_os("PATH")?;
            let mut files = std::env::split_paths(&folders).flat_map(|folder| names.map(|name| folder.join(name)));
            files.find(|file| file.is_file())
        });
        let program = program.filter(|program| program.is_file()).ok_or("Chromium, which CHROMIUM can name")?;
        let python = std::env::var_os("PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
        let has_playwright = Command::new(&python).args(["-c", "import playwright.sync_api"]).output();
        match has_playwright.is_ok_and(|output| output.status.success()) {
            true => Ok(Self { program, python }),
            false => Err("Python with the package playwright, which PYTHON can name"),
        }
    }

    /// Uses the live page at an address: draws a seven, goes through it by keyboard, drops a picture's file and a file of
    /// weights where they are given. Gives what was seen, as JSON; see `pages.py`.
    ///
    /// # Panics
    ///
    /// A page that cannot be used so.
    pub fn uses(&self, address: &str, files: &[&Path]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages.py");
        let output = Command::new(&self.python).arg(script).arg(&self.program).arg(address).args(files).output();
        let output = output.expect("Python was there a moment ago");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
