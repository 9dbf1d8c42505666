//! Every function takes every number: nothing panics or loops, and what comes out is short and well formed.

use cnn_figures::axis::{Axis, Range, Scale, Unit};
use cnn_figures::svg::{Canvas, Rectangle};
use cnn_figures::{Plot, Table, duration, fixed, percent, printable};
use proptest::prelude::*;

/// Any bits, and the numbers that break arithmetic more often than random bits do.
fn number() -> impl Strategy<Value = f64> {
    let hard = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        f64::MAX,
        f64::MIN,
        1.7e308,
        1e300,
        -1e300,
        f64::MIN_POSITIVE,
        5e-324,
        -5e-324,
        f64::EPSILON,
        1.0 + f64::EPSILON,
        9_007_199_254_740_993.0,
        1e19,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    prop_oneof![any::<u64>().prop_map(f64::from_bits), prop::sample::select(hard.to_vec()), -2.0..2.0]
}

/// Any characters, those that control a terminal among them.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..40).prop_map(String::from_iter)
}

fn unit() -> impl Strategy<Value = Unit> {
    prop::sample::select(vec![Unit::Number, Unit::Whole, Unit::Percent, Unit::Ratio])
}

/// Values, some of them near each other.
fn numbers() -> impl Strategy<Value = Vec<f64>> {
    let near = (number(), prop::collection::vec(-4_i64..4, 0..6)).prop_map(|(value, steps)| {
        steps.into_iter().map(|step| f64::from_bits(value.to_bits().wrapping_add_signed(step))).collect()
    });
    prop_oneof![prop::collection::vec(number(), 0..8), near]
}

fn check(axis: &Axis, values: &[f64]) {
    let ticks = axis.ticks();
    assert!((2..=201).contains(&ticks.len()), "{} ticks", ticks.len());
    assert!(ticks.iter().all(|tick| tick.is_finite()), "{ticks:?}");
    assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]), "{ticks:?}");
    for tick in ticks {
        let label = axis.label(*tick);
        assert!(label.chars().count() <= 16, "{label}");
    }
    for value in values.iter().chain(ticks) {
        let share = axis.share(*value);
        assert!((0.0..=1.0).contains(&share), "{value} at {share}");
    }
    assert_eq!((axis.share(ticks[0]), axis.share(ticks[ticks.len() - 1])), (0.0, 1.0));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn axes_enclose_all_numbers(values in numbers(), about in number(), unit in unit()) {
        let axis = Axis::over(values.iter().copied(), about, unit);
        check(&axis, &values);
        // Order is kept.
        for pair in values.windows(2).filter(|pair| pair[0] <= pair[1]) {
            prop_assert!(axis.share(pair[0]) <= axis.share(pair[1]));
        }
        check(&Axis::powers_of_two(values.iter().copied()), &values);
    }

    #[test]
    fn ranges_are_not_empty(values in numbers()) {
        let range = Range::of(values.iter().copied());
        prop_assert!(range.low < range.high && (range.high - range.low).is_finite());
        for value in values.iter().filter(|value| value.is_finite() && value.abs() <= 1e300) {
            prop_assert!(range.low <= *value && *value <= range.high || value.abs() < 1e-300);
        }
    }

    #[test]
    fn fixed_axes_place_every_number(values in numbers()) {
        let axis = Axis::fixed(Range { low: 0.6, high: 30.0 }, &[0.6, 1.0, 30.0], Scale::Logarithmic, Unit::Number);
        check(&axis, &values);
    }

    #[test]
    fn texts_are_short(value in number(), decimals in 0_usize..40) {
        for text in [fixed(value, decimals), percent(value), duration(value)] {
            prop_assert!(!text.is_empty() && text.chars().count() <= 28, "{text}");
        }
    }

    #[test]
    fn pictures_are_well_formed(values in numbers(), text in text()) {
        let frame = Rectangle { at: [64.0, 24.0], width: 300.0, height: 200.0 };
        let axis = |unit| Axis::over(values.iter().copied(), 5.0, unit);
        let plot = Plot { frame, x: axis(Unit::Whole), y: axis(Unit::Percent) };
        let mut canvas = Canvas::new(cnn_figures::svg::STYLE);
        plot.grid(&mut canvas);
        plot.frame(&mut canvas, &text);
        let points: Vec<[f64; 2]> = values.iter().map(|value| [*value, -*value]).collect();
        canvas.line("series", &points);
        canvas.line("series", &points.iter().map(|point| plot.place(*point)).collect::<Vec<_>>());
        canvas.circle("dot", [values.first().copied().unwrap_or(0.0); 2], 3.0);
        let picture = canvas.finish(&text, [960.0, 300.0]);
        let document = roxmltree::Document::parse(&picture);
        prop_assert!(document.is_ok(), "{document:?}");
        prop_assert!(!picture.contains("NaN") || text.contains("NaN"));
        prop_assert!(picture.len() < 30_000 + 40 * text.len(), "{} bytes", picture.len());
    }

    #[test]
    fn nothing_acts_on_a_terminal(text in text()) {
        let safe = printable(&text);
        prop_assert!(!safe.chars().any(char::is_control));
        prop_assert_eq!(&printable(&safe), &safe);
        let mut table = Table::new([text.as_str(), "b"]);
        table.row(["a", text.as_str()]);
        prop_assert_eq!(table.to_string().lines().count(), 2);
    }
}
