use crate::{DistroFamily, Ecosystem};

/// The operating system found in a target, from `os-release` or a file of the distribution's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Distro {
    /// `ID` of os-release(5), lower case: `debian`, `alpine`, `rhel`.
    pub id: String,
    /// `VERSION_ID`, as written: `12`, `3.20.3`, `9.4`. Empty for rolling releases.
    pub version: String,
    /// `ID_LIKE`, split on spaces.
    pub id_like: Vec<String>,
    /// `VERSION_CODENAME`, where the distribution has one; of one that is made from Debian or Ubuntu the
    /// code name of their release, if it says which.
    pub codename: Option<String>,
    /// `PRETTY_NAME`.
    pub pretty_name: Option<String>,
    /// When support ends, if known.
    pub end_of_life: Option<EndOfLife>,
}

/// The end of a release's support.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EndOfLife {
    /// The last day of support by the vendor for everybody, `YYYY-MM-DD`.
    pub date: String,
    /// Whether that day lies before the day of the scan.
    pub passed: bool,
}

impl Distro {
    /// The advisory ecosystem whose records apply to this distribution's packages, or `None` for a
    /// distribution that no importer knows. One that is made from Debian or Ubuntu counts in its own
    /// way, and is known by the code name of the release that it is made from alone.
    #[must_use]
    pub fn ecosystem(&self) -> Option<Ecosystem> {
        let family = self.family()?;
        let is_own = DistroFamily::from_os_release_id(&self.id).is_some();
        if !is_own && matches!(family, DistroFamily::Debian | DistroFamily::Ubuntu) {
            return Ecosystem::by_codename(family, self.codename.as_deref()?);
        }
        // Debian's unstable has no version, but a code name. Without either it may be any release.
        if family == DistroFamily::Debian && self.version.is_empty() {
            Ecosystem::by_codename(family, self.codename.as_deref()?)?;
        }
        Some(Ecosystem::Distro {
            family,
            release: family.normalize_release(&self.version),
        })
    }

    /// The family that shares its advisories: its own, else the first known one that it is like.
    #[must_use]
    pub fn family(&self) -> Option<DistroFamily> {
        let mut ids = std::iter::once(&self.id).chain(&self.id_like);
        ids.find_map(|id| DistroFamily::from_os_release_id(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_from_debian_was_taken_for_a_debian_of_its_own_version() {
        for (id, like, version, codename, expected) in [
            ("devuan", "debian", "5", "daedalus", "debian:12"),
            (
                "linuxmint",
                "ubuntu debian",
                "21.2",
                "jammy",
                "ubuntu:22.04",
            ),
            ("kali", "debian", "2023.4", "kali-rolling", ""),
            ("parrot", "debian", "6.0", "", ""),
            ("debian", "", "12", "bookworm", "debian:12"),
            ("debian", "", "", "sid", "debian"),
            ("debian", "", "", "", ""),
            ("raspbian", "debian", "12", "bookworm", "debian:12"),
            // Rebuilds of Red Hat's packages keep its versions.
            ("cloudlinux", "rhel fedora", "9.4", "", "redhat:9"),
        ] {
            let distro = Distro {
                id: id.to_owned(),
                version: version.to_owned(),
                id_like: like.split_whitespace().map(str::to_owned).collect(),
                codename: Some(codename.to_owned()),
                pretty_name: None,
                end_of_life: None,
            };
            let ecosystem = distro.ecosystem().map(|it| it.to_string());
            assert_eq!(ecosystem.unwrap_or_default(), expected, "{id}");
        }
    }
}
