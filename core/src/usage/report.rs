//! Reports: hours added up by local day, provider, model or agent, with what they cost.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::prices::{self, Price};
use crate::model::{FeatureUse, ProviderId, Timestamp, UsageGroup, UsageLine, UsageQuery, UsageReport};
use crate::storage::usage::{Feature, UsageHour};

/// Days of a report at most.
pub const MOST_DAYS: u32 = 3_660;

/// What a report is made with.
pub struct Ground<'a> {
    pub now: Timestamp,
    pub zone: &'a TimeZone,
    pub prices: &'a [Price],
    pub currency: &'a str,
    pub recording: bool,
}

/// The local day of a time.
pub fn day_of(at: Timestamp, zone: &TimeZone) -> Date {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned(zone.clone()).date()
}

/// When the first of the last `days` local days begins, today included.
pub fn first_moment(now: Timestamp, days: u32, zone: &TimeZone) -> Timestamp {
    let first = first_day(now, days, zone);
    first.to_zoned(zone.clone()).map_or(Timestamp(i64::MIN / 2), |start| Timestamp(start.timestamp().as_millisecond()))
}

fn first_day(now: Timestamp, days: u32, zone: &TimeZone) -> Date {
    let back = i64::from(days.clamp(1, MOST_DAYS)) - 1;
    day_of(now, zone).saturating_sub(jiff::Span::new().days(back))
}

/// The report over `hours`, which begin within the days that are asked for.
pub fn report(hours: &[UsageHour], query: &UsageQuery, ground: &Ground<'_>) -> UsageReport {
    let mut days: BTreeMap<String, UsageLine> = BTreeMap::new();
    let today = day_of(ground.now, ground.zone);
    let mut day = first_day(ground.now, query.days, ground.zone);
    while day <= today {
        days.insert(day.to_string(), line(day.to_string()));
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    let (mut groups, mut total) = (BTreeMap::<String, UsageLine>::new(), line(String::new()));
    let mut without_price = BTreeSet::new();
    for hour in hours {
        let price = prices::of(ground.prices, &hour.model);
        if price.is_none() && !ground.prices.is_empty() && hour.provider != ProviderId::EMBEDDED {
            without_price.insert(hour.model.clone());
        }
        let of_day = day_of(hour.at, ground.zone).to_string();
        let key = match query.by {
            UsageGroup::Day => of_day.clone(),
            UsageGroup::Provider => hour.provider.clone(),
            UsageGroup::Model => hour.model.clone(),
            UsageGroup::Agent => hour.agent.clone().unwrap_or_default(),
        };
        add(&mut total, hour, price);
        // A clock that was set back: what it counted tomorrow is in the sum, and in no day.
        if let Some(day) = days.get_mut(&of_day) {
            add(day, hour, price);
        }
        if query.by != UsageGroup::Day {
            add(groups.entry(key.clone()).or_insert_with(|| line(key)), hour, price);
        }
    }
    let days: Vec<UsageLine> = days.into_values().collect();
    let lines = match query.by {
        UsageGroup::Day => days.iter().filter(|day| day.calls > 0).cloned().collect(),
        _ => {
            let mut lines: Vec<UsageLine> = groups.into_values().collect();
            lines.sort_by_key(|line| std::cmp::Reverse(line.prompt_tokens.saturating_add(line.answer_tokens)));
            lines
        }
    };
    UsageReport {
        lines,
        total,
        days,
        currency: ground.currency.to_owned(),
        without_price: without_price.into_iter().collect(),
        recording: ground.recording,
    }
}

fn line(key: String) -> UsageLine {
    UsageLine { key, ..UsageLine::default() }
}

fn add(line: &mut UsageLine, hour: &UsageHour, price: Option<&Price>) {
    line.calls += hour.calls;
    line.cached += hour.cached;
    line.failed += hour.failed;
    line.prompt_tokens = line.prompt_tokens.saturating_add(hour.prompt_tokens);
    line.answer_tokens = line.answer_tokens.saturating_add(hour.answer_tokens);
    line.seconds += hour.seconds;
    if let Some(price) = price {
        let cost = price.cost(hour.prompt_tokens, hour.answer_tokens);
        line.cost = Some(line.cost.unwrap_or(0.0) + cost);
    }
}

/// The most used first.
pub fn features(stored: Vec<Feature>, zone: &TimeZone) -> Vec<FeatureUse> {
    let mut all: Vec<FeatureUse> = stored
        .into_iter()
        .map(|(feature, count, last)| FeatureUse { feature, count, last_day: day_of(last, zone).to_string() })
        .collect();
    all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.feature.cmp(&b.feature)));
    all
}
