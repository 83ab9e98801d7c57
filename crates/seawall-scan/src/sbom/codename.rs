//! Code names of releases, by which the package URL specification's own examples name them
//! (`distro=jessie`).

/// Code name, and the `VERSION_ID` of os-release(5). Debian's unstable has none.
type Releases = &'static [(&'static str, &'static str)];

const DEBIAN: Releases = &[
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

const UBUNTU: Releases = &[
    ("precise", "12.04"),
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

/// `ID` and `VERSION_ID` of the release that has this code name: `bookworm`, `ubuntu-jammy`.
pub(super) fn release(distro: &str) -> Option<(&'static str, &'static str)> {
    let distro = distro.to_ascii_lowercase();
    let (stated, codename) = match distro.split_once('-') {
        Some((id, codename)) => (Some(id), codename),
        None => (None, &*distro),
    };
    [("debian", DEBIAN), ("ubuntu", UBUNTU)]
        .into_iter()
        .filter(|(id, _)| stated.is_none_or(|stated| stated == *id))
        .find_map(|(id, releases)| {
            let (_, version) = releases.iter().find(|(own, _)| *own == codename)?;
            Some((id, *version))
        })
}
