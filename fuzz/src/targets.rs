//! Every parser of bytes that are not ours. `cargo xtask fuzz --list` reads the names from here.

use crate::{advisory, artifact, scan};

/// Name and body of a target.
type Target = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const ALL: &[Target] = &[
    // What images and feeds are packed in
    ("feeds", artifact::feeds),
    ("image-archive", artifact::image_archive),
    ("layer", artifact::layer),
    ("source", artifact::source),
    // Advisory feeds, by the names of their importers
    ("alpine", |data| advisory::import("alpine", data)),
    ("amazon", |data| advisory::import("amazon", data)),
    ("azurelinux", |data| advisory::import("azurelinux", data)),
    ("cnnvd", |data| advisory::import("cnnvd", data)),
    ("debian", |data| advisory::import("debian", data)),
    ("epss", |data| advisory::import("epss", data)),
    ("friendsofphp", |data| {
        advisory::import("friendsofphp", data)
    }),
    ("github", |data| advisory::import("github", data)),
    ("kev", |data| advisory::import("kev", data)),
    ("nodejs-security-wg", |data| {
        advisory::import("nodejs-security-wg", data)
    }),
    ("nvd", |data| advisory::import("nvd", data)),
    ("oracle", |data| advisory::import("oracle", data)),
    ("osv", |data| advisory::import("osv", data)),
    ("redhat", |data| advisory::import("redhat", data)),
    ("rubysec", |data| advisory::import("rubysec", data)),
    ("rustsec", |data| advisory::import("rustsec", data)),
    ("suse", |data| advisory::import("suse", data)),
    ("ubuntu", |data| advisory::import("ubuntu", data)),
    ("user", |data| advisory::import("user", data)),
    // What becomes of them
    ("cvss", advisory::cvss),
    ("versions", advisory::versions),
    ("ranges", advisory::ranges),
    ("database", advisory::database),
    ("delta", advisory::delta),
    ("feed-list", advisory::feed_list),
    // Files that packages are found in
    ("apk", |data| scan::analyze(scan::APK, data)),
    ("dpkg", |data| scan::analyze(scan::DPKG, data)),
    ("bitnami", |data| scan::analyze(scan::BITNAMI, data)),
    ("os-release", |data| scan::analyze(scan::OS_RELEASE, data)),
    ("pacman", |data| scan::analyze(scan::PACMAN, data)),
    ("rpm", |data| scan::analyze(scan::RPM, data)),
    ("javascript", |data| scan::analyze(scan::JAVASCRIPT, data)),
    ("yarn", |data| scan::analyze(scan::YARN, data)),
    ("pnpm", |data| scan::analyze(scan::PNPM, data)),
    ("python", |data| scan::analyze(scan::PYTHON, data)),
    ("python-toml", |data| scan::analyze(scan::PYTHON_TOML, data)),
    ("project", |data| scan::analyze(scan::PROJECT, data)),
    ("java-archive", |data| {
        scan::analyze(scan::JAVA_ARCHIVE, data)
    }),
    ("java", |data| scan::analyze(scan::JAVA, data)),
    ("go", |data| scan::analyze(scan::GO, data)),
    ("rust", |data| scan::analyze(scan::RUST, data)),
    ("executable", |data| scan::analyze(scan::EXECUTABLE, data)),
    ("ruby", |data| scan::analyze(scan::RUBY, data)),
    ("php", |data| scan::analyze(scan::PHP, data)),
    ("dotnet", |data| scan::analyze(scan::DOTNET, data)),
    ("yaml", |data| scan::analyze(scan::YAML, data)),
    ("beam", |data| scan::analyze(scan::BEAM, data)),
    ("swift", |data| scan::analyze(scan::SWIFT, data)),
    ("cpp", |data| scan::analyze(scan::CPP, data)),
    ("r", |data| scan::analyze(scan::R, data)),
    ("haskell", |data| scan::analyze(scan::HASKELL, data)),
    // Documents
    ("sbom", scan::sbom),
    ("ignore-file", scan::ignore_file),
    ("vex", scan::vex),
    ("trusted-images", scan::trusted_images),
    ("inventory", scan::inventory),
];

/// An importer or analyzer that no target runs, as whoever adds one forgets the target most easily.
pub(crate) fn missing() -> Option<&'static str> {
    let importers = seawall_advisory::importers::ALL
        .iter()
        .map(|importer| importer.name());
    let unnamed = |importer: &&str| !ALL.iter().any(|(target, _)| target == importer);
    importers.clone().find(unnamed).or_else(scan::missing)
}
