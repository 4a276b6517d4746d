//! Numbers and times as a person reads them. `assets/page.mjs` says them the same way.

use time::OffsetDateTime;

/// `1234567` as `1,234,567`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes, rounded down: `999 B`, `1.4 KiB`, `3.0 MiB`.
#[must_use]
pub fn bytes(number: u64) -> String {
    let mut scaled = number;
    for (at, unit) in ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"].into_iter().enumerate() {
        if scaled < 1024 {
            // The tenths are those of the step before: 1024 of it are one.
            let tenths = |step: u32| (number >> (10 * step.saturating_sub(1))) % 1024 * 10 / 1024;
            return u32::try_from(at)
                .ok()
                .filter(|step| *step > 0)
                .map_or(format!("{scaled} {unit}"), |step| format!("{scaled}.{} {unit}", tenths(step)));
        }
        scaled >>= 10;
    }
    format!("{number} B")
}

/// A time that has passed, its two greatest units: `3 d 4 h`, `12 min 5 s`.
#[must_use]
pub fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{} d {hours} h", count(days)),
    }
}

/// A time: `2027-01-15 08:00:00 UTC`.
#[must_use]
pub fn moment(seconds: u64) -> String {
    at(seconds).map_or_else(|| format!("second {seconds}"), |time| format!("{} {} UTC", time.date(), clock(time)))
}

/// A time for programs: `2027-01-15T08:00:00Z`.
#[must_use]
pub fn stamp(seconds: u64) -> String {
    at(seconds).map_or_else(String::new, |time| format!("{}T{}Z", time.date(), clock(time)))
}

fn at(seconds: u64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()
}

fn clock(time: OffsetDateTime) -> String {
    format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

/// One of it, or more.
#[must_use]
pub fn of(number: u64, one: &str, more: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { more })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let all = [0, 999, 1000, 1_234_567, u64::MAX].map(count);
        assert_eq!(all, ["0", "999", "1,000", "1,234,567", "18,446,744,073,709,551,615"]);
        assert_eq!([of(1, "entry", "entries"), of(2, "entry", "entries")], ["1 entry", "2 entries"]);
    }

    #[test]
    fn bytes_have_a_unit() {
        let all = [0, 1023, 1024, 1536, 1_048_575, 1_048_576, 5_000_000_000, u64::MAX].map(bytes);
        assert_eq!(all, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1023.9 KiB", "1.0 MiB", "4.6 GiB", "15.9 EiB"]);
    }

    #[test]
    fn times_are_said_in_two_units() {
        let all = [0, 59, 60, 3599, 3600, 86_399, 86_400, 1_000_000].map(span);
        assert_eq!(all, ["0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "23 h 59 min", "1 d 0 h", "11 d 13 h"]);
        assert_eq!(moment(1_800_000_000), "2027-01-15 08:00:00 UTC");
        assert_eq!(stamp(1_800_000_000), "2027-01-15T08:00:00Z");
        assert_eq!(moment(u64::MAX), format!("second {}", u64::MAX));
    }
}
