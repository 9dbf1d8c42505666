//! Where tensors live: `auto`, `cpu`, `cuda[:n]`, `metal[:n]`.

use crate::model_error::{ModelError, Result};
use std::fmt;
use std::str::FromStr;

#[cfg(feature = "candle")]
pub use candle_core::Device;

/// Where numbers are computed: without candle, on the CPU. With it there are others, so a `match` wants an arm for them.
#[cfg(not(feature = "candle"))]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Device {
    /// The CPU.
    Cpu,
}

#[cfg(not(feature = "candle"))]
impl Device {
    /// Whether it is the CPU.
    pub fn is_cpu(&self) -> bool {
        matches!(self, Self::Cpu)
    }
}

/// A device as a user names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceChoice {
    /// The first of CUDA and Metal that this build supports and this machine has, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The CUDA GPU of this ordinal.
    Cuda(usize),
    /// The Metal GPU of this ordinal.
    Metal(usize),
}

impl FromStr for DeviceChoice {
    type Err = ModelError;

    fn from_str(name: &str) -> Result<Self> {
        let unknown = || ModelError::Device {
            name: name.to_string(),
            problem: "not one of auto, cpu, cuda, cuda:N, metal, metal:N".to_string(),
        };
        let (kind, ordinal) = match name.split_once(':') {
            None => (name, None),
            Some((kind, ordinal)) => (kind, Some(ordinal.parse().map_err(|_| unknown())?)),
        };
        match (kind, ordinal) {
            ("auto", None) => Ok(Self::Auto),
            ("cpu", None) => Ok(Self::Cpu),
            ("cuda", ordinal) => Ok(Self::Cuda(ordinal.unwrap_or(0))),
            ("metal", ordinal) => Ok(Self::Metal(ordinal.unwrap_or(0))),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(ordinal) => write!(f, "cuda:{ordinal}"),
            Self::Metal(ordinal) => write!(f, "metal:{ordinal}"),
        }
    }
}

impl DeviceChoice {
    /// Opens the device.
    ///
    /// # Errors
    ///
    /// A build without the feature, a machine without the driver or the device. `Auto` and `Cpu` never fail.
    pub fn open(self) -> Result<Device> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            #[cfg(feature = "cuda")]
            Self::Cuda(ordinal) => cuda(ordinal).map_err(|error| self.refused(&error.to_string())),
            #[cfg(feature = "metal")]
            Self::Metal(ordinal) => metal(ordinal).map_err(|error| self.refused(&error.to_string())),
            #[cfg(not(feature = "cuda"))]
            Self::Cuda(_) => Err(self.refused("this program was built without the feature `cuda`")),
            #[cfg(not(feature = "metal"))]
            Self::Metal(_) => Err(self.refused("this program was built without the feature `metal`")),
            Self::Auto => Ok(Self::Cuda(0).open().or_else(|_| Self::Metal(0).open()).unwrap_or(Device::Cpu)),
        }
    }

    /// candle's errors can carry a backtrace behind their first line.
    fn refused(self, problem: &str) -> ModelError {
        let problem = problem.lines().next().unwrap_or_default().to_string();
        ModelError::Device { name: self.to_string(), problem }
    }
}

/// Where the CUDA driver is loaded at run time and missing, candle panics instead of returning an error.
#[cfg(feature = "cuda")]
fn cuda(ordinal: usize) -> Result<Device> {
    match crate::guard::caught(|| Device::new_cuda(ordinal)) {
        Ok(device) => Ok(device?),
        Err(_) => {
            let problem = "the CUDA driver could not be loaded".to_string();
            Err(ModelError::Device { name: format!("cuda:{ordinal}"), problem })
        }
    }
}

#[cfg(feature = "metal")]
fn metal(ordinal: usize) -> Result<Device> {
    Ok(Device::new_metal(ordinal)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for choice in [DeviceChoice::Auto, DeviceChoice::Cpu, DeviceChoice::Cuda(1), DeviceChoice::Metal(0)] {
            assert_eq!(choice.to_string().parse::<DeviceChoice>().unwrap(), choice);
        }
        assert_eq!("cuda".parse::<DeviceChoice>().unwrap(), DeviceChoice::Cuda(0));
        for bad in ["gpu", "cuda:x", "cpu:1", ""] {
            let message = bad.parse::<DeviceChoice>().unwrap_err().to_string();
            assert!(message.starts_with(&format!("device {bad}: not one of")), "{message}");
        }
    }

    #[test]
    #[cfg(not(feature = "cuda"))]
    fn a_build_without_cuda_says_so() {
        let message = DeviceChoice::Cuda(0).open().unwrap_err().to_string();
        assert_eq!(message, "device cuda:0: this program was built without the feature `cuda`");
    }
}
