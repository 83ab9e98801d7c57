use super::terms::{Language, Token, Tokens};
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, document};
use seawall_model::{Evidence, Package, PackageType};

/// Application resource files, `ebin/NAME.app` (Erlang, app(4)): what is left of the packages in a
/// release, which carries no lockfile.
#[derive(Debug)]
pub struct ApplicationResource;

/// Applications that are published as programs and not on Hex, with their NVD products.
const PROGRAMS: &[(&str, &str, &str)] = &[
    ("elixir", "elixir", "elixir-lang:elixir"),
    ("rabbit", "rabbitmq", "vmware:rabbitmq"),
];

/// What the distribution of Elixir consists of beside `elixir` itself.
const PARTS_OF_ELIXIR: &[&str] = &["eex", "ex_unit", "iex", "logger", "mix"];

impl Analyzer for ApplicationResource {
    fn name(&self) -> &'static str {
        "erlang-application"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Extension("app")]
    }

    fn max_bytes(&self) -> u64 {
        4 << 20
    }

    fn counts_at(&self, path: &str) -> bool {
        let directory = path.rsplit_once('/').map(|(directory, _)| directory);
        directory.is_some_and(|it| it.ends_with("ebin"))
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        // The file has the application's name: the code loader finds it by that.
        let name = file.path.rsplit('/').next();
        let Some(name) = name.and_then(|name| name.strip_suffix(".app")) else {
            return Ok(());
        };
        let text = document::text(file)?;
        let Some(version) = version(&text)? else {
            return Ok(());
        };
        if PARTS_OF_ELIXIR.contains(&name) {
            return Ok(());
        }
        let program = PROGRAMS
            .iter()
            .find(|(application, ..)| *application == name);
        let (kind, name) = match program {
            Some((_, product, _)) => (PackageType::Generic, *product),
            None => (PackageType::Hex, name),
        };
        let mut package = Package::new(kind, name, version, Evidence::Installed);
        package.cpe_products = program
            .map(|(.., cpe)| (*cpe).to_owned())
            .into_iter()
            .collect();
        found.add(package);
        Ok(())
    }
}

/// The value of `vsn`; `None` for the applications of Erlang/OTP itself, which alone state what of
/// the runtime they need, and for other files of that name.
fn version(text: &str) -> Result<Option<&str>, AnalyzeError> {
    let mut version = None;
    let mut last = [Token::Mark(' '); 4];
    for token in Tokens::new(text, Language::Erlang)? {
        last.rotate_left(1);
        last[3] = token?;
        match last {
            [_, _, Token::Mark('{'), Token::Word("runtime_dependencies")] => return Ok(None),
            [
                Token::Mark('{'),
                Token::Word("vsn"),
                Token::Mark(','),
                Token::Text(value),
            ] if !value.is_empty() => version = version.or(Some(value)),
            _ => {}
        }
    }
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check};

    #[test]
    fn packages_of_a_release_without_a_lockfile_were_missing() {
        for (path, text, expected) in [
            (
                "app/lib/phoenix-1.7.2/ebin/phoenix.app",
                "{application,phoenix,\n [{modules,['Elixir.Phoenix']},\n  {vsn,\"1.7.2\"}]}.\n",
                &["phoenix 1.7.2"][..],
            ),
            (
                "app/lib/elixir-1.14.0/ebin/elixir.app",
                "{application,elixir,[{vsn,\"1.14.0\"}]}.",
                &["elixir 1.14.0"],
            ),
            (
                "app/lib/mix-1.14.0/ebin/mix.app",
                "{application,mix,[{vsn,\"1.14.0\"}]}.",
                &[],
            ),
            (
                "usr/lib/erlang/lib/stdlib-4.2/ebin/stdlib.app",
                "%% -*- erlang -*-\n{application, stdlib, [{vsn, \"4.2\"},\
                 {runtime_dependencies, [\"kernel-7.0\"]}]}.",
                &[],
            ),
        ] {
            check(&ApplicationResource, path, text.as_bytes(), expected);
        }
    }

    #[test]
    fn not_everything_called_app_is_an_application_of_erlang() {
        for (path, expected) in [
            ("lib/a-1/ebin/a.app", true),
            ("x/other.app", false),
            ("other.app", false),
        ] {
            assert_eq!(ApplicationResource.counts_at(path), expected, "{path}");
        }
    }

    #[test]
    fn damage_is_reported() {
        for text in ["no term", "{application,a,[{vsn,\"1.0"] {
            let (_, result) = analyze(&ApplicationResource, "lib/a/ebin/a.app", text.as_bytes());
            assert!(result.is_err(), "{text}");
        }
    }
}
