use std::collections::HashMap;

/// The main section of `META-INF/MANIFEST.MF` (JAR File Specification, "JAR Manifest").
#[derive(Debug, Default)]
pub(super) struct Manifest(HashMap<String, String>);

impl Manifest {
    /// Reads the section up to the first empty line. Lines that begin with a space continue the one
    /// before; names of attributes ignore case.
    pub(super) fn parse(text: &str) -> Self {
        let mut attributes = HashMap::new();
        let mut current: Option<(String, String)> = None;
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix(' ') {
                if let Some((_, value)) = &mut current {
                    value.push_str(rest);
                }
                continue;
            }
            attributes.extend(current.take());
            if line.is_empty() {
                break;
            }
            current = line
                .split_once(':')
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        attributes.extend(current);
        Self(attributes)
    }

    fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?.as_str();
        // Builds leave placeholders that nothing replaced.
        (!value.is_empty() && !value.contains("${")).then_some(value)
    }

    pub(super) fn version(&self) -> Option<&str> {
        let names = [
            "implementation-version",
            "plugin-version",
            "bundle-version",
            "specification-version",
        ];
        names
            .iter()
            .find_map(|name| self.get(name))
            .and_then(|version| version.split([' ', ';']).next())
    }

    /// What the archive calls itself, for one whose file name says nothing.
    pub(super) fn artifact(&self) -> Option<&str> {
        let titles = ["short-name", "extension-name", "implementation-title"];
        let title = titles.iter().find_map(|name| self.get(name));
        title.filter(|title| {
            title
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        })
    }

    /// Whether a name in it is that of the artifact: its bundle or module, or its title.
    pub(super) fn is_of(&self, artifact: &str) -> bool {
        let names = [
            "bundle-name",
            "bundle-symbolicname",
            "automatic-module-name",
            "implementation-title",
        ];
        let mut names = names.iter().filter_map(|name| self.get(name));
        !artifact.is_empty()
            && names.any(|name| {
                let name = name.split(';').next().unwrap_or(name).trim();
                let (_, last) = name.rsplit_once('.').unwrap_or(("", name));
                [name, last]
                    .iter()
                    .any(|n| n.eq_ignore_ascii_case(artifact))
            })
    }

    /// Whether it is the manifest of an OSGi bundle of this name.
    pub(super) fn is_bundle(&self, name: &str) -> bool {
        let symbolic_name = self.get("bundle-symbolicname");
        symbolic_name.is_some_and(|it| it.split(';').next().unwrap_or(it).trim() == name)
    }

    /// Whether it has this artifact for its title or its whole name.
    pub(super) fn is_titled(&self, artifact: &str) -> bool {
        self.get("implementation-title") == Some(artifact) || self.is_bundle(artifact)
    }

    /// Whether it states this group, or that this is its vendor's.
    pub(super) fn states_group(&self, group: &str) -> bool {
        let stated = ["group-id", "implementation-vendor-id"];
        stated.iter().any(|name| self.get(name) == Some(group))
    }

    /// The group of an artifact, as far as it can be told: stated, or what stands before the
    /// artifact in the names of bundle and module.
    pub(super) fn group(&self, artifact: &str) -> Option<String> {
        let stated = ["group-id", "implementation-vendor-id"];
        if let Some(group) = stated
            .iter()
            .filter_map(|n| self.get(n))
            .find(|g| is_group(g))
        {
            return Some(group.to_owned());
        }
        let names = ["bundle-symbolicname", "automatic-module-name"];
        names
            .iter()
            .filter_map(|name| self.get(name))
            .find_map(|name| {
                // `com.example.thing;singleton:=true`
                let name = name.split(';').next().unwrap_or(name).trim();
                let spelled = artifact.replace('-', ".");
                [artifact, spelled.as_str()]
                    .iter()
                    .find_map(|artifact| name.strip_suffix(artifact)?.strip_suffix('.'))
                    .filter(|group| is_group(group))
                    .map(str::to_owned)
            })
    }

    /// `Bundle-License`, where it is a name and not an essay.
    pub(super) fn license(&self) -> Option<&str> {
        self.get("bundle-license")
            .filter(|license| license.len() <= 200)
    }
}

/// Groups are reversed domain names.
fn is_group(text: &str) -> bool {
    text.contains('.')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_main_section_counts_and_lines_continue() {
        let manifest = Manifest::parse(
            "Manifest-Version: 1.0\r\nImplementation-Version: 1.2.\r\n 3\r\n\
             Bundle-SymbolicName: org.example.lib.my-art\r\n ifact;singleton:=true\r\n\r\n\
             Name: x/\r\nImplementation-Version: 9\r\n",
        );
        assert_eq!(manifest.version(), Some("1.2.3"));
        assert_eq!(
            manifest.group("my-artifact").as_deref(),
            Some("org.example.lib")
        );
        assert_eq!(manifest.group("other"), None);
    }
}
