//! Making, signing, changing and refusing advisory databases.

use crate::command::Workspace;
use crate::{ADVISORIES, prepared};

#[test]
fn a_damaged_database_is_refused_and_the_old_one_stays() {
    let workspace = prepared();
    let path = workspace.path().join(".local/share/seawall/advisories.db");
    let good = std::fs::read(&path).unwrap();
    for (what, bytes) in [("half", &good[..good.len() / 2]), ("empty", &[][..])] {
        std::fs::write(workspace.path().join("bad.db"), bytes).unwrap();
        let run = workspace.run("scan image image.tar --db bad.db");
        assert_eq!(run.code, 2, "{what}: {run:?}");
        assert!(run.stderr.contains("hint: "), "{what}: {run:?}");
    }
    // A build that fails leaves the database of before.
    let run = workspace.run("db build --from nowhere");
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(std::fs::read(&path).unwrap(), good);
}

#[test]
fn files_that_are_no_feeds_do_not_make_an_empty_database() {
    let workspace = prepared();
    let path = workspace.path().join(".local/share/seawall/advisories.db");
    let good = std::fs::read(&path).unwrap();
    workspace.write("page.html", "<html>log in</html>");
    workspace.write("notes/read-me.txt", "nothing of interest");
    for path in ["page.html", "notes"] {
        let run = workspace.run(&format!("db build --from {path}"));
        assert_eq!(run.code, 2, "{run:?}");
        let error = format!("no advisory feed was found in {path}");
        assert!(run.stderr.contains(&error), "{run:?}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), good);
    workspace.write("damaged.yaml", "advisories:\n  - {id: 7, title: [}\n");
    let run = workspace.run("db build --from damaged.yaml");
    assert_eq!(run.code, 3, "{run:?}");
    assert_eq!(std::fs::read(&path).unwrap(), good);
    // Whatever it was, its records are not in the database.
    workspace.write("feeds/lost.json", "{\"id\": \"A-1\",");
    workspace.write("feeds/empty.json", "\n");
    workspace.write("feeds/b.yaml", ADVISORIES);
    let run = workspace.run("db build --from feeds --out other.db");
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("not read: feeds/lost.json"), "{run:?}");
    assert!(run.stderr.contains("feeds/empty.json"), "{run:?}");
    std::fs::remove_dir_all(workspace.path().join("feeds")).unwrap();
    // A first line that is damaged does not take the others with it.
    let line = r#"{"schema_version":"1.4.0","id":"GHSA-2222-3333-4444","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"shelf"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}"#;
    workspace.write("osv.jsonl", format!("xx{{\"id\":\n{line}\n"));
    let run = workspace.run("db build --from osv.jsonl --out other.db");
    assert_eq!(run.code, 3, "{run:?}");
    let run = workspace.run("db lookup pkg:npm/shelf@1.0.0 --db other.db");
    assert!(run.stdout.contains("GHSA-2222-3333-4444"), "{run:?}");
    // Beside a feed it is said; inside of a directory or archive it may be a licence.
    let run = workspace.run("db build --from advisories.yaml page.html");
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("not read: page.html"), "{run:?}");
    workspace.write("feeds/LICENSE", "do as you like");
    workspace.write("feeds/a.yaml", ADVISORIES);
    let run = workspace.run("db build --from feeds");
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn a_database_that_scans_would_refuse_does_not_replace_one_that_they_trust() {
    let workspace = prepared();
    assert_eq!(workspace.run("db keygen key").code, 0);
    assert_eq!(workspace.run("db keygen other").code, 0);
    let public = std::fs::read(workspace.path().join("key.pub")).unwrap();
    workspace.write(".config/seawall/trusted-keys/ours", public);
    let signed = workspace.run("db build --quiet --from advisories.yaml --sign key");
    assert_eq!(signed.code, 0, "{signed:?}");
    for words in [
        "db build --from advisories.yaml",
        "db build --from advisories.yaml --sign other",
    ] {
        let run = workspace.run(words);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("hint: sign it"), "{run:?}");
        assert_eq!(workspace.run("db status").code, 0);
    }
    let elsewhere = workspace.run("db build --from advisories.yaml --out for-others.db");
    assert_eq!(elsewhere.code, 0, "{elsewhere:?}");
}

#[test]
fn trusted_keys_that_cannot_be_read_do_not_take_the_demand_away() {
    let workspace = prepared();
    workspace.write(".config/seawall/trusted-keys", "not a directory");
    let run = workspace.run("scan image image.tar");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("trusted-keys"), "{run:?}");
}

#[test]
fn a_signed_database_is_demanded_once_a_key_is_trusted() {
    let workspace = prepared();
    assert_eq!(workspace.run("db keygen key").code, 0);
    let public = std::fs::read(workspace.path().join("key.pub")).unwrap();
    workspace.write(".config/seawall/trusted-keys/ours", public);
    let run = workspace.run("scan image image.tar");
    assert_eq!(run.code, 2, "{run:?}");
    let run = workspace.run("db build --quiet --from advisories.yaml --sign key");
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(workspace.run("scan image image.tar").code, 0);
    assert_eq!(
        workspace.run("db keygen key").code,
        2,
        "a key is never overwritten"
    );
}

#[test]
fn the_list_of_feeds_can_be_written_to_its_own_place() {
    let workspace = Workspace::new();
    let path = workspace.write(".config/seawall/feeds.toml", "");
    let run = workspace.run("db update --print-feeds");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("http"), "{run:?}");
    std::fs::write(path, "# mine\n").unwrap();
    assert_eq!(workspace.run("db update --print-feeds").stdout, "# mine\n");
}

#[test]
fn a_delta_was_written_over_the_database_that_it_is_made_from() {
    let workspace = prepared();
    let good = workspace.path().join(".local/share/seawall/advisories.db");
    let good = std::fs::read(good).unwrap();
    workspace.write("old.db", &good);
    workspace.write("new.db", &good);
    std::os::unix::fs::symlink("new.db", workspace.path().join("link")).unwrap();
    for out in ["old.db", "./new.db", "link"] {
        let run = workspace.run(&format!("db delta create old.db new.db --out {out}"));
        assert_eq!(run.code, 2, "{out}: {run:?}");
        assert!(run.stderr.contains("hint: name another file"), "{run:?}");
    }
    for name in ["old.db", "new.db"] {
        let bytes = std::fs::read(workspace.path().join(name)).unwrap();
        assert_eq!(bytes, good, "{name}");
    }
    let run = workspace.run("db delta create old.db new.db --out delta");
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn a_database_that_is_a_pipe_was_waited_for() {
    let workspace = prepared();
    let pipe = workspace.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(pipe).status();
    assert!(made.unwrap().success());
    let run = workspace.run("scan image image.tar --db pipe");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("must be a file"), "{run:?}");
    assert!(run.stderr.contains("hint: "), "{run:?}");
}

#[test]
fn a_delta_that_was_applied_before_was_an_error() {
    let workspace = prepared();
    let path = ".local/share/seawall/advisories.db";
    let database = workspace.path().join(path);
    std::fs::copy(&database, workspace.path().join("old.db")).unwrap();
    workspace.build_database(&ADVISORIES.replace("burns", "glows"));
    let create = format!("db delta create old.db {path} --out delta");
    assert_eq!(workspace.run(&create).code, 0);
    let new = std::fs::read(&database).unwrap();
    for words in [
        "db delta apply delta --db old.db",
        "db delta apply delta --db old.db",
        "db delta apply delta --db old.db --out other.db",
    ] {
        let run = workspace.run(words);
        assert_eq!(run.code, 0, "{words}: {run:?}");
        assert!(run.stdout.contains("up to date"), "{words}: {run:?}");
    }
    for name in ["old.db", "other.db"] {
        let bytes = std::fs::read(workspace.path().join(name)).unwrap();
        assert_eq!(bytes, new, "{name}");
    }
}

#[test]
fn an_empty_variable_was_taken_for_the_name_of_a_database() {
    let workspace = prepared();
    for (value, code) in [("", 0), ("missing.db", 2)] {
        for words in ["scan image image.tar --quiet", "db status"] {
            let run = workspace.run_in(words, "", &[("SEAWALL_DB", value)]);
            assert_eq!(run.code, code, "{words}: {run:?}");
        }
    }
}
