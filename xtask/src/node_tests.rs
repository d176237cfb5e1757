//! Runs Node's own tests (`test/parallel` of its repository, with `test/common`), which are not part of this
//! repository, and compares the outcome with `tests/js/node-tests.txt`, file by file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Where the files that are run are listed.
const LIST: &str = "tests/js/node-tests.txt";

/// Node's flags that the command has too.
const FLAGS: [&str; 1] = ["--expose-gc"];

/// How long a file may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs a test of `node:crypto`, which would skip itself: it asks whether Node was built with OpenSSL.
const WITH_CRYPTO: &str = "\
    Object.defineProperty(process, 'versions', { value: { ...process.versions, openssl: '3.5.0' } });\n\
    process.argv.splice(1, 1);\n\
    require('node:module')._load(process.argv[1], null, true);\n";

/// A line of the list: a file, the part of Node's library it is about, and why it is expected to fail, if it is.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    module: String,
    file: String,
    failure: Option<String>,
}

enum Outcome {
    Passed,
    /// The test found that it cannot be run here.
    Skipped,
    Failed(String),
}

pub(crate) fn run(folder: &Path, modules: &[&str]) -> ExitCode {
    super::report("node-tests", compare(folder, modules))
}

/// Everything that is not as the list says.
fn compare(folder: &Path, modules: &[&str]) -> io::Result<Vec<String>> {
    let command = super::command()?;
    let list = fs::read_to_string(super::tidy::root().join(LIST))?;
    let mut entries = parse(&list).map_err(io::Error::other)?;
    entries.retain(|entry| modules.is_empty() || modules.contains(&entry.module.as_str()));
    let scratch = std::env::temp_dir().join(format!("tombolo-node-tests-{}", std::process::id()));
    fs::create_dir_all(&scratch)?;
    fs::write(scratch.join("with-crypto.cjs"), WITH_CRYPTO)?;
    let outcomes = testing::in_parallel(&entries, |at, entry| execute(&command, folder, entry, &scratch, at));
    fs::remove_dir_all(&scratch)?;
    let mut judged = Vec::new();
    for (entry, outcome) in entries.iter().zip(outcomes) {
        judged.push((entry, outcome?));
    }
    print!("{}", table(&judged));
    Ok(judge(&judged))
}

/// The files in the list. A line: `module: file`, and ` # reason` if the file is expected to fail.
fn parse(list: &str) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (test, failure) = match line.split_once(" # ") {
            Some((test, reason)) => (test, Some(reason.to_owned())),
            None => (line, None),
        };
        let Some((module, file)) = test.split_once(": ") else {
            return Err(format!("{LIST}: not `module: file # reason`: {line}"));
        };
        if entries.iter().any(|entry| entry.file == file) {
            return Err(format!("{LIST}: twice there: {line}"));
        }
        entries.push(Entry { module: module.to_owned(), file: file.to_owned(), failure });
    }
    Ok(entries)
}

/// Runs a file in a process of its own, which is ended with its children if it takes too long.
fn execute(command: &Path, folder: &Path, entry: &Entry, scratch: &Path, at: usize) -> io::Result<Outcome> {
    let path = folder.join("parallel").join(&entry.file);
    if !path.is_file() {
        return Err(io::Error::other(format!("{}: no such file", path.display())));
    }
    // The flags that the file asks for, as far as there are such flags here.
    let text = fs::read_to_string(&path)?;
    let flags = text.lines().find_map(|line| line.strip_prefix("// Flags: ")).unwrap_or_default();
    let flags =
        flags.split_whitespace().map(|flag| flag.replace('_', "-")).filter(|flag| FLAGS.contains(&flag.as_str()));
    let output = scratch.join(at.to_string());
    let to = File::create(&output)?;
    let mut child = Command::new(command)
        .args(flags)
        .args((entry.module == "crypto").then(|| scratch.join("with-crypto.cjs")))
        .arg(&path)
        .current_dir(folder)
        .env("NODE_SKIP_FLAG_CHECK", "1")
        .env("NODE_TEST_KNOWN_GLOBALS", "0")
        // The tests' folders for temporary files are told apart by this.
        .env("TEST_THREAD_ID", at.to_string())
        .stdin(Stdio::null())
        .stdout(to.try_clone()?)
        .stderr(to)
        .process_group(0)
        .spawn()?;
    let end = Instant::now() + LIMIT;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() > end {
            Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let printed = String::from_utf8_lossy(&fs::read(&output)?).into_owned();
    Ok(match status {
        None => Outcome::Failed("it took too long".to_owned()),
        Some(status) if !status.success() => Outcome::Failed(format!("{status}\n{printed}")),
        Some(_) if printed.starts_with("1..0 # Skipped") => Outcome::Skipped,
        Some(_) => Outcome::Passed,
    })
}

/// How many files pass, by module.
fn table(judged: &[(&Entry, Outcome)]) -> String {
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for (entry, outcome) in judged {
        let count = counts.entry(&entry.module).or_default();
        match outcome {
            Outcome::Passed => count[0] += 1,
            Outcome::Skipped => count[1] += 1,
            Outcome::Failed(_) => count[2] += 1,
        }
    }
    let line = |name: &str, [passed, skipped, failed]: [usize; 3]| {
        format!("{name:<16} {passed:>6} {skipped:>8} {failed:>7}\n")
    };
    let mut text = format!("{:<16} {:>6} {:>8} {:>7}\n", "module", "passed", "skipped", "failed");
    let mut all = [0; 3];
    for (name, count) in counts {
        text += &line(name, count);
        all = std::array::from_fn(|at| all[at] + count[at]);
    }
    text + &line("all", all)
}

fn judge(judged: &[(&Entry, Outcome)]) -> Vec<String> {
    let problem = |(entry, outcome): &(&Entry, Outcome)| match (outcome, &entry.failure) {
        (Outcome::Failed(why), None) => Some(format!("{}: {}: failed: {why}", entry.module, entry.file)),
        (Outcome::Passed | Outcome::Skipped, Some(_)) => {
            Some(format!("{}: {}: is expected to fail, and does not", entry.module, entry.file))
        }
        _ => None,
    };
    judged.iter().filter_map(problem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(line: &str, outcome: Outcome) -> Vec<String> {
        judge(&[(&parse(line).unwrap()[0], outcome)])
    }

    #[test]
    fn what_passes_and_should_not_is_told_as_what_fails_and_should_not() {
        assert_eq!(problems("path: a.js\n", Outcome::Passed), [""; 0]);
        assert_eq!(problems("path: a.js\n", Outcome::Skipped), [""; 0]);
        assert_eq!(problems("path: a.js # a reason\n", Outcome::Failed(String::new())), [""; 0]);
        assert_eq!(problems("path: a.js\n", Outcome::Failed("why".to_owned())), ["path: a.js: failed: why"]);
        let unexpected = ["path: a.js: is expected to fail, and does not"];
        assert_eq!(problems("path: a.js # a reason\n", Outcome::Passed), unexpected);
    }

    #[test]
    fn a_line_without_a_module_or_twice_is_refused() {
        assert!(parse("a.js\n").is_err());
        assert!(parse("path: a.js\nurl: a.js # why\n").is_err());
        parse(&fs::read_to_string(crate::tidy::root().join(LIST)).unwrap()).unwrap();
    }

    #[test]
    fn the_table_counts_by_module() {
        let entries = parse("b: 1.js\na: 2.js\nb: 3.js\n").unwrap();
        let outcomes = [Outcome::Passed, Outcome::Skipped, Outcome::Failed(String::new())];
        let judged: Vec<_> = entries.iter().zip(outcomes).collect();
        let lines: Vec<Vec<String>> =
            table(&judged).lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect();
        assert_eq!(lines[1], ["a", "0", "1", "0"]);
        assert_eq!(lines[2], ["b", "1", "0", "1"]);
        assert_eq!(lines[3], ["all", "1", "1", "1"]);
    }
}
