//! Numbers as people write them: thousands and decimal marks of either custom, currencies, percent, brackets for minus.

/// Which mark stands before the decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// 1,234.56
    #[default]
    Point,
    /// 1.234,56
    Comma,
}

/// What a text tells of the style of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    NotANumber,
    /// Digits alone, or marks that do not matter.
    Plain,
    Point,
    Comma,
    /// One mark before exactly three digits, such as 1,234: thousands or decimals.
    Either,
}

const SYMBOLS: &[char] = &['€', '$', '£', '¥', '₹', '₽', '₩', '₺', '₪', '฿', '₫', '₴', '¢'];
const CODES: &[&str] = &[
    "EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "CAD", "AUD",
    "NZD", "BRL", "MXN", "TRY", "KRW", "SGD", "HKD", "ZAR", "kr", "zł", "Fr.",
];
const SPACES: &[char] = &[' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '\u{2019}'];

/// A text without sign, currency and percent.
struct Stripped<'a> {
    negative: bool,
    body: &'a str,
    currency: bool,
    percent: bool,
}

fn strip(text: &str) -> Option<Stripped<'_>> {
    let mut body = text.trim();
    let (mut negative, mut signed, mut currency, mut percent) = (false, false, false, false);
    if body.len() > 64 {
        return None;
    }
    if let Some(inner) = body.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        (body, negative, signed) = (inner.trim(), true, true);
    }
    // A sign may stand before or after the currency.
    for _ in 0..3 {
        if let Some(rest) = body.strip_prefix(['-', '\u{2212}', '+']).filter(|_| !signed) {
            (negative, signed) = (!body.starts_with('+'), true);
            body = rest.trim_start();
        } else if let Some(rest) = body.strip_prefix(SYMBOLS).filter(|_| !currency) {
            (body, currency) = (rest.trim_start(), true);
        } else if let Some(rest) = CODES.iter().find_map(|code| body.strip_prefix(code)).filter(|_| !currency) {
            (body, currency) = (rest.trim_start(), true);
        }
    }
    if let Some(rest) = body.strip_suffix('%') {
        (body, percent) = (rest.trim_end(), true);
    }
    if !currency {
        let rest = body.strip_suffix(SYMBOLS).or_else(|| CODES.iter().find_map(|code| body.strip_suffix(code)));
        if let Some(rest) = rest {
            (body, currency) = (rest.trim_end(), true);
        }
    }
    body.starts_with(|first: char| first.is_ascii_digit() || first == '.' || first == ',').then_some(Stripped {
        negative,
        body,
        currency,
        percent,
    })
}

/// Whether a number that is written so is an amount of money, a share in percent.
pub fn unit(text: &str) -> (bool, bool) {
    strip(text).map_or((false, false), |stripped| (stripped.currency, stripped.percent))
}

/// The value of a number in this style; none for what is no number in it. `12 %` is 12.
pub fn parse(text: &str, style: Style) -> Option<f64> {
    let stripped = strip(text)?;
    let body = stripped.body;
    let value = if let Some(at) = body.find(['e', 'E']) {
        let (mantissa, exponent) = (&body[..at], &body[at + 1..]);
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let exponent_digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if !plain(exponent_digits) || exponent_digits.len() > 3 {
            return None;
        }
        decimal(mantissa, style)?.parse::<f64>().ok()? * 10_f64.powi(exponent.parse().ok()?)
    } else {
        decimal(body, style)?.parse().ok()?
    };
    value.is_finite().then_some(if stripped.negative { -value } else { value })
}

/// Digits with a point at most.
fn decimal(body: &str, style: Style) -> Option<String> {
    let (mark, thousands) = match style {
        Style::Point => ('.', ','),
        Style::Comma => (',', '.'),
    };
    let (whole, decimals) = body.split_once(mark).unwrap_or((body, ""));
    if !decimals.bytes().all(|byte| byte.is_ascii_digit()) || (whole.is_empty() && decimals.is_empty()) {
        return None;
    }
    let separator = whole.chars().find(|letter| !letter.is_ascii_digit());
    let digits = match separator {
        None => whole.to_owned(),
        Some(separator) if separator == thousands || SPACES.contains(&separator) => {
            let groups: Vec<&str> = whole.split(separator).collect();
            let right = |(index, group): (usize, &&str)| {
                let length = if index == 0 { (1..=3).contains(&group.len()) } else { group.len() == 3 };
                length && group.bytes().all(|byte| byte.is_ascii_digit())
            };
            if !groups.iter().enumerate().all(right) {
                return None;
            }
            groups.concat()
        }
        Some(_) => return None,
    };
    // Digits that begin with a zero are codes: postcodes, telephone and article numbers.
    if digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    let digits = if digits.is_empty() { "0" } else { &digits };
    Some(if decimals.is_empty() { digits.to_owned() } else { format!("{digits}.{decimals}") })
}

pub fn hint(text: &str) -> Hint {
    let Some(stripped) = strip(text) else { return Hint::NotANumber };
    let (point, comma) = (parse(text, Style::Point).is_some(), parse(text, Style::Comma).is_some());
    let marks = stripped.body.chars().filter(|letter| matches!(letter, '.' | ',')).count();
    match (point, comma) {
        (false, false) => Hint::NotANumber,
        (true, true) if marks == 0 => Hint::Plain,
        (true, true) => Hint::Either,
        (true, false) => Hint::Point,
        (false, true) => Hint::Comma,
    }
}

/// A number for people: no more digits than say something.
pub fn show(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e15 {
        return format!("{value:.0}");
    }
    if !(1e-4..1e15).contains(&size) {
        return format!("{value:.6e}");
    }
    // Ten significant digits.
    let decimals = (9 - size.log10().floor() as i32).clamp(0, 12) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_customs_are_read_and_nothing_else() {
        for (text, point, comma) in [
            ("1234", Some(1234.0), Some(1234.0)),
            ("1,234.56", Some(1234.56), None),
            ("1.234,56", None, Some(1234.56)),
            ("1,234", Some(1234.0), Some(1.234)),
            ("1.234", Some(1.234), Some(1234.0)),
            ("1.5", Some(1.5), None),
            ("1,5", None, Some(1.5)),
            ("1 234 567", Some(1_234_567.0), Some(1_234_567.0)),
            ("1'234.50", Some(1234.5), None),
            ("€ 12,50", None, Some(12.5)),
            ("12.50 €", Some(12.5), None),
            ("-$3.20", Some(-3.2), None),
            ("$-3.20", Some(-3.2), None),
            ("(1,200.00)", Some(-1200.0), None),
            ("\u{2212}7", Some(-7.0), Some(-7.0)),
            ("12 %", Some(12.0), Some(12.0)),
            ("CHF 1'000.00", Some(1000.0), None),
            ("1.5e3", Some(1500.0), None),
            (".5", Some(0.5), None),
            ("0.05", Some(0.05), None),
            ("0", Some(0.0), Some(0.0)),
            ("01234", None, None),
            ("1,23,456", None, None),
            ("12,34.5", None, None),
            ("1.2.3", None, None),
            ("2024-05-01", None, None),
            ("12:30", None, None),
            ("inf", None, None),
            ("NaN", None, None),
            ("", None, None),
            ("-", None, None),
            ("1e999", None, None),
            ("0x10", None, None),
            ("--5", None, None),
        ] {
            assert_eq!((parse(text, Style::Point), parse(text, Style::Comma)), (point, comma), "{text}");
        }
        assert_eq!(hint("1,234"), Hint::Either);
        assert_eq!(hint("1,23"), Hint::Comma);
        assert_eq!(hint("12"), Hint::Plain);
        assert_eq!(hint("n/a"), Hint::NotANumber);
    }

    #[test]
    fn numbers_are_shown_short() {
        for (value, text) in [
            (0.0, "0"),
            (1200.0, "1200"),
            (-2.5, "-2.5"),
            (1.0 / 3.0, "0.3333333333"),
            (0.1 + 0.2, "0.3"),
            (123_456.789, "123456.789"),
            (1e20, "1.000000e20"),
            (1e-7, "1.000000e-7"),
        ] {
            assert_eq!(show(value), text);
        }
    }
}
