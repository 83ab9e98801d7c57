//! Hex packages of Elixir and Erlang: the lockfiles of Mix and of rebar3, and the applications of a
//! release.
//!
//! All are terms of their language in a fixed shape, so their tokens are enough to find
//! `{:hex, :name, "version", ...}`, `{pkg, <<"name">>, <<"version">>, ...}` and `{vsn, "version"}`.
//! Packages of Git repositories have no version in a lockfile and are only told of:
//! `"name": {:git, "https://...", ...}` and `{<<"name">>, {git, "https://...", ...}, 0}`.

mod application;
mod terms;

pub use application::ApplicationResource;

use crate::analyzers::declared::Declared;
use crate::analyzers::{AnalyzeError, Analyzer, File, Found, Pattern, Wanted, document};
use seawall_model::{IncompleteReason, PackageType};
use terms::{Language, Token, Tokens};

/// `mix.lock` (hexdocs.pm, `Mix.Tasks.Deps`).
#[derive(Debug)]
pub struct MixLock;

/// `rebar.lock` (rebar3.org, "Dependencies", "Lock files").
#[derive(Debug)]
pub struct RebarLock;

impl Analyzer for MixLock {
    fn name(&self) -> &'static str {
        "mix-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("mix.lock")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        find(file, Language::Elixir, "hex", found)
    }
}

impl Analyzer for RebarLock {
    fn name(&self) -> &'static str {
        "rebar-lockfile"
    }

    fn patterns(&self) -> &'static [Pattern] {
        &[Pattern::Name("rebar.lock")]
    }

    fn analyze(&self, file: &File<'_>, found: &mut Found) -> Result<(), AnalyzeError> {
        find(file, Language::Erlang, "pkg", found)
    }
}

/// Takes the packages out of tuples that begin with the tag, and the names of Git repositories'.
fn find(
    file: &File<'_>,
    language: Language,
    tag: &str,
    found: &mut Found,
) -> Result<(), AnalyzeError> {
    let text = document::text(file)?;
    let mut declared = Declared::new(PackageType::Hex);
    let mut last = [Token::Mark(' '); 6];
    let mut result = Ok(());
    let mut depth = 0i64;
    for token in Tokens::new(&text, language)? {
        match token {
            Ok(token) => {
                match token {
                    Token::Mark('{' | '[' | '(') => depth += 1,
                    Token::Mark('}' | ']' | ')') => depth -= 1,
                    _ => {}
                }
                last.rotate_left(1);
                last[5] = token;
            }
            Err(error) => result = Err(error),
        }
        match last {
            [
                Token::Mark('{'),
                Token::Word(word),
                Token::Mark(','),
                Token::Word(name) | Token::Text(name),
                Token::Mark(','),
                Token::Text(version),
            ] if word == tag => declared.add(name, version, false),
            [
                _,
                Token::Text(name),
                Token::Mark('{'),
                Token::Word("git"),
                Token::Mark(','),
                Token::Text(_),
            ]
            | [
                Token::Text(name),
                Token::Mark(','),
                Token::Mark('{'),
                Token::Word("git" | "git_subdir"),
                Token::Mark(','),
                Token::Text(_),
            ] => found.add_unversioned(Wanted::Elsewhere(PackageType::Hex), name, false),
            _ => {}
        }
    }
    declared.move_to(found);
    if result.is_ok() && depth > 0 {
        return Err(AnalyzeError {
            reason: IncompleteReason::Truncated,
            offset: Some(text.len() as u64),
            message: format!("the file ends before {depth} brackets are closed"),
        });
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzers::testing::{analyze, check, lines};

    #[test]
    fn a_lockfile_that_was_cut_between_two_packages_was_taken_for_whole() {
        let rebar = b"{\"1.2.0\",\n[{<<\"a\">>,{pkg,<<\"a\">>,<<\"1.0\">>},0},\n";
        let mix = b"%{\n  \"a\": {:hex, :a, \"1.0\", \"00\", [:mix]},\n";
        for (analyzer, path, bytes, expected) in [
            (
                &RebarLock as &dyn Analyzer,
                "rebar.lock",
                &rebar[..],
                &["a 1.0"][..],
            ),
            (&RebarLock, "rebar.lock", b"[[[[", &[]),
            (&MixLock, "mix.lock", mix, &["a 1.0"]),
        ] {
            let (found, result) = analyze(analyzer, path, bytes);
            let reason = result.unwrap_err().reason;
            assert_eq!(reason, IncompleteReason::Truncated, "{path}");
            assert_eq!(lines(&found), expected, "{path}");
        }
    }

    #[test]
    fn lockfiles_of_mix_and_rebar() {
        check(
            &MixLock,
            "mix.lock",
            br#"%{
  "decimal": {:hex, :decimal, "2.0.0", "a7", [:mix], [], "hexpm", "34"},
  "plug_cowboy": {:hex, :plug_cowboy, "2.5.2", "62", [:mix], [{:cowboy, "~> 2.7", [hex: :cowboy, repo: "hexpm", optional: false]}], "hexpm", "ea"},
  "renamed": {:hex, :"real-name", "1.0.0-rc.1", "00", [:mix], [], "hexpm", "00"},
  "fork": {:git, "https://example.org/fork.git", "0123", [branch: "main"]},
}
"#,
            &["decimal 2.0.0", "plug_cowboy 2.5.2", "real-name 1.0.0-rc.1"],
        );
        check(
            &RebarLock,
            "rebar.lock",
            br#"{"1.2.0",
[{<<"cowboy">>,{pkg,<<"cowboy">>,<<"2.9.0">>},0}, % direct
 {<<"alias">>,{pkg,<<"cowlib">>,<<"2.11.0">>},1},
 {<<"fork">>,{git,"https://example.org/fork.git",{ref,"0123"}},0}]}.
[
{pkg_hash,[
 {<<"cowboy">>, <<"865DD8B6">>}]}
].
"#,
            &["cowboy 2.9.0", "cowlib 2.11.0"],
        );
        check(&RebarLock, "rebar.lock", b"[].\n", &[]);
    }

    #[test]
    fn packages_of_git_repositories_were_passed_over_in_silence() {
        for (analyzer, path, lock) in [
            (
                &MixLock as &dyn Analyzer,
                "mix.lock",
                "%{\"fork\": {:git, \"https://example.org/fork.git\", \"0123\", []},\n\
                 \"git\": {:hex, :git, \"1.0.0\", \"00\", [:mix], [{:git, \"~> 1.0\", []}]}}\n",
            ),
            (
                &RebarLock,
                "rebar.lock",
                "[{<<\"fork\">>,{git,\"https://example.org/fork.git\",{ref,\"0123\"}},0}].\n",
            ),
        ] {
            let (found, _) = analyze(analyzer, path, lock.as_bytes());
            let names: Vec<_> = found.unversioned.iter().map(|one| &*one.name).collect();
            assert_eq!(names, ["fork"], "{path}");
        }
    }

    #[test]
    fn what_stands_before_the_damage_is_kept() {
        let bytes = br#"%{"a": {:hex, :a, "1.0.0"}, "b": {:hex, :b, "1.0"#;
        let (found, result) = analyze(&MixLock, "mix.lock", bytes);
        assert_eq!(result.unwrap_err().offset, Some(44));
        assert_eq!(lines(&found), ["a 1.0.0"]);
    }

    #[test]
    fn a_file_that_is_no_term_is_reported() {
        let (_, result) = analyze(&MixLock, "mix.lock", b"<<<<<<< HEAD\n%{}\n");
        assert!(result.is_err());
    }
}
