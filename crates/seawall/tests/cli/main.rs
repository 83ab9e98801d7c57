//! What a user sees of the command line: verdicts, exit codes, errors and their hints.

mod command;
mod database;
mod inventories;
mod output;
mod policy;
mod scan;
mod usage;

use command::{Workspace, docker_archive};

const OS_RELEASE: &str = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n";

const STATUS: &str = "\
Package: libshelf1
Status: install ok installed
Architecture: amd64
Source: shelf
Version: 1.2-3

Package: lamp
Status: install ok installed
Architecture: amd64
Version: 2.0-1
";

/// One flaw in the source package `shelf`, one in an npm package, one that is mended in `lamp`.
const ADVISORIES: &str = "\
advisories:
  - id: CVE-2024-10001
    title: Shelf reads past its end
    severity: high
    packages:
      - {ecosystem: 'debian:12', name: libshelf1, affected: '< 1.2-4', fixed: 1.2-4}
  - id: ACME-2024-2
    title: Cart trusts its wheels
    severity: critical
    packages:
      - {purl: 'pkg:npm/cart', affected: '< 2.0.0'}
  - id: CVE-2024-10003
    title: Lamp burns
    severity: critical
    packages:
      - {ecosystem: 'debian:12', name: lamp, affected: '< 2.0-1', fixed: 2.0-1}
";

fn image() -> Vec<u8> {
    docker_archive(&[
        &[
            ("etc/os-release", OS_RELEASE),
            ("var/lib/dpkg/status", STATUS),
        ],
        &[(
            "app/node_modules/cart/package.json",
            r#"{"name":"cart","version":"1.4.0"}"#,
        )],
    ])
}

/// A workspace with a database and an image.
fn prepared() -> Workspace {
    let workspace = Workspace::new();
    workspace.build_database(ADVISORIES);
    workspace.write("image.tar", image());
    workspace
}
