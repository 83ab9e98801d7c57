//! A terminal's text with colours (SGR, ECMA-48 section 8.3.117), as SVG.

/// Width of a character and height of a line, in pixels at the font size below.
const COLUMN: f64 = 7.8;
const LINE: f64 = 18.0;
const FONT_SIZE: f64 = 13.0;
const MARGIN: f64 = 18.0;
/// Height of the window's title bar.
const BAR: f64 = 34.0;

/// How a run of text looks.
#[derive(Clone, Copy, PartialEq, Default)]
struct Look {
    bold: bool,
    faint: bool,
    color: Option<&'static str>,
}

/// A window with a prompt, the command and what it printed.
pub(crate) fn draw(command: &str, output: &str) -> String {
    let lines: Vec<Vec<(String, Look)>> = output.lines().map(runs).collect();
    let columns = lines
        .iter()
        .map(|line| line.iter().map(|(text, _)| text.chars().count()).sum())
        .max()
        .unwrap_or(0)
        .max(80);
    let width = columns as f64 * COLUMN + 2.0 * MARGIN;
    let height = BAR + (lines.len() + 2) as f64 * LINE + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" aria-label=\"{}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#11161d\"/>\n",
        escaped(command)
    );
    for (number, color) in ["#ff5f57", "#febc2e", "#28c840"].into_iter().enumerate() {
        let x = MARGIN + 4.0 + number as f64 * 20.0;
        svg.push_str(&format!(
            "<circle cx=\"{x}\" cy=\"18\" r=\"6\" fill=\"{color}\"/>\n"
        ));
    }
    svg.push_str(&format!(
        "<g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', \
         'Liberation Mono', monospace\" font-size=\"{FONT_SIZE}\" fill=\"#d5dde6\">\n"
    ));
    let prompt = Look {
        color: Some("#5ad07a"),
        ..Look::default()
    };
    let typed = Look {
        bold: true,
        ..Look::default()
    };
    let first = vec![("$ ".to_owned(), prompt), (command.to_owned(), typed)];
    let all = std::iter::once(first)
        .chain(std::iter::once(Vec::new()))
        .chain(lines);
    for (number, line) in all.enumerate() {
        let y = BAR + MARGIN + number as f64 * LINE;
        let mut column = 0;
        for (text, look) in line {
            for (blanks, word) in words(&text) {
                svg.push_str(&run(word, column + blanks, y, look));
            }
            column += text.chars().count();
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// The parts between several blanks, with their columns: SVG takes several blanks for one.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut column = 0;
    for part in text.split("  ") {
        let blanks = part.chars().take_while(|c| *c == ' ').count();
        let word = part.trim();
        if !word.is_empty() {
            words.push((column + blanks, word));
        }
        column += part.chars().count() + 2;
    }
    words
}

/// Each run is set to its columns, whatever font is at hand.
fn run(text: &str, column: usize, y: f64, look: Look) -> String {
    let x = MARGIN + column as f64 * COLUMN;
    let length = text.chars().count() as f64 * COLUMN;
    let mut attributes = String::new();
    if look.bold {
        attributes.push_str(" font-weight=\"bold\"");
    }
    if look.faint {
        attributes.push_str(" fill-opacity=\"0.62\"");
    }
    if let Some(color) = look.color {
        attributes.push_str(&format!(" fill=\"{color}\""));
    }
    format!(
        "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{length:.1}\" \
         lengthAdjust=\"spacingAndGlyphs\"{attributes}>{}</text>\n",
        escaped(text)
    )
}

/// A line's text by its looks.
fn runs(line: &str) -> Vec<(String, Look)> {
    let mut runs: Vec<(String, Look)> = Vec::new();
    let mut look = Look::default();
    let mut parts = line.split("\x1b[");
    let mut push = |text: &str, look: Look| match runs.last_mut() {
        _ if text.is_empty() => {}
        Some((last, same)) if *same == look => last.push_str(text),
        _ => runs.push((text.to_owned(), look)),
    };
    push(parts.next().unwrap_or_default(), look);
    for part in parts {
        let Some((codes, text)) = part.split_once('m') else {
            continue;
        };
        for code in codes.split(';') {
            match code {
                "" | "0" => look = Look::default(),
                "1" => look.bold = true,
                "2" => look.faint = true,
                "31" => look.color = Some("#ff6b68"),
                "32" => look.color = Some("#5ad07a"),
                "33" => look.color = Some("#f2c14e"),
                "36" => look.color = Some("#5fc9d8"),
                _ => {}
            }
        }
        push(text, look);
    }
    runs
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_attributes_and_text_keeps_its_columns() {
        let svg = draw("x <1>", "plain \x1b[1m\x1b[31mred\x1b[0m & more");
        assert!(svg.contains(">x &lt;1&gt;</text>"));
        assert!(svg.contains("font-weight=\"bold\" fill=\"#ff6b68\">red</text>"));
        // `& more` stands behind ten columns.
        let x = MARGIN + 10.0 * COLUMN;
        assert!(svg.contains(&format!("<text x=\"{x:.1}\"")), "{svg}");
        assert!(!svg.contains('\x1b'));
        assert_eq!(words(" a  b c   d  "), [(1, "a"), (4, "b c"), (10, "d")]);
    }
}
