//! Numbers as text.

/// Numbers of at least this size are written with an exponent.
const LARGE: f64 = 1e7;
/// Numbers below it too, where all their digits are written.
const SMALL: f64 = 1e-6;

/// A whole number with its thousands apart: `25,557,032`.
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things, with the word for one of them or for several: `1 file`, `2,000 files`.
///
/// ```
/// assert_eq!([0, 1, 2000].map(|files| cnn_figures::plural(files, "file", "files")), ["0 files", "1 file", "2,000 files"]);
/// ```
pub fn plural(number: usize, one: &str, several: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { several })
}

/// A number with so many decimals, at most 17: `2.3026`. From ten million on with an exponent, `2.3e18`, so that the
/// text stays short.
pub fn fixed(value: f64, decimals: usize) -> String {
    match value {
        value if value.is_finite() && value.abs() >= LARGE => format!("{value:.1e}"),
        value => format!("{value:.0$}", decimals.min(17)),
    }
}

/// A number with all its digits, and with an exponent where it would be long without one: `0.02`, `1.5e-7`, `1e300`. It
/// reads back as the same number.
///
/// ```
/// assert_eq!([0.02, 1e300].map(cnn_figures::number), ["0.02", "1e300"]);
/// ```
pub fn number(value: f64) -> String {
    match value.abs() {
        size if size == 0.0 || (SMALL..LARGE).contains(&size) || !value.is_finite() => value.to_string(),
        _ => format!("{value:e}"),
    }
}

/// A number of things per second, with three digits where they say something: `5,012`, `41.7`, `0.083`.
pub fn rate(value: f64) -> String {
    match value {
        value if !value.is_finite() || value.abs() >= LARGE => fixed(value, 0),
        value if value >= 100.0 => count(value.round() as usize),
        value if value >= 10.0 => fixed(value, 1),
        value if value >= 1.0 => fixed(value, 2),
        value if value >= 0.001 => fixed(value, 3),
        value if value > 0.0 => format!("{value:.0e}"),
        value => fixed(value, 0),
    }
}

/// A share from 0 to 1 in per cent: `97.43 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", fixed(100.0 * share, 2))
}

/// Bytes in powers of ten: `52.4 MB`.
pub fn bytes(number: u64) -> String {
    // Units change where rounding would write a thousand of the smaller.
    match number as f64 {
        n if n < 999_950.0 => format!("{:.1} kB", n / 1e3),
        n if n < 999.95e6 => format!("{:.1} MB", n / 1e6),
        n if n < 999.995e9 => format!("{:.2} GB", n / 1e9),
        n => format!("{:.2} TB", n / 1e12),
    }
}

/// Seconds: `4.5 s`, `2 min 03 s`, `1 h 02 min` or `3 d 04 h`. `–` for what is no length of time.
pub fn duration(seconds: f64) -> String {
    /// A run that takes longer than this many days is not waited for.
    const DAYS: u64 = 1000;
    if !(seconds >= 0.0 && seconds.is_finite()) {
        return "–".to_string();
    }
    // Beyond 2⁶⁴ it saturates.
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        3600..172_800 => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
        _ if whole / 86_400 < DAYS => format!("{} d {:02} h", whole / 86_400, whole / 3600 % 24),
        _ => format!("over {DAYS} d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_apart() {
        assert_eq!([0, 999, 1000, 25_557_032].map(count), ["0", "999", "1,000", "25,557,032"]);
    }

    #[test]
    fn large_numbers_stay_short() {
        assert_eq!(fixed(2.718_36, 4), "2.7184");
        assert_eq!(fixed(-9_999_999.0, 0), "-9999999");
        assert_eq!(fixed(2_263_385_605_279_992_064.0, 4), "2.3e18");
        assert_eq!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(|x| fixed(x, 2)), ["NaN", "inf", "-inf"]);
        assert_eq!([0.974_34, -0.5, 1e300, f64::MAX].map(percent), ["97.43 %", "-50.00 %", "1.0e302 %", "inf %"]);
        assert_eq!([0, 1_500_000, u64::MAX].map(bytes), ["0.0 kB", "1.5 MB", "18446744.07 TB"]);
        assert_eq!(
            [999_949, 999_950, 999_950_000, 999_995_000_000].map(bytes),
            ["999.9 kB", "1.0 MB", "1.00 GB", "1.00 TB"]
        );
    }

    #[test]
    fn a_number_with_all_its_digits_is_short() {
        let texts =
            [0.0, -1.0, 0.02, 1e-6, 1.5e-7, 9_999_999.5, 1e7, f64::MAX, f64::MIN_POSITIVE, f64::NAN].map(number);
        let large = ["1e7", "1.7976931348623157e308", "2.2250738585072014e-308", "NaN"];
        assert_eq!(texts[..6], ["0", "-1", "0.02", "0.000001", "1.5e-7", "9999999.5"]);
        assert_eq!(texts[6..], large);
    }

    #[test]
    fn slow_rates_are_no_zero() {
        let texts = [0.0, 0.000_021, 0.0834, 4.256, 41.66, 5012.3, 1e9].map(rate);
        assert_eq!(texts, ["0", "2e-5", "0.083", "4.26", "41.7", "5,012", "1.0e9"]);
        assert_eq!([f64::NAN, f64::INFINITY, -1.0].map(rate), ["NaN", "inf", "-1"]);
    }

    #[test]
    fn every_number_of_seconds_is_written() {
        let texts = [0.0, 4.52, 59.97, 123.0, 3720.0, 273_600.0, 1e9, 1e300].map(duration);
        let expected =
            ["0.0 s", "4.5 s", "1 min 00 s", "2 min 03 s", "1 h 02 min", "3 d 04 h", "over 1000 d", "over 1000 d"];
        assert_eq!(texts, expected);
        assert_eq!([-1.0, f64::NAN, f64::INFINITY, -1e300].map(duration), ["–"; 4]);
    }
}
