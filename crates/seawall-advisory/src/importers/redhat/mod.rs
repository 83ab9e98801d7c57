//! Red Hat: CSAF 2.0 (VEX files, one a CVE, and advisories, one an RHSA), OVAL v2, and the JSON of
//! the security data API that came before them.
//!
//! Only Enterprise Linux itself is taken: products whose CPE is `enterprise_linux:N`, with any of
//! its repositories (`::appstream`, `::baseos`, `::crb`, ...). Extended streams (`rhel_eus`,
//! `rhel_aus`, `rhel_e4s`, `rhel_els`, SAP) have packages with version numbers of their own, which
//! nothing on a machine tells from the main stream's, so they are left out; so are layered products
//! and container images. All of these are counted.
//!
//! CSAF and OVAL name binary packages, CSAF sources beside them; the API names sources.

mod api;
mod csaf;
mod oval_file;
mod products;

use super::json::first_keys;
use super::{FeedFile, Importer, Records, oval};
use seawall_model::{DistroFamily, Ecosystem};

/// Reader of Red Hat's feeds.
pub(super) struct RedHat;

/// How far into a CSAF file its publisher is looked for.
const HEAD: usize = 64 * 1024;

/// What is left out, as counted in [`Records::skipped`].
const OTHER_PRODUCTS: &str = "Red Hat products and streams other than Enterprise Linux's main ones";
const NOT_RPM: &str = "Red Hat container images, modules as a whole and other things than packages";

enum Form {
    Csaf,
    Oval,
    Api,
}

impl Importer for RedHat {
    fn name(&self) -> &'static str {
        "redhat"
    }

    fn recognizes(&self, file: &FeedFile<'_>) -> bool {
        form(file).is_some()
    }

    fn import(&self, file: &FeedFile<'_>, records: &mut Records) {
        match form(file) {
            Some(Form::Csaf) => csaf::import(file, records),
            Some(Form::Oval) => oval_file::import(file, records),
            Some(Form::Api) => api::import(file, records),
            None => {}
        }
    }
}

fn form(file: &FeedFile<'_>) -> Option<Form> {
    if oval::is_oval_of(file, &["com.redhat.", "Red Hat OVAL"]) {
        return Some(Form::Oval);
    }
    let keys = first_keys(file.bytes);
    let has = |key: &str| keys.contains(&key.as_bytes());
    let head = file.bytes.get(..HEAD).unwrap_or(file.bytes);
    if has("document")
        && memchr::memmem::find(head, b"csaf_version").is_some()
        && memchr::memmem::find(head, b"//www.redhat.com").is_some()
    {
        return Some(Form::Csaf);
    }
    let telling = ["threat_severity", "package_state", "affected_release"];
    let api = has("public_date") && has("name") && telling.into_iter().any(has);
    api.then_some(Form::Api)
}

/// The release of a CPE 2.2 URI, if it is of Enterprise Linux's main streams.
fn release(cpe: &str) -> Option<Ecosystem> {
    let mut parts = cpe.strip_prefix("cpe:/")?.split(':').skip(1);
    let (vendor, product, version) = (parts.next()?, parts.next()?, parts.next()?);
    let repository = parts.nth(1).unwrap_or_default();
    if vendor != "redhat" || product != "enterprise_linux" || repository.starts_with("sap") {
        return None;
    }
    let family = DistroFamily::RedHat;
    let release = family.normalize_release(version);
    release.parse::<u16>().ok()?;
    Some(Ecosystem::Distro { family, release })
}

/// `ruby:2.7:8080020230427102918:63b34585` cut to `ruby:2.7`.
fn module_stream(label: &str) -> Option<String> {
    let mut parts = label.split(':');
    let (name, stream) = (parts.next()?, parts.next()?);
    (!name.is_empty() && !stream.is_empty()).then(|| format!("{name}:{stream}"))
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    const SAMPLES: &[(&str, &str)] = &[
        ("vex.json", "cve-2031-0001.json"),
        ("rhsa.json", "rhsa-2031_0001.json"),
        ("oval.xml", "rhel-8.oval.xml"),
        ("api.json", "CVE-2031-0001"),
    ];

    #[test]
    fn samples_become_the_expected_records() {
        for (sample, name) in SAMPLES {
            testing::check(&RedHat, "redhat", sample, name);
        }
    }

    #[test]
    fn damaged_files_are_read_as_far_as_they_go() {
        for (sample, name) in SAMPLES {
            testing::survives_damage(&RedHat, "redhat", sample, name);
        }
    }

    #[test]
    fn only_main_streams_are_taken() {
        for (cpe, expected) in [
            ("cpe:/o:redhat:enterprise_linux:9::baseos", "redhat:9"),
            ("cpe:/a:redhat:enterprise_linux:8", "redhat:8"),
            ("cpe:/o:redhat:enterprise_linux:10.0", "redhat:10"),
            ("cpe:/a:redhat:enterprise_linux:8::sap", ""),
            ("cpe:/a:redhat:rhel_eus:9.0::appstream", ""),
            ("cpe:/a:redhat:openshift:4.12::el8", ""),
            ("cpe:/o:redhat:enterprise_linux", ""),
            ("", ""),
        ] {
            let found = release(cpe).map(|ecosystem| ecosystem.to_string());
            assert_eq!(found.unwrap_or_default(), expected, "{cpe}");
        }
    }
}
