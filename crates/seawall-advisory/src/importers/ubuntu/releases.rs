use seawall_model::{DistroFamily, Ecosystem};

/// Code names and version numbers.
const RELEASES: &[(&str, &str)] = &[
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

/// Whose verdict a tracker's release is.
pub(super) enum Stream<'a> {
    /// The release itself, by code name.
    Own(&'a str),
    /// The release with expanded security maintenance.
    Esm(&'a str),
    /// Neither: upstream, the release in development, a special build.
    Other,
}

/// Reads `focal`, `esm-infra/focal`, `esm-apps-legacy/xenial`, `trusty/esm`.
pub(super) fn stream(name: &str) -> Stream<'_> {
    match name.split_once('/') {
        None if name == "upstream" || name == "devel" || name == "product" => Stream::Other,
        None => Stream::Own(name),
        Some((codename, "esm")) => Stream::Esm(codename),
        Some((kind, codename)) if kind.starts_with("esm-") => Stream::Esm(codename),
        Some(_) => Stream::Other,
    }
}

/// The advisory ecosystem of a release by its code name.
pub(super) fn ecosystem(codename: &str) -> Option<Ecosystem> {
    let (_, release) = RELEASES.iter().find(|(name, _)| *name == codename)?;
    Some(Ecosystem::Distro {
        family: DistroFamily::Ubuntu,
        release: (*release).to_owned(),
    })
}
