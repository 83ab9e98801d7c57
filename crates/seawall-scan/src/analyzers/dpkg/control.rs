//! Paragraphs of fields, as in deb822(5).

/// One paragraph.
#[derive(Debug)]
pub(super) struct Paragraph<'a> {
    /// Where it begins, in bytes.
    pub(super) offset: usize,
    /// Where the next one begins, if no blank line is between them.
    pub(super) runs_into: Option<usize>,
    /// Those that are asked for, each once.
    fields: Vec<(&'a str, &'a str)>,
}

/// The fields that are asked for. A paragraph may have any number of others.
const ASKED: [&str; 6] = [
    "Package",
    "Status",
    "Version",
    "Architecture",
    "Maintainer",
    "Source",
];

impl<'a> Paragraph<'a> {
    /// The first line of the value of a field out of [`ASKED`]. Where it is there several times, the
    /// first that is not empty counts.
    pub(super) fn field(&self, name: &str) -> Option<&'a str> {
        value_of(name, &self.fields)
    }
}

/// Field names are compared without regard to case.
fn value_of<'a>(name: &str, fields: &[(&'a str, &'a str)]) -> Option<&'a str> {
    let mut fields = fields.iter();
    let field = fields.find(|(own, _)| own.eq_ignore_ascii_case(name));
    field.map(|(_, value)| *value)
}

/// The paragraphs of a text, separated by blank lines. A second `Package` field begins another
/// paragraph even where the blank line is lost, or its package would be too. Continuation lines are skipped: no field
/// that is asked for has any.
#[derive(Debug)]
pub(super) struct Paragraphs<'a> {
    rest: &'a str,
    offset: usize,
}

impl<'a> Paragraphs<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            offset: 0,
        }
    }

    fn next_line(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = match self.rest.split_once('\n') {
            Some((line, rest)) => (line, rest),
            None => (self.rest, ""),
        };
        self.offset += self.rest.len() - rest.len();
        self.rest = rest;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

impl<'a> Iterator for Paragraphs<'a> {
    type Item = Paragraph<'a>;

    fn next(&mut self) -> Option<Paragraph<'a>> {
        let mut fields: Vec<(&str, &str)> = Vec::new();
        let (mut is_empty, mut has_package) = (true, false);
        let mut offset = self.offset;
        let mut runs_into = None;
        let is_package = |name: &str| name.eq_ignore_ascii_case("Package");
        loop {
            let line_start = (self.rest, self.offset);
            let Some(line) = self.next_line() else {
                break;
            };
            if line.trim().is_empty() {
                if !is_empty {
                    break;
                }
                offset = self.offset;
            } else if !line.starts_with([' ', '\t', '#'])
                && let Some((name, value)) = line.split_once(':')
            {
                if is_package(name) && has_package {
                    (self.rest, self.offset) = line_start;
                    runs_into = Some(self.offset);
                    break;
                }
                is_empty = false;
                has_package |= is_package(name);
                let value = value.trim();
                let is_asked = ASKED.iter().any(|asked| asked.eq_ignore_ascii_case(name));
                if is_asked && !value.is_empty() && value_of(name, &fields).is_none() {
                    fields.push((name, value));
                }
            }
        }
        (!is_empty).then_some(Paragraph {
            offset,
            runs_into,
            fields,
        })
    }
}
