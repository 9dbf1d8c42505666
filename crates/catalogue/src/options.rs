//! How files are looked for and fetched.

use crate::{Error, Result};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Where files are looked for and how they are fetched.
///
/// What is not said comes from the environment, read when a file is asked for:
///
/// | variable | what it says | where it is not set |
/// | --- | --- | --- |
/// | `HF_HUB_CACHE`, else `hub` below `HF_HOME` | where files of the Hugging Face hub are kept | `~/.cache/huggingface/hub` |
/// | `hub/checkpoints` below `TORCH_HOME` | where files of other addresses are kept, as torch does | `~/.cache/torch/hub/checkpoints` |
/// | `HF_ENDPOINT` | the hub, or a mirror of it | `https://huggingface.co` |
/// | `HF_HUB_OFFLINE` | `1`: from the cache alone | |
/// | `HF_TOKEN` | for private and gated repositories | |
/// | `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` | a proxy | |
/// | `SSL_CERT_FILE` | certificates to trust instead of the usual ones | |
#[derive(Clone)]
pub struct Options {
    pub(crate) hub: Option<PathBuf>,
    pub(crate) checkpoints: Option<PathBuf>,
    pub(crate) endpoint: Option<String>,
    pub(crate) mirror: Option<String>,
    pub(crate) offline: bool,
    pub(crate) patience: Duration,
    pub(crate) attempts: u32,
    pub(crate) pause: Duration,
    pub(crate) progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

/// How far a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that are on the disk, those of an earlier attempt among them.
    pub done: u64,
    /// Bytes of the whole file, where the server says.
    pub total: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hub: None,
            checkpoints: None,
            endpoint: None,
            mirror: None,
            offline: false,
            patience: Duration::from_secs(30),
            attempts: 5,
            pause: Duration::from_millis(500),
            progress: None,
        }
    }
}

impl Options {
    /// What the environment says.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the hub's cache in `folder`, which holds folders like `models--timm--resnet50.a1_in1k`.
    #[must_use]
    pub fn with_hub_cache(self, folder: impl AsRef<Path>) -> Self {
        Self { hub: Some(folder.as_ref().to_path_buf()), ..self }
    }

    /// With files of other addresses in `folder`.
    #[must_use]
    pub fn with_checkpoints(self, folder: impl AsRef<Path>) -> Self {
        Self { checkpoints: Some(folder.as_ref().to_path_buf()), ..self }
    }

    /// With another hub, `https://…` without a slash at its end.
    #[must_use]
    pub fn with_endpoint(self, address: impl Into<String>) -> Self {
        Self { endpoint: Some(address.into()), ..self }
    }

    /// With files that are not on the hub from this server, under the paths they have at their own.
    #[must_use]
    pub fn with_mirror(self, address: impl Into<String>) -> Self {
        Self { mirror: Some(address.into()), ..self }
    }

    /// From the cache alone: the network is never asked.
    #[must_use]
    pub fn offline(self) -> Self {
        Self { offline: true, ..self }
    }

    /// A connection on which nothing comes for so long is given up and tried again (30 s); a slow one that moves is not.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// How often an attempt may fail without enough progress since the last (5), and the pause after the first failure
    /// (0.5 s), which doubles up to 8 s.
    #[must_use]
    pub fn with_attempts(self, attempts: u32, pause: Duration) -> Self {
        Self { attempts: attempts.max(1), pause, ..self }
    }

    /// With `progress` called as bytes arrive.
    #[must_use]
    pub fn with_progress(self, progress: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self { progress: Some(Arc::new(progress)), ..self }
    }

    /// The folder of the hub's cache.
    ///
    /// # Errors
    ///
    /// [`Error::NoFolder`] where nothing names one.
    pub fn hub_cache(&self) -> Result<PathBuf> {
        let folder = self.hub.clone().or_else(|| hub_cache(&variable));
        folder.ok_or(Error::NoFolder { variable: "HF_HOME" })
    }

    /// The folder of files that are not on the hub.
    ///
    /// # Errors
    ///
    /// [`Error::NoFolder`] where nothing names one.
    pub fn checkpoints(&self) -> Result<PathBuf> {
        let folder = self.checkpoints.clone().or_else(|| checkpoints(&variable));
        folder.ok_or(Error::NoFolder { variable: "TORCH_HOME" })
    }

    /// The hub's address.
    pub(crate) fn endpoint(&self) -> String {
        let named = self.endpoint.clone().or_else(|| variable("HF_ENDPOINT").and_then(|text| text.into_string().ok()));
        let address = named.unwrap_or_else(|| "https://huggingface.co".to_string());
        address.trim_end_matches('/').to_string()
    }

    /// Whether the network must not be asked.
    pub(crate) fn is_offline(&self) -> bool {
        let yes = |text: OsString| ["1", "ON", "YES", "TRUE"].iter().any(|yes| text.eq_ignore_ascii_case(yes));
        self.offline || variable("HF_HUB_OFFLINE").is_some_and(yes)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hub, checkpoints, endpoint, mirror, offline, patience, attempts, pause, progress } = self;
        f.debug_struct("Options")
            .field("hub", hub)
            .field("checkpoints", checkpoints)
            .field("endpoint", endpoint)
            .field("mirror", mirror)
            .field("offline", offline)
            .field("patience", patience)
            .field("attempts", attempts)
            .field("pause", pause)
            .field("progress", &progress.is_some())
            .finish()
    }
}

/// An environment variable that is set to something.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn hub_cache(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let named = |name| variable(name).map(PathBuf::from);
    let home = || named("HF_HOME").or_else(|| user_cache(variable).map(|folder| folder.join("huggingface")));
    named("HF_HUB_CACHE").or_else(|| named("HUGGINGFACE_HUB_CACHE")).or_else(|| home().map(|home| home.join("hub")))
}

fn checkpoints(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let home = variable("TORCH_HOME").map(PathBuf::from).or_else(|| Some(user_cache(variable)?.join("torch")));
    home.map(|home| home.join("hub/checkpoints"))
}

fn user_cache(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let home = || variable("HOME").or_else(|| variable("USERPROFILE")).map(|home| PathBuf::from(home).join(".cache"));
    variable("XDG_CACHE_HOME").map(PathBuf::from).or_else(home)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(set: &[(&str, &str)]) -> [Option<String>; 2] {
        let variable =
            |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        [hub_cache(&variable), checkpoints(&variable)].map(|folder| folder.map(|folder| folder.display().to_string()))
    }

    #[test]
    fn folders_are_those_of_the_tools_that_share_them() {
        let known = |hub: &str, checkpoints: &str| [Some(hub.to_string()), Some(checkpoints.to_string())];
        assert_eq!(folders(&[]), [None, None]);
        assert_eq!(folders(&[("HOME", "/u")]), known("/u/.cache/huggingface/hub", "/u/.cache/torch/hub/checkpoints"));
        let set = [("HOME", "/u"), ("XDG_CACHE_HOME", "/c"), ("HF_HOME", "/h")];
        assert_eq!(folders(&set), known("/h/hub", "/c/torch/hub/checkpoints"));
        let set = [("HF_HUB_CACHE", "/e"), ("HF_HOME", "/h"), ("TORCH_HOME", "/t")];
        assert_eq!(folders(&set), known("/e", "/t/hub/checkpoints"));
    }
}
