//! The picture in the README: what the product says of a small image made here, so that whoever runs
//! the chore gets the same bytes.

mod image;
mod svg;

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

/// What stands in the picture's first line.
const COMMAND: &str = "seawall scan image shop.tar --owner shop-team --fail-on critical";

const IGNORE_FILE: &str = "\
ignore:
  - id: CVE-2021-23337
    reason: templates are never built from user input
    expires: 2099-01-01
";

/// Builds the product, scans, and writes `docs/picture.svg`.
pub(crate) fn draw() -> Result<()> {
    crate::run(
        Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "seawall"])
            .current_dir(crate::root()),
    )?;
    let work = crate::target_dir().join("picture");
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| work.display().to_string())?;
    }
    fs::create_dir_all(&work).with_context(|| work.display().to_string())?;
    fs::write(work.join("base.tar"), image::base()?)?;
    fs::write(work.join("shop.tar"), image::shop()?)?;
    fs::write(work.join(".seawallignore.yaml"), IGNORE_FILE)?;

    let feeds = crate::root().join("xtask/src/picture/feeds");
    seawall(&work, "db build --quiet --from")
        .arg(&feeds)
        .output_of()?;
    seawall(
        &work,
        "base add base.tar --name debian:12 --owner platform-team",
    )
    .output_of()?;
    let words = COMMAND.strip_prefix("seawall ").unwrap_or(COMMAND);
    let text = seawall(&work, words)
        .args(["--color", "always"])
        .output_of()?;
    let picture = svg::draw(COMMAND, &without_time(&text));
    let path = crate::root().join("docs/picture.svg");
    fs::write(&path, picture).with_context(|| path.display().to_string())?;
    println!("wrote {}", path.display());
    Ok(())
}

/// The product, with a home of its own.
fn seawall(home: &Path, words: &str) -> Run {
    let mut command = Command::new(crate::target_dir().join("debug/seawall"));
    command
        .args(words.split(' '))
        .current_dir(home)
        .env_clear()
        .env("HOME", home);
    Run(command)
}

struct Run(Command);

impl Run {
    fn arg(mut self, arg: impl AsRef<std::ffi::OsStr>) -> Self {
        self.0.arg(arg);
        self
    }

    fn args(mut self, args: [&str; 2]) -> Self {
        self.0.args(args);
        self
    }

    /// What it printed. 1 is no failure: it says that there are findings over the threshold.
    fn output_of(mut self) -> Result<String> {
        let output = self.0.output().with_context(|| format!("{:?}", self.0))?;
        anyhow::ensure!(
            matches!(output.status.code(), Some(0 | 1)),
            "{:?} ended with {}: {}",
            self.0,
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// The time that the scan took is the one line that is another one each time.
fn without_time(text: &str) -> String {
    let is_time = |line: &&str| line.trim_end().ends_with(" s") && line.contains("time");
    let kept: Vec<&str> = text.lines().filter(|line| !is_time(line)).collect();
    kept.join("\n")
}
