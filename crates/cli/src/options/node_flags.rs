//! Flags that Node has and this program does not: what somebody who is used to them can do instead.

/// What to say of a flag that nobody here knows, if it is one of Node's.
pub(crate) fn hint(flag: &str) -> Option<String> {
    let name = flag.split('=').next().unwrap_or(flag);
    let advice = match name {
        "-r" | "--require" | "--import" | "--loader" | "--experimental-loader" => {
            "import the module at the top of the program"
        }
        "--env-file" | "--env-file-if-exists" => "call `process.loadEnvFile(FILE)` in the program",
        "--test" => "run the file as a program: `node:test` runs the tests that it declares",
        "--watch" | "--watch-path" => "a program such as `entr` or `watchexec` can start it again",
        "--inspect" | "--inspect-brk" | "--inspect-wait" | "--inspect-port" => "there is no debugger",
        "--max-old-space-size" | "--max-heap-size" => "`--max-memory=SIZE` limits the heap of JavaScript",
        "--stack-size" => "`--max-stack=SIZE` limits the stack",
        "--max-semi-space-size" | "--v8-options" => "there is no V8 that would have it",
        "--run" => "start the script of package.json with `npm run`",
        "--permission" => "`tombolo --help` says how a program is kept from what it may not do",
        "--enable-source-maps" => "stacks name the lines of the files that run",
        "--no-warnings" | "--disable-warning" | "--trace-warnings" | "--trace-deprecation" | "--no-deprecation" => {
            "leave it out; a program can listen for `warning` on `process`"
        }
        "--throw-deprecation" => "set `process.throwDeprecation` in the program",
        "--unhandled-rejections" => {
            "a rejection that nobody handles ends the program, unless it listens for `unhandledRejection` on `process`"
        }
        "--stack-trace-limit" => "set `Error.stackTraceLimit` in the program",
        "--title" => "set `process.title` in the program",
        "-C" | "--conditions" => "packages are resolved by the conditions that Node has without it",
        "--jitless" | "--optimize-for-size" | "--interpreted-frames-native-stack" => "leave it out",
        _ if is_experimental(name) => "leave it out; what is there needs no flag",
        _ if OTHERS.contains(&name) => "leave it out",
        _ => return None,
    };
    Some(format!("`{name}` is a flag of Node's that does not exist here: {advice}"))
}

fn is_experimental(name: &str) -> bool {
    let name = name.trim_start_matches("--no-").trim_start_matches("--");
    [
        "experimental-",
        "harmony",
        "trace-",
        "prof",
        "cpu-prof",
        "heap-prof",
        "heapsnapshot-",
        "report-",
        "tls-",
        "openssl-",
    ]
    .iter()
    .any(|start| name.starts_with(start))
}

const OTHERS: &[&str] = &[
    "--abort-on-uncaught-exception",
    "--addons",
    "--no-addons",
    "--build-sea",
    "--build-snapshot",
    "--deprecation",
    "--diagnostic-dir",
    "--disable-proto",
    "--dns-result-order",
    "--enable-fips",
    "--entry-url",
    "--eval-test",
    "--force-fips",
    "--frozen-intrinsics",
    "--icu-data-dir",
    "--insecure-http-parser",
    "--localstorage-file",
    "--max-http-header-size",
    "--network-family-autoselection",
    "--no-network-family-autoselection",
    "--node-memory-debug",
    "--node-snapshot",
    "--pending-deprecation",
    "--preserve-symlinks",
    "--preserve-symlinks-main",
    "--redirect-warnings",
    "--secure-heap",
    "--snapshot-blob",
    "--strip-types",
    "--no-strip-types",
    "--use-bundled-ca",
    "--use-openssl-ca",
    "--use-system-ca",
    "--verify-base-objects",
    "--zero-fill-buffers",
];

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn flags_of_node() {
        for flag in ["--require", "--require=x", "-r", "--experimental-vm-modules", "--no-experimental-x", "--title=a"]
        {
            assert!(hint(flag).is_some_and(|hint| hint.contains("Node")), "{flag}");
        }
        for flag in ["--no-such-flag", "--", "-x", "--expose"] {
            assert_eq!(hint(flag), None, "{flag}");
        }
    }
}
