//! What a host compiles with this crate.

use std::process::Command;

/// The crates that it is built from, one a line.
fn tree(options: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .args(options)
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn no_host_compiles_an_async_runtime() {
    for tree in [&[][..], &["--no-default-features"]].map(tree) {
        for name in ["wasmtime-wasi", "tokio"] {
            assert!(!tree.lines().any(|line| line.split(' ').next() == Some(name)), "{name} is compiled:\n{tree}");
        }
        assert!(tree.contains("wasmtime v"));
    }
}
