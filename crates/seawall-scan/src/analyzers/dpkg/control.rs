//! Paragraphs of fields, as in deb822(5).

/// One paragraph.
#[derive(Debug)]
pub(super) struct Paragraph<'a> {
    /// Where it begins, in bytes.
    pub(super) offset: usize,
    /// Where the next one begins, if no blank line is between them.
    pub(super) runs_into: Option<usize>,
    fields: Vec<(&'a str, &'a str)>,
}

impl<'a> Paragraph<'a> {
    /// The first line of a field's value; field names are compared without regard to case. An
    /// empty value counts as none.
    pub(super) fn field(&self, name: &str) -> Option<&'a str> {
        self.fields
            .iter()
            .find(|(own, value)| own.eq_ignore_ascii_case(name) && !value.is_empty())
            .map(|(_, value)| *value)
    }
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
        let mut offset = self.offset;
        let mut runs_into = None;
        let is_package = |name: &str| name.eq_ignore_ascii_case("Package");
        loop {
            let line_start = (self.rest, self.offset);
            let Some(line) = self.next_line() else {
                break;
            };
            if line.trim().is_empty() {
                if !fields.is_empty() {
                    break;
                }
                offset = self.offset;
            } else if !line.starts_with([' ', '\t', '#'])
                && let Some((name, value)) = line.split_once(':')
            {
                if is_package(name) && fields.iter().any(|(own, _)| is_package(own)) {
                    (self.rest, self.offset) = line_start;
                    runs_into = Some(self.offset);
                    break;
                }
                fields.push((name, value.trim()));
            }
        }
        (!fields.is_empty()).then_some(Paragraph {
            offset,
            runs_into,
            fields,
        })
    }
}
