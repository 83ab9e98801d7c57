use crate::{DistroFamily, Ecosystem};

/// Code name, and the `VERSION_ID` of os-release(5).
type Releases = &'static [(&'static str, &'static str)];

/// <https://www.debian.org/releases/>. Unstable has no number under either of its names.
const DEBIAN: Releases = &[
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
    ("unstable", ""),
];

/// Devuan's names for Debian's releases (<https://www.devuan.org/os/releases>). Its `jessie` is
/// Debian's.
const DEVUAN: Releases = &[
    ("ascii", "9"),
    ("beowulf", "10"),
    ("chimaera", "11"),
    ("daedalus", "12"),
    ("excalibur", "13"),
];

/// <https://wiki.ubuntu.com/Releases>, by the first word of the name.
const UBUNTU: Releases = &[
    ("dapper", "6.06"),
    ("edgy", "6.10"),
    ("feisty", "7.04"),
    ("gutsy", "7.10"),
    ("hardy", "8.04"),
    ("intrepid", "8.10"),
    ("jaunty", "9.04"),
    ("karmic", "9.10"),
    ("lucid", "10.04"),
    ("maverick", "10.10"),
    ("natty", "11.04"),
    ("oneiric", "11.10"),
    ("precise", "12.04"),
    ("quantal", "12.10"),
    ("raring", "13.04"),
    ("saucy", "13.10"),
    ("trusty", "14.04"),
    ("utopic", "14.10"),
    ("vivid", "15.04"),
    ("wily", "15.10"),
    ("xenial", "16.04"),
    ("yakkety", "16.10"),
    ("zesty", "17.04"),
    ("artful", "17.10"),
    ("bionic", "18.04"),
    ("cosmic", "18.10"),
    ("disco", "19.04"),
    ("eoan", "19.10"),
    ("focal", "20.04"),
    ("groovy", "20.10"),
    ("hirsute", "21.04"),
    ("impish", "21.10"),
    ("jammy", "22.04"),
    ("kinetic", "22.10"),
    ("lunar", "23.04"),
    ("mantic", "23.10"),
    ("noble", "24.04"),
    ("oracular", "24.10"),
    ("plucky", "25.04"),
    ("questing", "25.10"),
    ("resolute", "26.04"),
];

impl DistroFamily {
    /// The `VERSION_ID` of the release with this code name (`bookworm`, `jammy`): empty for Debian's
    /// unstable, `None` for a name that is not known or of a distribution that uses none.
    #[must_use]
    pub fn release_by_codename(self, codename: &str) -> Option<&'static str> {
        let tables: &[Releases] = match self {
            Self::Debian => &[DEBIAN, DEVUAN],
            Self::Ubuntu => &[UBUNTU],
            _ => return None,
        };
        let mut releases = tables.iter().copied().flatten();
        let (_, release) = releases.find(|(own, _)| *own == codename)?;
        Some(release)
    }
}

impl Ecosystem {
    /// The advisory ecosystem of the release with this code name.
    #[must_use]
    pub fn by_codename(family: DistroFamily, codename: &str) -> Option<Self> {
        let release = family.release_by_codename(codename)?.to_owned();
        Some(Self::Distro { family, release })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_names_give_the_release_of_their_own_distribution_only() {
        for (family, codename, release) in [
            (DistroFamily::Debian, "bookworm", Some("12")),
            (DistroFamily::Debian, "sid", Some("")),
            (DistroFamily::Debian, "unstable", Some("")),
            (DistroFamily::Debian, "jammy", None),
            (DistroFamily::Ubuntu, "jammy", Some("22.04")),
            (DistroFamily::Ubuntu, "sid", None),
            (DistroFamily::Alpine, "bookworm", None),
        ] {
            assert_eq!(family.release_by_codename(codename), release, "{codename}");
        }
    }
}
