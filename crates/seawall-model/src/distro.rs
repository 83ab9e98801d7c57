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
    /// `VERSION_CODENAME`, where the distribution has one.
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
    /// distribution that no importer knows.
    #[must_use]
    pub fn ecosystem(&self) -> Option<Ecosystem> {
        let family = self.family()?;
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
