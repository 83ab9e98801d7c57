//! Titles and dates, as the feeds leave them to be made out.

use std::collections::HashSet;

/// The longest title, in characters.
const TITLE: usize = 160;

/// A one-line title: the publisher's own, or the first line of the text that is no heading. Cut at
/// a word's end.
pub(super) fn title(summary: Option<&str>, details: Option<&str>) -> String {
    let own = summary.map(str::trim).filter(|text| !text.is_empty());
    let line = own.or_else(|| {
        details?
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with(['#', '-', '=']))
    });
    let line = line.unwrap_or_default();
    let line: String = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((cut, _)) = line.char_indices().nth(TITLE) else {
        return line;
    };
    let head = line.get(..cut).unwrap_or_default();
    let head = head.rsplit_once(' ').map_or(head, |(words, _)| words);
    format!("{head}...")
}

/// Whether a bulletin that names no flaw is about none by its title: Debian sends new data and repairs
/// of earlier bulletins on the same list (`tzdata - new timezone database`). Its older bulletins on
/// flaws name none either, so a title that leaves it open is of one.
pub(super) fn is_maintenance(title: &str) -> bool {
    const WORDS: &[&str] = &[
        "bugfix",
        "database update",
        "new package",
        "new timezone database",
        "new upstream version",
        "regression",
        "version number correction",
    ];
    let title = title.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| title.contains(word));
    has(WORDS) && !has(&["security", "vulnerabilit"])
}

/// A date as records keep it, RFC 3339 or `YYYY-MM-DD`. A time without a zone is taken as UTC, and
/// one not set off by `T` is dropped. `None` for what is no date, and for the zero date that Go
/// programs write for "not known".
pub(super) fn date(text: &str) -> Option<String> {
    let text = text.trim();
    let day = text.get(..10)?;
    let shape = day.bytes().enumerate().all(|(index, byte)| match index {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if !shape || day.starts_with("000") {
        return None;
    }
    let time = text.get(10..).unwrap_or_default();
    Some(match time.strip_prefix('T') {
        None => day.to_owned(),
        Some(time) if time.ends_with('Z') || time.contains(['+', '-']) => text.to_owned(),
        Some(_) => format!("{text}Z"),
    })
}

/// The first CVE number in a text.
pub(super) fn cve(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        let (_, after) = rest.split_once("CVE-")?;
        let start = text.len() - after.len() - 4;
        let (year, digits) = after.split_once('-').unwrap_or((after, ""));
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        if year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()) && length >= 4 {
            return text.get(start..start + 9 + length);
        }
        rest = after;
    }
}

/// All CVE numbers in a text, each once.
pub(super) fn cves(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut rest = text;
    while let Some(number) = cve(rest) {
        if seen.insert(number) {
            found.push(number.to_owned());
        }
        rest = rest.split_once(number).map_or("", |(_, after)| after);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_made_from_what_there_is() {
        for (summary, details, expected) in [
            (Some(" A title "), Some("text"), "A title"),
            (None, Some("# Head\n\n First   line\nsecond"), "First line"),
            (Some(""), None, ""),
            (None, None, ""),
        ] {
            assert_eq!(title(summary, details), expected);
        }
        let long = title(None, Some(&"wörter ".repeat(40)));
        assert!(
            long.chars().count() <= TITLE + 3 && long.ends_with("wörter..."),
            "{long}"
        );
    }

    #[test]
    fn bulletins_about_new_data_and_repairs_were_findings() {
        for (title, expected) in [
            ("tzdata - new timezone database", true),
            ("libdatetime-timezone-perl - new upstream version", true),
            ("openssl - regression update", true),
            ("PHP regression", true),
            ("postgresql-11 - bugfix update", true),
            ("bash - version number correction", true),
            ("openssl - security update", false),
            ("linux - security regression", false),
            ("ca-certificates - mis-issued intermediates", false),
            ("ffmpeg - update", false),
            ("several vulnerabilities", false),
            ("", false),
        ] {
            assert_eq!(is_maintenance(title), expected, "{title}");
        }
    }

    #[test]
    fn dates_that_mean_nothing_are_dropped() {
        assert_eq!(date("0001-01-01T00:00:00Z"), None);
        for (text, expected) in [
            (" 2024-02-03 ", "2024-02-03"),
            ("2024-02-03 04:05:06", "2024-02-03"),
            ("2024-02-03T04:05:06.789", "2024-02-03T04:05:06.789Z"),
            ("2024-02-03T04:05:06+01:00", "2024-02-03T04:05:06+01:00"),
        ] {
            assert_eq!(date(text).as_deref(), Some(expected));
        }
        assert_eq!(date("soon"), None);
        assert_eq!(date(""), None);
    }

    #[test]
    fn cve_numbers_are_found_inside_texts() {
        for (text, expected) in [
            ("UBUNTU-CVE-2014-2901", "CVE-2014-2901"),
            ("DHI-CVE-2016-2781-coreutils", "CVE-2016-2781"),
            (
                "CVE-2024-1234567,CVE-2024-0001 CVE-2024-0001",
                "CVE-2024-1234567 CVE-2024-0001",
            ),
            ("CVE-2 CVE-20é4-1234 CVE-", ""),
            ("CVE-CVE-2020-11984", "CVE-2020-11984"),
            ("BIT-apache-2020-11984", ""),
        ] {
            assert_eq!(cves(text).join(" "), expected, "{text}");
        }
    }
}
