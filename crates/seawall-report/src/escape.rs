//! Making foreign text harmless in the syntax it is written into.
//!
//! Package names, paths and titles come from whoever made the image or the advisory. In a terminal
//! they could move the cursor or recolour a verdict, in HTML run a script, in Markdown forge a link.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether a character acts on its surroundings and does not merely stand there: control characters
/// (C0, DEL, C1), the bidirectional controls that reorder text (Unicode UAX 9, "Trojan Source"),
/// invisible joiners, and line or paragraph separators.
pub(crate) fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// One line of plain text: every active character is shown as `\u{1b}`, blanks as one space.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_active) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' | '\t' | '\r' => safe.push(' '),
            c if is_active(c) => {
                safe.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
            }
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// Text for XML 1.0 and HTML content and quoted attributes. Characters outside XML's `Char`
/// production (section 2.2) are among those that [`line`] makes visible; the two non-characters
/// U+FFFE and U+FFFF are replaced.
#[must_use]
pub fn markup(text: &str) -> String {
    let line = line(text);
    let mut safe = String::with_capacity(line.len() + 8);
    for c in line.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// Text for Markdown, inside table cells too (GitHub Flavored Markdown): no character of it is
/// taken for syntax, HTML, a mention or an autolink.
#[must_use]
pub fn markdown(text: &str) -> String {
    let line = line(text);
    let mut safe = String::with_capacity(line.len() + 8);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            // Mentions are looked for in the rendered text, where an entity is the character again; a
            // comment stays between. A zero-width space would alter what is copied.
            '@' => safe.push_str("@<!-- -->"),
            '#' => safe.push_str("#<!-- -->"),
            // Entities stop autolinks.
            ':' if chars.peek() == Some(&'/') => safe.push_str("&#58;"),
            '.' if safe.ends_with("www") => safe.push_str("&#46;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '|' | '!' | '~' | '+'
            | '=' | '$' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}

/// Cuts text to `columns` of a terminal, with an ellipsis where something is missing. Wide (CJK)
/// characters count two.
#[must_use]
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns {
        return Cow::Borrowed(text);
    }
    let room = columns.saturating_sub(1);
    let mut used = 0;
    let mut cut = String::new();
    for c in text.chars() {
        let width = c.width().unwrap_or(0);
        if used + width > room {
            break;
        }
        used += width;
        cut.push(c);
    }
    if columns > 0 {
        cut.push('…');
    }
    Cow::Owned(cut)
}

/// Cuts text to at most `bytes`, on a character's border, with an ellipsis where something is
/// missing.
#[must_use]
pub fn shorten(text: &str, bytes: usize) -> Cow<'_, str> {
    if text.len() <= bytes {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(bytes.saturating_sub('…'.len_utf8()));
    let mut cut = text.get(..end).unwrap_or_default().to_owned();
    cut.push('…');
    Cow::Owned(cut)
}

/// The URL if it is an absolute `http` or `https` one without blanks, quotes or controls: only such
/// are written as links.
#[must_use]
pub fn link(url: &str) -> Option<&str> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    let plain = |c: char| !is_active(c) && !c.is_whitespace() && !"\"'<>\\^`{|}()[]".contains(c);
    (!rest.is_empty() && rest.chars().all(plain)).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn active_characters_are_shown_and_not_executed() {
        for (hostile, expected) in [
            ("plain-1.0", "plain-1.0"),
            ("a\x1b[31mred", "a\\u{1b}[31mred"),
            ("a\u{9b}31m", "a\\u{9b}31m"),
            ("a\r\nb\tc", "a  b c"),
            ("evil\u{202e}cod.exe", "evil\\u{202e}cod.exe"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("名前", "名前"),
        ] {
            assert_eq!(line(hostile), expected, "{hostile:?}");
        }
    }

    #[test]
    fn markup_has_no_way_out() {
        assert_eq!(
            markup("<script>alert('x')&\"\0\u{ffff}"),
            "&lt;script&gt;alert(&#39;x&#39;)&amp;&quot;\\u{0}\u{fffd}"
        );
    }

    #[test]
    fn markdown_has_no_syntax_left() {
        for (hostile, expected) in [
            ("a|b", "a\\|b"),
            ("[x](http://e)", "\\[x\\]\\(http&#58;//e\\)"),
            ("@team", "@<!-- -->team"),
            ("<img>", "&lt;img&gt;"),
            ("`c`", "\\`c\\`"),
            ("#12", "#<!-- -->12"),
            ("www.x.y", "www&#46;x.y"),
        ] {
            assert_eq!(markdown(hostile), expected, "{hostile:?}");
        }
    }

    #[test]
    fn wide_characters_count_two_columns() {
        assert_eq!(fit("漏洞漏洞", 8), "漏洞漏洞");
        assert_eq!(fit("漏洞漏洞", 7), "漏洞漏…");
        assert_eq!(fit("漏洞漏洞", 6), "漏洞…");
        assert_eq!(fit("abc", 2), "a…");
        assert_eq!(fit("abc", 0), "");
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert!(link("https://example.org/a?b=c#d").is_some());
        for bad in [
            "javascript:alert(1)",
            "https://",
            "https://a\" x",
            "data:x",
            "http://a b",
        ] {
            assert_eq!(link(bad), None, "{bad}");
        }
    }
}
