//! How pictures are prepared for weights: as the weights say, as the command line says, and never guessed.

use crate::cli::PreparationArgs;
use anyhow::{Result, anyhow, bail};
use cnn_data::{Fit, Interpolation, Preparation};
use std::fmt;

/// A preparation, and what of it was taken from where.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    pub preparation: Preparation,
    pub parts: Vec<Part>,
}

/// A part of a preparation in words, and where it is from.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub what: String,
    pub origin: String,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.origin)
    }
}

/// What `args` say over what the weights bring, which `origin` names.
///
/// # Errors
/// Where neither says the mean, the deviation or the size; where the numbers of a channel do not belong together.
pub fn choose(args: &PreparationArgs, brought: Option<&Preparation>, origin: &str) -> Result<Chosen> {
    let missing: Vec<&str> =
        [("--mean", args.mean.is_none()), ("--std", args.std.is_none()), ("--crop", args.crop.is_none())]
            .into_iter()
            .filter_map(|(flag, missing)| missing.then_some(flag))
            .collect();
    if brought.is_none() && !missing.is_empty() {
        bail!(
            "{origin} does not say how pictures are prepared, expected {}: ImageNet's usual are \
             --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --crop 224/256",
            missing.join(", ")
        );
    }
    let flag = |given: bool, name: &str| if given { name.to_string() } else { origin.to_string() };
    let mean = args.mean.clone().or_else(|| brought.map(|brought| brought.mean.clone())).unwrap_or_default();
    let std = args.std.clone().or_else(|| brought.map(|brought| brought.std.clone())).unwrap_or_default();
    let mut fit = match args.crop {
        Some(crop) => {
            let usual = Fit::centre([crop.side; 2]);
            // The filter stays that of the weights, whatever is cut out.
            let filter = brought.and_then(|brought| brought.fit.interpolation()).unwrap_or(Interpolation::Bilinear);
            match crop.short {
                Some(short) => Fit::Crop { short, height: crop.side, width: crop.side, interpolation: filter },
                None => usual.interpolated(filter),
            }
        }
        None => brought.map(|brought| brought.fit).unwrap_or_default(),
    };
    if let Some(filter) = args.interpolation {
        if fit.interpolation().is_none() {
            bail!("--interpolation says how pictures are stretched, but they are not: --crop says to what");
        }
        fit = fit.interpolated(filter);
    }
    if mean.len() != std.len() {
        bail!(
            "expected as many means as deviations, found {} ({}) and {} ({})",
            mean.len(),
            flag(args.mean.is_some(), "--mean"),
            std.len(),
            flag(args.std.is_some(), "--std")
        );
    }
    let preparation = Preparation { fit, mean, std };
    preparation.check().map_err(|error| match brought.is_some_and(|brought| brought.check().is_err()) {
        true => anyhow!("{origin}: {error}"),
        false => error.into(),
    })?;
    let numbers = |numbers: &[f32]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let part = |what: String, origin: String| Part { what, origin };
    let mut parts = vec![
        part(format!("mean {}", numbers(&preparation.mean)), flag(args.mean.is_some(), "--mean")),
        part(format!("deviation {}", numbers(&preparation.std)), flag(args.std.is_some(), "--std")),
        part(fit.to_string(), flag(args.crop.is_some(), "--crop")),
    ];
    if let Some(filter) = fit.interpolation() {
        let told = args.interpolation.is_some() || brought.is_some_and(|brought| brought.fit.interpolation().is_some());
        let from = if told { flag(args.interpolation.is_some(), "--interpolation") } else { "the usual".to_string() };
        parts.push(part(filter.to_string(), from));
    }
    Ok(Chosen { preparation, parts })
}

/// A preparation in words.
pub fn in_words(preparation: &Preparation) -> String {
    let numbers = |numbers: &[f32]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let filter = preparation.fit.interpolation().map_or_else(String::new, |filter| format!(", {filter}"));
    let (mean, std) = (numbers(&preparation.mean), numbers(&preparation.std));
    format!("{}{filter}; mean {mean}, deviation {std}", preparation.fit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Crop;

    fn brought() -> Preparation {
        Preparation::imagenet().fitted(Fit::centre([224, 224]).interpolated(Interpolation::Bicubic))
    }

    #[test]
    fn nothing_is_guessed() {
        let error = choose(&PreparationArgs::default(), None, "w.pth").unwrap_err().to_string();
        assert!(
            error.starts_with("w.pth does not say how pictures are prepared, expected --mean, --std, --crop: "),
            "{error}"
        );
        let some = PreparationArgs { mean: Some(vec![0.5]), crop: "32".parse().ok(), ..PreparationArgs::default() };
        let error = choose(&some, None, "w.pth").unwrap_err().to_string();
        assert!(error.contains("expected --std: "), "{error}");
        let error = choose(&some, Some(&brought()), "w.pth").unwrap_err().to_string();
        assert_eq!(error, "expected as many means as deviations, found 1 (--mean) and 3 (w.pth)");
        let nan = PreparationArgs { std: Some(vec![f32::NAN; 3]), ..PreparationArgs::default() };
        assert!(choose(&nan, Some(&brought()), "w.pth").is_err());
        let filter = PreparationArgs { interpolation: Some(Interpolation::Box), ..PreparationArgs::default() };
        assert!(choose(&filter, Some(&Preparation::mnist()), "w.pth").is_err());
    }

    #[test]
    fn flags_go_before_what_the_weights_bring_and_it_is_said() {
        let chosen = choose(&PreparationArgs::default(), Some(&brought()), "w.pth").unwrap();
        assert_eq!(chosen.preparation, brought());
        let lines = |chosen: &Chosen| chosen.parts.iter().map(Part::to_string).collect::<Vec<_>>();
        assert_eq!(
            lines(&chosen),
            [
                "mean 0.485,0.456,0.406 (w.pth)",
                "deviation 0.229,0.224,0.225 (w.pth)",
                "shorter side 256, of it the middle 224×224 (w.pth)",
                "bicubic (w.pth)",
            ]
        );
        let args = PreparationArgs {
            crop: Some(Crop { side: 288, short: Some(300) }),
            mean: Some(vec![0.5; 3]),
            ..PreparationArgs::default()
        };
        let chosen = choose(&args, Some(&brought()), "w.pth").unwrap();
        let fit = Fit::Crop { short: 300, height: 288, width: 288, interpolation: Interpolation::Bicubic };
        assert_eq!(chosen.preparation, Preparation { mean: vec![0.5; 3], ..Preparation::imagenet().fitted(fit) });
        assert_eq!(lines(&chosen)[2], "shorter side 300, of it the middle 288×288 (--crop)");
        let all = PreparationArgs { std: Some(vec![0.5; 3]), ..args };
        let chosen = choose(&all, None, "w.pth").unwrap();
        assert_eq!(lines(&chosen)[3], "bilinear (the usual)");
        assert!("224/".parse::<Crop>().is_err() && "0".parse::<Crop>().is_err() && "x".parse::<Crop>().is_err());
    }

    #[test]
    fn numbers_that_cannot_be_meant_are_named() {
        let refusal = |change: fn(&mut PreparationArgs)| {
            let mut args = PreparationArgs::default();
            change(&mut args);
            choose(&args, Some(&brought()), "the weights").unwrap_err().to_string()
        };
        let mean = refusal(|args| args.mean = Some(vec![0.5, f32::NAN, 0.5]));
        assert_eq!(mean, "the preparation needs finite means, found NaN");
        let side = refusal(|args| args.crop = Some(Crop { side: 4097, short: Some(1) }));
        assert_eq!(side, "the preparation needs sides of at most 4096 pixels, found a size of 4097×4097");
        let short = refusal(|args| args.crop = Some(Crop { side: 224, short: Some(0) }));
        assert_eq!(short, "the preparation needs a shorter side of 1 to 8192 pixels, found one of 0");
    }
}
