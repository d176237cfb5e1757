//! WASI commands from the command line.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use tombolo::Exceeded;
use tombolo::island::wasi::threads::{self, ProgramError};
use tombolo::island::wasi::{Output, PREVIEW1, UNSTABLE, WasiConfig, WasiContext};
use tombolo::island::wasmtime::Extern;
use tombolo::island::{Budget, CallError, Callee, Frame, InstantiateError, Island, Module};
use tombolo::platform::OutputLimit;

use crate::options::Command;
use crate::tell;

/// Why a command did not run to its end.
enum Failure {
    /// Before it began.
    Setup(String),
    /// The guest's own exit code.
    Exit(i32),
    /// A trap, in words and with its stack.
    Trap(String),
}

/// Runs the file's `_start`. Returns the exit code.
pub(crate) fn run(command: &Command, file: &Path) -> i32 {
    match start(command, file) {
        Ok(()) => 0,
        Err(Failure::Exit(code)) => code,
        Err(Failure::Setup(message)) => {
            tell(format_args!("tombolo: {}: {message}", file.display()));
            1
        }
        Err(Failure::Trap(message)) => {
            tell(format_args!("tombolo: {}: the program trapped: {message}", file.display()));
            // The code that a shell reports for a process that a signal ended, as with wasmtime and Node's aborts.
            134
        }
    }
}

/// A module in the binary format, from a file in either format.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    if file.extension().is_some_and(|extension| extension == "wasm") && !bytes.starts_with(b"\0asm") {
        return Err("it is not a WebAssembly module: it does not begin with \\0asm".into());
    }
    let parsed = wat::Parser::new().parse_bytes(Some(file), &bytes);
    match parsed {
        Ok(Cow::Borrowed(_)) => Ok(bytes),
        Ok(Cow::Owned(binary)) => Ok(binary),
        Err(error) => Err(error.to_string()),
    }
}

fn start(command: &Command, file: &Path) -> Result<(), Failure> {
    let setup = |error: &dyn std::fmt::Display| Failure::Setup(error.to_string());
    let bytes = read(file).map_err(Failure::Setup)?;
    let engine = command.new_engine().map_err(Failure::Setup)?;
    let module = Module::new(&engine, &bytes).map_err(|error| setup(&error))?;
    let mut args = vec![file.to_string_lossy().into_owned()];
    args.extend(command.arguments.iter().cloned());
    let env = std::env::vars_os().map(|(key, value)| (lossy(&key), lossy(&value)));
    let env = env.filter(|(name, _)| command.sandbox.allows_env(name)).collect();
    let mut config = WasiConfig { args, env, preopens: command.directories(), ..WasiConfig::with_stdio() };
    let limits = command.bounds.limits();
    if let Some(time) = limits.time {
        crate::end_process_after(time, time);
    }
    if let Some(bytes) = limits.guest_memory {
        tombolo::island::set_memory_budget(Some(Budget::new(bytes)));
    }
    if let Some(bytes) = limits.output {
        let limit = OutputLimit::new(bytes, || {});
        config.stdout = counted(limit.clone(), bytes, std::io::stdout());
        config.stderr = counted(limit, bytes, std::io::stderr());
    }
    if threads::has_threads(&module) {
        return threads::run(&engine, &module, config).map_err(|error| match error {
            ProgramError::Exit(code) => Failure::Exit(code),
            ProgramError::Trap(message) => Failure::Trap(message),
            error => Failure::Setup(error.to_string()),
        });
    }
    let context = WasiContext::new(config).map_err(|error| setup(&error))?;
    let island = Island::new(&engine);
    let mut imports = Vec::with_capacity(module.imports().len());
    for import in module.imports() {
        let function = island.wasi_function(&context, &import.module, &import.name);
        imports.push(Extern::Func(function.map_err(|error| match &*import.module {
            PREVIEW1 | UNSTABLE => setup(&error),
            _ => Failure::Setup(format!("it imports {}.{}, which is not part of WASI", import.module, import.name)),
        })?));
    }
    let instance = island.instantiate(&module, &imports).map_err(|error| match error {
        InstantiateError::Call(error) => ended(error),
        error => Failure::Setup(error.to_string()),
    })?;
    let entry = island.enter(|store| instance.get_func(store, "_start"));
    let Some(callee) = entry.and_then(|entry| Callee::new(&island, entry)) else {
        return Err(Failure::Setup("it is not a WASI command: it exports no function `_start`".into()));
    };
    let ty = callee.numeric().filter(|ty| ty.params.is_empty() && ty.results.is_empty());
    let Some(ty) = ty else {
        return Err(Failure::Setup(format!(
            "`_start` must have no parameters or results, but its type is {}",
            callee.ty()
        )));
    };
    island.call_numeric(&callee, &mut Frame::new(ty)).map_err(ended)
}

fn ended(error: CallError) -> Failure {
    match error {
        CallError::Exit(code) => Failure::Exit(code),
        error => Failure::Trap(error.to_string()),
    }
}

/// Output that ends the process when there is more than `bytes` of it.
fn counted<T>(limit: OutputLimit, bytes: u64, stream: T) -> Output
where
    T: IsTerminal + Send + Sync + 'static,
    for<'a> &'a T: Write,
{
    let terminal = stream.is_terminal();
    let sink = move |data: &[u8]| {
        let admitted = limit.admit(data);
        (&stream).write_all(admitted)?;
        (&stream).flush()?;
        if admitted.len() < data.len() {
            crate::tell_output(bytes);
            std::process::exit(Exceeded::Output.exit_code());
        }
        Ok(())
    };
    Output::To { sink: Arc::new(sink), terminal }
}

fn lossy(text: &std::ffi::OsStr) -> String {
    text.to_string_lossy().into_owned()
}
