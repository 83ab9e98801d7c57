//! Titles and dates, as the feeds leave them to be made out.

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

/// A date as the record shall keep it: trimmed; `None` for the zero date that Go programs write
/// for "not known", and for what does not begin with a year.
pub(super) fn date(text: &str) -> Option<String> {
    let text = text.trim();
    let year = text.get(..4)?;
    let known = year.bytes().all(|b| b.is_ascii_digit()) && year != "0001" && year != "0000";
    known.then(|| text.to_owned())
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
    fn dates_that_mean_nothing_are_dropped() {
        assert_eq!(date("0001-01-01T00:00:00Z"), None);
        assert_eq!(date(" 2024-02-03 ").as_deref(), Some("2024-02-03"));
        assert_eq!(date("soon"), None);
        assert_eq!(date(""), None);
    }
}
