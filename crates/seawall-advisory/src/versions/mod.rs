//! Version schemes, one file each, every one against its ecosystem's own rules.
//!
//! All are written here rather than taken from crates, for three reasons that hold for each:
//! foreign versions hold runs of digits of any length, where `semver`, `nodejs-semver` and
//! `pep440_rs` stop at 64 bits and refuse the version; a comparison must borrow its text and
//! allocate little or nothing, as a scan makes tens of thousands; and what ecosystems tolerate
//! beside their own grammar (`v1.2`, `1.0rc1`) differs from what those crates tolerate.
//!
//! Within a scheme [`compare`] is a total order on all accepted texts (a preorder: different
//! spellings of one version are equal), takes time linear in their length and never panics.

use crate::VersionRange;
use crate::database::stored::{End, Range};
use seawall_model::VersionScheme;
use std::cmp::Ordering;

mod apk;
mod bitnami;
mod cargo;
mod composer;
mod cran;
mod deb;
mod generic;
mod go;
mod hackage;
mod hex;
mod maven;
mod npm;
mod nuget;
mod number;
mod pep440;
mod pub_dev;
mod rpm;
mod rubygems;
mod semver;

#[cfg(test)]
mod tests;

/// A version that its scheme does not accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{version}' is not a {} version: {reason}", scheme.name())]
pub struct VersionError {
    /// The scheme.
    pub scheme: VersionScheme,
    /// The text.
    pub version: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// The rules of one ecosystem.
trait Scheme {
    /// A version taken apart, borrowing from its text.
    type Version<'a>;
    /// Takes a version apart, or says what is wrong with it. White space around it is already
    /// gone, and it is not empty.
    fn parse(text: &str) -> Result<Self::Version<'_>, &'static str>;
    /// The order of two versions: antisymmetric and transitive.
    fn order(a: &Self::Version<'_>, b: &Self::Version<'_>) -> Ordering;
}

/// The operations of a scheme with its types erased.
struct Rules {
    validate: fn(&str) -> Result<(), &'static str>,
    compare: fn(&str, &str) -> Result<Ordering, Refusal>,
}

/// Which of two versions was refused, and why.
enum Refusal {
    First(&'static str),
    Second(&'static str),
}

impl Rules {
    const fn of<S: Scheme>() -> Self {
        Self {
            validate: |text| parse::<S>(text).map(drop),
            compare: |a, b| {
                let a = parse::<S>(a).map_err(Refusal::First)?;
                let b = parse::<S>(b).map_err(Refusal::Second)?;
                Ok(S::order(&a, &b))
            },
        }
    }
}

fn parse<S: Scheme>(text: &str) -> Result<S::Version<'_>, &'static str> {
    match text.trim_ascii() {
        "" => Err("it is empty"),
        text => S::parse(text),
    }
}

fn rules(scheme: VersionScheme) -> Rules {
    match scheme {
        VersionScheme::Deb => Rules::of::<deb::Deb>(),
        VersionScheme::Rpm => Rules::of::<rpm::Rpm>(),
        VersionScheme::Apk => Rules::of::<apk::Apk>(),
        VersionScheme::Semver => Rules::of::<semver::Semver>(),
        VersionScheme::Npm => Rules::of::<npm::Npm>(),
        VersionScheme::Pep440 => Rules::of::<pep440::Pep440>(),
        VersionScheme::Maven => Rules::of::<maven::Maven>(),
        VersionScheme::RubyGems => Rules::of::<rubygems::RubyGems>(),
        VersionScheme::Composer => Rules::of::<composer::Composer>(),
        VersionScheme::NuGet => Rules::of::<nuget::NuGet>(),
        VersionScheme::Go => Rules::of::<go::Go>(),
        VersionScheme::Cargo => Rules::of::<cargo::Cargo>(),
        VersionScheme::Hex => Rules::of::<hex::Hex>(),
        VersionScheme::Pub => Rules::of::<pub_dev::Pub>(),
        VersionScheme::Cran => Rules::of::<cran::Cran>(),
        VersionScheme::Hackage => Rules::of::<hackage::Hackage>(),
        VersionScheme::Bitnami => Rules::of::<bitnami::Bitnami>(),
        VersionScheme::Generic => Rules::of::<generic::Generic>(),
    }
}

fn refused(scheme: VersionScheme, version: &str, reason: &'static str) -> VersionError {
    VersionError {
        scheme,
        version: version.to_owned(),
        reason,
    }
}

/// Checks that a text is a version of the scheme, as forgiving as the ecosystem's own tools are
/// (each scheme's file says how forgiving that is).
///
/// # Errors
/// It is not. Exactly these texts are refused by [`compare`] and [`contains`] too.
pub fn validate(scheme: VersionScheme, version: &str) -> Result<(), VersionError> {
    (rules(scheme).validate)(version).map_err(|reason| refused(scheme, version, reason))
}

/// Compares two versions by their scheme's rules.
///
/// # Errors
/// One of them is not a version of the scheme. Schemes that order any text (rpm, maven, generic)
/// refuse only the empty one.
pub fn compare(scheme: VersionScheme, a: &str, b: &str) -> Result<Ordering, VersionError> {
    (rules(scheme).compare)(a, b).map_err(|refusal| match refusal {
        Refusal::First(reason) => refused(scheme, a, reason),
        Refusal::Second(reason) => refused(scheme, b, reason),
    })
}

/// Whether a version lies in a range. Ends are compared by plain order, pre-releases included, as
/// the OSV schema has it ("Evaluation"). An `introduced` of `0` means from the beginning, even
/// where the scheme has versions below 0.
///
/// Two ecosystems refine this: an rpm bound without a release means every release of that version,
/// as in rpm's own dependencies; and a branch of a Composer package (`dev-main`) has no place
/// among the versions, so that no range can tell whether it is affected.
///
/// # Errors
/// The version or a bound is not a version of the scheme, or is a branch.
pub fn contains(
    scheme: VersionScheme,
    version: &str,
    range: &VersionRange,
) -> Result<bool, VersionError> {
    placeable(scheme, version)?;
    within(scheme, version, &Range::new(range))
}

/// Checks that a version has a place among the versions of its scheme.
pub(crate) fn placeable(scheme: VersionScheme, version: &str) -> Result<(), VersionError> {
    validate(scheme, version)?;
    if scheme == VersionScheme::Composer && composer::is_branch(version.trim_ascii()) {
        let reason = "a branch has no place among the versions";
        return Err(refused(scheme, version, reason));
    }
    Ok(())
}

/// [`contains`] for a version that is known to be [`placeable`], and a range as it is stored.
pub(crate) fn within(
    scheme: VersionScheme,
    version: &str,
    range: &Range<'_>,
) -> Result<bool, VersionError> {
    if let Some(introduced) = range.introduced {
        let from_beginning = matches!(introduced.trim_ascii(), "" | "0");
        let outside = if range.introduced_exclusive {
            compare_with_bound(scheme, version, introduced)?.is_le()
        } else {
            !from_beginning && compare(scheme, version, introduced)?.is_lt()
        };
        if outside {
            return Ok(false);
        }
    }
    match range.end {
        End::Fixed(end) | End::Before(end) => Ok(compare(scheme, version, end)?.is_lt()),
        End::LastAffected(last) => Ok(compare_with_bound(scheme, version, last)?.is_le()),
        End::Open => Ok(true),
    }
}

/// Compares with a bound that stands for every rpm release of a version if it states none.
fn compare_with_bound(
    scheme: VersionScheme,
    version: &str,
    bound: &str,
) -> Result<Ordering, VersionError> {
    match scheme {
        VersionScheme::Rpm if !rpm::has_release(bound) => {
            compare(scheme, rpm::without_release(version), bound)
        }
        _ => compare(scheme, version, bound),
    }
}
