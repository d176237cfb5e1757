//! `tombolo completions`: what shells complete, and the manual.

use std::path::PathBuf;

use clap::{CommandFactory, Parser, ValueEnum};
use clap_complete::Shell;

use crate::{bind, cache, compile, inspect, options, tell};

/// Prints what a shell completes after `tombolo`, or the manual page
#[derive(Parser, Debug)]
#[command(
    name = "tombolo completions",
    bin_name = "tombolo completions",
    after_help = "For example:\n  \
                  tombolo completions bash > ~/.local/share/bash-completion/completions/tombolo\n  \
                  tombolo completions zsh > ~/.zfunc/_tombolo\n  \
                  tombolo completions fish > ~/.config/fish/completions/tombolo.fish\n  \
                  tombolo completions man | man -l -"
)]
pub(crate) struct Command {
    /// What to print
    #[arg(value_name = "SHELL", value_enum)]
    what: What,

    /// Write the pages of all commands into a folder instead
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    Bash,
    Zsh,
    Fish,
    /// The manual page
    Man,
}

/// Prints. Returns the exit code.
pub(crate) fn run(command: &Command) -> i32 {
    let shell = match (command.what, &command.to) {
        (What::Bash, _) => Shell::Bash,
        (What::Zsh, _) => Shell::Zsh,
        (What::Fish, _) => Shell::Fish,
        (What::Man, Some(folder)) => return pages(folder),
        (What::Man, None) => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(whole()).render(&mut page);
            return i32::from(rendered.is_err() || !crate::print(&String::from_utf8_lossy(&page)));
        }
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut whole(), "tombolo", &mut script);
    i32::from(!crate::print(&String::from_utf8_lossy(&script)))
}

fn pages(folder: &std::path::Path) -> i32 {
    match clap_mangen::generate_to(whole(), folder) {
        Ok(()) => 0,
        Err(error) => {
            tell(format_args!("tombolo: {}: {error}", folder.display()));
            1
        }
    }
}

/// The command with all of its own commands, which are read one by one otherwise.
fn whole() -> clap::Command {
    // (The name of each has the program's name in it.)
    let named = |command: clap::Command, name: &'static str| command.name(name).bin_name(format!("tombolo {name}"));
    let program = options::Command::command();
    let run = named(options::Command::command(), "run").about("Run FILE, whatever its name is");
    let repl = clap::Command::new("repl").about("Read JavaScript from the terminal, and print what it gives");
    program
        .mut_arg("file", |file| file.hide(false).value_hint(clap::ValueHint::FilePath))
        .subcommand(run.mut_arg("file", |file| file.hide(false).value_hint(clap::ValueHint::FilePath)))
        .subcommand(repl)
        .subcommand(named(inspect::Command::command(), "inspect"))
        .subcommand(named(bind::Command::command(), "bind"))
        .subcommand(named(compile::Command::command(), "compile"))
        .subcommand(named(cache::Command::command(), "cache"))
        .subcommand(named(Command::command(), "completions"))
}
