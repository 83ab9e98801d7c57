//! A workspace of its own for each test: files, a home, and the program run in it.
#![expect(clippy::unwrap_used, reason = "a test panics where it cannot go on")]

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A temporary directory in which `seawall` is run; it is its home and its working directory.
pub(crate) struct Workspace(TempDir);

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file below the workspace, making its directories.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The exit code where nobody reads standard output any more.
    pub(crate) fn run_into_closed_pipe(&self, words: &str) -> i32 {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        self.run_into(words, writer.into()).0
    }

    /// The exit code and standard error where standard output takes nothing.
    pub(crate) fn run_into_full_disk(&self, words: &str) -> (i32, String) {
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        self.run_into(words, full.unwrap().into())
    }

    fn run_into(&self, words: &str, stdout: std::process::Stdio) -> (i32, String) {
        let output = std::process::Command::new(assert_cmd::cargo::cargo_bin("seawall"))
            .args(words.split_whitespace())
            .current_dir(self.path())
            .envs([("HOME", self.path())])
            .env_remove("SEAWALL_DB")
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_CACHE_HOME")
            .stdout(stdout)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), stderr)
    }

    /// Runs `seawall` with these words, split at spaces.
    pub(crate) fn run(&self, words: &str) -> Run {
        self.run_with(words, "")
    }

    /// The same with standard input.
    pub(crate) fn run_with(&self, words: &str, input: &str) -> Run {
        self.run_in(words, input, &[])
    }

    /// The same with variables of the environment.
    pub(crate) fn run_in(&self, words: &str, input: &str, variables: &[(&str, &str)]) -> Run {
        let output = Command::cargo_bin("seawall")
            .unwrap()
            .args(words.split_whitespace())
            .current_dir(self.path())
            .env_remove("SEAWALL_DB")
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_CACHE_HOME")
            .env("HOME", self.path())
            .envs(variables.iter().copied())
            .write_stdin(input)
            .output()
            .unwrap();
        Run {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Builds a database of the user's own advisories.
    pub(crate) fn build_database(&self, advisories: &str) {
        self.write("advisories.yaml", advisories);
        let run = self.run("db build --quiet --from advisories.yaml");
        assert_eq!(run.code, 0, "{run:?}");
    }
}

impl Run {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The identifiers of a report's findings with their status, in order.
pub(crate) fn findings(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (text(&finding["id"]), text(&finding["status"])))
        .collect()
}

/// A layer: paths and contents.
pub(crate) type Files<'a> = &'a [(&'a str, &'a str)];

/// A `docker save` archive of these layers.
pub(crate) fn docker_archive(layers: &[Files<'_>]) -> Vec<u8> {
    forged_archive(layers, layers)
}

/// A `docker save` archive that says of itself that it has the layers `claimed`, and has others.
pub(crate) fn forged_archive(claimed: &[Files<'_>], layers: &[Files<'_>]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, bytes).unwrap();
    };
    let mut names = Vec::new();
    let mut diff_ids = Vec::new();
    let mut history = Vec::new();
    for (index, (files, claimed)) in layers.iter().zip(claimed).enumerate() {
        let name = format!("{index}/layer.tar");
        add(&name, &tar_of(files));
        names.push(name);
        diff_ids.push(format!("sha256:{}", sha256(&tar_of(claimed))));
        history.push(serde_json::json!({"created_by": format!("COPY part-{index} / # buildkit")}));
    }
    let config = serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {}, "history": history,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    let config = serde_json::to_vec(&config).unwrap();
    let config_name = format!("{}.json", sha256(&config));
    add(&config_name, &config);
    let manifest = serde_json::json!([
        {"Config": config_name, "RepoTags": ["shop/web:1"], "Layers": names}
    ]);
    add("manifest.json", &serde_json::to_vec(&manifest).unwrap());
    archive.into_inner().unwrap()
}

fn tar_of(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, name, content.as_bytes())
            .unwrap();
    }
    archive.into_inner().unwrap()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
