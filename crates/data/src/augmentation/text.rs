//! An augmentation in a line of the command line.
//!
//! Names with commas between, numbers behind colons, the ones left out as their defaults:
//! `padded-crop:4,flip,mixup:0.2`.

use super::{
    AlternatingFlip, Augmentation, ColourJitter, Erasing, Flip, Lighting, PaddedCrop, RandomAffine, RandomResizedCrop,
    ReflectedCrop, Step, TrivialAugment,
};
use crate::Error;
use std::fmt;
use std::str::FromStr;

/// What can be written, with its numbers in their order.
const FORMS: [&str; 12] = [
    "padded-crop:PIXELS",
    "reflected-crop:PIXELS",
    "random-resized-crop[:SCALE:SCALE:RATIO:RATIO]",
    "flip[:PROBABILITY]",
    "alternating-flip",
    "affine:ANGLE[:TRANSLATE:SCALE:SCALE:SHEAR]",
    "colour-jitter:BRIGHTNESS[:CONTRAST:SATURATION:HUE]",
    "lighting[:DEVIATION]",
    "trivial-augment",
    "erasing[:PROBABILITY:SCALE:SCALE:RATIO:RATIO]",
    "mixup:ALPHA",
    "cutmix:ALPHA",
];

impl FromStr for Augmentation {
    type Err = Error;

    /// `none`, or an empty text, is no augmentation. What is read is also checked, as by [`Augmentation::check`].
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut augmentation = Self::default();
        if text.trim() == "none" {
            return Ok(augmentation);
        }
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            augmentation.read(part)?;
        }
        augmentation.check()?;
        Ok(augmentation)
    }
}

impl Augmentation {
    fn read(&mut self, part: &str) -> Result<(), Error> {
        let mut words = part.split(':');
        let name = words.next().unwrap_or_default();
        let error = |problem: String| Error::Augmentation { step: name.to_string(), problem };
        if name == "none" {
            return Err(error("expected alone, found other steps".to_string()));
        }
        let form = FORMS.iter().find(|form| form.split([':', '[']).next() == Some(name));
        let form =
            form.ok_or_else(|| error(format!("there is no such step, expected none or one of {}", FORMS.join(", "))))?;
        let numbers: Vec<f64> = words
            .map(|word| word.trim().parse().map_err(|_| error(format!("expected {form}, found {word:?}"))))
            .collect::<Result<_, _>>()?;
        let needed = form.split('[').next().map_or(0, |needed| needed.matches(':').count());
        if !(needed..=form.matches(':').count()).contains(&numbers.len()) {
            return Err(error(format!("expected {form}, found {} numbers", numbers.len())));
        }
        let number = |place: usize, usual: f64| numbers.get(place).copied().unwrap_or(usual);
        let pair = |place: usize, usual: [f64; 2]| [number(place, usual[0]), number(place + 1, usual[1])];
        let step = match name {
            "padded-crop" | "reflected-crop" => {
                let padding = number(0, 0.0);
                if padding < 0.0 || padding.fract() != 0.0 {
                    return Err(error(format!(
                        "expected a whole number of pixels, found {}",
                        cnn_figures::number(padding)
                    )));
                }
                let padding = padding as usize;
                match name {
                    "padded-crop" => Step::PaddedCrop(PaddedCrop { padding }),
                    _ => Step::ReflectedCrop(ReflectedCrop { padding }),
                }
            }
            "random-resized-crop" => {
                let usual = RandomResizedCrop::default();
                Step::RandomResizedCrop(RandomResizedCrop { scale: pair(0, usual.scale), ratio: pair(2, usual.ratio) })
            }
            "flip" => Step::Flip(Flip { probability: number(0, Flip::default().probability) }),
            "alternating-flip" => Step::AlternatingFlip(AlternatingFlip {}),
            "affine" => Step::Affine(RandomAffine {
                angle: number(0, 0.0),
                translate: number(1, 0.0),
                scale: pair(2, [1.0; 2]),
                shear: number(4, 0.0),
            }),
            "colour-jitter" => Step::ColourJitter(ColourJitter {
                brightness: number(0, 0.0),
                contrast: number(1, 0.0),
                saturation: number(2, 0.0),
                hue: number(3, 0.0),
            }),
            "lighting" => Step::Lighting(Lighting { deviation: number(0, Lighting::default().deviation) }),
            "trivial-augment" => Step::TrivialAugment(TrivialAugment {}),
            "erasing" => {
                let usual = Erasing::default();
                let probability = number(0, usual.probability);
                let (scale, ratio) = (pair(1, usual.scale), pair(3, usual.ratio));
                return once(&mut self.erasing, Erasing { probability, scale, ratio }).map_err(error);
            }
            "mixup" => return once(&mut self.mix.mixup, number(0, 0.0)).map_err(error),
            _ => return once(&mut self.mix.cutmix, number(0, 0.0)).map_err(error),
        };
        self.steps.push(step);
        Ok(())
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err("expected once, found twice".to_string()),
    }
}

impl fmt::Display for Augmentation {
    /// So that it reads back as the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.steps.iter().map(|step| spell(step.name(), &numbers(step))).collect();
        parts.extend(self.erasing.iter().map(|Erasing { probability, scale, ratio }| {
            spell("erasing", &[*probability, scale[0], scale[1], ratio[0], ratio[1]])
        }));
        parts.extend(self.mix.mixup.iter().map(|alpha| spell("mixup", &[*alpha])));
        parts.extend(self.mix.cutmix.iter().map(|alpha| spell("cutmix", &[*alpha])));
        f.pad(&parts.join(","))
    }
}

fn spell(name: &str, numbers: &[f64]) -> String {
    numbers.iter().fold(name.to_string(), |text, number| format!("{text}:{}", cnn_figures::number(*number)))
}

fn numbers(step: &Step) -> Vec<f64> {
    match step {
        Step::PaddedCrop(crop) => vec![crop.padding as f64],
        Step::ReflectedCrop(crop) => vec![crop.padding as f64],
        Step::RandomResizedCrop(crop) => [crop.scale, crop.ratio].concat(),
        Step::Flip(flip) => vec![flip.probability],
        Step::Affine(affine) => {
            vec![affine.angle, affine.translate, affine.scale[0], affine.scale[1], affine.shear]
        }
        Step::ColourJitter(jitter) => vec![jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue],
        Step::Lighting(lighting) => vec![lighting.deviation],
        Step::AlternatingFlip(_) | Step::TrivialAugment(_) => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_as_it_is_written() {
        for text in [
            "",
            "padded-crop:4,flip",
            "reflected-crop:2,alternating-flip",
            "random-resized-crop,flip:0.3,colour-jitter:0.4:0.4:0.4:0.1,lighting,erasing:0.1",
            "affine:15:0.1:0.9:1.1:10,trivial-augment,mixup:0.2,cutmix:1",
        ] {
            let read: Augmentation = text.parse().unwrap();
            assert_eq!(read.to_string().parse::<Augmentation>().unwrap(), read, "{text}");
            let json = serde_json::to_string(&read).unwrap();
            assert_eq!(serde_json::from_str::<Augmentation>(&json).unwrap(), read, "{json}");
        }
        for none in ["", "none", " none "] {
            assert!(none.parse::<Augmentation>().unwrap().is_empty(), "{none}");
        }
    }

    #[test]
    fn recipes_are_spelt_so() {
        let text =
            r#"{"steps": [{"padded-crop": {"padding": 4}}, {"flip": {}}], "mix": {"mixup": 0.2, "cutmix": 1.0}}"#;
        let read: Augmentation = serde_json::from_str(text).unwrap();
        assert_eq!(read, "padded-crop:4,flip:0.5,mixup:0.2,cutmix:1".parse().unwrap());
        for wrong in [r#"{"step": []}"#, r#"{"steps": [{"flip": {"chance": 1}}]}"#, r#"{"steps": [{"turn": {}}]}"#] {
            assert!(serde_json::from_str::<Augmentation>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_is_one_sentence() {
        for (text, expected) in [
            ("none,flip", "augmentation none: expected alone, found other steps"),
            ("flip:2", "augmentation flip: expected a probability from 0 to 1, found 2"),
            ("padded-crop:-1", "augmentation padded-crop: expected a whole number of pixels, found -1"),
            ("padded-crop", "augmentation padded-crop: expected padded-crop:PIXELS, found 0 numbers"),
            ("flip:often", "augmentation flip: expected flip[:PROBABILITY], found \"often\""),
            ("colour-jitter:0:0:0:0.6", "augmentation colour-jitter: expected a hue from 0 to 0.5, found 0.6"),
            (
                "mixup:0",
                "augmentation mixup: expected a parameter of the beta distribution from 0.000001 to 1000000, found 0",
            ),
            ("mixup:1,mixup:1", "augmentation mixup: expected once, found twice"),
            ("erasing:1:0.5:0.1", "augmentation erasing: expected scales in ascending order, found 0.5 and 0.1"),
            (
                "random-resized-crop:nan",
                "augmentation random-resized-crop: expected scales in ascending order, found NaN and 1",
            ),
        ] {
            assert_eq!(text.parse::<Augmentation>().unwrap_err().to_string(), expected);
        }
        let error = "turn:3".parse::<Augmentation>().unwrap_err().to_string();
        assert!(
            error.starts_with("augmentation turn: there is no such step, expected none or one of padded-crop:PIXELS"),
            "{error}"
        );
    }
}
