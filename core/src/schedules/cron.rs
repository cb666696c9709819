//! Cron expressions: read field by field, so that what is wrong is said with its place, and searched for their next time.
//!
//! What happens where the clocks change. A fixed time (plain numbers, or lists of them, in seconds, minutes and hours)
//! that does not exist on a day runs once, right after the gap; one that exists twice runs once, the first time. Anything
//! with `*`, a range or a step in its time runs in real time: in each moment whose clock matches, so `*/15` goes on every
//! quarter of an hour in the hour that comes twice, and skips what does not exist.

use std::str::FromStr;

use jiff::Zoned;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::timing::TimingError;
use crate::model::Timestamp;

/// In characters.
const LONGEST: usize = 200;
/// Fixed times of a day that are searched one by one.
const MOST_FIXED: usize = 96;

/// One of the fields, as it can be read.
pub(super) struct Field {
    name: &'static str,
    low: u32,
    high: u32,
    names: &'static [&'static str],
    /// The number of the first name.
    first: u32,
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const FIELDS: [Field; 6] = [
    Field { name: "second", low: 0, high: 59, names: &[], first: 0 },
    Field { name: "minute", low: 0, high: 59, names: &[], first: 0 },
    Field { name: "hour", low: 0, high: 23, names: &[], first: 0 },
    Field { name: "day of the month", low: 1, high: 31, names: &[], first: 0 },
    Field { name: "month", low: 1, high: 12, names: &MONTHS, first: 1 },
    Field { name: "day of the week", low: 0, high: 7, names: &DAYS, first: 0 },
];

/// A part of a field, between its commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// `*`, or `*/n`.
    Every(u32),
    One(u32),
    /// `a-b`, or `a-b/n`.
    Range(u32, u32, u32),
    /// The last day, or the last such weekday of the month.
    Last(Option<u32>),
    /// The weekday nearest to this day of the month.
    Nearest(u32),
    /// Such a weekday, so many times into the month.
    Nth(u32, u32),
}

/// A read expression.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    /// Seconds, minutes, hours, days, months, weekdays.
    pub fields: [Vec<Item>; 6],
    /// Day of the month and weekday must both fit (`+` before the weekday), instead of either.
    pub both_days: bool,
}

impl Expression {
    pub fn is_any(&self, field: usize) -> bool {
        self.fields[field] == [Item::Every(1)]
    }

    /// The numbers of a field that lists nothing else.
    pub fn numbers(&self, field: usize) -> Option<Vec<u32>> {
        let numbers = self.fields[field].iter().map(|item| match item {
            Item::One(n) => Some(*n),
            _ => None,
        });
        let mut numbers: Vec<u32> = numbers.collect::<Option<_>>()?;
        numbers.sort_unstable();
        numbers.dedup();
        Some(numbers)
    }

    /// One time of the day alone.
    fn is_single(&self) -> bool {
        [0, 1, 2].iter().all(|field| self.numbers(*field).is_some_and(|numbers| numbers.len() == 1))
    }

    /// Whether a day of the month fits a month at all.
    fn has_a_day(&self) -> bool {
        let binding = self.is_any(5) || self.both_days;
        if self.is_any(3) || !binding {
            return true;
        }
        let in_month = |item: &Item, month: u32| match item {
            Item::One(n) | Item::Range(n, _, _) | Item::Nearest(n) => *n <= longest_month(month),
            _ => true,
        };
        (1..=12)
            .filter(|month| self.fields[4].iter().any(|item| takes(item, *month, 1)))
            .any(|month| self.fields[3].iter().any(|item| in_month(item, month)))
    }
}

fn longest_month(month: u32) -> u32 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn takes(item: &Item, value: u32, low: u32) -> bool {
    match item {
        Item::Every(step) => (value - low).is_multiple_of(*step),
        Item::One(n) => *n == value,
        Item::Range(from, to, step) => value >= *from && value <= *to && (value - from).is_multiple_of(*step),
        _ => false,
    }
}

fn nickname(text: &str) -> Option<&'static str> {
    Some(match text.to_ascii_lowercase().as_str() {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        _ => return None,
    })
}

impl Item {
    /// As croner reads it, without names and shortcuts.
    fn plain(&self) -> String {
        match self {
            Self::Every(1) => "*".to_owned(),
            Self::Every(step) => format!("*/{step}"),
            Self::One(n) => n.to_string(),
            Self::Range(from, to, 1) => format!("{from}-{to}"),
            Self::Range(from, to, step) => format!("{from}-{to}/{step}"),
            Self::Last(None) => "L".to_owned(),
            Self::Last(Some(day)) => format!("{day}#L"),
            Self::Nearest(day) => format!("{day}W"),
            Self::Nth(day, nth) => format!("{day}#{nth}"),
        }
    }
}

fn read(text: &str) -> Result<Expression, TimingError> {
    let text = text.trim();
    if text.chars().count() > LONGEST {
        return Err(TimingError::Length(LONGEST));
    }
    let text = nickname(text).unwrap_or(text);
    let mut words: Vec<String> = text.split_whitespace().map(str::to_ascii_uppercase).collect();
    if !(5..=6).contains(&words.len()) {
        return Err(TimingError::Count(words.len()));
    }
    let offset = 6 - words.len();
    if offset == 1 {
        words.insert(0, "0".to_owned());
    }
    for at in [3, 5] {
        if words[at] == "?" {
            "*".clone_into(&mut words[at]);
        }
    }
    let both_days = words[5].starts_with('+');
    let mut fields: [Vec<Item>; 6] = Default::default();
    for (at, field) in FIELDS.iter().enumerate() {
        let word = if at == 5 { words[5].trim_start_matches('+') } else { &words[at] };
        let refused = |what: String| TimingError::Field { place: at + 1 - offset, name: field.name, what };
        fields[at] = word.split(',').map(|part| item(part, at, field)).collect::<Result<_, _>>().map_err(refused)?;
    }
    Ok(Expression { fields, both_days })
}

fn item(part: &str, at: usize, field: &Field) -> Result<Item, String> {
    if part.is_empty() {
        return Err("something is missing beside a comma".to_owned());
    }
    if at == 3 && part == "L" {
        return Ok(Item::Last(None));
    }
    if at == 3
        && let Some(day) = part.strip_suffix('W')
    {
        return Ok(Item::Nearest(number(day, field)?));
    }
    if at == 5
        && let Some((day, nth)) = part.split_once('#')
    {
        let day = number(day, field)? % 7;
        return match nth.parse::<u32>() {
            Ok(nth @ 1..=5) => Ok(Item::Nth(day, nth)),
            _ if nth == "L" => Ok(Item::Last(Some(day))),
            _ => Err(format!("\"{nth}\" after # is not a number from 1 to 5")),
        };
    }
    if at == 5
        && part.len() > 1
        && let Some(day) = part.strip_suffix('L')
    {
        return Ok(Item::Last(Some(number(day, field)? % 7)));
    }
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => match step.parse::<u32>() {
            Ok(step) if step >= 1 && step <= field.high => (range, Some(step)),
            _ => return Err(format!("\"{step}\" after / is not a number from 1 to {}", field.high)),
        },
        None => (part, None),
    };
    if range == "*" {
        return Ok(Item::Every(step.unwrap_or(1)));
    }
    if let Some((from, to)) = range.split_once('-') {
        let (from, mut to) = (number(from, field)?, number(to, field)?);
        if at == 5 && to == 0 && from > 0 {
            // To Sunday.
            to = 7;
        }
        if from > to {
            return Err(format!("{from} to {to} goes backwards; write it as two ranges with a comma"));
        }
        // A range of one is a plain number.
        return Ok(if from == to { Item::One(from) } else { Item::Range(from, to, step.unwrap_or(1)) });
    }
    let one = number(range, field)?;
    match step {
        Some(_) => Err(format!(
            "\"{part}\": a step needs a range before it, such as {one}-{}/{}",
            field.high,
            step.unwrap_or(1)
        )),
        None if at == 5 => Ok(Item::One(one % 7)),
        None => Ok(Item::One(one)),
    }
}

fn number(text: &str, field: &Field) -> Result<u32, String> {
    if let Some(at) = field.names.iter().position(|name| *name == text) {
        return Ok(field.first + u32::try_from(at).unwrap_or(0));
    }
    let wrong = || {
        let names =
            if field.names.is_empty() { String::new() } else { format!(" or a name such as {}", field.names[1]) };
        format!("\"{text}\" is not a number from {} to {}{names}", field.low, field.high)
    };
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    match text.parse::<u32>() {
        Ok(n) if n >= field.low && n <= field.high => Ok(n),
        _ => Err(wrong()),
    }
}

/// An expression that can be searched.
#[derive(Clone, Debug)]
pub struct CronRule {
    pub(super) expression: Expression,
    /// One for each fixed time of a day; else one alone.
    searched: Vec<croner::Cron>,
    /// It runs at fixed times of the day, not in intervals.
    fixed: bool,
}

impl CronRule {
    /// # Errors
    /// What cannot be read, with its place; or that it never comes.
    pub fn parse(text: &str) -> Result<Self, TimingError> {
        let expression = read(text)?;
        if !expression.has_a_day() {
            return Err(TimingError::Never);
        }
        let plain = |at: usize| expression.fields[at].iter().map(Item::plain).collect::<Vec<_>>().join(",");
        let both = if expression.both_days { "+" } else { "" };
        let cron = |time: &str| {
            let whole = format!("{time} {} {} {both}{}", plain(3), plain(4), plain(5));
            croner::Cron::from_str(&whole).map_err(|error| TimingError::Unreadable(error.to_string()))
        };
        let fixed = [0, 1, 2].map(|field| expression.numbers(field));
        let is_fixed = fixed.iter().all(Option::is_some);
        let searched = match fixed {
            [Some(s), Some(m), Some(h)] if s.len() * m.len() * h.len() <= MOST_FIXED => {
                let mut each = Vec::new();
                for h in &h {
                    for m in &m {
                        for s in &s {
                            each.push(cron(&format!("{s} {m} {h}"))?);
                        }
                    }
                }
                each
            }
            _ => vec![cron(&format!("{} {} {}", plain(0), plain(1), plain(2)))?],
        };
        // More fixed times than are searched one by one run as an interval does.
        let fixed = is_fixed && (searched.len() > 1 || expression.is_single());
        Ok(Self { expression, searched, fixed })
    }

    /// The first time after this one; none when it never comes.
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let start = jiff::Timestamp::from_millisecond(after.0).ok()?.to_zoned(zone.clone());
        let next = |cron: &croner::Cron| match self.fixed {
            true => fixed_after(cron, &start),
            false => cron.find_next_occurrence(&start, false).ok().map(|at| at.timestamp()),
        };
        let found = self.searched.iter().filter_map(next);
        found.map(|at| Timestamp(at.as_millisecond())).filter(|at| *at > after).min()
    }
}

/// The next time of a clock that shows one fixed time of the day. Searched on the clock alone and brought to the zone here:
/// croner takes any time within a gap for one that fits.
fn fixed_after(cron: &croner::Cron, start: &Zoned) -> Option<jiff::Timestamp> {
    let zone = start.time_zone();
    let mut clock = start.datetime();
    loop {
        clock = cron.find_next_occurrence(&clock, false).ok()?;
        let ambiguous = zone.to_ambiguous_zoned(clock);
        let at = match ambiguous.offset() {
            AmbiguousOffset::Gap { .. } => {
                // By the offset after the gap it is a moment before it.
                let before = ambiguous.earlier().ok()?.timestamp();
                zone.following(before).next()?.timestamp()
            }
            _ => ambiguous.earlier().ok()?.timestamp(),
        };
        // Within the second of two equal hours the first one has passed.
        if at > start.timestamp() {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests;
