//! Every script in `tests/scripts` prints what Node 20 prints: the recorded output stands beside it, and where that Node is
//! installed it is asked again.

mod support;

use std::{fs, path::Path, process::Command};

use support::run_file;

fn is_node_20() -> bool {
    let version = Command::new("node").arg("--version").output();
    version.is_ok_and(|output| output.stdout.starts_with(b"v20."))
}

#[test]
fn scripts_print_what_node_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let ask_node = is_node_20();
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "mjs") {
            continue;
        }
        count += 1;
        let run = run_file(&path);
        compare(&path, &run.stdout, &fs::read_to_string(path.with_extension("out")).unwrap(), &run.stderr);
        if ask_node {
            let node = Command::new("node").arg(&path).output().unwrap();
            compare(&path, &run.stdout, &String::from_utf8_lossy(&node.stdout), &run.stderr);
            assert_eq!(Some(run.outcome.exit_code), node.status.code(), "{}", path.display());
        }
    }
    assert!(count >= 4, "only {count} scripts in {}", folder.display());
}

fn compare(path: &Path, ours: &str, expected: &str, stderr: &str) {
    for (number, (ours, expected)) in ours.lines().zip(expected.lines()).enumerate() {
        assert_eq!(ours, expected, "{} line {}\nstderr: {stderr}", path.display(), number + 1);
    }
    assert_eq!(ours.lines().count(), expected.lines().count(), "{}\nstderr: {stderr}", path.display());
}
