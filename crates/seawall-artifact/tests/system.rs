//! Images in the stores of real runtimes and registries, which these tests fill and, where they
//! can, start. Run with `SEAWALL_SYSTEM_TESTS=1`, as root; the Docker daemon is that of
//! `DOCKER_HOST` (`scripts/with-dockerd`).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "says what is skipped")]

mod support;

use seawall_artifact::{Artifact, Options, Source, Verify, runtimes};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{Member, Packages, Quiet, docker_archive, lines, read_source, reasons, tar, temp};

const NAME: &str = "localhost/seawall-test/small:1";

/// Whether a test may run: whether it was asked for, and `programs` are there.
fn ready(programs: &[&str]) -> bool {
    if std::env::var_os("SEAWALL_SYSTEM_TESTS").is_none() {
        println!("skipped: SEAWALL_SYSTEM_TESTS is not set");
        return false;
    }
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let missing = programs.iter().find(|program| {
        !path
            .split(':')
            .any(|dir| Path::new(dir).join(program).is_file())
    });
    if let Some(missing) = missing {
        println!("skipped: {missing} is not installed");
    }
    missing.is_none()
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn wait_until(what: &str, mut ready: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !ready() {
        assert!(Instant::now() < end, "{what} does not come up");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Runs one test of this file again in a process with another environment, where it finds `image`
/// in [`IMAGE`].
fn again(test: &str, image: &str, environment: &[(&str, &Path)]) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(IMAGE, image)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{test} of {image}: {printed}");
}

/// The image of a test that runs [`again`].
const IMAGE: &str = "SEAWALL_TEST_IMAGE";

/// Checks the image that [`again`] gave, if it did: by its name, and as the only one listed.
fn checked_again(kind: &str) -> bool {
    let Ok(image) = std::env::var(IMAGE) else {
        return false;
    };
    check(&image.parse().unwrap());
    let listed = runtimes::all_images(&Options::default());
    assert_eq!(listed.incomplete, []);
    let of_kind = listed.images.iter().filter(|name| name.starts_with(kind));
    let of_kind: Vec<_> = of_kind.collect();
    assert_eq!(of_kind.len(), 1, "{listed:?}");
    let read = check(&of_kind[0].parse().unwrap());
    let tags = read.image.unwrap().tags;
    assert!(tags.iter().any(|tag| tag.ends_with("app:1")), "{tags:?}");
    let missing = format!("{kind}:no/such:1").parse().unwrap();
    let error = read_source(&missing, &Options::default()).unwrap_err();
    assert!(error.to_string().contains("no image no/such:1"), "{error}");
    true
}

/// A `docker save` archive of an image with a whiteout, an opaque directory and a hard link.
fn archive() -> tempfile::NamedTempFile {
    let base = tar(&[
        Member::Dir("etc"),
        Member::File("etc/os-release", b"ID=debian\n"),
        Member::File("etc/old", b"old"),
        Member::Dir("opt"),
        Member::File("opt/hidden", b"hidden"),
    ]);
    let app = tar(&[
        Member::Dir("etc"),
        Member::File("etc/.wh.old", b""),
        Member::Dir("opt"),
        Member::File("opt/.wh..wh..opq", b""),
        Member::File("opt/main", b"hello"),
        Member::Link("opt/same", "opt/main"),
        Member::Link("opt/linked/package.json", "opt/main"),
        Member::Symlink("opt/link", "main"),
    ]);
    let bytes = docker_archive(&[&base, &app], true);
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("app:1"));
    temp(&bytes)
}

/// Reads the image of [`archive`], and asserts that all of it was read and is what it says.
fn check(source: &Source) -> seawall_artifact::ReadArtifact<support::Lines> {
    let options = Options {
        verify: Verify::Everything,
        ..Options::default()
    };
    let read = read_source(source, &options).unwrap();
    assert!(read.layers.iter().all(|layer| layer.verified), "{source}");
    assert!(read.image.as_ref().unwrap().named_by_store, "{source}");
    assert_eq!(reasons(&read), Vec::<String>::new(), "{source}");
    let mut lines = lines(&read);
    for layer in &mut lines {
        layer.retain(|line| !line.starts_with("dir "));
        layer.sort_unstable();
    }
    assert_eq!(
        lines[0],
        [
            "file etc/old size=3 old",
            "file etc/os-release size=10 ID=debian\n",
            "file opt/hidden size=6 hidden",
        ],
        "{source}"
    );
    for line in [
        "file opt/main size=5 hello",
        "symlink opt/link -> main",
        "whiteout etc/old",
    ] {
        assert!(
            lines[1].contains(&line),
            "{source}: {line} of {:?}",
            lines[1]
        );
    }
    let hides = ["opaque opt", "whiteout opt/hidden"];
    assert!(lines[1].iter().any(|line| hides.contains(line)), "{source}");
    let mut same = lines[1].iter().filter(|line| line.contains("opt/same"));
    assert!(same.next_back().unwrap().ends_with("hello"), "{source}");
    let info = read.image.as_ref().unwrap();
    assert_eq!(info.platform.as_deref(), Some("linux/amd64"));
    assert_eq!(read.layers[1].created_by.as_deref(), Some("RUN step 2"));
    assert!(
        info.digest
            .as_ref()
            .is_some_and(|digest| digest.starts_with("sha256:"))
    );
    read
}

#[test]
fn an_image_of_the_docker_daemon() {
    if !ready(&["docker"]) {
        return;
    }
    if !Command::new("docker")
        .arg("version")
        .output()
        .unwrap()
        .status
        .success()
    {
        println!("skipped: no Docker daemon answers; run below scripts/with-dockerd");
        return;
    }
    let file = archive();
    run(
        "docker",
        &[
            "load",
            "--quiet",
            "--input",
            &file.path().display().to_string(),
        ],
    );
    run("docker", &["tag", "app:1", NAME]);
    let read = check(&Source::Docker(NAME.to_owned()));
    let tags = read.image.unwrap().tags;
    assert!(tags.contains(&NAME.to_owned()), "{tags:?}");
    let id = run("docker", &["image", "inspect", "--format", "{{.Id}}", NAME]);
    let by_id = check(&Source::Docker(id.clone()));
    assert!(by_id.image.unwrap().tags.contains(&NAME.to_owned()));
    check(&Source::Image(NAME.to_owned()));
    let error = read_source(&Source::Docker("no/such:1".to_owned()), &Options::default());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("has no image no/such:1"), "{error}");
    let artifact = Artifact::open(&Source::Docker(id.clone()), &Options::default()).unwrap();
    let read = artifact.read(&Packages::default, &Quiet).unwrap();
    let linked = read.layers[1].visitor.last("opt/linked/package.json");
    assert_eq!(linked, "hello", "the link's own target is of another name");
    let all = runtimes::all_images(&Options::default());
    assert!(all.images.contains(&"docker:app:1".to_owned()), "{all:?}");
    assert!(!all.images.contains(&format!("docker:{id}")), "{all:?}");
    let running = runtimes::running_images(&Options::default());
    assert!(!running.images.contains(&"docker:app:1".to_owned()));
    run("docker", &["image", "rm", NAME, "app:1"]);
}

#[test]
fn an_image_in_a_registry() {
    if !ready(&["docker-registry", "skopeo"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let host = format!("127.0.0.1:{port}");
    let configuration = format!(
        "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\n\
         http:\n  addr: {host}\n",
        directory.path().join("registry").display()
    );
    let configuration = support::write(directory.path(), "c.yml", configuration.as_bytes());
    let server = Command::new("docker-registry")
        .arg("serve")
        .arg(configuration)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _server = Running(server.unwrap());
    wait_until("docker-registry", || {
        std::net::TcpStream::connect(&host).is_ok()
    });
    let file = archive();
    let from = format!("docker-archive:{}", file.path().display());
    for (format, tag) in [("v2s2", "docker"), ("oci", "oci")] {
        let name = format!("{host}/team/small:{tag}");
        let to = format!("docker://{name}");
        let arguments = [
            "copy",
            "--quiet",
            "--insecure-policy",
            "--dest-tls-verify=false",
        ];
        run(
            "skopeo",
            &[&arguments[..], &["--format", format, &from, &to]].concat(),
        );
        let read = check(&Source::Registry(name.clone()));
        let digest = read.image.unwrap().digest.unwrap();
        check(&Source::Registry(format!("{host}/team/small@{digest}")));
    }
    let missing = Source::Registry(format!("{host}/team/small:none"));
    let error = read_source(&missing, &Options::default()).unwrap_err();
    assert!(error.to_string().contains("has no image"), "{error}");
}

/// What reading from a server of TLS with a certificate that is trusted, made with these options, ends
/// with. Which certificates are trusted the environment says: the caller runs again for it.
fn told_of_server(test: &str, extensions: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let [key, certificate] = ["key.pem", "cert.pem"].map(|name| directory.path().join(name));
    let (key_text, text) = (key.to_str().unwrap(), certificate.to_str().unwrap());
    let make = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext \
                subjectAltName=DNS:localhost -keyout";
    let make: Vec<&str> = make
        .split_whitespace()
        .chain([key_text, "-out", text])
        .collect();
    run("openssl", &[&make, extensions].concat());
    let server = Command::new("openssl")
        .args(["s_server", "-WWW", "-key", key_text, "-cert", text])
        .args(["-accept", "127.0.0.1:0"])
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut server = Running(server.unwrap());
    // It says which port it got; what else it says goes nowhere, but must go.
    let mut said = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let port = said.find_map(|line| {
        line.unwrap()
            .strip_prefix("ACCEPT 127.0.0.1:")?
            .parse()
            .ok()
    });
    let port: u16 = port.unwrap();
    std::thread::spawn(move || said.count());
    let image = format!("registry:localhost:{port}/app");
    again(test, &image, &[("SSL_CERT_FILE", &certificate)]);
}

/// The error for the image that [`again`] gave, with its hint.
fn refusal_again() -> Option<String> {
    let image = std::env::var(IMAGE).ok()?;
    let error = read_source(&image.parse().unwrap(), &Options::default()).unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string);
    let (source, hint) = (source.unwrap_or_default(), error.hint().unwrap_or_default());
    Some(format!("{error}: {source}: {hint}"))
}

#[test]
fn a_certificate_as_openssl_makes_it_was_refused_without_a_way_out() {
    if let Some(told) = refusal_again() {
        let hint = "-addext basicConstraints=critical,CA:FALSE";
        assert!(told.contains("(CA:TRUE)") && told.contains(hint), "{told}");
    } else if ready(&["openssl"]) {
        told_of_server(
            "a_certificate_as_openssl_makes_it_was_refused_without_a_way_out",
            &[],
        );
    }
}

#[test]
fn the_certificate_of_the_hint_is_accepted() {
    if let Some(told) = refusal_again() {
        // What the server answers is no manifest.
        assert!(told.contains("is damaged at byte 0"), "{told}");
    } else if ready(&["openssl"]) {
        let leaf = ["-addext", "basicConstraints=critical,CA:FALSE"];
        told_of_server("the_certificate_of_the_hint_is_accepted", &leaf);
    }
}

#[test]
fn an_image_of_podman() {
    if !ready(&["podman"]) || checked_again("podman") {
        return;
    }
    let file = archive();
    let archive = file.path().display().to_string();
    for driver in ["vfs", "overlay"] {
        let directory = tempfile::tempdir().unwrap();
        let (root, run_root) = (directory.path().join("root"), directory.path().join("run"));
        let store = [
            "--root",
            root.to_str().unwrap(),
            "--runroot",
            run_root.to_str().unwrap(),
            "--storage-driver",
            driver,
        ];
        let podman = |arguments: &[&str]| run("podman", &[&store[..], arguments].concat());
        podman(&["load", "--quiet", "--input", &archive]);
        let configuration = format!(
            "[storage]\ndriver = {driver:?}\ngraphroot = {root:?}\nrunroot = {run_root:?}\n"
        );
        let configuration =
            support::write(directory.path(), "storage.conf", configuration.as_bytes());
        let environment = [("CONTAINERS_STORAGE_CONF", configuration.as_path())];
        let id = podman(&["images", "--no-trunc", "--quiet"]);
        for image in [
            "podman:app:1",
            "podman:localhost/app:1",
            &format!("podman:{id}"),
        ] {
            again("an_image_of_podman", image, &environment);
        }
        // What it mounted below its root would stay.
        podman(&["rmi", "--force", "--all"]);
        if let Ok(mounts) = std::fs::read_to_string("/proc/self/mounts") {
            let inside = |mount: &&str| mount.starts_with(directory.path().to_str().unwrap());
            for mount in mounts
                .lines()
                .filter_map(|line| line.split(' ').nth(1))
                .filter(inside)
            {
                run("umount", &[mount]);
            }
        }
    }
}

#[test]
fn an_image_of_containerd() {
    if !ready(&["containerd", "ctr"]) || checked_again("containerd") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let socket = path("containerd.sock").display().to_string();
    let configuration = format!(
        "version = 2\nroot = {:?}\nstate = {:?}\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
         [grpc]\naddress = {socket:?}\n",
        path("root"),
        path("state"),
    );
    let configuration = support::write(directory.path(), "c.toml", configuration.as_bytes());
    let server = Command::new("containerd")
        .arg("--config")
        .arg(configuration)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let server = Running(server.unwrap());
    let ctr = |arguments: &[&str]| {
        run(
            "ctr",
            &[&["--address", &socket, "--namespace", "k8s.io"], arguments].concat(),
        )
    };
    wait_until("containerd", || {
        let version = Command::new("ctr")
            .args(["--address", &socket, "version"])
            .output();
        version.unwrap().status.success()
    });
    let file = archive();
    ctr(&[
        "images",
        "import",
        "--no-unpack",
        &file.path().display().to_string(),
    ]);
    let (root, state) = (path("root"), path("state"));
    let environment = [
        ("CONTAINERD_ROOT", root.as_path()),
        ("CONTAINERD_STATE", state.as_path()),
    ];
    // While it runs, and from its files alone.
    again("an_image_of_containerd", "containerd:app:1", &environment);
    drop(server);
    again(
        "an_image_of_containerd",
        "containerd:docker.io/library/app:1",
        &environment,
    );
}
