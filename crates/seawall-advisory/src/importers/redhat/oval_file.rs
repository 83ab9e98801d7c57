//! OVAL v2 (<https://access.redhat.com/security/data/oval/v2/>): definitions of class `patch` are
//! RHSAs; those of class `vulnerability` say what becomes of flaws without a fix.

use super::super::bulletins::{advisory, covers, scores, verdict};
use super::super::oval::{self, Definition, Row};
use super::super::rejected::Rejected;
use super::super::rpm_rows::{Key, RpmRows, Verdict, is_debug_package};
use super::super::{FeedFile, Records};
use super::{OTHER_PRODUCTS, module_stream, release};
use crate::Source;
use seawall_model::{Ecosystem, IncompleteReason};

pub(super) fn import(file: &FeedFile<'_>, records: &mut Records) {
    let mut rejected = Rejected::new(file);
    let document = oval::read(file, &mut rejected);
    for definition in &document.definitions {
        let name = |source: &str| definition.references.iter().find(|r| r.source == source);
        let bulletin = name("RHSA");
        let Some(reference) = bulletin.or_else(|| name("CVE")) else {
            // RHBA and RHEA mend no flaws.
            if name("RHBA").or_else(|| name("RHEA")).is_none() {
                let message = format!("{} names neither an RHSA nor a CVE", definition.id);
                rejected.push(IncompleteReason::Corrupt, Some(definition.offset), message);
            }
            continue;
        };
        let main = definition.cpes.iter().find_map(|cpe| release(cpe));
        if main.is_none() && !definition.cpes.is_empty() {
            records.skip(OTHER_PRODUCTS, 1);
            continue;
        }
        let mut rows = RpmRows::default();
        for row in document.rows(definition, &mut rejected) {
            if is_debug_package(row.name) {
                continue;
            }
            let Some(ecosystem) = ecosystem(&row, main.as_ref()) else {
                records.skip(OTHER_PRODUCTS, 1);
                continue;
            };
            let mut key = Key::binary(ecosystem, row.name);
            key.module = row.module.and_then(module_stream);
            let verdict = match bulletin {
                Some(_) => verdict(row.bound),
                None => unmended(definition, &row),
            };
            match row.architectures.as_slice() {
                [] => rows.add(key, verdict, None),
                on => on
                    .iter()
                    .for_each(|on| rows.add(key.clone(), verdict.clone(), Some(on))),
            }
        }
        let mut advisory = advisory(&reference.id, Source::RedHat, definition);
        match bulletin {
            Some(_) => advisory.covers = covers(Source::RedHat, definition),
            None => {
                let flaws = definition.flaws.iter();
                advisory.cvss = flaws
                    .flat_map(|flaw| scores(Source::RedHat, flaw))
                    .collect();
                let cwes = definition.flaws.iter().flat_map(|flaw| flaw.cwe.split('|'));
                advisory.cwes = cwes
                    .filter(|cwe| cwe.starts_with("CWE-"))
                    .map(str::to_owned)
                    .collect();
            }
        }
        advisory.affected = rows.finish();
        if !advisory.affected.is_empty() {
            records.advisories.push(advisory);
        }
    }
    rejected.finish(records);
}

/// The release that a row's criteria ask for, else the one of the definition's CPEs.
fn ecosystem(row: &Row<'_>, main: Option<&Ecosystem>) -> Option<Ecosystem> {
    let Some(platform) = row.platform else {
        return main.cloned();
    };
    let version = platform.strip_prefix("Red Hat Enterprise Linux ")?;
    let version = version.split(' ').next()?;
    release(&format!("cpe:/o:redhat:enterprise_linux:{version}"))
}

/// The verdict of a definition without a fix: by its resolution for the package, or for all.
fn unmended(definition: &Definition, row: &Row<'_>) -> Verdict {
    if definition.id.contains(".unaffected:") {
        return Verdict::NotAffected;
    }
    let named = definition.resolutions.iter().find(|(_, component)| {
        let package = component.rsplit('/').next();
        package == Some(row.name)
    });
    let resolution = named.or(definition.resolutions.first());
    match resolution.map(|(state, _)| state.as_str()) {
        Some("Will not fix" | "Out of support scope") => Verdict::WontFix,
        Some("Not affected") => Verdict::NotAffected,
        Some("Under investigation") => Verdict::UnderInvestigation,
        _ => Verdict::Open,
    }
}
