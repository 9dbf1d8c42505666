//! Axes: the range that is shown, and its ticks.

use crate::number::fixed;

/// Numbers beyond this size lie at the end of an axis: a little more, and the width of a range is no number.
const LARGEST: f64 = 1e300;
/// A range narrower than this part of its numbers is that of one number: ticks within it would have the same text.
const NARROWEST: f64 = 1e-9;
/// The same for a range around 0.
const LEAST: f64 = 1e-300;
/// The most ticks of an axis, whatever is asked for.
const MOST_TICKS: f64 = 100.0;
/// The ends of an axis in powers of two.
const POWERS: [f64; 2] = [-16.0, 16.0];

/// How a position follows from a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scale {
    /// By differences.
    Linear,
    /// By ratios; for values above 0.
    Logarithmic,
}

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// With as many decimals as tell the ticks apart.
    Number,
    /// Without decimals; ticks are whole numbers.
    Whole,
    /// Values from 0 to 1 in per cent.
    Percent,
    /// Values below 1 as fractions: `1/4`.
    Ratio,
}

/// The finite range of some values. It is never empty: `low < high`, and both are at most 10³⁰¹ in size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The left or lower end.
    pub low: f64,
    /// The right or upper end.
    pub high: f64,
}

/// A range that is shown, with its ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    range: Range,
    scale: Scale,
    unit: Unit,
    ticks: Vec<f64>,
    /// Between two ticks of a linear axis.
    step: f64,
}

impl Range {
    /// From the least to the greatest of the values that are finite numbers. About one value half of its size to both
    /// sides; from 0 to 1 where there is none, or where all are 0.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite()).map(bounded);
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let size = low.abs().max(high.abs());
        if low > high || size < LEAST {
            Self { low: 0.0, high: 1.0 }
        } else if high - low < NARROWEST * size {
            Self { low: low - size / 2.0, high: high + size / 2.0 }
        } else {
            Self { low, high }
        }
    }

    /// Where a value lies, from 0 at the low end to 1 at the high one; values beyond an end lie at it, and what is not a
    /// number at the low one.
    pub fn share(&self, value: f64) -> f64 {
        within((value.clamp(self.low, self.high) - self.low) / (self.high - self.low))
    }
}

impl Axis {
    /// An axis over these values with `about` as many ticks, at 1, 2 or 5 times a power of ten. It ends at ticks. Values
    /// that are not finite are left out.
    pub fn over(values: impl IntoIterator<Item = f64>, about: f64, unit: Unit) -> Self {
        let Range { low, high } = Range::of(values);
        let about = if about.is_nan() { 1.0 } else { about.clamp(1.0, MOST_TICKS) };
        let rough = (high - low) / about;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0].map(|n| n * power).into_iter().find(|step| *step >= rough).unwrap_or(10.0 * power);
        let step = if unit == Unit::Whole { step.max(1.0) } else { step };
        // Whole numbers far below 2⁵³, since the range is not narrow.
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let count = (last - first).clamp(0.0, 2.0 * MOST_TICKS) as usize;
        let ticks: Vec<f64> = (0..=count).map(|tick| (first + tick as f64) * step).collect();
        Self { range: Range { low: first * step, high: last * step }, scale: Scale::Linear, unit, ticks, step }
    }

    /// An axis with these ends and ticks, whatever is shown.
    pub fn fixed(range: Range, ticks: &[f64], scale: Scale, unit: Unit) -> Self {
        let step = ticks.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
        let step = if step.is_finite() { step } else { 1.0 };
        Self { range, scale, unit, ticks: ticks.to_vec(), step }
    }

    /// A logarithmic axis over the values above 0, with a tick at each power of ten, or at some of them where there are more
    /// than ten. It ends at ticks, and reaches over one power of ten at least.
    pub fn by_decades(values: impl IntoIterator<Item = f64>, unit: Unit) -> Self {
        let powers = values.into_iter().filter(|value| *value > 0.0).map(f64::log10).filter(|power| power.is_finite());
        let (low, high) = powers.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), power| (a.min(power), b.max(power)));
        let (low, high) = if low > high { (-1.0, 0.0) } else { (low, high) };
        // The last tick may lie some powers further, and is still a number.
        let end = |power: f64| power.clamp(-290.0, 290.0) as i32;
        let (low, high) = (end(low.floor()), end(high.ceil()));
        let step = ((high - low) / 10 + 1).max(1);
        let high = low + ((high - low).max(1) + step - 1) / step * step;
        let ticks: Vec<f64> = (low..=high).step_by(step as usize).map(|power| 10_f64.powi(power)).collect();
        let range = Range { low: 10_f64.powi(low), high: 10_f64.powi(high) };
        Self { range, scale: Scale::Logarithmic, unit, ticks, step: 10_f64.powi(low) }
    }

    /// A logarithmic axis over these ratios whose ends and ticks are powers of two; it reaches from 1/2 to 2 at least.
    pub fn powers_of_two(ratios: impl IntoIterator<Item = f64>) -> Self {
        let powers = ratios.into_iter().map(f64::log2).filter(|power| power.is_finite());
        let (low, high) = powers.fold((-1.0_f64, 1.0_f64), |(a, b), power| (a.min(power), b.max(power)));
        let [low, high] = [low.floor(), high.ceil()].map(|power| power.clamp(POWERS[0], POWERS[1]) as i32);
        let ticks: Vec<f64> = (low..=high).map(|power| 2_f64.powi(power)).collect();
        let range = Range { low: 2_f64.powi(low), high: 2_f64.powi(high) };
        Self { range, scale: Scale::Logarithmic, unit: Unit::Ratio, ticks, step: 1.0 }
    }

    /// Where a value lies, as [`Range::share`] says; on a logarithmic axis by its logarithm.
    pub fn share(&self, value: f64) -> f64 {
        let Range { low, high } = self.range;
        match self.scale {
            Scale::Linear => self.range.share(value),
            Scale::Logarithmic => within((value.ln() - low.ln()) / (high.ln() - low.ln())),
        }
    }

    /// The values that have a tick, in ascending order.
    pub fn ticks(&self) -> &[f64] {
        &self.ticks
    }

    /// The text at a tick.
    pub fn label(&self, tick: f64) -> String {
        let decimals = |step: f64| (-step.log10() - 1e-9).ceil().clamp(0.0, 8.0) as usize;
        match self.unit {
            Unit::Number if self.scale == Scale::Logarithmic => match (1e-4..1e5).contains(&tick) {
                true => fixed(tick, decimals(tick)),
                false => format!("{tick:.0e}"),
            },
            Unit::Number if self.step < 1e-4 => format!("{tick:.1e}"),
            Unit::Number => fixed(tick, decimals(self.step)),
            Unit::Whole => fixed(tick, 0),
            Unit::Percent => format!("{} %", fixed(100.0 * tick, decimals(100.0 * self.step))),
            Unit::Ratio if tick < 1.0 => format!("1/{}", fixed(1.0 / tick, 0)),
            Unit::Ratio => fixed(tick, 0),
        }
    }
}

/// A share within an axis.
fn within(share: f64) -> f64 {
    if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
}

/// A number that ranges can be made of; NaN stays NaN.
fn bounded(value: f64) -> f64 {
    value.clamp(-LARGEST, LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_enclose_the_values() {
        let axis = Axis::over([0.13, 0.87], 5.0, Unit::Percent);
        let labels: Vec<String> = axis.ticks().iter().map(|tick| axis.label(*tick)).collect();
        assert_eq!(labels, ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]);
        assert_eq!(axis.range, Range { low: 0.0, high: 1.0 });
        assert_eq!(Axis::over([3.0], 4.0, Unit::Whole).ticks(), [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(Axis::over([], 4.0, Unit::Number).ticks(), [0.0, 0.5, 1.0]);
        assert_eq!(Axis::over([0.0, 0.0], 4.0, Unit::Number).ticks(), [0.0, 0.5, 1.0]);
        let one = Range::of([0.02]);
        assert!(one.low < 0.02 && one.high > 0.02);
    }

    #[test]
    fn labels_have_the_decimals_that_tell_ticks_apart() {
        let axis = Axis::over([0.972, 0.979], 4.0, Unit::Percent);
        assert_eq!((axis.step, axis.label(0.974)), (0.002, "97.4 %".to_string()));
        let axis = Axis::over([0.02, 0.04], 4.0, Unit::Number);
        assert_eq!((axis.step, axis.label(0.02)), (0.005, "0.020".to_string()));
        let labels = |step: f64| Axis::over([0.0, 4.0 * step], 4.0, Unit::Number).label(step);
        assert_eq!([1.0, 0.5, 0.1, 0.05, 0.001, 20.0].map(labels), ["1", "0.5", "0.1", "0.05", "0.001", "20"]);
        let decades = Axis::by_decades([0.0, 0.002, 2.3, f64::NAN, -1.0], Unit::Number);
        let labels: Vec<String> = decades.ticks().iter().map(|tick| decades.label(*tick)).collect();
        assert_eq!(labels, ["0.001", "0.01", "0.1", "1", "10"]);
        assert!((decades.share(0.1) - 0.5).abs() < 1e-12 && decades.share(0.0) == 0.0);
        assert_eq!(Axis::by_decades([], Unit::Number).ticks(), [0.1, 1.0]);
        let wide = Axis::by_decades([1e-300, 1e300], Unit::Number);
        assert!(wide.ticks().len() < 13 && wide.range.high >= 1e299, "{wide:?}");
        let ratios = Axis::powers_of_two([0.3, 1.5]);
        assert_eq!(ratios.ticks().iter().map(|tick| ratios.label(*tick)).collect::<Vec<_>>(), ["1/4", "1/2", "1", "2"]);
        assert_eq!((ratios.share(0.25), ratios.share(2.0), ratios.share(9.0)), (0.0, 1.0, 1.0));
    }
}
