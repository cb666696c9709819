//! Timings in words.

use std::path::PathBuf;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn say(timing: &Timing) -> String {
    words(timing, &Rule::read(timing, &TimeZone::UTC).unwrap())
}

fn cron(expression: &str, zone: &str) -> Timing {
    Timing::Cron { expression: expression.to_owned(), zone: zone.to_owned() }
}

#[test]
fn expressions_in_words() {
    let cases = [
        ("0 7 * * *", "At 07:00 every day"),
        ("0 7 * * 1-5", "At 07:00 on Monday to Friday"),
        ("0,30 7 * * 6,0", "At 07:00 and 07:30 on Saturday and Sunday"),
        ("0 7 * * fri-sun", "At 07:00 on Friday to Sunday"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("* * * * *", "Every minute"),
        ("0 * * * *", "Every hour, on the hour"),
        ("0 */2 * * *", "Every 2 hours, on the hour"),
        ("5 * * * *", "At minute 5 of every hour"),
        ("*/15 9-17 * * 1-5", "Every 15 minutes from 09:00 to 17:59 on Monday to Friday"),
        ("0 9-17 * * *", "On the hour from 09:00 to 17:00"),
        ("0 12 1 * *", "At 12:00 on the 1st of the month"),
        ("0 12 1,15 * *", "At 12:00 on the 1st and 15th of the month"),
        ("0 12 L * *", "At 12:00 on the last day of the month"),
        ("0 12 15W * *", "At 12:00 on the working day nearest the 15th of the month"),
        ("0 12 * * 1#1", "At 12:00 on the 1st Monday of the month"),
        ("0 12 * * 5L", "At 12:00 on the last Friday of the month"),
        ("0 0 13 * 5", "At 00:00 on the 13th of the month and on Friday"),
        ("0 0 13 * +5", "At 00:00 on the 13th of the month if it is Friday"),
        ("0 0 24 12 *", "At 00:00 on the 24th of the month in December"),
        ("0 0 * 6-8 *", "At 00:00 every day in June to August"),
        ("30 0 7 * * *", "At 07:00:30 every day"),
        ("*/10 * * * * *", "Every 10 seconds"),
    ];
    for (expression, words) in cases {
        assert_eq!(say(&cron(expression, "")), words, "{expression}");
    }
    assert_eq!(say(&cron("0 7 * * 1-5", "Europe/Berlin")), "At 07:00 on Monday to Friday, Europe/Berlin time");
}

#[test]
fn other_timings_in_words() {
    let every = |minutes| say(&Timing::Every { minutes, from: at("2026-11-20T07:00:00Z") });
    assert_eq!(
        [1, 5, 60, 90, 120, 2_880].map(every),
        ["Every minute", "Every 5 minutes", "Every hour", "Every 90 minutes", "Every 2 hours", "Every 2 days"]
    );
    assert_eq!(say(&Timing::Once { at: at("2026-11-21T07:00:00Z") }), "Once, on Sat 21 Nov 2026 at 07:00");
    let file = Trigger::File { path: PathBuf::from("/in"), pattern: "*.csv".to_owned() };
    assert_eq!(say(&Timing::When { trigger: file }), "When a file *.csv in /in is made or changed");
    let commit = Trigger::Commit { repository: PathBuf::from("/code"), branch: "main".to_owned() };
    assert_eq!(say(&Timing::When { trigger: commit }), "When a commit appears on main in /code");
}

#[test]
fn next_times_in_words_tell_of_changes_of_the_clocks() {
    let timing = cron("0 7 * * *", "Europe/Berlin");
    let rule = Rule::read(&timing, &TimeZone::UTC).unwrap();
    let next = |now: &str, count| -> Vec<String> {
        preview(&timing, &rule, at(now), count).next.into_iter().map(|next| next.words).collect()
    };
    let days = next("2026-11-20T05:00:00Z", 3);
    assert_eq!(days, ["today, Fri 20 Nov at 07:00", "tomorrow, Sat 21 Nov at 07:00", "Sun 22 Nov at 07:00"]);
    let autumn = next("2026-10-23T06:00:00Z", 3);
    assert_eq!(autumn[1], "Sun 25 Oct at 07:00 (the clocks go back an hour on Sun 25 Oct)");
    assert_eq!(autumn[2], "Mon 26 Oct at 07:00");
    assert_eq!(
        next("2027-03-27T07:00:00Z", 1),
        ["tomorrow, Sun 28 Mar at 07:00 (the clocks go forward an hour on Sun 28 Mar)"]
    );
    assert_eq!(next("2026-12-30T07:00:00Z", 2)[1], "Fri 1 Jan 2027 at 07:00");
    let lord = cron("0 7 * * *", "Australia/Lord_Howe");
    let rule = Rule::read(&lord, &TimeZone::UTC).unwrap();
    let half = preview(&lord, &rule, at("2026-10-02T22:00:00Z"), 1);
    assert!(half.next[0].words.ends_with("(the clocks go forward 30 minutes on Sun 4 Oct)"), "{half:?}");
    assert_eq!(preview(&timing, &rule, at("2026-10-02T22:00:00Z"), u32::MAX).next.len(), 50);
}
