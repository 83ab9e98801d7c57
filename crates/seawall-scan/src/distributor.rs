//! Whether a distribution built a package itself.
//!
//! What is among the files of such a package is the distribution's to mend, in versions of its own,
//! and its advisories speak of it. Of what HashiCorp, Docker or Google packed into a `.deb` or `.rpm`
//! they say nothing. No package manager records which repository a package came from, so it is told
//! by who answers for it.

use seawall_model::{Distro, DistroFamily, Package, PackageType};

/// Whether the package is the distribution's own. In doubt it is not: what it holds is then listed
/// and matched by itself, which may tell too much, but hides nothing.
pub(crate) fn is_own(package: &Package, distro: &Distro) -> bool {
    let vendor = package.vendor.as_deref().unwrap_or_default();
    let is_mail_of = |domain: &&str| is_mail_of(vendor, domain);
    let is_maintained_by = |own: &Distributor| own.names.iter().any(is_mail_of);
    let mut own = distributors(distro);
    match package.kind {
        PackageType::Deb if REBUILDS.iter().any(|mark| package.version.contains(mark)) => false,
        PackageType::Deb => own.any(|own| {
            is_maintained_by(own) || own.ids == DEBIAN && is_stable_update(&package.version)
        }),
        PackageType::Alpm => own.any(is_maintained_by),
        PackageType::Rpm => own.any(|own| own.names.iter().any(|name| vendor.starts_with(name))),
        // Maintainers of Alpine write from wherever they are.
        PackageType::Apk => !APK_VENDORS.iter().any(is_mail_of),
        _ => false,
    }
}

/// Who makes a distribution.
struct Distributor {
    /// `ID`s of os-release(5).
    ids: &'static [&'static str],
    /// How its packages name it: domains of its maintainers' addresses for deb and pacman, beginnings
    /// of `Vendor` for rpm.
    names: &'static [&'static str],
}

const DEBIAN: &[&str] = &["debian", "raspbian"];

/// As the packages of each distribution have it. Ubuntu puts its own address in place of Debian's
/// when it builds a package for its archive, but not for one's personal archive (PPA). Of deepin,
/// Kylin and Anolis no packages were at hand: another spelling there only means that files are not
/// counted to them.
const DISTRIBUTORS: &[Distributor] = &[
    of(
        DEBIAN,
        &[
            "debian.org",
            "debian.net",
            "raspbian.org",
            "raspberrypi.com",
            "raspberrypi.org",
        ],
    ),
    of(&["ubuntu"], &["ubuntu.com", "canonical.com"]),
    of(&["linuxmint"], &["linuxmint.com"]),
    of(&["devuan"], &["devuan.org"]),
    of(&["kali"], &["kali.org"]),
    of(&["parrot"], &["parrotsec.org", "parrot.sh"]),
    of(
        &["deepin", "uos", "uniontech"],
        &["deepin.org", "deepin.com", "uniontech.com", "UnionTech"],
    ),
    of(&["kylin"], &["kylinos.cn", "Kylin"]),
    of(&["arch"], &["archlinux.org"]),
    of(&["manjaro"], &["manjaro.org"]),
    of(&["rhel"], &["Red Hat, Inc."]),
    of(&["centos"], &["CentOS"]),
    of(&["fedora"], &["Fedora Project"]),
    of(&["almalinux"], &["AlmaLinux"]),
    of(&["rocky"], &["Rocky"]),
    of(&["cloudlinux"], &["CloudLinux"]),
    of(&["ol"], &["Oracle America"]),
    of(&["amzn"], &["Amazon Linux"]),
    of(&["sles", "sled", "sles_sap"], &["SUSE L"]),
    of(
        &["opensuse-leap", "opensuse-tumbleweed", "opensuse"],
        &["openSUSE", "SUSE L"],
    ),
    of(&["mariner", "azurelinux"], &["Microsoft Corporation"]),
    of(&["photon"], &["VMware"]),
    of(&["openeuler"], &["http://openeuler.org", "openEuler"]),
    of(&["anolis"], &["OpenAnolis", "Alibaba"]),
    of(&["alinux"], &["Alibaba"]),
];

const fn of(ids: &'static [&'static str], names: &'static [&'static str]) -> Distributor {
    Distributor { ids, names }
}

/// Marks in the versions of those who build Debian's packages anew and leave its maintainers in them:
/// the PostgreSQL project, Ondřej Surý's PHP, Dotdeb, and personal archives.
const REBUILDS: &[&str] = &[".pgdg", "deb.sury.org", ".gbp", "dotdeb", "~ppa"];

/// Companies that build with Alpine's own tool, so that nothing but the maintainer tells.
const APK_VENDORS: &[&str] = &["f5.com", "nginx.com", "nginx.org"];

/// The distribution's makers; of one that has no advisories of its own also those of the nearest that
/// it is made from.
fn distributors(distro: &Distro) -> impl Iterator<Item = &'static Distributor> {
    let find = |id: &String| {
        DISTRIBUTORS
            .iter()
            .find(|own| own.ids.contains(&id.as_str()))
    };
    let is_derived = DistroFamily::from_os_release_id(&distro.id).is_none();
    let base = distro.id_like.iter().filter(move |_| is_derived);
    find(&distro.id)
        .into_iter()
        .chain(base.filter_map(find).take(1))
}

/// Whether `Name <person@lists.debian.org>` is an address in `debian.org`.
fn is_mail_of(maintainer: &str, domain: &str) -> bool {
    let Some((_, host)) = maintainer.rsplit_once('@') else {
        return false;
    };
    let host = host.trim_end_matches('>').to_ascii_lowercase();
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether Debian built this version for a stable release: `+deb12u3`, `~deb12u1`. Some of its
/// maintainers have personal addresses; what they mended later, which is why files are counted to
/// the package, is in such a version.
fn is_stable_update(version: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit();
    version.split(['+', '~']).any(|part| {
        let mark = part.strip_prefix("deb").and_then(|it| it.split_once('u'));
        mark.is_some_and(|(release, update)| {
            !release.is_empty() && release.chars().all(is_digit) && update.starts_with(is_digit)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::os_release::parse_os_release;
    use PackageType::{Alpm, Apk, Deb, Rpm};
    use seawall_model::Evidence;

    #[test]
    fn packages_of_other_vendors_were_taken_for_the_distribution_s() {
        const MINT: &str = "ID=linuxmint\nID_LIKE=\"ubuntu debian\"";
        const SURY: &str = "Ondřej Surý <ondrej@debian.org>";
        const PHP: &str = "Debian PHP Maintainers <team+pkg-php@tracker.debian.org>";
        const POSTGRESQL: &str =
            "Debian PostgreSQL Maintainers <team+postgresql@tracker.debian.org>";
        const GIT: &str = "Jonathan Nieder <jrnieder@gmail.com>";
        const UBUNTU: &str = "Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>";
        for (os_release, kind, vendor, version, expected) in [
            ("ID=debian", Deb, SURY, "1-1", true),
            ("ID=debian", Deb, "X <x@Lists.Debian.ORG>", "1-1", true),
            ("ID=debian", Deb, "X <x@alioth-lists.debian.net>", "1", true),
            ("ID=debian", Deb, "X <x@notdebian.org>", "1-1", false),
            ("ID=debian", Deb, "debian.org", "1-1", false),
            ("ID=debian", Deb, GIT, "1:2.39.5-0+deb12u3", true),
            ("ID=debian", Deb, GIT, "18.20.4~deb12u1+b2", true),
            ("ID=debian", Deb, GIT, "1:2.39.5-1", false),
            ("ID=debian", Deb, GIT, "6.0+debian12", false),
            ("ID=debian", Deb, GIT, "6.0+deb12", false),
            ("ID=debian", Deb, GIT, "6.0-deb12u1", false),
            ("ID=ubuntu\nID_LIKE=debian", Deb, UBUNTU, "1-1", true),
            (MINT, Deb, UBUNTU, "1-1", true),
            (MINT, Deb, "Clement <root@linuxmint.com>", "1", true),
            (MINT, Deb, PHP, "8.3.1", false),
            ("ID=ubuntu\nID_LIKE=debian", Deb, PHP, "8.3.1-1", false),
            (
                "ID=ubuntu\nID_LIKE=debian",
                Deb,
                GIT,
                "2.39.5-0+deb12u3",
                false,
            ),
            ("ID=debian", Deb, POSTGRESQL, "14.0-1.pgdg120+1", false),
            (
                "ID=debian",
                Deb,
                PHP,
                "8.2.7-1+0~2023.1+debian12~1.gbp1",
                false,
            ),
            (
                "ID=debian",
                Deb,
                "HashiCorp <support@hashicorp.com>",
                "1.5.0-1",
                false,
            ),
            (
                "ID=debian",
                Deb,
                "Google Cloud CLI Authors <https://code.google.com/p/x/>",
                "528.0.0-0",
                false,
            ),
            ("ID=rhel", Rpm, "Red Hat, Inc.", "1-1", true),
            // Of Fedora's extra packages Red Hat's advisories say nothing.
            ("ID=rhel", Rpm, "Fedora Project", "1-1", false),
            (
                "ID=rocky\nID_LIKE=\"rhel centos fedora\"",
                Rpm,
                "Fedora Project",
                "1-1",
                false,
            ),
            (
                "ID=rocky",
                Rpm,
                "Rocky Enterprise Software Foundation",
                "1-1",
                true,
            ),
            ("ID=rocky", Rpm, "HashiCorp", "1-1", false),
            ("ID=ol", Rpm, "Oracle and/or its affiliates", "8.0-1", false),
            (
                "ID=sles",
                Rpm,
                "SUSE LLC <https://www.suse.com/>",
                "1",
                true,
            ),
            (
                "ID=opensuse-leap",
                Rpm,
                "obs://build.opensuse.org/x",
                "1",
                false,
            ),
            ("ID=azurelinux", Rpm, "Microsoft Corporation", "1-1", true),
            ("ID=rhel", Rpm, "Microsoft Corporation", "1-1", false),
            ("ID=amzn", Rpm, "Amazon Linux", "1-1", true),
            ("ID=openEuler", Rpm, "http://openeuler.org", "1-1", true),
            ("ID=arch", Alpm, "X <x@archlinux.org>", "1-1", true),
            ("ID=arch", Alpm, "Unknown Packager", "1-1", false),
            (
                "ID=alpine",
                Apk,
                "Natanael Copa <ncopa@alpinelinux.org>",
                "1",
                true,
            ),
            ("ID=alpine", Apk, "X <x@posteo.net>", "1-r0", true),
            (
                "ID=alpine",
                Apk,
                "NGINX <nginx-packaging@f5.com>",
                "1-r0",
                false,
            ),
        ] {
            let mut package = Package::new(kind, "x", version, Evidence::Database);
            package.vendor = Some(vendor.to_owned());
            let distro = parse_os_release(os_release).unwrap();
            let said = is_own(&package, &distro);
            assert_eq!(said, expected, "{os_release} {vendor} {version}");
        }
    }
}
