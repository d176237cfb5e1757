//! What is reported of guest memory when a program has ended.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use tombolo::Runtime;
use tombolo::marshal::trace::{self, Snapshot};

use crate::options::GuestMemory;
use crate::tell;

/// A report in the making.
pub(crate) struct Report {
    what: Option<GuestMemory>,
    /// The chart's file, open since before the program ran.
    chart: Option<(PathBuf, File)>,
    snapshot: Option<Snapshot>,
}

impl Report {
    /// Begins to record what the report needs. If its chart cannot be written, says so and returns the exit code.
    pub(crate) fn begin(what: Option<GuestMemory>) -> Result<Self, i32> {
        let mut chart = None;
        if let Some(GuestMemory::Trace { chart: path }) = &what {
            if let Some(path) = path {
                // What the file contains stays until the program has ended.
                match File::options().write(true).create(true).truncate(false).open(path) {
                    Ok(file) => chart = Some((path.clone(), file)),
                    Err(error) => return Err(cannot_write(path, &error)),
                }
            }
            trace::start();
        }
        Ok(Self { what, chart, snapshot: None })
    }

    /// Looks at what a program that has ended still holds, before its runtime goes.
    pub(crate) fn look(&mut self, runtime: &Runtime) {
        if let Some(GuestMemory::Trace { .. }) = self.what {
            runtime.agent().with(|ctx| ctx.run_gc());
            self.snapshot = trace::snapshot();
        }
    }

    /// Prints the report of a program that ends with `code`. Returns the exit code.
    pub(crate) fn end(self, code: i32) -> i32 {
        let lost = tombolo::lost_objects();
        if self.what.is_some() && lost > 0 {
            tell(format_args!(
                "{lost} objects were lost by agents that ran out of memory; what they held was not freed"
            ));
        }
        match self.what {
            None => code,
            Some(GuestMemory::Sums) => {
                tell(format_args!("{}", tombolo::marshal::report()));
                code
            }
            Some(GuestMemory::Trace { .. }) => {
                let Some(snapshot) = self.snapshot.or_else(trace::snapshot) else { return code };
                // If the standard stream is closed, there is nobody to tell.
                let _ = io::stderr().write_all(snapshot.to_text().as_bytes());
                match self.chart.map(|(path, file)| (write(file, &snapshot.to_html()), path)) {
                    Some((Err(error), path)) => code.max(cannot_write(&path, &error)),
                    Some((Ok(()), path)) => {
                        tell(format_args!("\nThe chart is in {}.", path.display()));
                        code
                    }
                    None => code,
                }
            }
        }
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> i32 {
    tell(format_args!("tombolo: cannot write the trace to {}: {error}", path.display()));
    1
}

/// Replaces the file's contents with `text`, if it is a file that has a length.
fn write(mut file: File, text: &str) -> io::Result<()> {
    if file.metadata()?.is_file() {
        file.rewind()?;
        file.set_len(0)?;
    }
    file.write_all(text.as_bytes())?;
    file.flush()
}
