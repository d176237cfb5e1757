//! Scripts from the command line: files, code that is an argument or comes by standard input, and the REPL.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use tombolo::Runtime;
use tombolo::platform::{Code, CodeKind};

use crate::options::{Command, GuestMemory, InputType, Program};
use crate::report::Report;
use crate::tell;

/// Runs what the command names. Returns the exit code.
pub(crate) fn run(command: &Command, report: &mut Report) -> i32 {
    let program = command.program();
    let code = match prepare(command, &program) {
        Ok(code) => code,
        Err(message) => return failed(&message),
    };
    let options = command.runtime_options(&program);
    let runtime = command
        .new_engine()
        .and_then(|engine| Runtime::with_engine(engine, options).map_err(|error| error.to_string()));
    let mut runtime = match runtime {
        Ok(runtime) => runtime,
        Err(message) => return failed(&message),
    };
    let outcome = match (&program, code) {
        (Program::File(file), _) => runtime.run_file(file),
        (_, Some(code)) => runtime.run_code(code),
        (_, None) => return failed("there is no REPL yet"),
    };
    report.look(&runtime);
    outcome.exit_code
}

/// What must be known before there is a runtime: that a file can be run, and code that is in no file.
fn prepare(command: &Command, program: &Program) -> Result<Option<Code>, String> {
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
    Ok(())
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
