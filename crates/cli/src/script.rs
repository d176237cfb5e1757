//! Scripts from the command line: files, code that is an argument or comes by standard input, and the REPL.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tombolo::platform::{Code, CodeKind};
use tombolo::{Exceeded, Runtime};

use crate::options::{Command, GuestMemory, InputType, Program};
use crate::report::Report;
use crate::{end_process_after, repl, tell, tell_output, tell_timeout};

/// Runs what the command names. Returns the exit code.
pub(crate) fn run(command: &Command, report: &mut Report) -> i32 {
    let program = command.program();
    let code = match prepare(command, &program) {
        Ok(code) => code,
        Err(message) => return failed(&message),
    };
    if let Some(time) = command.bounds.timeout {
        // What cannot be interrupted, and cannot be starved either, ends with the process.
        const PATIENCE: Duration = Duration::from_secs(1);
        end_process_after(time + PATIENCE, time);
    }
    let options = match command.runtime_options(&program) {
        Ok(options) => options,
        Err(message) => {
            tell(format_args!("tombolo: {message}"));
            return 2;
        }
    };
    let runtime = command
        .new_engine()
        .and_then(|engine| Runtime::with_engine(engine, options).map_err(|error| error.to_string()));
    let mut runtime = match runtime {
        Ok(runtime) => runtime,
        Err(message) => return failed(&message),
    };
    let outcome = match (&program, code) {
        (Program::File(file), _) if command.check => {
            let file = file.to_string_lossy();
            runtime.run_with(|ctx| tombolo::platform::check_file(ctx, &file))
        }
        (Program::File(file), _) => runtime.run_file(file),
        (_, Some(code)) => runtime.run_code(code),
        (_, None) => repl::run(&mut runtime),
    };
    report.look(&runtime);
    match runtime.exceeded() {
        Some(Exceeded::Time) => tell_timeout(command.bounds.timeout.unwrap_or_default()),
        Some(_) => tell_output(command.bounds.limits().output.unwrap_or_default()),
        None => {}
    }
    if let (Program::File(file), Some(uncaught)) = (&program, &outcome.uncaught)
        && uncaught.message.starts_with("SyntaxError")
        && file.extension().is_some()
        && file.is_file()
        && !is_known(file)
    {
        tell(format_args!("\n  tip: {ENDINGS}"));
    }
    outcome.exit_code
}

/// What must be known before there is a runtime: that a file can be run, and code that is in no file.
fn prepare(command: &Command, program: &Program) -> Result<Option<Code>, String> {
    if command.check && !matches!(program, Program::File(file) if file.is_file()) {
        return Err("--check looks at one file".to_owned());
    }
    let (name, text, print) = match program {
        Program::File(file) => return check(command, file).map(|()| None),
        Program::Repl => return Ok(None),
        Program::Code { text, print } => ("[eval]", text.clone(), *print),
        Program::Input { print } => ("[stdin]", input()?, *print),
    };
    let kind = match command.input_type() {
        InputType::Detected => CodeKind::Detected,
        InputType::Module => CodeKind::Module { typed: false },
        InputType::Commonjs => CodeKind::CommonJs { typed: false },
        InputType::ModuleTypescript => CodeKind::Module { typed: true },
        InputType::CommonjsTypescript => CodeKind::CommonJs { typed: true },
    };
    Ok(Some(Code { name, text, print, kind }))
}

/// All of standard input.
fn input() -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot read standard input: {error}"))?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

/// Says why a file cannot be run, if that is plain to see.
fn check(command: &Command, file: &Path) -> Result<(), String> {
    // As with `require`, an extension may be left out, and a folder may be a package.
    let with = |extension: &str| {
        let mut path = file.to_owned().into_os_string();
        path.push(extension);
        PathBuf::from(path).is_file()
    };
    if !file.exists() && ![".js", ".json"].into_iter().any(with) {
        return Err(format!("cannot find the file {}{}", file.display(), hint(command, file)));
    }
    let is_program = ["package.json", "index.js"].iter().any(|name| file.join(name).is_file());
    if file.is_dir() && !is_program {
        return Err(format!("{} is a folder, not a file", file.display()));
    }
    match foreign(file) {
        Some(what) => Err(format!("{} is not JavaScript: it looks like {what}\n  tip: {ENDINGS}", file.display())),
        None => Ok(()),
    }
}

const ENDINGS: &str = "scripts are .js, .mjs, .cjs, .ts, .mts and .cts files or have no ending, and .json, .wasm and .wat \
                       files are run too";

/// Whether a file's ending says what it is.
fn is_known(file: &Path) -> bool {
    let known = ["js", "mjs", "cjs", "ts", "mts", "cts", "json", "wasm", "wat", "node"];
    file.extension().is_some_and(|extension| known.iter().any(|known| extension == *known))
}

/// What a file is that has no known ending and is not text.
fn foreign(file: &Path) -> Option<&'static str> {
    if is_known(file) || !file.is_file() {
        return None;
    }
    let mut start = Vec::new();
    std::fs::File::open(file).ok()?.take(4096).read_to_end(&mut start).ok()?;
    let kinds: [(&[u8], &str); 9] = [
        (b"\0asm\x01\0\0\0", "a WebAssembly module, whose name must end in .wasm"),
        (b"\0asm", "a WebAssembly component, which cannot be run here"),
        (b"\x7fELF", "a program or a library of this system (ELF)"),
        (b"MZ", "a program of Windows"),
        (b"\xcf\xfa\xed\xfe", "a program of macOS"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b", "a file that gzip compressed"),
        (b"\x28\xb5\x2f\xfd", "a file that zstd compressed"),
        (b"%PDF", "a PDF"),
    ];
    let kind = kinds.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, kind)| *kind);
    kind.or_else(|| start.contains(&0).then_some("a binary file"))
}

/// What somebody may have meant who named a file that is not there.
fn hint(command: &Command, file: &Path) -> String {
    let name = file.to_string_lossy();
    let is_trace = name == "trace" || name.starts_with("trace:");
    match &command.guest_memory {
        Some(GuestMemory::Sums) if is_trace => format!("\n  tip: a trace is asked for by `--guest-memory={name}`"),
        _ => String::new(),
    }
}

fn failed(message: &str) -> i32 {
    tell(format_args!("tombolo: {message}"));
    1
}
