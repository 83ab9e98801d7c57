use crate::test_layer::{scan, scan_limited};

/// Packages as `name-version path@layer`, and what was not read.
fn see(layers: &[&[&str]]) -> (Vec<String>, Vec<String>) {
    let inventory = scan(layers);
    let packages = inventory.packages.iter().map(|it| {
        let (paths, layer) = (it.paths.join(" "), it.layer.unwrap());
        format!("{}-{} {paths}@{layer}", it.name, it.version)
    });
    let incomplete = inventory.incomplete.iter().map(|it| it.to_string());
    (packages.collect(), incomplete.collect())
}

#[track_caller]
fn check(layers: &[&[&str]], expected: &[&str]) {
    let (packages, incomplete) = see(layers);
    assert_eq!(packages, expected, "{layers:?}");
    assert_eq!(incomplete, [""; 0], "{layers:?}");
}

const NPM: &str = r#"q/package.json = {"name":"p","version":"1"}"#;
const WHEEL: &str = "q/METADATA = Name: p\nVersion: 1\n";
const GEM: &str = "q/p-1.gemspec = # stub: p 1 ruby lib\n";
const COMPOSER: &str = r#"q/installed.json = [{"name":"v/p","version":"1"}]"#;

#[test]
fn packages_that_are_installed_by_a_link_were_lost() {
    for (file, link, expected) in [
        (
            NPM,
            "app/node_modules/p -> /q",
            "p-1 /app/node_modules/p/package.json@0",
        ),
        (
            r#"q/p/package.json = {"name":"@s/p","version":"1"}"#,
            "app/node_modules/@s -> ../../q",
            "@s/p-1 /app/node_modules/@s/p/package.json@0",
        ),
        (
            r#"q/@s/p/package.json = {"name":"@s/p","version":"1"}"#,
            "app/node_modules -> /q",
            "@s/p-1 /app/node_modules/@s/p/package.json@0",
        ),
        (
            r#"node_modules/a/lib/package.json = {"name":"p","version":"1"}"#,
            "app/node_modules/p -> /node_modules/a/lib",
            "p-1 /app/node_modules/p/package.json@0",
        ),
        (
            NPM,
            "app/node_modules/p/package.json -> /q/package.json",
            "p-1 /app/node_modules/p/package.json@0",
        ),
        (
            r#"package.json = {"name":"p","version":"1"}"#,
            "node_modules/p -> ..",
            "p-1 /node_modules/p/package.json@0",
        ),
        (
            WHEEL,
            "lib/site-packages/p-1.dist-info -> /q",
            "p-1 /lib/site-packages/p-1.dist-info/METADATA@0",
        ),
        (
            "q/PKG-INFO = Name: p\nVersion: 1\n",
            "lib/site-packages/p.egg-info -> /q",
            "p-1 /lib/site-packages/p.egg-info/PKG-INFO@0",
        ),
        (
            GEM,
            "usr/lib/ruby/gems/3.1.0/specifications -> /q",
            "p-1 /usr/lib/ruby/gems/3.1.0/specifications/p-1.gemspec@0",
        ),
        (
            GEM,
            "gems/specifications/default -> /q",
            "p-1 /gems/specifications/default/p-1.gemspec@0",
        ),
        (
            COMPOSER,
            "app/vendor/composer -> /q",
            "v/p-1 /app/vendor/composer/installed.json@0",
        ),
        (
            "q/p.app = {application,p,[{vsn,\"1\"}]}.",
            "lib/p-1/ebin -> /q",
            "p-1 /lib/p-1/ebin/p.app@0",
        ),
    ] {
        check(&[&[file, link]], &[expected]);
        check(&[&[link, "q/", file]], &[expected]);
        check(&[&[file]], &[]);
    }
}

#[test]
fn a_directory_that_is_no_entry_did_not_take_the_place_of_a_link() {
    let newer = r#"app/node_modules/p/package.json = {"name":"p","version":"2"}"#;
    for link in ["app/node_modules/p -> /q", "app/node_modules -> /q/.."] {
        let expected = ["p-2 /app/node_modules/p/package.json@2"];
        check(&[&[NPM], &[link], &[newer]], &expected);
    }
}

#[test]
fn a_link_in_another_layer_than_the_package_was_not_seen() {
    let link = "node_modules/p -> /q";
    let package = |layer| format!("p-1 /node_modules/p/package.json@{layer}");
    check(&[&[NPM], &[link]], &[&package(1)]);
    check(&[&[link], &[NPM]], &[&package(1)]);
    check(&[&[NPM, link], &["x = text"]], &[&package(0)]);
    // Neither is there any more.
    check(&[&[NPM, link], &["!node_modules/p"]], &[]);
    check(&[&[NPM, link], &["!q"]], &[]);
    check(&[&[NPM, link], &["!node_modules/*"]], &[]);
    check(&[&[NPM, link], &["node_modules/p/"]], &[]);
    check(&[&[NPM, link, "node_modules/p = text"]], &[]);
    // Or leads elsewhere.
    check(&[&[NPM, link], &["node_modules/p -> /r"]], &[]);
    check(&[&[NPM, link, "node_modules/p -> /r"]], &[]);
}

#[test]
fn links_led_to_packages_over_other_links() {
    for (links, expected) in [
        (
            &["node_modules/p -> /a", "a -> b/c", "b -> /d", "d/c -> ../q"][..],
            "p-1 /node_modules/p/package.json@0",
        ),
        // A link in a directory to which a link leads.
        (
            &["app/node_modules -> /opt/nm", "opt/nm/", "opt/nm/p -> /q"],
            "p-1 /app/node_modules/p/package.json@0",
        ),
        (
            &[
                "app/node_modules -> /opt/nm",
                "opt/nm/",
                "opt/nm/p -> /r",
                "r/package.json -> ../q/package.json",
            ],
            "p-1 /app/node_modules/p/package.json@0",
        ),
        // `..` goes up from where the link leads.
        (
            &["node_modules/p -> /a/../q", "a -> /b/c", "b/q -> /q"],
            "p-1 /node_modules/p/package.json@0",
        ),
        // A hard link to a link, whose first name is gone.
        (
            &["s/l -> ../../q", "x/node_modules/p => s/l", "s/l = text"],
            "p-1 /x/node_modules/p/package.json@0",
        ),
        // Not out of the root.
        (
            &["node_modules/p -> ../../../q"],
            "p-1 /node_modules/p/package.json@0",
        ),
        (
            &["a/node_modules/p -> /q", "b/node_modules/p -> /q"],
            "p-1 /a/node_modules/p/package.json /b/node_modules/p/package.json@0",
        ),
    ] {
        check(&[&[&[NPM], links].concat()], &[expected]);
    }
}

#[test]
fn workspaces_of_the_project_raised_an_alarm() {
    let lock = "app/x.lock = a-1";
    let installed = "app/node_modules/b/m.installed = b-1";
    let private = r#"app/web/package.json = {"name":"web","version":"1","private":true}"#;
    let link = "app/node_modules/web -> ../web";
    check(&[&[private, link]], &[]);
    // The build did not copy the sources.
    check(&[&[link]], &[]);
    let public = r#"app/web/package.json = {"name":"web","version":"1"}"#;
    let web = "web-1 /app/node_modules/web/package.json@0";
    check(&[&[public, link]], &[web]);
    // What is declared is not installed by that.
    check(&[&[public, link, lock]], &["a-1 /app/x.lock@0", web]);
    check(
        &[&[public, link, lock, installed]],
        &["b-1 /app/node_modules/b/m.installed@0", web],
    );
}

#[test]
fn packages_were_listed_again_under_the_names_of_links() {
    let package = r#".pnpm/p@1/node_modules/p/package.json = {"name":"p","version":"1"}"#;
    let links = [
        "node_modules/p -> ../.pnpm/p@1/node_modules/p",
        "x -> .pnpm",
    ];
    check(
        &[&[package, links[0], links[1]]],
        &["p-1 /.pnpm/p@1/node_modules/p/package.json@0"],
    );
    // An OS package's own are counted there, however many links it brings.
    let owned = "var/owned = os:q/package.json";
    let link = "usr/share/nodejs/p -> /q";
    let inventory = scan(&[&["var/db = os-1", owned, NPM, link]]);
    let folded: Vec<_> = inventory.packages.iter().map(|it| it.folded).collect();
    assert_eq!(folded, [1]);
    // Not so the link of another.
    check(
        &[&["var/db = os-1", owned, NPM], &[link]],
        &["os-1 /var/db@0", "p-1 /usr/share/nodejs/p/package.json@1"],
    );
}

#[test]
fn a_jar_behind_alternatives_was_said_not_to_be_read() {
    let jar = "opt/foo.lock = p-1";
    for links in [
        &[
            "usr/share/foo.lock -> /etc/alternatives/foo",
            "etc/alternatives/foo -> /opt/foo.lock",
        ][..],
        // A directory of that name is no file.
        &["opt/dir/", "usr/share/foo.lock -> /opt/dir"],
        &["opt/dir/x.lock = p-1", "usr/share/foo.lock -> /opt/dir"],
    ] {
        let (_, incomplete) = see(&[&[&[jar], links].concat()]);
        assert_eq!(incomplete, [""; 0], "{links:?}");
    }
}

#[test]
fn what_links_lead_to_and_is_not_read_is_said() {
    for (entries, expected) in [
        (
            &[
                "a.lock -> /etc/alternatives/a",
                "etc/alternatives/a -> /opt/a",
                "opt/a = p-1",
            ][..],
            "/a.lock: it is a link to /opt/a, which is not read under this name",
        ),
        (
            &["conda-meta -> /q", "q/p.json = {}"],
            "/conda-meta: it is a link to /q, which is not read under this name",
        ),
        // Nothing of that name in the image.
        (
            &["app/node_modules -> /mnt"],
            "/app/node_modules: it is a link to /mnt, which is not read under this name",
        ),
        (
            &["node_modules/p -> /q", "q/package.json = {"],
            "/node_modules/p/package.json: npm-package: not valid JSON here: EOF while parsing an \
             object at line 1 column 1 (at byte 0)",
        ),
    ] {
        assert_eq!(see(&[entries]).1, [expected], "{entries:?}");
    }
    // Not of what counts nowhere.
    for entries in [
        &["q/package.json = {"][..],
        &["q/METADATA = \0"],
        &["q/raw.gemspec = raise"],
    ] {
        assert_eq!(see(&[entries]).1, [""; 0], "{entries:?}");
    }
}

#[test]
fn links_in_circles_were_followed_for_ever() {
    let loops = [
        "a/b -> /a",
        "a/c -> .",
        "a/node_modules -> .",
        "x -> y",
        "y -> x",
        "node_modules/z -> /x",
        "u -> u/u/u",
        "v.lock -> v.lock",
    ];
    let package = r#"a/q/package.json = {"name":"p","version":"1"}"#;
    let (packages, incomplete) = see(&[&[&loops[..], &[package]].concat()]);
    assert_eq!(incomplete, [""; 0]);
    assert_eq!(packages.len(), 1);
    assert!(
        packages[0].starts_with("p-1 /a/node_modules/q/package.json"),
        "{packages:?}"
    );
}

#[test]
fn links_took_time_without_end() {
    // Each link leads to the next over a thousand directories.
    let way = "d/../".repeat(800);
    let mut entries: Vec<String> = (0..4_000)
        .map(|n| format!("l{n} -> {way}l{}", n + 1))
        .collect();
    let wide = (0..3_000).map(|n| format!("w{n}/q -> /q"));
    entries.extend(wide);
    entries.extend(
        (0..3_000).map(|n| format!("q/{n}/package.json = {{\"name\":\"p{n}\",\"version\":\"1\"}}")),
    );
    let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
    let said = see(&[&entries]).1;
    assert_eq!(
        said,
        ["/: too many symbolic links, or ways along them: not all were followed"]
    );
}

#[test]
fn what_only_links_may_lead_to_took_the_room_of_packages() {
    let inventory = scan_limited(
        &[&[NPM, "r/METADATA = Name: r\nVersion: 1\n", "a.lock = a-1"]],
        |options| {
            options.held_bytes = 0;
            options.max_packages = 1;
        },
    );
    assert_eq!(inventory.packages.len(), 1);
    let said: Vec<String> = inventory
        .incomplete
        .iter()
        .map(|it| it.to_string())
        .collect();
    assert_eq!(
        said,
        ["test: at most 1 packages to which only links may lead are listed: 1 more are left out"]
    );
}

#[test]
fn many_packages_in_a_file_of_many_names_filled_the_memory() {
    let file = r#"q/installed.json = [{"name":"a","version":"1"},{"name":"b","version":"1"}]"#;
    let links = ["x/vendor/composer -> /q", "y/vendor/composer -> /q"];
    check(
        &[&[file, links[0], links[1]]],
        &[
            "a-1 /x/vendor/composer/installed.json@0",
            "b-1 /x/vendor/composer/installed.json@0",
        ],
    );
}

#[test]
fn links_below_many_layers_were_too_many() {
    let links: Vec<String> = (0..10_000)
        .map(|n| format!("usr/share/zoneinfo/posix/Europe/{n} -> ../../{n}"))
        .collect();
    let base: Vec<&str> = links.iter().map(String::as_str).collect();
    let upper: &[&str] = &["app/x = text", "!app/y"];
    let mut layers: Vec<&[&str]> = vec![&base];
    layers.resize(100, upper);
    check(&layers, &[]);
}
