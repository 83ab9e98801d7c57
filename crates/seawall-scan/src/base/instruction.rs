//! What builders write into an image's history, turned back into the Dockerfile's words.

/// The instruction that a Dockerfile would hold for a history entry's `created_by`.
///
/// The classic builder runs everything through a shell and marks instructions that ran nothing
/// with the comment `#(nop)`; BuildKit writes the instruction and ends it with `# buildkit`. Both
/// put build arguments before the shell, as `|<count> NAME=value ...`.
#[must_use]
pub fn instruction(created_by: &str) -> String {
    let text = created_by.trim();
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim_end();
    if let Some((shell, rest)) = text.split_once("#(nop)")
        && is_shell(shell.trim())
    {
        return without_in(rest.trim());
    }
    if let Some(command) = text.strip_prefix("RUN ") {
        return format!("RUN {}", command_of(command));
    }
    if text.starts_with('|') || text.starts_with("/bin/sh -c ") {
        return format!("RUN {}", command_of(text));
    }
    // A shell chosen with SHELL stands before its command.
    if text.starts_with('/') {
        return format!("RUN {text}");
    }
    text.to_owned()
}

fn is_shell(text: &str) -> bool {
    text.ends_with("-c") || text.ends_with("/S /C")
}

/// The classic builder writes `ADD file:1234 in /target`.
fn without_in(text: &str) -> String {
    let copies = text.starts_with("ADD ") || text.starts_with("COPY ");
    match text.split_once(" in ") {
        Some((from, to)) if copies => format!("{from} {to}"),
        _ => text.to_owned(),
    }
}

/// The command without the build arguments and the shell before it.
fn command_of(text: &str) -> &str {
    const SHELL: &str = "/bin/sh -c ";
    let text = text.trim_start();
    let command = if text.starts_with('|') {
        text.split_once(SHELL).map(|(_, command)| command)
    } else {
        text.strip_prefix(SHELL)
    };
    command.unwrap_or(text).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_reads_as_a_dockerfile() {
        for (created_by, expected) in [
            ("/bin/sh -c #(nop)  CMD [\"bash\"]", "CMD [\"bash\"]"),
            (
                "/bin/sh -c #(nop) ADD file:0123abcd in / ",
                "ADD file:0123abcd /",
            ),
            (
                "/bin/sh -c apt-get update && apt-get install -y curl",
                "RUN apt-get update && apt-get install -y curl",
            ),
            (
                "|2 A=1 B=two words /bin/sh -c make install",
                "RUN make install",
            ),
            (
                "RUN /bin/sh -c apt-get update # buildkit",
                "RUN apt-get update",
            ),
            (
                "RUN |1 VERSION=3 /bin/sh -c ./configure # buildkit",
                "RUN ./configure",
            ),
            ("COPY . /app # buildkit", "COPY . /app"),
            (
                "CMD [\"node\" \"server.js\"]",
                "CMD [\"node\" \"server.js\"]",
            ),
            (
                "/bin/bash -o pipefail -c curl x | sh",
                "RUN /bin/bash -o pipefail -c curl x | sh",
            ),
            (
                "# debian.sh --arch 'amd64' out/ 'bookworm'",
                "# debian.sh --arch 'amd64' out/ 'bookworm'",
            ),
            ("", ""),
        ] {
            assert_eq!(instruction(created_by), expected, "{created_by}");
        }
    }
}
