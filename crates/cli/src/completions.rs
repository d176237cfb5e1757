//! `tombolo completions`: what shells complete, and the manual.

use std::io;
use std::path::{Path, PathBuf};

use clap::builder::Resettable;
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
            return i32::from(!page(whole()).is_ok_and(|(_, page)| crate::print(&page)));
        }
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut whole(), "tombolo", &mut script);
    i32::from(!crate::print(&String::from_utf8_lossy(&script)))
}

fn pages(folder: &Path) -> i32 {
    fn write(command: clap::Command, folder: &Path) -> io::Result<()> {
        for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            write(command.clone(), folder)?;
        }
        let (name, page) = page(command)?;
        std::fs::write(folder.join(name), page)
    }
    // Building gives each command the names of those that it is in.
    let mut command = whole().disable_help_subcommand(true);
    command.build();
    match write(command, folder) {
        Ok(()) => 0,
        Err(error) => {
            tell(format_args!("tombolo: {}: {error}", folder.display()));
            1
        }
    }
}

/// The manual page of a command, and the name of its file.
fn page(command: clap::Command) -> io::Result<(String, String)> {
    let help = command.get_after_long_help().or_else(|| command.get_after_help());
    let more = help.map(|help| sections(&help.to_string())).unwrap_or_default();
    let man = clap_mangen::Man::new(command.after_help(Resettable::Reset).after_long_help(Resettable::Reset));
    let mut page = Vec::new();
    man.render(&mut page)?;
    let mut page = String::from_utf8_lossy(&page).into_owned();
    page.insert_str(page.find(".SH VERSION").unwrap_or(page.len()), &more);
    Ok((man.get_filename(), page))
}

/// What help says at its end, as sections of a manual page: a paragraph whose first line ends with a colon is a list,
/// whose columns are two spaces apart or more.
fn sections(help: &str) -> String {
    let escaped = |text: &str| {
        let text = text.replace('\\', "\\e").replace('-', "\\-");
        if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
    };
    let mut page = String::new();
    for paragraph in help.split("\n\n").map(str::trim_end).filter(|paragraph| !paragraph.is_empty()) {
        let mut lines = paragraph.lines().peekable();
        let Some(heading) = lines.next_if(|line| line.ends_with(':')) else {
            page.push_str(".SH NOTES\n");
            lines.for_each(|line| page.push_str(&format!("{}\n", escaped(line))));
            continue;
        };
        page.push_str(&format!(".SH \"{}\"\n", heading.trim_end_matches(':').to_uppercase()));
        for line in lines {
            let (term, what) = line.trim().split_once("  ").unwrap_or((line.trim(), ""));
            page.push_str(&format!(".TP\n\\fB{}\\fR\n", escaped(term)));
            if !what.is_empty() {
                page.push_str(&format!("{}\n", escaped(what.trim())));
            }
        }
    }
    page
}

/// The command with all of its own commands, which are read one by one otherwise.
fn whole() -> clap::Command {
    // (The name of each has the program's name in it.)
    let named = |command: clap::Command, name: &'static str| command.name(name).bin_name(format!("tombolo {name}"));
    // Help does not list it, since its usage does.
    let file = |file: clap::Arg| file.hide(false).value_hint(clap::ValueHint::FilePath).help_heading(Resettable::Reset);
    let program = options::Command::command();
    let run = named(options::Command::command(), "run").about("Run FILE, whatever its name is");
    let repl = clap::Command::new("repl").about("Read JavaScript from the terminal, and print what it gives");
    program
        .mut_arg("file", file)
        .subcommand(run.mut_arg("file", file))
        .subcommand(repl)
        .subcommand(named(inspect::Command::command(), "inspect"))
        .subcommand(named(bind::Command::command(), "bind"))
        .subcommand(named(compile::Command::command(), "compile"))
        .subcommand(named(cache::Command::command(), "cache"))
        .subcommand(named(Command::command(), "completions"))
}
