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
