use super::file_name;
use super::groups::{coordinates_of, group_of};
use super::manifest::Manifest;
use super::pom;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, Wanted, turn, zip_file};
use seawall_model::{Evidence, Incomplete, IncompleteReason, Package, PackageType};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{BufReader, Cursor, Read, Seek};
use zip::ZipArchive;
use zip::result::ZipError;

/// Java archives and the archives inside them: libraries of a war, of a Spring Boot application
/// (`BOOT-INF/lib`), of an ear.
///
/// Packages are known by `META-INF/maven/GROUP/ARTIFACT/pom.properties`, of which an archive with
/// other libraries merged into it has several; by the `pom.xml` beside it; and otherwise by file
/// name and manifest, where the group may be a guess from bundle name, module name or a table of
/// well-known artifacts.
#[derive(Debug)]
pub struct Archive;

/// Archives inside archives.
const MAX_DEPTH: usize = 5;
/// Bytes of an inner archive and those around it, which are held in memory together.
const MAX_INNER: u64 = 256 << 20;
/// Bytes of all inner archives of one file.
const MAX_INNER_TOTAL: u64 = 4 << 30;
/// Bytes of a manifest, `pom.properties` or `pom.xml`.
const MAX_METADATA: u64 = 4 << 20;
/// Archives in one file.
const MAX_ARCHIVES: usize = 20_000;

/// Extensions that other programs give to files of their own.
const AMBIGUOUS: [&str; 4] = ["par", "sar", "kar", "nar"];

const EXTENSIONS: [&str; 9] = [
    "jar", "war", "ear", "par", "sar", "kar", "jpi", "hpi", "nar",
];

impl Analyzer for Archive {
    fn name(&self) -> &'static str {
        "java-archive"
    }

    fn patterns(&self) -> &'static [Pattern] {
        const PATTERNS: [Pattern; 9] = [
            Pattern::Extension("jar"),
            Pattern::Extension("war"),
            Pattern::Extension("ear"),
            Pattern::Extension("par"),
            Pattern::Extension("sar"),
            Pattern::Extension("kar"),
            Pattern::Extension("jpi"),
            Pattern::Extension("hpi"),
            Pattern::Extension("nar"),
        ];
        &PATTERNS
    }

    fn max_bytes(&self) -> u64 {
        2 << 30
    }

    /// The file stays where it is. For what is read of it a turn is taken on the way.
    fn memory_per_byte(&self) -> u64 {
        0
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        let mut walk = Walk {
            found,
            inner_bytes: 0,
            held_bytes: 0,
            turn: None,
            archives: 0,
        };
        let reader = BufReader::new(file.content.reader());
        walk.archive(reader, &format!("/{}", file.path), 0)
    }
}

/// What is found and used up while one file and the archives in it are read.
struct Walk<'a> {
    found: &'a mut Found,
    /// Of all archives inside, one after the other.
    inner_bytes: u64,
    /// Of those that are open at the same time, each inside the one before.
    held_bytes: u64,
    turn: Option<turn::Turn>,
    archives: usize,
}

/// Which entries of an archive matter.
#[derive(Default)]
struct Parts {
    manifest: Option<usize>,
    /// By directory: `pom.properties` and `pom.xml`.
    maven: BTreeMap<String, (Option<usize>, Option<usize>)>,
    archives: Vec<usize>,
}

impl Walk<'_> {
    fn archive(
        &mut self,
        mut reader: impl Read + Seek,
        path: &str,
        depth: usize,
    ) -> Result<(), AnalyzeError> {
        let is_ambiguous = AMBIGUOUS.iter().any(|it| has_extension(path, it));
        if is_ambiguous && !zip_file::has_magic(&mut reader)? {
            return Ok(());
        }
        let mut zip = zip_file::open(reader, &mut self.turn)?;
        let parts = Parts::of(&zip);
        let manifest = match parts.manifest {
            Some(index) => Manifest::parse(&self.text(&mut zip, index, path)?),
            None => Manifest::default(),
        };
        let name = path.rsplit('/').next().unwrap_or(path);
        let (artifact, version) = file_name::split(name);
        let (mut is_named, mut has_packages) = (false, !parts.archives.is_empty());
        for (properties, xml) in parts.maven.values() {
            let coordinates = match (properties, xml) {
                (Some(index), _) => Coordinates::of_properties(&self.text(&mut zip, *index, path)?),
                (None, Some(index)) => Coordinates::of_pom(&self.text(&mut zip, *index, path)?),
                (None, None) => None,
            };
            if let Some(found) = coordinates {
                is_named |= found.is_of_file(artifact, version);
                has_packages = true;
                self.add(&found.name(), &found.version, None, path);
            }
        }
        if !is_named {
            let is_manifest_own = parts.maven.is_empty() || manifest.is_of(artifact);
            has_packages |= self.add_by_name(artifact, version, &manifest, path, is_manifest_own);
        }
        if !has_packages {
            self.found.add_unversioned(Wanted::Archive, name, false);
        }
        for index in parts.archives {
            self.inner(&mut zip, index, path, depth)?;
        }
        Ok(())
    }

    /// The archive itself, by file name and manifest. If it holds coordinates of other packages
    /// only and the manifest does not name it, the manifest may be theirs, and the file name alone
    /// counts. Whether they state a version: without one there is no package.
    fn add_by_name(
        &mut self,
        artifact: &str,
        version: Option<&str>,
        manifest: &Manifest,
        path: &str,
        is_manifest_own: bool,
    ) -> bool {
        let Some(version) = version.or(manifest.version().filter(|_| is_manifest_own)) else {
            return false;
        };
        let artifact = match artifact {
            "" => manifest.artifact().unwrap_or_default(),
            artifact => artifact,
        };
        if artifact.is_empty() {
            return false;
        }
        let name = match file_name::split_group(artifact, manifest, path) {
            Some((group, artifact)) => format!("{group}:{artifact}"),
            // A manifest's group is a guess: many libraries of Apache call their vendor `org.apache`.
            None => coordinates_of(artifact).unwrap_or_else(|| {
                let stated = manifest.group(artifact).filter(|_| is_manifest_own);
                match stated.or_else(|| group_of(artifact).map(str::to_owned)) {
                    Some(group) => format!("{group}:{artifact}"),
                    None => artifact.to_owned(),
                }
            }),
        };
        self.add(&name, version, manifest.license(), path);
        true
    }

    fn add(&mut self, name: &str, version: &str, license: Option<&str>, path: &str) {
        let mut package = Package::new(PackageType::Maven, name, version, Evidence::Installed);
        package.licenses = license.map(str::to_owned).into_iter().collect();
        package.paths = vec![path.to_owned()];
        self.found.add(package);
    }

    /// Reads an archive inside. What is wrong with it is noted, and its siblings are still read.
    fn inner<R: Read + Seek>(
        &mut self,
        zip: &mut ZipArchive<R>,
        index: usize,
        path: &str,
        depth: usize,
    ) -> Result<(), AnalyzeError> {
        let member = match zip.by_index(index) {
            Ok(member) => member,
            Err(error) => {
                self.note(IncompleteReason::Corrupt, path, &error.to_string());
                return Ok(());
            }
        };
        let inner_path = format!("{path}!/{}", name_of(&member.name()));
        self.archives += 1;
        let rest = MAX_INNER_TOTAL
            .saturating_sub(self.inner_bytes)
            .min(MAX_INNER.saturating_sub(self.held_bytes));
        if depth + 1 >= MAX_DEPTH || self.archives > MAX_ARCHIVES || member.size() > rest {
            self.note(
                IncompleteReason::LimitReached,
                &inner_path,
                "the archive is nested too deeply, or too large inside another, and was not read",
            );
            return Ok(());
        }
        let size = member.size();
        if self.turn.is_none() {
            self.turn = turn::take(self.held_bytes + size);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        // The stated size may be a lie; the cap holds all the same.
        let result = member.take(rest).read_to_end(&mut bytes);
        let held = bytes.len() as u64;
        self.inner_bytes = self.inner_bytes.saturating_add(held);
        self.held_bytes += held;
        let result = match result {
            Ok(_) => self.archive(Cursor::new(bytes), &inner_path, depth + 1),
            Err(error) => Err(error.into()),
        };
        self.held_bytes -= held;
        if let Err(error) = result {
            self.note(error.reason, &inner_path, &error.message);
        }
        Ok(())
    }

    fn text<R: Read + Seek>(
        &mut self,
        zip: &mut ZipArchive<R>,
        index: usize,
        path: &str,
    ) -> Result<String, AnalyzeError> {
        let member = zip
            .by_index(index)
            .map_err(|error| zip_file::damaged(&error))?;
        let inner_path = format!("{path}!/{}", name_of(&member.name()));
        let mut bytes = Vec::new();
        member.take(MAX_METADATA).read_to_end(&mut bytes)?;
        if bytes.len() as u64 == MAX_METADATA {
            let message = format!("only the first {MAX_METADATA} bytes were read");
            self.note(IncompleteReason::LimitReached, &inner_path, &message);
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn note(&mut self, reason: IncompleteReason, path: &str, message: &str) {
        self.found.note(Incomplete::new(reason, path, message));
    }
}

impl Parts {
    fn of<R: Read + Seek>(zip: &ZipArchive<R>) -> Self {
        let mut parts = Self::default();
        for (index, name) in zip.file_names().enumerate() {
            let name = name_of(&name);
            if name == "META-INF/MANIFEST.MF" {
                parts.manifest = Some(index);
            } else if let Some((directory, file)) = name
                .strip_prefix("META-INF/maven/")
                .and_then(|rest| rest.rsplit_once('/'))
            {
                match file {
                    "pom.properties" => {
                        parts.maven.entry(directory.to_owned()).or_default().0 = Some(index)
                    }
                    "pom.xml" => {
                        parts.maven.entry(directory.to_owned()).or_default().1 = Some(index)
                    }
                    _ => {}
                }
            } else if is_archive(name) {
                parts.archives.push(index);
            }
        }
        parts
    }
}

/// The name of an entry, empty if it cannot be decoded: no entry of interest is named so.
fn name_of<'a>(name: &'a Result<Cow<'_, str>, ZipError>) -> &'a str {
    name.as_deref().unwrap_or_default()
}

fn is_archive(name: &str) -> bool {
    EXTENSIONS.iter().any(|it| has_extension(name, it))
}

fn has_extension(path: &str, extension: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(stem, own)| !stem.is_empty() && own.eq_ignore_ascii_case(extension))
}

/// Group, artifact and version (Maven POM reference, "Maven Coordinates").
struct Coordinates {
    group: String,
    artifact: String,
    version: String,
}

impl Coordinates {
    /// A properties file as Maven's archiver writes it: `groupId=...` with nothing escaped.
    fn of_properties(text: &str) -> Option<Self> {
        let value = |key: &str| {
            text.lines()
                .filter_map(|line| line.split_once('='))
                .find(|(name, _)| name.trim() == key)
                .map(|(_, value)| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        Some(Self {
            group: value("groupId")?,
            artifact: value("artifactId")?,
            version: value("version").filter(|version| !version.contains("${"))?,
        })
    }

    fn of_pom(text: &str) -> Option<Self> {
        let pom = pom::parse("", text).ok()?;
        let (group, artifact, version) = pom.coordinates()?;
        Some(Self {
            group,
            artifact,
            version,
        })
    }

    fn name(&self) -> String {
        format!("{}:{}", self.group, self.artifact)
    }

    /// Whether these are the coordinates of the archive itself: `x` of `x-1.0.jar` and of
    /// `group.x-1.0.jar`; and in the same version, if the file name has one, `x-core` of `x.jar` and
    /// `x` of `x-bin.jar`.
    fn is_of_file(&self, artifact_of_file: &str, version_of_file: Option<&str>) -> bool {
        let own = artifact_of_file.strip_suffix(&self.artifact);
        if own.is_some_and(|rest| rest.is_empty() || rest.strip_suffix('.') == Some(&self.group)) {
            return true;
        }
        // `x_3.0_spec` of `x-3.0-spec.jar`: a number of the name is no version.
        let spelled = |name: &str| name.replace('_', "-");
        let whole = version_of_file.map(|version| format!("{artifact_of_file}-{version}"));
        if whole.is_some_and(|whole| spelled(&whole) == spelled(&self.artifact)) {
            return true;
        }
        if version_of_file.is_some_and(|version| !version.starts_with(&self.version)) {
            return false;
        }
        let continues = |long: &str, short: &str| {
            let rest = long.strip_prefix(short);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_', '.']))
        };
        continues(artifact_of_file, &self.artifact) || continues(&self.artifact, artifact_of_file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check, lines};
    use std::io::Write;
    use zip::write::SimpleFileOptions;

    fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn properties(group: &str, artifact: &str, version: &str) -> (String, Vec<u8>) {
        (
            format!("META-INF/maven/{group}/{artifact}/pom.properties"),
            format!("#Generated\ngroupId={group}\nartifactId={artifact}\nversion={version}\n")
                .into_bytes(),
        )
    }

    #[test]
    fn coordinates_of_pom_properties() {
        let (a, b) = (properties("g", "a", "1.0"), properties("h", "b", "2.0"));
        let jar = zip_of(&[(&a.0, &a.1)]);
        check(&Archive, "x/a-1.0.jar", &jar, &["g:a 1.0"]);
        check(&Archive, "x/renamed.jar", &jar, &["g:a 1.0"]);
        let shaded = zip_of(&[(&a.0, &a.1), (&b.0, &b.1)]);
        check(&Archive, "x/a-1.0.jar", &shaded, &["g:a 1.0", "h:b 2.0"]);
        check(
            &Archive,
            "x/app-3.0-all.jar",
            &shaded,
            &["g:a 1.0", "h:b 2.0", "app 3.0"],
        );
    }

    #[test]
    fn a_number_in_the_name_of_an_archive_was_taken_for_its_version() {
        let named = properties(
            "org.apache.geronimo.specs",
            "geronimo-jta_1.1_spec",
            "1.1.1",
        );
        let jar = zip_of(&[(&named.0, &named.1)]);
        let expected = ["org.apache.geronimo.specs:geronimo-jta_1.1_spec 1.1.1"];
        check(&Archive, "x/geronimo-jta-1.1-spec.jar", &jar, &expected);
        check(
            &Archive,
            "x/geronimo-jta_1.1_spec-1.1.1.jar",
            &jar,
            &expected,
        );
    }

    #[test]
    fn an_archive_was_lost_when_only_a_library_merged_into_it_had_coordinates() {
        let manifest = b"Bundle-Name: guice\nBundle-SymbolicName: com.google.inject\n\
            Automatic-Module-Name: com.google.guice\nBundle-Version: 4.2.3\n";
        let merged = properties("cglib", "cglib", "3.2.12");
        let jar = zip_of(&[("META-INF/MANIFEST.MF", manifest), (&merged.0, &merged.1)]);
        let expected = ["cglib:cglib 3.2.12", "com.google.inject:guice 4.2.3"];
        check(&Archive, "x/guice.jar", &jar, &expected);
        // In an application with another name the manifest may be that of a library.
        check(&Archive, "x/shop.jar", &jar, &["cglib:cglib 3.2.12"]);
    }

    #[test]
    fn names_and_manifests() {
        let manifest = |text: &str| zip_of(&[("META-INF/MANIFEST.MF", text.as_bytes())]);
        for (path, text, expected) in [
            (
                "lib/log4j-core-2.14.1.jar",
                "",
                &["org.apache.logging.log4j:log4j-core 2.14.1"][..],
            ),
            (
                "lib/x-1.0.RELEASE.jar",
                "Automatic-Module-Name: org.example.x\n",
                &["org.example:x 1.0.RELEASE"],
            ),
            (
                "lib/x.jar",
                "Implementation-Version: 2.5\nImplementation-Vendor-Id: org.example\n",
                &["org.example:x 2.5"],
            ),
            // What Tomcat and old libraries of Apache say of themselves.
            (
                "lib/catalina.jar",
                "Implementation-Title: Apache Tomcat\nImplementation-Version: 9.0.70\n",
                &["org.apache.tomcat:tomcat-catalina 9.0.70"],
            ),
            (
                "lib/commons-fileupload-1.2.jar",
                "Implementation-Vendor-Id: org.apache\n",
                &["commons-fileupload:commons-fileupload 1.2"],
            ),
            ("lib/x.jar", "Implementation-Version: ${version}\n", &[]),
            ("lib/x.jar", "", &[]),
        ] {
            check(&Archive, path, &manifest(text), expected);
        }
    }

    #[test]
    fn an_archive_without_a_version_was_left_out_without_a_word() {
        let bare = zip_of(&[("x/X.class", b"")]);
        let a = properties("g", "a", "1.0");
        let named = zip_of(&[(&a.0, &a.1)]);
        let war = zip_of(&[
            ("WEB-INF/lib/bare.jar", &bare),
            ("WEB-INF/lib/b.jar", &named),
        ]);
        for (path, bytes, expected) in [
            ("lib/x.jar", &bare, &["x.jar"][..]),
            ("lib/x-1.0.jar", &bare, &[]),
            ("lib/renamed.jar", &named, &[]),
            ("app.war", &war, &["bare.jar"]),
        ] {
            let (found, result) = analyze(&Archive, path, bytes);
            assert!(result.is_ok(), "{path}");
            let names: Vec<&str> = found.unversioned.iter().map(|one| &*one.name).collect();
            assert_eq!(names, expected, "{path}");
        }
    }

    #[test]
    fn an_archive_was_hidden_by_coordinates_of_another_version_and_the_same_beginning() {
        let foreign = properties("org.apache.logging", "log4j", "99.0");
        let jar = zip_of(&[(&foreign.0, &foreign.1)]);
        let own = "org.apache.logging.log4j:log4j-core 2.14.1";
        let expected = ["org.apache.logging:log4j 99.0", own];
        check(&Archive, "x/log4j-core-2.14.1.jar", &jar, &expected);
        let (bin, core) = (
            properties("g", "x", "1.0"),
            properties("g", "x-core", "1.0"),
        );
        for (file, (path, text)) in [("x-bin-1.0.jar", &bin), ("x.jar", &core)] {
            let expected = if path == &bin.0 {
                "g:x 1.0"
            } else {
                "g:x-core 1.0"
            };
            check(&Archive, file, &zip_of(&[(path, text)]), &[expected]);
        }
    }

    #[test]
    fn a_file_name_with_the_group_made_a_second_package() {
        let own = properties("org.a", "b-c", "1.0");
        let jar = zip_of(&[(&own.0, &own.1)]);
        check(
            &Archive,
            "lib/main/org.a.b-c-1.0.jar",
            &jar,
            &["org.a:b-c 1.0"],
        );
        let manifest = b"Bundle-SymbolicName: bcprov\nImplementation-Vendor-Id: org.bouncycastle\n";
        let jar = zip_of(&[("META-INF/MANIFEST.MF", manifest)]);
        let path = "lib/org.bouncycastle.bcprov-jdk15on-1.60.jar";
        check(
            &Archive,
            path,
            &jar,
            &["org.bouncycastle:bcprov-jdk15on 1.60"],
        );
    }

    #[test]
    fn archives_within_each_other_were_each_given_memory_of_their_own() {
        let jar = zip_of(&[("x.jar", &zip_of(&[]))]);
        for (held_bytes, limits) in [(MAX_INNER - 1000, 0), (MAX_INNER - 10, 1)] {
            let mut found = Found::default();
            let mut walk = Walk {
                found: &mut found,
                inner_bytes: 0,
                held_bytes,
                turn: None,
                archives: 0,
            };
            assert!(walk.archive(Cursor::new(&jar), "a.jar", 1).is_ok());
            assert_eq!(walk.held_bytes, held_bytes);
            assert_eq!(found.incomplete.len(), limits, "{:?}", found.incomplete);
        }
    }

    #[test]
    fn archives_inside_archives() {
        let (a, b) = (properties("g", "a", "1.0"), properties("g", "b", "2.0"));
        let a = zip_of(&[(&a.0, &a.1)]);
        let b = zip_of(&[(&b.0, &b.1)]);
        let war = zip_of(&[
            ("WEB-INF/lib/a-1.0.jar", &a),
            ("WEB-INF/lib/broken.jar", b"no zip"),
            ("BOOT-INF/lib/b-2.0.jar", &b),
        ]);
        let ear = zip_of(&[("app.war", &war)]);
        let (found, result) = analyze(&Archive, "opt/app.ear", &ear);
        assert!(result.is_ok());
        assert_eq!(lines(&found), ["g:a 1.0", "g:b 2.0"]);
        assert_eq!(
            found.packages[0].paths,
            ["/opt/app.ear!/app.war!/WEB-INF/lib/a-1.0.jar"]
        );
        assert_eq!(
            found.incomplete[0].place,
            "/opt/app.ear!/app.war!/WEB-INF/lib/broken.jar"
        );
    }

    #[test]
    fn nesting_is_capped_and_said() {
        let mut inner = zip_of(&[]);
        for _ in 0..10 {
            inner = zip_of(&[("x.jar", &inner)]);
        }
        let (found, result) = analyze(&Archive, "x.jar", &inner);
        assert!(result.is_ok());
        assert_eq!(found.incomplete[0].reason, IncompleteReason::LimitReached);
    }

    #[test]
    fn a_file_of_another_program_was_said_to_be_a_damaged_archive() {
        for (path, is_archive) in [("x.par", false), ("x.NAR", false), ("x.jar", true)] {
            let (_, result) = analyze(&Archive, path, b"hello, world");
            assert_eq!(result.is_err(), is_archive, "{path}");
        }
        let own = properties("g", "a", "1.0");
        let par = zip_of(&[(&own.0, &own.1), ("x.kar", b"hello, world")]);
        check(&Archive, "x.par", &par, &["g:a 1.0"]);
    }

    #[test]
    fn damage_is_reported() {
        let jar = zip_of(&[("META-INF/MANIFEST.MF", b"x: y\n")]);
        for length in [0, 10, jar.len() - 5] {
            assert!(analyze(&Archive, "a.jar", &jar[..length]).1.is_err());
        }
    }
}
