//! How the program ends: exit codes, and errors with what to do about them.

use seawall_report::escape;
use std::fmt;
use std::process::ExitCode;

/// The exit codes, as `--help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Clean = 0,
    Findings = 1,
    Usage = 2,
    Incomplete = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
    pub(crate) hint: Option<String>,
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// The user asked for what cannot be.
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::Usage,
            error: error.into(),
            hint: None,
        }
    }

    /// The work was begun and could not be completed.
    pub(crate) fn incomplete(error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::Incomplete,
            error: error.into(),
            hint: None,
        }
    }

    /// What the user can do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<seawall_artifact::Error> for Failure {
    fn from(error: seawall_artifact::Error) -> Self {
        let hint = error.hint().map(str::to_owned);
        let exit = match error {
            seawall_artifact::Error::Usage { .. } => Exit::Usage,
            _ => Exit::Incomplete,
        };
        Self {
            exit,
            error: error.into(),
            hint,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names of files and what registries answer are foreign text.
        let error = format!("{:#}", self.error);
        write!(f, "error: {}", escape::line(&error))?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {}", escape::line(hint))?;
        }
        Ok(())
    }
}
