//! When the vendor's support of a release ends for everybody, without a contract for more.

use jiff::civil::Date;
use seawall_model::{Distro, DistroFamily, EndOfLife};

/// The end of support of a distribution's release as of `today`; `None` for rolling releases and
/// for those that the table does not know.
#[must_use]
pub fn end_of_life(distro: &Distro, today: Date) -> Option<EndOfLife> {
    let family = DistroFamily::from_os_release_id(&distro.id)?;
    let release = release_of(family, distro);
    let (_, releases) = TABLE.iter().find(|(own, _)| *own == family)?;
    let (_, date) = releases.iter().find(|(own, _)| *own == release)?;
    let last: Date = date.parse().ok()?;
    Some(EndOfLife {
        date: (*date).to_owned(),
        passed: last < today,
    })
}

/// The release as the table writes it.
fn release_of(family: DistroFamily, distro: &Distro) -> String {
    let release = family.normalize_release(&distro.version);
    match family {
        // CentOS Stream says the same `ID` and `VERSION_ID` as the CentOS Linux before it.
        DistroFamily::CentOs
            if distro
                .pretty_name
                .as_deref()
                .is_some_and(|name| name.contains("Stream")) =>
        {
            format!("{release}-stream")
        }
        // SUSE writes the first release of a series without a service pack.
        DistroFamily::Sles | DistroFamily::OpenSuse if !release.contains('.') => {
            format!("{release}.0")
        }
        _ => release,
    }
}

type Releases = &'static [(&'static str, &'static str)];

/// Last days of support, of what was published by 2026-11.
const TABLE: &[(DistroFamily, Releases)] = &[
    // Debian wiki, LTS: regular support and the long-term support that is open to everybody.
    (
        DistroFamily::Debian,
        &[
            ("6", "2016-02-29"),
            ("7", "2018-05-31"),
            ("8", "2020-06-30"),
            ("9", "2022-06-30"),
            ("10", "2024-06-30"),
            ("11", "2026-08-31"),
            ("12", "2028-06-30"),
            ("13", "2030-06-30"),
        ],
    ),
    // distro-info-data, ubuntu.csv, column `eol`: standard support, without Ubuntu Pro.
    (
        DistroFamily::Ubuntu,
        &[
            ("12.04", "2017-04-28"),
            ("14.04", "2019-04-25"),
            ("16.04", "2021-04-30"),
            ("16.10", "2017-07-20"),
            ("17.04", "2018-01-13"),
            ("17.10", "2018-07-19"),
            ("18.04", "2023-05-31"),
            ("18.10", "2019-07-18"),
            ("19.04", "2020-01-23"),
            ("19.10", "2020-07-17"),
            ("20.04", "2025-05-29"),
            ("20.10", "2021-07-22"),
            ("21.04", "2022-01-20"),
            ("21.10", "2022-07-14"),
            ("22.04", "2027-06-01"),
            ("22.10", "2023-07-20"),
            ("23.04", "2024-01-25"),
            ("23.10", "2024-07-11"),
            ("24.04", "2029-05-31"),
            ("24.10", "2025-07-10"),
            ("25.04", "2026-01-15"),
            ("25.10", "2026-07-09"),
            ("26.04", "2031-05-29"),
            ("26.10", "2027-07-15"),
        ],
    ),
    // alpinelinux.org/releases.
    (
        DistroFamily::Alpine,
        &[
            ("3.3", "2017-11-01"),
            ("3.4", "2018-05-01"),
            ("3.5", "2018-11-01"),
            ("3.6", "2019-05-01"),
            ("3.7", "2019-11-01"),
            ("3.8", "2020-05-01"),
            ("3.9", "2020-11-01"),
            ("3.10", "2021-05-01"),
            ("3.11", "2021-11-01"),
            ("3.12", "2022-05-01"),
            ("3.13", "2022-11-01"),
            ("3.14", "2023-05-01"),
            ("3.15", "2023-11-01"),
            ("3.16", "2024-05-23"),
            ("3.17", "2024-11-22"),
            ("3.18", "2025-05-09"),
            ("3.19", "2025-11-01"),
            ("3.20", "2026-04-01"),
            ("3.21", "2026-11-01"),
            ("3.22", "2027-05-01"),
            ("3.23", "2027-11-01"),
        ],
    ),
    // Red Hat, "Enterprise Linux Life Cycle": end of maintenance support, without ELS.
    (
        DistroFamily::RedHat,
        &[
            ("5", "2017-03-31"),
            ("6", "2020-11-30"),
            ("7", "2024-06-30"),
            ("8", "2029-05-31"),
            ("9", "2032-05-31"),
            ("10", "2035-05-31"),
        ],
    ),
    // centos.org/cl-vs-cs, "End dates".
    (
        DistroFamily::CentOs,
        &[
            ("5", "2017-03-31"),
            ("6", "2020-11-30"),
            ("7", "2024-06-30"),
            ("8", "2021-12-31"),
            ("8-stream", "2024-05-31"),
            ("9-stream", "2027-05-31"),
            ("10-stream", "2030-01-01"),
        ],
    ),
    // Rocky Linux wiki, "Version policy": security support.
    (
        DistroFamily::Rocky,
        &[
            ("8", "2029-05-31"),
            ("9", "2032-05-31"),
            ("10", "2035-05-31"),
        ],
    ),
    // AlmaLinux wiki, "Release notes": security support.
    (
        DistroFamily::Alma,
        &[
            ("8", "2029-05-31"),
            ("9", "2032-05-31"),
            ("10", "2035-05-31"),
        ],
    ),
    // fedorapeople.org/groups/schedule; the newest as planned.
    (
        DistroFamily::Fedora,
        &[
            ("33", "2021-11-30"),
            ("34", "2022-06-07"),
            ("35", "2022-12-13"),
            ("36", "2023-05-16"),
            ("37", "2023-12-05"),
            ("38", "2024-05-21"),
            ("39", "2024-11-26"),
            ("40", "2025-05-13"),
            ("41", "2025-12-15"),
            ("42", "2026-05-13"),
            ("43", "2026-12-09"),
        ],
    ),
    // Amazon Linux FAQs. The first one calls itself 2017.09, 2018.03 and so on.
    (
        DistroFamily::Amazon,
        &[
            ("2017", "2023-12-31"),
            ("2018", "2023-12-31"),
            ("2", "2026-06-30"),
            ("2023", "2029-06-30"),
        ],
    ),
    // Oracle, "Linux and Virtualization Lifetime Support Policy": premier support.
    (
        DistroFamily::Oracle,
        &[
            ("5", "2017-06-30"),
            ("6", "2021-03-31"),
            ("7", "2024-12-31"),
            ("8", "2029-07-31"),
            ("9", "2032-06-30"),
            ("10", "2035-06-30"),
        ],
    ),
    // suse.com/lifecycle: general support.
    (
        DistroFamily::Sles,
        &[
            ("11.4", "2019-03-31"),
            ("12.3", "2019-06-30"),
            ("12.4", "2020-06-30"),
            ("12.5", "2024-10-31"),
            ("15.0", "2019-12-31"),
            ("15.1", "2021-01-31"),
            ("15.2", "2021-12-31"),
            ("15.3", "2022-12-31"),
            ("15.4", "2023-12-31"),
            ("15.5", "2024-12-31"),
            ("15.6", "2025-12-31"),
            ("15.7", "2031-07-31"),
            ("16.0", "2027-11-30"),
        ],
    ),
    // en.opensuse.org/Lifetime.
    (
        DistroFamily::OpenSuse,
        &[
            ("42.3", "2019-06-30"),
            ("15.0", "2019-12-03"),
            ("15.1", "2021-02-02"),
            ("15.2", "2022-01-04"),
            ("15.3", "2022-12-31"),
            ("15.4", "2023-12-07"),
            ("15.5", "2024-12-31"),
            ("15.6", "2026-04-30"),
            ("16.0", "2027-10-31"),
        ],
    ),
    // learn.microsoft.com/azure/azure-linux, release cadence and lifecycle.
    (DistroFamily::AzureLinux, &[("3.0", "2027-08-31")]),
    (
        DistroFamily::Mariner,
        &[("1.0", "2023-08-31"), ("2.0", "2025-07-31")],
    ),
    // Photon wiki, "Photon OS support life cycle".
    (
        DistroFamily::Photon,
        &[
            ("1.0", "2022-02-28"),
            ("2.0", "2022-12-31"),
            ("3.0", "2024-02-29"),
            ("4.0", "2026-02-28"),
        ],
    ),
    // openeuler.org, download archive, "Planned EOL": the last day of the month.
    (
        DistroFamily::OpenEuler,
        &[
            ("20.03-LTS", "2021-03-31"),
            ("20.03-LTS-SP1", "2022-12-31"),
            ("20.03-LTS-SP2", "2022-04-30"),
            ("20.03-LTS-SP3", "2023-12-31"),
            ("20.03-LTS-SP4", "2025-11-30"),
            ("22.03-LTS", "2024-03-31"),
            ("22.03-LTS-SP1", "2024-12-31"),
            ("22.03-LTS-SP2", "2024-03-31"),
            ("22.03-LTS-SP3", "2025-12-31"),
            ("22.03-LTS-SP4", "2026-06-30"),
            ("23.03", "2023-09-30"),
            ("23.09", "2024-03-31"),
            ("24.03-LTS", "2026-05-31"),
            ("24.03-LTS-SP1", "2026-12-31"),
            ("24.03-LTS-SP2", "2026-03-31"),
            ("24.03-LTS-SP3", "2027-12-31"),
            ("24.03-LTS-SP4", "2027-03-31"),
            ("24.09", "2025-03-31"),
            ("25.03", "2025-09-30"),
            ("25.09", "2026-03-31"),
            ("26.09", "2027-03-31"),
        ],
    ),
    // OpenAnolis, "Anolis OS life cycle".
    (
        DistroFamily::Anolis,
        &[("7", "2024-06-30"), ("8", "2031-03-31")],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn check(id: &str, version: &str, name: &str, today: Date, expected: Option<(&str, bool)>) {
        let distro = Distro {
            id: id.to_owned(),
            version: version.to_owned(),
            id_like: Vec::new(),
            codename: None,
            pretty_name: Some(name.to_owned()),
            end_of_life: None,
        };
        let got = end_of_life(&distro, today);
        let got = got.as_ref().map(|end| (end.date.as_str(), end.passed));
        assert_eq!(got, expected, "{id} {version} {name}");
    }

    #[test]
    fn support_ends_after_its_last_day() {
        let last = date(2026, 8, 31);
        let next = date(2026, 9, 1);
        check("debian", "11", "", last, Some(("2026-08-31", false)));
        check("debian", "11", "", next, Some(("2026-08-31", true)));
        check("alpine", "3.6.5", "", next, Some(("2019-05-01", true)));
        check("rhel", "9.4", "", next, Some(("2032-05-31", false)));
        check(
            "centos",
            "8",
            "CentOS Linux 8",
            next,
            Some(("2021-12-31", true)),
        );
        check(
            "centos",
            "8",
            "CentOS Stream 8",
            next,
            Some(("2024-05-31", true)),
        );
        check("sles", "15", "", next, Some(("2019-12-31", true)));
        check("amzn", "2", "", next, Some(("2026-06-30", true)));
        check(
            "openeuler",
            "22.03-LTS-SP3",
            "",
            next,
            Some(("2025-12-31", true)),
        );
        check("wolfi", "20230201", "", next, None);
        check("debian", "", "", next, None);
        check("unheard-of", "1", "", next, None);
    }

    #[test]
    fn every_date_of_the_table_can_be_read() {
        for (family, releases) in TABLE {
            for (release, date) in *releases {
                assert!(date.parse::<Date>().is_ok(), "{family:?} {release} {date}");
            }
        }
    }
}
