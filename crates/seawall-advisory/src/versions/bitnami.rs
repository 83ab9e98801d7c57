//! Bitnami: semantic versions, with a revision where they would have a pre-release of one number
//! (`2.4.57-1` is Bitnami's second build of 2.4.57; github.com/bitnami/go-version). No revision is
//! revision 0. A word after the hyphen begins a pre-release as it does elsewhere.

use super::semver::{self, Version as Semantic};
use super::{Scheme, number};
use std::cmp::Ordering;

pub(super) struct Bitnami;

pub(super) struct Version<'a> {
    core: &'a str,
    pre_release: Option<&'a str>,
    revision: &'a str,
}

impl Scheme for Bitnami {
    type Version<'a> = Version<'a>;

    fn parse(text: &str) -> Result<Version<'_>, &'static str> {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let version = Semantic::parse(text, 1..=usize::MAX)?;
        let (pre_release, revision) = match version.pre_release {
            Some(revision) if number::is_number(revision) => (None, revision),
            pre_release => (pre_release, ""),
        };
        Ok(Version {
            core: version.core,
            pre_release,
            revision,
        })
    }

    fn order(a: &Version<'_>, b: &Version<'_>) -> Ordering {
        semver::order_core(a.core, b.core)
            .then_with(|| semver::order_pre_release(a.pre_release, b.pre_release))
            .then_with(|| number::order(a.revision, b.revision))
    }
}
