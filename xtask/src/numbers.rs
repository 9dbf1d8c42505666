//! What a plan is to compute with, as a command line says.

use crate::cli;
use anyhow::{Result, bail};
use cnn_core::Network;
use cnn_core::device::Device;
use cnn_data::Preparation;
use cnn_figures::{path, plural, printable};
use cnn_plan::{Calibration, InferenceOptions, Numeric};
use std::path::{Path, PathBuf};

/// What a plan computes with, its scales read.
pub struct Chosen {
    numeric: Numeric,
    scales: Option<(PathBuf, Calibration)>,
}

impl Chosen {
    /// Reads the scales where 8-bit numbers are asked for; they lie beside the weights of `source`. Pictures are prepared as is
    /// said, or are none.
    pub fn new(
        args: &cli::Numbers,
        (network, source): (&str, &str),
        pictures: Option<&Preparation>,
        device: &Device,
    ) -> Result<Self> {
        let numeric = args.mode.numeric();
        if numeric != Numeric::F32 && !device.is_cpu() {
            bail!("--mode {numeric} is computed on the CPU only: leave --device out");
        }
        if let (Some(file), true) = (&args.scales, numeric != Numeric::Int8) {
            bail!("{}: only --mode int8 reads scales", path(file));
        }
        let Some(file) = scales_of(args, network, source) else { return Ok(Self { numeric, scales: None }) };
        if !file.exists() {
            let weights = if Path::new(source).exists() { format!(" --weights {source}") } else { String::new() };
            bail!(
                "{} is not there: --mode int8 needs scales, which `cargo xtask calibrate {}{} --dataset …` finds",
                path(&file),
                printable(network),
                printable(&weights)
            );
        }
        let calibration = Calibration::read(&file)?;
        if let (Some(found), Some(here)) = (calibration.prepared(), pictures.map(prepared))
            && found != here
            && calibration.network() == network
        {
            bail!(
                "{}: its scales were found on pictures with {}, and here they have {here}; prepare them alike, or find the \
                 scales anew (`cargo xtask calibrate`)",
                path(&file),
                printable(found)
            );
        }
        Ok(Self { numeric, scales: Some((file, calibration)) })
    }

    /// What is said of finite values that the scales do not reach, as those of the network's input.
    pub fn beyond(&self, network: &Network, images: &[f32]) -> Option<String> {
        let (_, calibration) = self.scales.as_ref()?;
        let [low, high] = calibration.range(&network.nodes()[0].path)?;
        let count = images.iter().filter(|value| value.is_finite() && !(low..=high).contains(*value)).count();
        (count > 0).then(|| {
            format!(
                "warning: {count} of {} values of the input are beyond {low} to {high}, where the scales end; each counts as \
                 the nearer end",
                images.len()
            )
        })
    }

    /// The same for a plan.
    pub fn options(&self) -> InferenceOptions<'_> {
        let options = InferenceOptions::default();
        match &self.scales {
            Some((_, calibration)) => options.int8(calibration),
            None => options.numeric(self.numeric),
        }
    }

    /// Says on standard error what is computed with, where it is not `f32`.
    pub fn announce(&self) {
        match &self.scales {
            Some((file, calibration)) => {
                eprintln!(
                    "computed in int8, by the scales of {}, found on {}",
                    path(file),
                    plural(calibration.images() as usize, "image", "images")
                )
            }
            None if self.numeric != Numeric::F32 => eprintln!("computed in {}", self.numeric),
            None => {}
        }
    }
}

/// What a picture's numbers depend on, whatever its size and where it is cut: the mean and deviation that they are measured by.
pub fn prepared(preparation: &Preparation) -> String {
    format!("mean {:?} and deviation {:?}", preparation.mean, preparation.std)
}

/// The file of scales that is read with the weights of `source`, where 8-bit numbers are asked for.
pub fn scales_of(args: &cli::Numbers, network: &str, source: &str) -> Option<PathBuf> {
    let named = || args.scales.clone().unwrap_or_else(|| beside(network, source));
    (args.mode.numeric() == Numeric::Int8).then(named)
}

/// Where the scales of some weights lie: beside their file, under its whole name and an ending, else in the working folder
/// under the network's name.
pub fn beside(network: &str, source: &str) -> PathBuf {
    let name = if Path::new(source).exists() { source } else { network };
    PathBuf::from(format!("{name}.int8.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_different_names_have_scales_of_different_names() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let names = ["w.v2", "w.v3", "model.pth", "model.safetensors"].map(|name| folder.path().join(name));
        for name in &names {
            std::fs::write(name, "")?;
            let source = path(name);
            assert_eq!(beside("lenet", &source), PathBuf::from(format!("{source}.int8.json")));
        }
        assert_eq!(beside("lenet", "the lenet in this program"), PathBuf::from("lenet.int8.json"));
        Ok(())
    }
}
