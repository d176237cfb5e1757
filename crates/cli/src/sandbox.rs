//! What the command line grants to a program, and how much it may use.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use tombolo::{Limits, Permissions};

/// Stands for a flag without a value. (A value that is empty by mistake must not grant everything.)
const ANY: &str = "\u{1}";

/// What `--sandbox` and `--allow-…` say.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Permissions")]
pub(crate) struct Sandbox {
    /// Let the program touch nothing but its own modules
    ///
    /// What else it may do is granted by the flags below. Lists are separated
    /// by commas, and flags may be given several times.
    #[arg(long, verbatim_doc_comment)]
    pub(crate) sandbox: bool,

    /// Grant reading these files and folders, or all
    #[arg(long, value_name = "PATH,…", num_args = 0..=1, require_equals = true, default_missing_value = ANY,
          value_parser = list, requires = "sandbox")]
    allow_read: Vec<List>,

    /// Grant writing to these files and folders, or all
    #[arg(long, value_name = "PATH,…", num_args = 0..=1, require_equals = true, default_missing_value = ANY,
          value_parser = list, requires = "sandbox")]
    allow_write: Vec<List>,

    /// Grant these environment variables, or all
    ///
    /// All, and the names of the machine and the user, if none is listed.
    #[arg(long, verbatim_doc_comment, value_name = "NAME,…", num_args = 0..=1, require_equals = true, default_missing_value = ANY,
          value_parser = list, requires = "sandbox")]
    allow_env: Vec<List>,

    /// Grant starting these programs, or all
    ///
    /// They may do whatever you may do.
    #[arg(long, verbatim_doc_comment, value_name = "PROGRAM,…", num_args = 0..=1, require_equals = true, default_missing_value = ANY,
          value_parser = list, requires = "sandbox")]
    allow_run: Vec<List>,

    /// Grant connections to these hosts, or all
    #[arg(long, value_name = "HOST[:PORT],…", num_args = 0..=1, require_equals = true, default_missing_value = ANY,
          value_parser = list, requires = "sandbox")]
    allow_net: Vec<List>,

    /// Grant starting workers, which may do what the program may do
    #[arg(long, requires = "sandbox")]
    allow_workers: bool,
}

/// What `--max-…` and `--timeout` say.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Bounds {
    /// The JavaScript heap: a size such as 64M
    ///
    /// Of the program, and of each worker.
    #[arg(long, verbatim_doc_comment, value_name = "SIZE", require_equals = true, value_parser = heap)]
    max_memory: Option<usize>,

    /// The memories of WebAssembly, of the program and its workers together
    #[arg(long, value_name = "SIZE", require_equals = true, value_parser = bytes)]
    max_guest_memory: Option<usize>,

    /// The stack for JavaScript, and that for WebAssembly
    #[arg(long, value_name = "SIZE", require_equals = true, value_parser = stack)]
    pub(crate) max_stack: Option<usize>,

    /// How long the program may run: 500ms, 5s, 2m
    ///
    /// Then it is ended, with exit code 124.
    #[arg(long, verbatim_doc_comment, value_name = "TIME", require_equals = true, value_parser = time)]
    pub(crate) timeout: Option<Duration>,

    /// What may be written to standard output and error
    ///
    /// By the program and its workers together. Then it is ended.
    #[arg(long, verbatim_doc_comment, value_name = "SIZE", require_equals = true, value_parser = bytes)]
    max_output: Option<usize>,
}

/// The value of one flag.
#[derive(Clone, Debug, PartialEq, Eq)]
enum List {
    Any,
    Named(Vec<String>),
}

fn list(value: &str) -> Result<List, String> {
    if value == ANY {
        return Ok(List::Any);
    }
    // (A comma that is part of a name is written twice.)
    let parts = value.replace(",,", "\0");
    let parts: Vec<String> = parts.split(',').map(|part| part.replace('\0', ",")).collect();
    if parts.iter().any(String::is_empty) {
        return Err("something is missing: without a value, and without `=`, the flag grants all".into());
    }
    Ok(List::Named(parts))
}

impl Sandbox {
    /// What is granted to the program in this file, or to code that is in none.
    pub(crate) fn permissions(&self, file: Option<&Path>) -> Result<Permissions, String> {
        if !self.sandbox {
            return Ok(Permissions::all());
        }
        let none = Permissions::none();
        let mut granted = file.map_or(none.clone(), |file| none.program(file));
        for list in &self.allow_read {
            granted = add(granted, list, Permissions::allow_any_read, |granted, path| granted.allow_read(path));
        }
        for list in &self.allow_write {
            granted = add(granted, list, Permissions::allow_any_write, |granted, path| granted.allow_write(path));
        }
        for list in &self.allow_env {
            granted = add(granted, list, Permissions::allow_any_env, Permissions::allow_env);
        }
        for list in &self.allow_run {
            granted = add(granted, list, Permissions::allow_any_run, Permissions::allow_run);
        }
        for list in &self.allow_net {
            granted = match list {
                List::Any => granted.allow_any_net(),
                List::Named(hosts) => {
                    let hosts = hosts.iter().try_fold(granted, |granted, host| granted.allow_net(host));
                    hosts.map_err(|error| format!("--allow-net: {error}"))?
                }
            };
        }
        Ok(if self.allow_workers { granted.allow_workers() } else { granted })
    }

    /// Whether a WASI command gets this environment variable.
    pub(crate) fn allows_env(&self, name: &str) -> bool {
        let lists = |list: &List| match list {
            List::Any => true,
            List::Named(names) => names.iter().any(|listed| listed == name),
        };
        !self.sandbox || self.allow_env.iter().any(lists)
    }
}

fn add(
    granted: Permissions,
    list: &List,
    any: impl Fn(Permissions) -> Permissions,
    one: impl Fn(Permissions, &str) -> Permissions,
) -> Permissions {
    match list {
        List::Any => any(granted),
        List::Named(names) => names.iter().fold(granted, |granted, name| one(granted, name)),
    }
}

impl Bounds {
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            heap: self.max_memory,
            guest_memory: self.max_guest_memory,
            stack: self.max_stack,
            time: self.timeout,
            output: self.max_output.map(|bytes| bytes as u64),
        }
    }
}

/// A number of bytes, or of KiB, MiB or GiB.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    let number = text.trim_end_matches(|last: char| !last.is_ascii_digit());
    let factor = match text[number.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

fn bytes(text: &str) -> Result<usize, String> {
    let size = parse_size(text).and_then(|size| usize::try_from(size).ok());
    size.ok_or_else(|| "expected a size such as 512K, 64M or 1G".into())
}

/// The heap: less than this, and nothing runs at all.
fn heap(text: &str) -> Result<usize, String> {
    const LEAST: usize = 4 << 20;
    match bytes(text)? {
        size if size < LEAST => Err("no program runs with less than 4M".into()),
        size => Ok(size),
    }
}

/// The stack: what the engine can check.
fn stack(text: &str) -> Result<usize, String> {
    const LEAST: usize = 128 << 10;
    const MOST: usize = 16 << 20;
    match bytes(text)? {
        size if (LEAST..=MOST).contains(&size) => Ok(size),
        _ => Err("it can be from 128K to 16M".into()),
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let expected = || "expected a time with its unit, such as 500ms, 5s, 2m or 1h".to_owned();
    let number = text.trim_end_matches(|last: char| !last.is_ascii_digit());
    let count: u64 = number.parse().map_err(|_| expected())?;
    let milliseconds = match &text[number.len()..] {
        "ms" => Some(count),
        "s" => count.checked_mul(1000),
        "m" => count.checked_mul(60_000),
        "h" => count.checked_mul(3_600_000),
        _ => None,
    };
    match milliseconds.ok_or_else(expected)? {
        0 => Err("it must be more than nothing".into()),
        milliseconds => Ok(Duration::from_millis(milliseconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let sizes = ["0", "17", "3k", "500M", "2GiB", "1g"].map(parse_size);
        assert_eq!(sizes, [Some(0), Some(17), Some(3 << 10), Some(500 << 20), Some(2 << 30), Some(1 << 30)]);
        for wrong in ["", "M", "1.5G", "-1", "1T", "99999999999999999999", "18446744073709551615K", "10 M"] {
            assert_eq!(parse_size(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_have_units() {
        let times = ["500ms", "5s", "2m", "1h"].map(|text| time(text).unwrap().as_millis());
        assert_eq!(times, [500, 5000, 120_000, 3_600_000]);
        for wrong in ["", "5", "s", "0s", "1.5s", "-1s", "5 s", "5d", "99999999999999999999h"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lists_are_never_everything_by_mistake() {
        let named = |names: &[&str]| Ok(List::Named(names.iter().map(|name| (*name).to_owned()).collect()));
        assert_eq!(list("a,b"), named(&["a", "b"]));
        assert_eq!(list("a,,b,c"), named(&["a,b", "c"]));
        for wrong in ["", ",", "a,", ",a"] {
            assert!(list(wrong).is_err(), "{wrong}");
        }
    }
}
