//! CVSS vectors to base scores, one place for all feeds.

use cvss::Cvss as Parsed;
use seawall_model::{Cvss, CvssVersion};
use std::str::FromStr;

/// The longest vector that is read, in bytes. A v4.0 vector with every metric set has under 200.
const MAX_VECTOR: usize = 400;

/// The mandatory metrics of each version: CVSS v2 guide section 2.4, v3.1 specification section 6,
/// v4.0 specification section 7. The base score is computed from these alone.
const BASE_V2: &[&str] = &["AV", "AC", "Au", "C", "I", "A"];
const BASE_V3: &[&str] = &["AV", "AC", "PR", "UI", "S", "C", "I", "A"];
const BASE_V4: &[&str] = &[
    "AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA",
];

/// Reads a CVSS vector of version 2.0, 3.0, 3.1 or 4.0 and computes its base score. `source` says
/// who scored it (`nvd`, `ghsa`, ...).
///
/// Version 2 vectors have no prefix; the parentheses that some publishers put around them, and a
/// `CVSS:2.0/` before them, are dropped. Temporal, threat and environmental metrics stay in the
/// vector and do not change the score. `None`: the text is not a vector, or lacks a base metric.
#[must_use]
pub fn parse(vector: &str, source: &str) -> Option<Cvss> {
    let vector = vector.trim();
    if vector.len() > MAX_VECTOR {
        return None;
    }
    let vector = vector
        .trim_start_matches('(')
        .trim_end_matches(')')
        .trim_end_matches('/');
    let vector = vector.strip_prefix("CVSS:2.0/").unwrap_or(vector);
    let (version, prefix, base) = match Parsed::from_str(vector).ok()? {
        Parsed::CvssV20(_) => (CvssVersion::V2, None, BASE_V2),
        Parsed::CvssV30(_) => (CvssVersion::V3_0, Some("CVSS:3.0"), BASE_V3),
        Parsed::CvssV31(_) => (CvssVersion::V3_1, Some("CVSS:3.1"), BASE_V3),
        Parsed::CvssV40(_) => (CvssVersion::V4_0, Some("CVSS:4.0"), BASE_V4),
        _ => return None,
    };
    let mut parts: Vec<&str> = prefix.into_iter().collect();
    for metric in base {
        parts.push(vector.split('/').find(|part| {
            part.split_once(':')
                .is_some_and(|(name, _)| name == *metric)
        })?);
    }
    let score = Parsed::from_str(&parts.join("/")).ok()?.score();
    Some(Cvss {
        version,
        vector: vector.to_owned(),
        score,
        source: source.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_scores_follow_the_specifications() {
        for (vector, expected) in [
            ("AV:N/AC:L/Au:N/C:N/I:N/A:C", Some((CvssVersion::V2, 7.8))),
            (
                "(AV:N/AC:L/Au:N/C:C/I:C/A:C)",
                Some((CvssVersion::V2, 10.0)),
            ),
            ("AV:L/AC:H/Au:N/C:C/I:C/A:C", Some((CvssVersion::V2, 6.2))),
            (
                "CVSS:2.0/AV:N/AC:L/Au:N/C:N/I:N/A:P",
                Some((CvssVersion::V2, 5.0)),
            ),
            ("AV:N/AC:L/Au:N/C:N/I:N/A:N", Some((CvssVersion::V2, 0.0))),
            (
                "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                Some((CvssVersion::V3_0, 9.8)),
            ),
            (
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
                Some((CvssVersion::V3_1, 6.1)),
            ),
            // The temporal metrics do not lower the base score.
            (
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U/RL:O/RC:U",
                Some((CvssVersion::V3_1, 9.8)),
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                Some((CvssVersion::V4_0, 9.3)),
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U",
                Some((CvssVersion::V4_0, 9.3)),
            ),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", None),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:Q", None),
            ("CVSS:5.0/AV:N", None),
            ("7.5", None),
            ("", None),
            ("(", None),
        ] {
            let found = parse(vector, "test").map(|c| (c.version, c.score));
            assert_eq!(found, expected, "{vector}");
        }
    }
}
