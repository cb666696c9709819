//! A timing in words, and its next times as people say them.

use jiff::Zoned;
use jiff::tz::TimeZone;

use super::cron::{Expression, Item};
use super::timing::{Kind, Rule};
use crate::model::{NextRun, Timestamp, Timing, TimingPreview, Trigger};

/// Next times that are told, at most.
const MOST_NEXT: u32 = 50;
/// Times of a day that are named one by one.
const MOST_TIMES: usize = 6;

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What a timing means, with its next times after `now`.
pub fn preview(timing: &Timing, rule: &Rule, now: Timestamp, count: u32) -> TimingPreview {
    let mut next = Vec::new();
    let mut last = now;
    for _ in 0..count.min(MOST_NEXT) {
        let Some(at) = rule.next_after(last) else { break };
        next.push(NextRun { at, words: next_words(at, last, now, rule.zone()) });
        last = at;
    }
    TimingPreview { words: words(timing, rule), next }
}

/// When and how often.
pub fn words(timing: &Timing, rule: &Rule) -> String {
    match (timing, &rule.kind) {
        (Timing::Once { at }, _) => match zoned(*at, rule.zone()) {
            Some(at) => format!("Once, on {} at {}", at.strftime("%a %-d %b %Y"), clock(&at)),
            None => "Once".to_owned(),
        },
        (Timing::Every { minutes, .. }, _) => every(*minutes),
        (Timing::Cron { zone, .. }, Kind::Cron(cron)) => {
            let zone = if zone.trim().is_empty() { String::new() } else { format!(", {} time", zone.trim()) };
            format!("{}{zone}", cron_words(&cron.expression))
        }
        (Timing::When { trigger }, _) => trigger_words(trigger),
        (Timing::Cron { expression, .. }, _) => expression.clone(),
    }
}

fn every(minutes: u32) -> String {
    match minutes {
        1 => "Every minute".to_owned(),
        1_440 => "Every 24 hours".to_owned(),
        60 => "Every hour".to_owned(),
        n if n.is_multiple_of(1_440) => format!("Every {} days", n / 1_440),
        n if n.is_multiple_of(60) => format!("Every {} hours", n / 60),
        n => format!("Every {n} minutes"),
    }
}

fn trigger_words(trigger: &Trigger) -> String {
    match trigger {
        Trigger::File { path, pattern } if pattern.is_empty() => format!("When {} is made or changed", path.display()),
        Trigger::File { path, pattern } => format!("When a file {pattern} in {} is made or changed", path.display()),
        Trigger::Commit { repository, branch } if branch.is_empty() => {
            format!("When a commit appears in {}", repository.display())
        }
        Trigger::Commit { repository, branch } => {
            format!("When a commit appears on {branch} in {}", repository.display())
        }
        Trigger::Log { path, pattern } => format!("When a line like {pattern} is added to {}", path.display()),
        Trigger::Process { name, begins: true } => format!("When a process {name} begins"),
        Trigger::Process { name, begins: false } => format!("When a process {name} ends"),
        Trigger::SessionStart => "When the window opens".to_owned(),
    }
}

fn zoned(at: Timestamp, zone: &TimeZone) -> Option<Zoned> {
    Some(jiff::Timestamp::from_millisecond(at.0).ok()?.to_zoned(zone.clone()))
}

fn clock(at: &Zoned) -> String {
    let format = if at.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    at.strftime(format).to_string()
}

/// "tomorrow, Sat 21 Nov at 07:00"; tells when the clocks change between `before` and then.
fn next_words(at: Timestamp, before: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (Some(then), Some(today)) = (zoned(at, zone), zoned(now, zone)) else { return String::new() };
    let days = i64::from(then.date().since(today.date()).map_or(i32::MAX, |span| span.get_days()));
    let near = match days {
        0 => "today, ",
        1 => "tomorrow, ",
        _ => "",
    };
    let date = if then.year() == today.year() { "%a %-d %b" } else { "%a %-d %b %Y" };
    let mut words = format!("{near}{} at {}", then.strftime(date), clock(&then));
    if let Some(change) = clock_change(before, at, zone) {
        words.push_str(&change);
    }
    words
}

fn clock_change(from: Timestamp, to: Timestamp, zone: &TimeZone) -> Option<String> {
    let start = jiff::Timestamp::from_millisecond(from.0).ok()?;
    for transition in zone.following(start).take(8) {
        let at = transition.timestamp();
        if at.as_millisecond() > to.0 {
            return None;
        }
        let before = at.checked_sub(jiff::SignedDuration::from_secs(1)).ok()?;
        let (old, new) = (zone.to_offset(before), transition.offset());
        let moved = new.seconds() - old.seconds();
        if moved == 0 {
            continue;
        }
        let way = if moved > 0 { "forward" } else { "back" };
        let minutes = moved.abs() / 60;
        let by = match minutes {
            60 => "an hour".to_owned(),
            n if n % 60 == 0 => format!("{} hours", n / 60),
            n => format!("{n} minutes"),
        };
        // The day by the clock as it was before.
        let day = before.to_zoned(zone.clone());
        return Some(format!(" (the clocks go {way} {by} on {})", day.strftime("%a %-d %b")));
    }
    None
}

fn cron_words(cron: &Expression) -> String {
    let date = date_words(cron);
    let time = time_words(cron);
    match date {
        Some(date) => format!("{time} {date}"),
        None if cron.numbers(2).is_some() => format!("{time} every day"),
        None => time,
    }
}

/// "a", "a and b", "a, b and c".
fn join(parts: &[String], last: &str) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., tail] => format!("{} {last} {tail}", head.join(", ")),
    }
}

fn time_words(cron: &Expression) -> String {
    let [seconds, minutes, hours] = [0, 1, 2].map(|at| cron.numbers(at));
    if let (Some(s), Some(m), Some(h)) = (&seconds, &minutes, &hours)
        && s.len() * m.len() * h.len() <= MOST_TIMES
    {
        let mut times = Vec::new();
        for h in h {
            for m in m {
                for s in s {
                    times.push(if *s == 0 { format!("{h:02}:{m:02}") } else { format!("{h:02}:{m:02}:{s:02}") });
                }
            }
        }
        return format!("At {}", join(&times, "and"));
    }
    let mut words = String::new();
    if seconds.as_deref() != Some(&[0]) {
        words = match cron.fields[0].as_slice() {
            [Item::Every(1)] => "every second".to_owned(),
            [Item::Every(step)] => format!("every {step} seconds"),
            items => format!("at second {}", listed(items, |n| n.to_string())),
        };
    }
    let minute = match (cron.fields[1].as_slice(), minutes.as_deref()) {
        ([Item::Every(1)], _) if words.is_empty() => "every minute".to_owned(),
        ([Item::Every(1)], _) => String::new(),
        ([Item::Every(step)], _) => format!("every {step} minutes"),
        (_, Some([0])) if hours.is_none() => match cron.fields[2].as_slice() {
            [Item::Every(1)] => "every hour, on the hour".to_owned(),
            [Item::Every(step)] => format!("every {step} hours, on the hour"),
            _ => "on the hour".to_owned(),
        },
        (items, _) => format!("at minute {}", listed(items, |n| n.to_string())),
    };
    let hour = match cron.fields[2].as_slice() {
        [Item::Every(1)] if minute.starts_with("every") || minute.is_empty() => String::new(),
        [Item::Every(1)] => "of every hour".to_owned(),
        [Item::Every(_)] if minute.contains("hours, on the hour") => String::new(),
        [Item::Every(step)] => format!("in every {} hour", nth(*step)),
        [Item::Range(from, to, 1)] if minute == "on the hour" => format!("from {from:02}:00 to {to:02}:00"),
        [Item::Range(from, to, 1)] => format!("from {from:02}:00 to {to:02}:59"),
        items => format!("in the hours {}", listed(items, |n| format!("{n:02}"))),
    };
    let parts: Vec<&str> =
        [words.as_str(), minute.as_str(), hour.as_str()].into_iter().filter(|p| !p.is_empty()).collect();
    let mut whole = parts.join(" ");
    if let Some(first) = whole.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    whole
}

fn listed(items: &[Item], name: impl Fn(u32) -> String) -> String {
    let parts: Vec<String> = items
        .iter()
        .map(|item| match item {
            Item::Every(1) => "every".to_owned(),
            Item::Every(step) => format!("every {}", nth(*step)),
            Item::One(n) => name(*n),
            Item::Range(from, to, 1) => format!("{} to {}", name(*from), name(*to)),
            Item::Range(from, to, step) => format!("every {} from {} to {}", nth(*step), name(*from), name(*to)),
            Item::Last(None) => "the last day".to_owned(),
            Item::Last(Some(day)) => format!("the last {}", name(*day)),
            Item::Nearest(day) => format!("the working day nearest the {}", nth(*day)),
            Item::Nth(day, n) => format!("the {} {}", nth(*n), name(*day)),
        })
        .collect();
    join(&parts, "and")
}

fn date_words(cron: &Expression) -> Option<String> {
    let (any_day, any_weekday) = (cron.is_any(3), cron.is_any(5));
    let day_name = |n: u32| DAYS[(n % 7) as usize].to_owned();
    let of_month = cron.fields[5].iter().any(|item| matches!(item, Item::Last(_) | Item::Nth(..)));
    let weekday = format!("{}{}", listed(&cron.fields[5], day_name), if of_month { " of the month" } else { "" });
    let days = match cron.fields[3].as_slice() {
        [Item::Every(step)] => format!("every {} day of the month", nth(*step)),
        items => {
            let the = if matches!(items[0], Item::One(_) | Item::Range(_, _, 1)) { "the " } else { "" };
            format!("{the}{} of the month", listed(items, nth))
        }
    };
    let mut words = match (any_day, any_weekday) {
        (true, true) => String::new(),
        (true, false) => format!("on {weekday}"),
        (false, true) => format!("on {days}"),
        (false, false) if cron.both_days => format!("on {days} if it is {weekday}"),
        (false, false) => format!("on {days} and on {weekday}"),
    };
    if !cron.is_any(4) {
        let months = listed(&cron.fields[4], |n| MONTHS[((n.max(1) - 1) % 12) as usize].to_owned());
        let months = if months.starts_with("every") { format!("{months} month") } else { months };
        words = if words.is_empty() { format!("every day in {months}") } else { format!("{words} in {months}") };
    }
    (!words.is_empty()).then_some(words)
}

/// "1st", "2nd", "13th".
fn nth(n: u32) -> String {
    let end = match (n % 10, n % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{n}{end}")
}

#[cfg(test)]
mod tests;
