//! Credentials for registries, where `docker login` and `podman login` leave them: the file
//! `config.json` of the Docker command line, `auth.json` of podman (containers-auth.json(5)), and
//! the helper programs that those name (the protocol of docker-credential-helpers).

use super::reference::Reference;
use base64::Engine as _;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// The name of Docker's hub in `config.json`.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// Bytes of a file, or of a helper's answer.
const MAX_BYTES: u64 = 4 << 20;
/// A helper may ask its user to unlock a key ring.
const HELPER_TIMEOUT: Duration = Duration::from_secs(60);
/// The user name with which helpers mark an identity token.
const TOKEN_USER: &str = "<token>";

/// What a registry or its token service is shown. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Credentials {
    Basic {
        user: String,
        password: String,
    },
    /// Exchanged for tokens at the registry's token service.
    IdentityToken(String),
    /// Shown to the registry as it is.
    RegistryToken(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic",
            Self::IdentityToken(_) => "IdentityToken",
            Self::RegistryToken(_) => "RegistryToken",
        })
    }
}

/// What was found for a registry.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) credentials: Option<Credentials>,
    /// What went wrong on the way: told if the registry refuses us.
    pub(super) problems: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ConfigFile {
    auths: Option<BTreeMap<String, Option<Auth>>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// What a helper prints.
#[derive(Deserialize)]
struct HelperAnswer {
    #[serde(rename = "Username", default)]
    username: String,
    #[serde(rename = "Secret", default)]
    secret: String,
}

/// Looks for credentials in all files; the first that has some wins.
pub(super) fn find(reference: &Reference) -> Found {
    find_in(&files(), reference)
}

fn find_in(files: &[PathBuf], reference: &Reference) -> Found {
    let mut found = Found::default();
    for path in files {
        match from_file(path, reference) {
            Ok(None) => {}
            Ok(credentials) => {
                found.credentials = credentials;
                break;
            }
            Err(problem) => found.problems.push(problem),
        }
    }
    found
}

/// The configuration of the Docker command line.
pub(super) fn docker_config() -> Option<PathBuf> {
    let directory = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let directory = match directory("DOCKER_CONFIG") {
        Some(directory) => PathBuf::from(directory),
        None => PathBuf::from(directory("HOME")?).join(".docker"),
    };
    Some(directory.join("config.json"))
}

fn files() -> Vec<PathBuf> {
    let directory = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let home = directory("HOME").map(PathBuf::from);
    let config = match directory("XDG_CONFIG_HOME") {
        Some(directory) => Some(PathBuf::from(directory)),
        None => home.map(|home| home.join(".config")),
    };
    let runtime = directory("XDG_RUNTIME_DIR").map(PathBuf::from);
    [
        directory("REGISTRY_AUTH_FILE").map(PathBuf::from),
        docker_config(),
        runtime.map(|directory| directory.join("containers/auth.json")),
        config.map(|directory| directory.join("containers/auth.json")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn from_file(path: &Path, reference: &Reference) -> Result<Option<Credentials>, String> {
    let problem = |what: &dyn fmt::Display| format!("{}: {what}", path.display());
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(problem(&error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| problem(&error))?;
    // What stands there is secret, so the message names the position only.
    let config: ConfigFile = serde_json::from_slice(&bytes).map_err(|error| {
        problem(&format!(
            "not valid at line {}, column {}",
            error.line(),
            error.column()
        ))
    })?;
    let helper = helper_of(&config, reference);
    if let Some((helper, server)) = helper {
        let answer = ask_helper(&format!("docker-credential-{helper}"), &server)
            .map_err(|what| problem(&format!("docker-credential-{helper}: {what}")))?;
        if answer.is_some() {
            return Ok(answer);
        }
    }
    stored(&config, reference).map_err(|what| problem(&what))
}

/// Names under which credentials for an image may be kept, the most special first: podman knows
/// some for a part of a registry.
fn keys(reference: &Reference) -> Vec<String> {
    let mut keys = Vec::new();
    let mut path = format!("{}/{}", reference.registry, reference.repository);
    while let Some(at) = path.rfind('/') {
        keys.push(path.clone());
        path.truncate(at);
    }
    keys.push(path);
    if reference.is_hub() {
        keys.push("index.docker.io".to_owned());
        keys.push(reference.host().to_owned());
    }
    keys
}

/// `https://HOST/v1/`, as the Docker command line writes it, is `HOST`.
fn plain_key(key: &str) -> &str {
    let url = ["https://", "http://"]
        .iter()
        .find_map(|scheme| key.strip_prefix(scheme));
    match url {
        Some(rest) => rest.split('/').next().unwrap_or(rest),
        None => key.trim_end_matches('/'),
    }
}

/// The helper to ask, and for which server.
fn helper_of(config: &ConfigFile, reference: &Reference) -> Option<(String, String)> {
    let of_host = config.cred_helpers.as_ref().and_then(|helpers| {
        keys(reference).iter().find_map(|wanted| {
            helpers
                .iter()
                .find(|(key, _)| plain_key(key) == wanted)
                .map(|(key, helper)| (helper.clone(), key.clone()))
        })
    });
    let for_all = || {
        let server = match reference.is_hub() {
            true => HUB_KEY,
            false => &reference.registry,
        };
        Some((config.creds_store.clone()?, server.to_owned()))
    };
    of_host
        .or_else(for_all)
        .filter(|(helper, _)| !helper.is_empty())
}

fn stored(config: &ConfigFile, reference: &Reference) -> Result<Option<Credentials>, String> {
    let Some(auths) = &config.auths else {
        return Ok(None);
    };
    let auth = keys(reference).into_iter().find_map(|wanted| {
        let same =
            |(key, auth): (&String, &'_ Option<Auth>)| plain_key(key) == wanted && auth.is_some();
        let (key, _) = auths.iter().find(|(key, auth)| same((key, auth)))?;
        auths.get(key)?.as_ref()
    });
    auth.map_or(Ok(None), Auth::credentials)
}

impl Auth {
    fn credentials(&self) -> Result<Option<Credentials>, String> {
        let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        if let Some(token) = given(&self.registrytoken) {
            return Ok(Some(Credentials::RegistryToken(token)));
        }
        if let Some(token) = given(&self.identitytoken) {
            return Ok(Some(Credentials::IdentityToken(token)));
        }
        if let Some(user) = given(&self.username) {
            return Ok(Some(Credentials::Basic {
                user,
                password: self.password.clone().unwrap_or_default(),
            }));
        }
        let Some(auth) = given(&self.auth) else {
            return Ok(None);
        };
        // Old versions padded with zeros inside.
        let decoded = base64::engine::general_purpose::STANDARD
            .decode(auth.trim())
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        match decoded.as_deref().and_then(|text| text.split_once(':')) {
            Some((user, password)) => Ok(Some(Credentials::Basic {
                user: user.to_owned(),
                password: password.trim_end_matches('\0').to_owned(),
            })),
            None => Err("the field 'auth' is not base64 of USER:PASSWORD".to_owned()),
        }
    }
}

/// Runs `PROGRAM get` with the server's name on its standard input. `None` if it has nothing.
fn ask_helper(program: &str, server: &str) -> Result<Option<Credentials>, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !program.bytes().all(plain) {
        return Err("its name is not that of a program".to_owned());
    }
    run_helper(Command::new(program).arg("get"), server, HELPER_TIMEOUT)
}

fn run_helper(
    command: &mut Command,
    server: &str,
    timeout: Duration,
) -> Result<Option<Credentials>, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not want to know the server ends before it is told.
        drop(stdin.write_all(server.as_bytes()));
    }
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = stdout
                .take(MAX_BYTES)
                .read_to_end(&mut bytes)
                .map(|_| bytes);
            // Nobody waits any more after the timeout.
            drop(sender.send(read));
        });
    }
    let output = receiver.recv_timeout(timeout);
    if output.is_err() {
        drop(child.kill());
    }
    let bytes = match output {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => {
            drop(child.kill());
            drop(child.wait());
            return Err(error.to_string());
        }
        Err(_) => {
            drop(child.wait());
            return Err(format!("no answer within {} s", timeout.as_secs()));
        }
    };
    let status = child.wait().map_err(|error| error.to_string())?;
    if !status.success() {
        // Helpers say so on their standard output, in these words.
        return match String::from_utf8_lossy(&bytes).contains("credentials not found") {
            true => Ok(None),
            false => Err(format!("ended with {status}")),
        };
    }
    let answer: HelperAnswer =
        serde_json::from_slice(&bytes).map_err(|_| "its answer is not valid".to_owned())?;
    Ok(match (answer.username.as_str(), answer.secret.as_str()) {
        (_, "") => None,
        (TOKEN_USER, _) => Some(Credentials::IdentityToken(answer.secret)),
        _ => Some(Credentials::Basic {
            user: answer.username,
            password: answer.secret,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(user: &str, password: &str) -> Option<Credentials> {
        Some(Credentials::Basic {
            user: user.to_owned(),
            password: password.to_owned(),
        })
    }

    fn check(json: &str, image: &str, expected: Option<Credentials>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), json).unwrap();
        let found = find_in(&[file.path().to_owned()], &Reference::parse(image));
        assert_eq!(found.problems, Vec::<String>::new(), "{json}");
        assert!(found.credentials == expected, "{json}");
    }

    #[test]
    fn credentials_are_found_under_every_name_of_a_registry() {
        // user:pass
        const AUTH: &str = r#"{"auth":"dXNlcjpwYXNz"}"#;
        for (key, image, found) in [
            ("https://index.docker.io/v1/", "nginx", true),
            ("docker.io", "nginx", true),
            ("docker.io/team", "team/app", true),
            ("docker.io/team", "nginx", false),
            ("r.example:5000", "r.example:5000/app", true),
            ("https://r.example/v2/", "r.example/app", true),
            ("r.example/team/", "r.example/team/app", true),
            ("r.example/tea", "r.example/team/app", false),
            ("r.example", "r.example:5000/app", false),
            ("other.example", "r.example/app", false),
        ] {
            let expected = basic("user", "pass").filter(|_| found);
            check(
                &format!(r#"{{"auths":{{"{key}":{AUTH}}}}}"#),
                image,
                expected,
            );
        }
    }

    #[test]
    fn forms_of_credentials() {
        let of = |auth: &str| format!(r#"{{"auths":{{"r.example":{auth}}},"credsStore":""}}"#);
        let image = "r.example/app";
        check(&of(r#"{"auth":"dTpwOnE="}"#), image, basic("u", "p:q"));
        check(
            &of(r#"{"username":"u","password":"p"}"#),
            image,
            basic("u", "p"),
        );
        check(
            &of(r#"{"auth":"dTpw","identitytoken":"t"}"#),
            image,
            Some(Credentials::IdentityToken("t".to_owned())),
        );
        check(
            &of(r#"{"registrytoken":"t"}"#),
            image,
            Some(Credentials::RegistryToken("t".to_owned())),
        );
        check(&of("{}"), image, None);
        check(&of("null"), image, None);
        check("{}", image, None);
    }

    #[test]
    fn what_cannot_be_read_is_told_without_its_secrets() {
        for json in [
            r#"{"auths":{"r.example":{"auth":"c2VjcmV0"}}}"#,
            r#"{"auths":{"r.example":{"auth":["secret"]}}}"#,
            r#"{"credHelpers":{"r.example":"../secret"}}"#,
        ] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), json).unwrap();
            let found = find_in(&[file.path().to_owned()], &Reference::parse("r.example/a"));
            assert!(found.credentials.is_none());
            assert_eq!(found.problems.len(), 1, "{json}");
            let told = format!("{found:?}");
            assert!(
                !told.contains("c2VjcmV0") && !told.contains("[\"secret"),
                "{told}"
            );
        }
    }

    #[test]
    fn helpers() {
        let ask = |script: &str| {
            let mut shell = Command::new("sh");
            run_helper(
                shell.args(["-c", script]),
                "r.example",
                Duration::from_millis(1500),
            )
        };
        for (script, expected) in [
            (
                r#"printf '{"Username":"u","Secret":"%s"}' "$(cat)""#,
                Ok(basic("u", "r.example")),
            ),
            (
                r#"echo '{"Username":"<token>","Secret":"t"}'"#,
                Ok(Some(Credentials::IdentityToken("t".to_owned()))),
            ),
            (
                "echo credentials not found in native keychain; exit 1",
                Ok(None),
            ),
            ("echo boom; exit 3", Err("ended with exit status: 3")),
            ("echo no json", Err("its answer is not valid")),
            ("exec sleep 20", Err("no answer within 1 s")),
        ] {
            let found = ask(script);
            assert!(
                found == expected.map_err(str::to_owned),
                "{script}: {found:?}"
            );
        }
    }
}
