use seawall_model::{DistroFamily, Ecosystem};

/// Code names and the version numbers that `os-release` gives. Unstable and testing carry no
/// number until they are released, and so are one rolling release here.
const RELEASES: &[(&str, &str)] = &[
    ("potato", "2.2"),
    ("woody", "3.0"),
    ("sarge", "3.1"),
    ("etch", "4"),
    ("lenny", "5"),
    ("squeeze", "6"),
    ("wheezy", "7"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
    ("duke", "15"),
    ("sid", ""),
];

/// Releases to which a verdict on unstable applies where nothing else is said of them.
pub(super) const MAINTAINED: &[&str] = &["bullseye", "bookworm", "trixie", "forky"];

/// The advisory ecosystem of a release by its code name.
pub(crate) fn ecosystem(codename: &str) -> Option<Ecosystem> {
    let (_, number) = RELEASES.iter().find(|(name, _)| *name == codename)?;
    Some(Ecosystem::Distro {
        family: DistroFamily::Debian,
        release: (*number).to_owned(),
    })
}
