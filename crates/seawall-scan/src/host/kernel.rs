//! Which kernel runs, and whether it is the one that is installed.

use rustix::system::Uname;
use seawall_advisory::versions::compare;
use seawall_model::{Evidence, Inventory, Package, PackageIndex, PackageType};

/// The running kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// Its release: `6.1.0-18-amd64`.
    pub release: String,
    /// Whether it is the one that is installed.
    pub state: KernelState,
    /// The entry of the inventory that stands for it.
    pub package: Option<PackageIndex>,
}

/// Whether the running kernel is the installed one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KernelState {
    /// It is the newest of those that are installed.
    Current,
    /// A newer one is installed and will run after a restart. Until then the machine has the flaws
    /// of the running one.
    RestartNeeded {
        /// The version of the package that runs, where it is known.
        running: Option<String>,
        /// The version that is installed.
        installed: String,
    },
    /// No package brought it.
    NotPackaged,
}

/// Names of the packages that hold a kernel, up to where its version may follow.
const KERNEL_PACKAGES: &[&str] = &[
    "kernel",
    "kernel-core",
    "kernel-default",
    "kernel-lt",
    "kernel-ml",
    "kernel-rt-core",
    "kernel-uek",
    "kernel-uek-core",
    "linux",
    "linux-lts",
    "linux-virt",
];

/// Looks for the running kernel among the packages; adds it as a program of its own if it is not
/// there.
pub(super) fn examine(inventory: &mut Inventory, uname: &Uname) -> Kernel {
    let release = uname.release().to_string_lossy();
    let build = uname.version().to_string_lossy();
    examine_release(inventory, &release, &build)
}

fn examine_release(inventory: &mut Inventory, release: &str, build: &str) -> Kernel {
    let running = inventory
        .packages
        .iter()
        .position(|package| brings_kernel(package, release));
    let Some(position) = running else {
        let position = add_program(inventory, release);
        return Kernel {
            release: release.to_owned(),
            state: KernelState::NotPackaged,
            package: index(position),
        };
    };
    let newest = newest_kernel(inventory).unwrap_or(position);
    let installed = inventory.packages.get(newest).map(|p| p.version.clone());
    let own = inventory.packages.get(position).map(|p| p.version.clone());
    // Debian keeps the release's name over updates, and names the package's version in the build.
    let running = match debian_version(build) {
        Some(version) => Some(version.to_owned()),
        None => own,
    };
    let state = match installed {
        Some(installed) if running.as_ref() != Some(&installed) => {
            KernelState::RestartNeeded { running, installed }
        }
        _ => KernelState::Current,
    };
    Kernel {
        release: release.to_owned(),
        state,
        package: index(position),
    }
}

fn index(position: usize) -> Option<PackageIndex> {
    u32::try_from(position).ok().map(PackageIndex)
}

fn is_kernel(package: &Package) -> bool {
    match package.kind {
        PackageType::Deb => image_release(&package.name).is_some(),
        kind => kind.is_os() && KERNEL_PACKAGES.contains(&package.name.as_str()),
    }
}

/// The release in the name of a Debian or Ubuntu kernel's package: `linux-image-6.1.0-18-amd64`.
fn image_release(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("linux-image-")?;
    let release = rest.strip_prefix("unsigned-").unwrap_or(rest);
    release
        .starts_with(|c: char| c.is_ascii_digit())
        .then_some(release)
}

fn brings_kernel(package: &Package, release: &str) -> bool {
    if !is_kernel(package) {
        return false;
    }
    if package.kind == PackageType::Deb {
        return image_release(&package.name) == Some(release);
    }
    let version = package
        .version
        .split_once(':')
        .map_or(package.version.as_str(), |(_, rest)| rest);
    // `5.14.0-70.el9.x86_64` of rpm; `6.6.31-0-lts` of apk for `6.6.31-r0`; `6.9.1-arch1-1` of
    // pacman for `6.9.1.arch1-1`.
    match package.kind {
        PackageType::Apk => version.replace("-r", "-") == flavourless(release),
        PackageType::Alpm => version.replace(".arch", "-arch") == release,
        _ => {
            let architecture = package.architecture.as_deref().unwrap_or_default();
            release.strip_suffix(architecture).map(|r| r.trim_end_matches('.')) == Some(version)
                // SUSE counts rebuilds in the package only: 5.14.21-150500.53-default.
                || version
                    .strip_prefix(flavourless(release))
                    .is_some_and(|rest| rest.starts_with('.'))
        }
    }
}

/// The release without the flavour after its last dash.
fn flavourless(release: &str) -> &str {
    release.rsplit_once('-').map_or(release, |(rest, _)| rest)
}

fn newest_kernel(inventory: &Inventory) -> Option<usize> {
    let ecosystem = inventory.distro.as_ref().and_then(|d| d.ecosystem())?;
    let scheme = ecosystem.scheme();
    inventory
        .packages
        .iter()
        .enumerate()
        .filter(|(_, package)| is_kernel(package))
        .max_by(|(_, a), (_, b)| {
            compare(scheme, &a.version, &b.version).unwrap_or(std::cmp::Ordering::Equal)
        })
        .map(|(position, _)| position)
}

/// `6.1.76-1` in `#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)`.
fn debian_version(build: &str) -> Option<&str> {
    let (_, rest) = build.split_once(" Debian ")?;
    rest.split_ascii_whitespace().next()
}

/// Adds a kernel that no package brought, under the version that its release begins with.
fn add_program(inventory: &mut Inventory, release: &str) -> usize {
    let version: String = release
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    let mut package = Package::new(
        PackageType::Generic,
        "linux",
        version.trim_end_matches('.'),
        Evidence::Pattern,
    );
    package.paths.push("/proc/version".to_owned());
    package.cpe_products.push("linux:linux_kernel".to_owned());
    let key = |p: &Package| (p.kind, p.name.clone(), p.version.clone());
    let position = inventory
        .packages
        .partition_point(|known| key(known) <= key(&package));
    inventory.packages.insert(position, package);
    position
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_model::{Distro, Target};

    fn check(
        distro: &str,
        kind: PackageType,
        packages: &[(&str, &str)],
        release: &str,
        build: &str,
        expected: KernelState,
    ) {
        let packages = packages.iter().map(|(name, version)| {
            let mut package = Package::new(kind, *name, *version, Evidence::Database);
            package.architecture = Some("x86_64".to_owned());
            package
        });
        let mut inventory = Inventory {
            target: Target::default(),
            distro: Some(Distro {
                id: distro.to_owned(),
                version: "1".to_owned(),
                id_like: Vec::new(),
                codename: None,
                pretty_name: None,
                end_of_life: None,
            }),
            layers: Vec::new(),
            packages: packages.collect(),
            development_excluded: 0,
            notes: Vec::new(),
            incomplete: Vec::new(),
        };
        let kernel = examine_release(&mut inventory, release, build);
        assert_eq!(kernel.state, expected, "{release}");
        let package = &inventory.packages[kernel.package.unwrap().0 as usize];
        let is_program = package.kind == PackageType::Generic;
        assert_eq!(is_program, expected == KernelState::NotPackaged);
    }

    fn restart(running: &str, installed: &str) -> KernelState {
        KernelState::RestartNeeded {
            running: Some(running.to_owned()),
            installed: installed.to_owned(),
        }
    }

    #[test]
    fn the_running_kernel_is_compared_with_the_installed_one() {
        let deb = &[
            ("linux-image-6.1.0-18-amd64", "6.1.76-1"),
            ("linux-image-amd64", "6.1.99-1"),
        ][..];
        let build = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)";
        let release = "6.1.0-18-amd64";
        check(
            "debian",
            PackageType::Deb,
            deb,
            release,
            build,
            KernelState::Current,
        );
        let build = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.69-1 (2023-12-30)";
        let expected = restart("6.1.69-1", "6.1.76-1");
        check("debian", PackageType::Deb, deb, release, build, expected);
        let rpm = &[
            ("kernel-core", "5.14.0-70.el9"),
            ("kernel-core", "5.14.0-362.el9"),
        ][..];
        let expected = restart("5.14.0-70.el9", "5.14.0-362.el9");
        check(
            "rhel",
            PackageType::Rpm,
            rpm,
            "5.14.0-70.el9.x86_64",
            "#1",
            expected,
        );
        let expected = KernelState::Current;
        check(
            "rhel",
            PackageType::Rpm,
            rpm,
            "5.14.0-362.el9.x86_64",
            "#1",
            expected.clone(),
        );
        let apk = &[("linux-lts", "6.6.31-r0")][..];
        check(
            "alpine",
            PackageType::Apk,
            apk,
            "6.6.31-0-lts",
            "#1",
            expected,
        );
        check(
            "alpine",
            PackageType::Apk,
            apk,
            "6.18.44-fc-v1",
            "#1",
            KernelState::NotPackaged,
        );
    }
}
