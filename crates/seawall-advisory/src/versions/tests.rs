//! One table a scheme under `vectors/`: a line is a group of equal versions with ` = ` between,
//! lines ascend, a blank line begins a new run, `!` begins what the scheme refuses, `#` comments.

use super::{VersionError, compare, contains, validate};
use crate::{Upper, VersionRange};
use proptest::prelude::*;
use seawall_model::VersionScheme;
use std::cmp::Ordering;

const TABLES: &[(VersionScheme, &str)] = &[
    (VersionScheme::Deb, include_str!("vectors/deb.txt")),
    (VersionScheme::Rpm, include_str!("vectors/rpm.txt")),
    (VersionScheme::Apk, include_str!("vectors/apk.txt")),
    (VersionScheme::Semver, include_str!("vectors/semver.txt")),
    (VersionScheme::Npm, include_str!("vectors/npm.txt")),
    (VersionScheme::Pep440, include_str!("vectors/pep440.txt")),
    (VersionScheme::Maven, include_str!("vectors/maven.txt")),
    (
        VersionScheme::RubyGems,
        include_str!("vectors/rubygems.txt"),
    ),
    (
        VersionScheme::Composer,
        include_str!("vectors/composer.txt"),
    ),
    (VersionScheme::NuGet, include_str!("vectors/nuget.txt")),
    (VersionScheme::Go, include_str!("vectors/go.txt")),
    (VersionScheme::Cargo, include_str!("vectors/cargo.txt")),
    (VersionScheme::Hex, include_str!("vectors/hex.txt")),
    (VersionScheme::Pub, include_str!("vectors/pub.txt")),
    (VersionScheme::Cran, include_str!("vectors/cran.txt")),
    (VersionScheme::Hackage, include_str!("vectors/hackage.txt")),
    (VersionScheme::Bitnami, include_str!("vectors/bitnami.txt")),
    (VersionScheme::Generic, include_str!("vectors/generic.txt")),
];

#[test]
fn every_scheme_orders_its_table() {
    for (scheme, table) in TABLES {
        check(*scheme, table);
    }
}

fn check(scheme: VersionScheme, table: &str) {
    let mut run: Vec<(&str, usize)> = Vec::new();
    for (group, line) in table.lines().enumerate() {
        if line.is_empty() {
            run.clear();
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        if let Some(refused) = line.strip_prefix('!') {
            assert!(
                validate(scheme, refused).is_err(),
                "{scheme:?} accepts '{refused}'"
            );
            continue;
        }
        run.extend(line.split(" = ").map(|version| (version, group)));
        for (a, group_a) in &run {
            for (b, group_b) in &run {
                let order = compare(scheme, a, b);
                assert_eq!(order, Ok(group_a.cmp(group_b)), "{scheme:?} {a} {b}");
            }
        }
    }
}

#[test]
fn a_range_holds_what_lies_between_its_ends() {
    use VersionScheme::{Apk, Cargo, Go, Npm, Rpm};
    let fixed = |v: &str| Upper::Fixed(v.to_owned());
    let last = |v: &str| Upper::LastAffected(v.to_owned());
    for (scheme, version, introduced, upper, expected) in [
        (Npm, "1.2.3", Some("1.2.3"), fixed("1.2.4"), true),
        (Npm, "1.2.4", Some("1.2.3"), fixed("1.2.4"), false),
        (Npm, "1.2.4-rc.1", Some("1.2.3"), fixed("1.2.4"), true),
        (Npm, "1.2.3", Some("1.0.0"), last("1.2.3"), true),
        (Npm, "1.2.4", Some("1.0.0"), last("1.2.3"), false),
        (Npm, "99.0.0", None, Upper::Open, true),
        (Npm, "1.0.0", None, Upper::Before("1.0.0".to_owned()), false),
        // Below "0" as a version, but "0" means from the beginning.
        (Cargo, "0.0.0-alpha", Some("0"), fixed("0.1.0"), true),
        (Go, "v1.2.3", Some("0"), fixed("1.2.4"), true),
        // Alpine's way to say "never affected".
        (Apk, "1.2.3-r0", None, fixed("0"), false),
        (Rpm, "0:1.2-3.el9", None, fixed("1.2-4.el9"), true),
        // A bound without release means every release.
        (Rpm, "1.2-3.el9", None, last("1.2"), true),
        (Rpm, "1.3-1.el9", None, last("1.2"), false),
    ] {
        let range = VersionRange::new(introduced.map(str::to_owned), upper);
        assert_eq!(
            contains(scheme, version, &range),
            Ok(expected),
            "{scheme:?} {version} {range:?}"
        );
    }
}

#[test]
fn an_exclusive_lower_bound_is_itself_outside() {
    for (scheme, version, introduced, expected) in [
        (VersionScheme::Generic, "1.0", "1.0", false),
        (VersionScheme::Generic, "1.0.1", "1.0", true),
        (VersionScheme::Rpm, "1.2-3", "1.2", false),
        (VersionScheme::Rpm, "1.2.1-3", "1.2", true),
    ] {
        let mut range = VersionRange::new(Some(introduced.to_owned()), Upper::Open);
        range.introduced_exclusive = true;
        assert_eq!(
            contains(scheme, version, &range),
            Ok(expected),
            "{version} {range:?}"
        );
    }
}

#[test]
fn an_error_names_the_version_that_was_refused() {
    let error = compare(VersionScheme::Cargo, "1.0.0", "v1.0").unwrap_err();
    assert_eq!(error.version, "v1.0");
    assert_eq!(
        error.to_string(),
        "'v1.0' is not a cargo version: it is not numbers with dots between"
    );
}

#[test]
fn no_range_tells_whether_a_composer_branch_is_affected() {
    let range = VersionRange::new(None, Upper::Fixed("2.0.0".to_owned()));
    let refused: Result<bool, VersionError> = contains(VersionScheme::Composer, "dev-main", &range);
    assert!(refused.is_err());
    assert_eq!(
        contains(VersionScheme::Composer, "1.9.x-dev", &range),
        Ok(true)
    );
}

#[test]
fn huge_versions_are_compared_in_linear_time() {
    let digits = "9".repeat(1 << 17);
    let dots = "1.".repeat(1 << 16) + "1";
    let mixed = "1a".repeat(1 << 16);
    let zeros = "1".to_owned() + &".0".repeat(1 << 16) + "-a";
    let hyphens = "1".to_owned() + &"-0".repeat(1 << 16);
    let start = std::time::Instant::now();
    for (scheme, _) in TABLES {
        for text in [&digits, &dots, &mixed, &zeros, &hyphens] {
            let other = format!("{text}1");
            if validate(*scheme, text).is_ok() && validate(*scheme, &other).is_ok() {
                assert_eq!(compare(*scheme, text, text), Ok(Ordering::Equal));
                let order = compare(*scheme, text, &other).unwrap();
                assert_eq!(compare(*scheme, &other, text), Ok(order.reverse()));
            }
        }
    }
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

/// Texts that look enough like versions to get past the first check, and now and then do not.
fn version() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec!["0", "1", "2", "9", "10", "00", "01", "9999999", "20120101"]),
        2 => prop::sample::select(vec![".", "-", "+", "~", "^", "_", ":", "!"]),
        2 => prop::sample::select(vec![
            ".0", ".1", "-1", "-r1", "_p", "_rc", "_alpha1", "~ab", "-rc.1", "rc1", "a", "b1", ".dev",
            ".post", "-beta", "-dev", ".x-dev", "-SNAPSHOT", ".ga", "-sp", "final", "+build", ".a",
        ]),
        1 => prop::sample::select(vec!["v", "go", "dev-", "Z", "é", " ", "alpha", "p"]),
    ];
    prop::collection::vec(piece, 1..7).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_scheme_is_a_total_order(a in version(), b in version(), c in version()) {
        for (scheme, _) in TABLES {
            let order = |x: &str, y: &str| compare(*scheme, x, y);
            if let Ok(ab) = order(&a, &b) {
                prop_assert_eq!(order(&b, &a), Ok(ab.reverse()));
                prop_assert_eq!(order(&a, &a), Ok(Ordering::Equal));
            }
            if let (Ok(ab), Ok(bc), Ok(ac)) = (order(&a, &b), order(&b, &c), order(&a, &c)) {
                if ab == bc || ab.is_eq() {
                    prop_assert_eq!(ac, bc, "{:?} {} {} {}", scheme, a, b, c);
                } else if bc.is_eq() {
                    prop_assert_eq!(ac, ab, "{:?} {} {} {}", scheme, a, b, c);
                }
            }
        }
    }

    #[test]
    fn no_text_makes_a_scheme_panic(a in "\\PC{0,12}", b in "\\PC{0,12}") {
        for (scheme, _) in TABLES {
            let accepted = validate(*scheme, &a).is_ok() && validate(*scheme, &b).is_ok();
            prop_assert_eq!(compare(*scheme, &a, &b).is_ok(), accepted);
        }
    }
}
