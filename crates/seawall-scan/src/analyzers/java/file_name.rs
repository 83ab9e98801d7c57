//! What the file name of an archive says: `name-1.2.3-sources.jar`, `group.name-1.2.3.jar`.

use super::groups::{coordinates_of, group_of};
use super::manifest::Manifest;

/// Classifiers that may follow the version.
const CLASSIFIERS: [&str; 10] = [
    "-sources",
    "-javadoc",
    "-tests",
    "-all",
    "-shaded",
    "-jar-with-dependencies",
    "-exec",
    "-linux-x86_64",
    "-linux-aarch_64",
    "-runner",
];

/// Splits `name-1.2.3-sources.jar` into name and version.
pub(super) fn split(file: &str) -> (&str, Option<&str>) {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let start = bundle_version_start(stem).or_else(|| version_start(stem));
    let Some((name, version)) = start.and_then(|at| stem.split_at_checked(at)) else {
        return (stem, None);
    };
    let version = version.trim_start_matches(['-', '_']);
    let version = CLASSIFIERS
        .iter()
        .find_map(|classifier| version.strip_suffix(classifier))
        .unwrap_or(version);
    (name, Some(version))
}

/// The underscore before the version of an OSGi bundle, which has three numbers (Eclipse Equinox:
/// `org.example.bundle_1.2.3.v2021-1025.jar`). A library for a version of Scala has its own version
/// after a hyphen: `name_2.13.6-0.13.2.jar`.
fn bundle_version_start(stem: &str) -> Option<usize> {
    let (at, _) = stem.rmatch_indices('_').find(|(at, _)| {
        let parts = stem.get(at + 1..).unwrap_or_default().split('.');
        let is_number = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
        parts.take_while(|part| is_number(part)).count() >= 3
    })?;
    let mut words = stem.get(at..)?.split('-').skip(1);
    let is_version =
        |word: &str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.');
    (!words.any(is_version)).then_some(at)
}

/// The hyphen before the version: the first that a digit follows, unless a word and a second number
/// follow, as in `log4j-1.2-api-2.17.1`.
fn version_start(stem: &str) -> Option<usize> {
    const STAGES: [&str; 6] = ["alpha", "beta", "rc", "cr", "m", "b"];
    let mut start = None;
    let mut word_since = false;
    for (at, _) in stem.match_indices('-') {
        let part = stem
            .get(at + 1..)
            .and_then(|rest| rest.split('-').next())
            .unwrap_or_default();
        let number = part.strip_prefix(['v', 'r']).unwrap_or(part);
        if number.starts_with(|c: char| c.is_ascii_digit()) {
            if start.is_none() || (word_since && number.contains('.')) {
                start = Some(at);
            }
            word_since = false;
        } else if !STAGES.contains(&part.to_ascii_lowercase().as_str()) {
            word_since = true;
        }
    }
    start
}

/// Group and artifact of an archive whose name, without the version, has both, as Quarkus and
/// sbt-native-packager write it: `org.bouncycastle.bcprov-jdk15on`. The names of OSGi bundles look
/// the same and are artifacts as a whole, so the end of the group needs evidence: in the manifest,
/// in the table of well-known artifacts, in the directory, or in the name itself.
pub(super) fn split_group<'a>(
    name: &'a str,
    manifest: &Manifest,
    path: &str,
) -> Option<(&'a str, &'a str)> {
    let splits = || {
        let all = name.match_indices('.');
        let all = all.filter_map(|(at, _)| Some((name.get(..at)?, name.get(at + 1..)?)));
        // `2.13` of `kafka_2.13` is a version of Scala.
        all.filter(|(_, artifact)| artifact.starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    let repeats_group = |(group, artifact): &(&str, &str)| {
        let rest = artifact.strip_prefix(group);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', '_']))
    };
    let is_known = |(group, artifact): &(&str, &str)| match coordinates_of(artifact) {
        Some(known) => known.split_once(':') == Some((group, artifact)),
        None => group_of(artifact) == Some(group),
    };
    let is_stated = |(group, artifact): &(&str, &str)| {
        !manifest.is_bundle(name)
            && group.contains('.')
            && (manifest.is_titled(artifact)
                || (manifest.states_group(group) && !is_below_a_group(artifact)))
    };
    splits()
        .find(repeats_group)
        .or_else(|| splits().find(is_known))
        .or_else(|| splits().find(is_stated))
        .or_else(|| splits().next_back().filter(|_| is_of_quarkus(path)))
        .filter(|(group, _)| !group.is_empty())
}

/// Whether there is more of a group before the artifact: `commons.commons-lang3`, not `x_2.13`.
fn is_below_a_group(rest: &str) -> bool {
    rest.match_indices('.').any(|(at, _)| {
        let next = rest.get(at + 1..).unwrap_or_default();
        next.starts_with(|c: char| c.is_ascii_alphabetic())
    })
}

/// Whether the archive lies where Quarkus puts libraries (quarkus.io, "Quarkus fast-jar"), whose
/// names all begin with the group.
fn is_of_quarkus(path: &str) -> bool {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    directory.ends_with("/lib/main") || directory.ends_with("/lib/boot")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names() {
        for (file, expected) in [
            ("a-1.2.3.jar", ("a", Some("1.2.3"))),
            ("a-b2-1.0-SNAPSHOT.jar", ("a-b2", Some("1.0-SNAPSHOT"))),
            (
                "log4j-1.2-api-2.17.1.jar",
                ("log4j-1.2-api", Some("2.17.1")),
            ),
            (
                "netty-x-4.1.100.Final-linux-x86_64.jar",
                ("netty-x", Some("4.1.100.Final")),
            ),
            ("kafka_2.13-3.4.0.jar", ("kafka_2.13", Some("3.4.0"))),
            ("a-1.0-beta-2.jar", ("a", Some("1.0-beta-2"))),
            ("guava-32.1.2-jre.jar", ("guava", Some("32.1.2-jre"))),
            ("a.jar", ("a", None)),
            (".jar", ("", None)),
        ] {
            assert_eq!(split(file), expected, "{file}");
        }
    }

    #[test]
    fn the_version_of_a_bundle_was_taken_for_a_part_of_its_name() {
        for (file, expected) in [
            ("org.x.core_2.14.1.jar", ("org.x.core", Some("2.14.1"))),
            (
                "org.x.run_3.22.0.v2021-1025.jar",
                ("org.x.run", Some("3.22.0.v2021-1025")),
            ),
            ("a_2.13.6-0.13.2.jar", ("a_2.13.6", Some("0.13.2"))),
            ("a_2.13.jar", ("a_2.13", None)),
        ] {
            assert_eq!(split(file), expected, "{file}");
        }
    }

    #[test]
    fn the_group_in_a_file_name_was_taken_for_a_part_of_the_artifact() {
        let bundle = |name: &str| format!("Bundle-SymbolicName: {name}\n");
        let vendor = |id: &str| format!("Implementation-Vendor-Id: {id}\n");
        for (name, manifest, expected) in [
            (
                "org.bouncycastle.bcprov-jdk15on",
                vendor("org.bouncycastle"),
                Some("org.bouncycastle"),
            ),
            (
                "com.typesafe.akka.akka-http-core_2.12",
                vendor("com.typesafe.akka"),
                Some("com.typesafe.akka"),
            ),
            (
                "org.example.web.thing-web",
                "Implementation-Title: thing-web\n".to_owned(),
                Some("org.example.web"),
            ),
            (
                "org.yaml.snakeyaml",
                bundle("org.yaml.snakeyaml"),
                Some("org.yaml"),
            ),
            ("com.h2database.h2", String::new(), Some("com.h2database")),
            (
                "jakarta.activation.jakarta.activation-api",
                String::new(),
                Some("jakarta.activation"),
            ),
            // Artifacts as a whole.
            (
                "org.apache.felix.framework",
                bundle("org.apache.felix.framework"),
                None,
            ),
            ("javax.servlet-api", String::new(), None),
            ("org.apache.commons.commons-x", vendor("org.apache"), None),
            ("kafka_2.13", String::new(), None),
        ] {
            let manifest = Manifest::parse(&manifest);
            let split = split_group(name, &manifest, "app/x.jar");
            assert_eq!(split.map(|(group, _)| group), expected, "{name}");
        }
        let none = Manifest::default();
        let path = "/app/lib/main/org.a-b.c-d-1.0.jar";
        assert_eq!(
            split_group("org.a-b.c-d", &none, path),
            Some(("org.a-b", "c-d"))
        );
    }
}
