//! The REPL: reads what a person types, or what comes through a pipe, has the agent evaluate it, and prints its value.
//!
//! Lines are read on a thread of its own, so that timers and everything else go on while the prompt waits.

mod editor;
mod history;
mod terminal;

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use signal_hook::consts::SIGINT;
use tombolo::Runtime;
use tombolo::agent::{Mailbox, Outcome};
use tombolo::platform::repl;

use editor::{Editor, Event};
use history::History;

use crate::tell;

const HELP: &str = "\
.break    Give up an input of several lines
.clear    The same
.editor   Type an input of several lines; Ctrl-D evaluates it
.exit     Leave
.help     Print this
.load     Evaluate a file: .load FILE
.save     Save what was evaluated to a file: .save FILE

Ctrl-C gives up the line, or stops what runs; Ctrl-D leaves; Tab completes.
`_` is the last value, and `_error` the last error.
";

/// Runs the REPL until the person leaves or the program ends.
pub(crate) fn run(runtime: &mut Runtime) -> Outcome {
    let mailbox = runtime.agent().mailbox();
    let outcome = runtime.run_with(|ctx| {
        repl::begin(ctx)?;
        // The loop goes on for as long as the thread has this.
        let alive = mailbox.keep_alive();
        let mut session = Session::new(mailbox.clone());
        let spawned = std::thread::Builder::new().name("repl".into()).spawn(move || {
            let _alive = alive;
            session.run();
        });
        if let Err(error) = spawned {
            tell(format_args!("tombolo: cannot start a thread: {error}"));
        }
        Ok(())
    });
    terminal::restore();
    outcome
}

/// Where lines come from.
enum Source {
    Terminal(Box<Editor>),
    /// A pipe, or a terminal that cannot move its cursor.
    Plain,
}

struct Session {
    mailbox: Mailbox,
    source: Source,
    history: History,
    /// What was evaluated, for `.save`.
    evaluated: Vec<String>,
    /// The lines of an input that goes on.
    input: String,
    /// Whether `.editor` collects lines.
    is_editing: bool,
}

/// Whether there is more to read.
#[derive(PartialEq, Eq)]
enum Next {
    Go,
    Stop,
}

impl Session {
    fn new(mailbox: Mailbox) -> Self {
        let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
        let can_edit = is_terminal && std::env::var_os("TERM").is_some_and(|term| term != "dumb" && !term.is_empty());
        let source = if can_edit { Source::Terminal(Box::default()) } else { Source::Plain };
        let history = if can_edit { History::open() } else { History::none() };
        Self { mailbox, source, history, evaluated: Vec::new(), input: String::new(), is_editing: false }
    }

    fn run(&mut self) {
        print(&format!("Welcome to Tombolo {}.\nType \".help\" for more information.\n", tombolo::VERSION));
        if io::stdin().is_terminal() {
            self.watch_for_interrupts();
        }
        let mut interrupts = 0;
        loop {
            let event = self.read();
            match event {
                Ok(Event::Line(line)) => {
                    interrupts = 0;
                    if self.take(&line) == Next::Stop {
                        break;
                    }
                }
                Ok(Event::Interrupt) => {
                    let had_input = !self.input.is_empty() || self.is_editing;
                    self.input.clear();
                    self.is_editing = false;
                    interrupts = if had_input { 0 } else { interrupts + 1 };
                    match interrupts {
                        0 => {}
                        1 => print("(To exit, press Ctrl+C again or Ctrl+D or type .exit)\n"),
                        _ => break,
                    }
                }
                Ok(Event::End) if self.is_editing => {
                    self.is_editing = false;
                    let input = std::mem::take(&mut self.input);
                    self.evaluate(&input);
                    if matches!(self.source, Source::Plain) {
                        break;
                    }
                }
                Ok(Event::End) => break,
                Err(error) => {
                    tell(format_args!("tombolo: cannot read from the terminal: {error}"));
                    break;
                }
            }
        }
        self.mailbox.post(repl::exit);
    }

    fn read(&mut self) -> io::Result<Event> {
        let prompt = match (self.is_editing, self.input.is_empty()) {
            (true, _) => "",
            (false, true) => "> ",
            (false, false) => "| ",
        };
        match &mut self.source {
            Source::Terminal(editor) => {
                let mailbox = &self.mailbox;
                editor.read(prompt, &self.history, &|text| complete(mailbox, text))
            }
            Source::Plain => {
                print(prompt);
                let mut line = Vec::new();
                if io::stdin().lock().read_until(b'\n', &mut line)? == 0 {
                    return Ok(Event::End);
                }
                let line = String::from_utf8_lossy(&line);
                Ok(Event::Line(line.trim_end_matches(['\n', '\r']).to_owned()))
            }
        }
    }

    /// A line has been typed.
    fn take(&mut self, line: &str) -> Next {
        self.history.add(line);
        let command = line.trim();
        if !self.is_editing && command.starts_with('.') && !is_number(command) {
            return self.command(command);
        }
        if !self.input.is_empty() {
            self.input.push('\n');
        }
        self.input.push_str(line);
        if self.is_editing || (self.input.trim().is_empty() && !matches!(self.source, Source::Plain)) {
            if !self.is_editing {
                self.input.clear();
            }
            return Next::Go;
        }
        if repl::is_incomplete(&self.input) {
            return Next::Go;
        }
        let input = std::mem::take(&mut self.input);
        if !input.trim().is_empty() {
            self.evaluate(&input);
        }
        Next::Go
    }

    fn command(&mut self, command: &str) -> Next {
        let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let file = rest.trim();
        match name {
            ".exit" => return Next::Stop,
            ".break" | ".clear" => self.input.clear(),
            ".help" => print(HELP),
            ".editor" => {
                print("// Entering editor mode (Ctrl+D to finish, Ctrl+C to cancel)\n");
                self.input.clear();
                self.is_editing = true;
            }
            ".load" => match std::fs::read_to_string(file) {
                Ok(text) => self.evaluate(&text),
                Err(error) => print(&format!("Failed to load: {file}: {error}\n")),
            },
            ".save" => match std::fs::write(file, self.evaluated.join("\n") + "\n") {
                Ok(()) => print(&format!("Session saved to: {file}\n")),
                Err(error) => print(&format!("Failed to save: {file}: {error}\n")),
            },
            _ => print("Invalid REPL keyword\n"),
        }
        Next::Go
    }

    /// Has the agent evaluate an input, and waits until it has.
    fn evaluate(&mut self, input: &str) {
        self.evaluated.push(input.to_owned());
        let (done, is_done) = mpsc::channel();
        let text = input.to_owned();
        self.mailbox.post(move |ctx| {
            repl::evaluate(
                ctx,
                &text,
                Box::new(move || {
                    // Somebody waits.
                    let _ = done.send(());
                }),
            );
            Ok(())
        });
        // If the agent ends, the sender goes.
        let _ = is_done.recv();
    }

    /// Ctrl-C while something is evaluated stops it. (While a line is edited, it is a key.)
    fn watch_for_interrupts(&self) {
        let mailbox = self.mailbox.clone();
        let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT]) else { return };
        // Without the thread, Ctrl-C does nothing then.
        let _ = std::thread::Builder::new().name("repl signals".into()).spawn(move || {
            for _ in &mut signals {
                mailbox.interrupt();
                mailbox.post_idle(|ctx| {
                    repl::give_up(ctx);
                    Ok(())
                });
            }
        });
    }
}

/// Whether a line that begins with a point is a number, such as `.5`.
fn is_number(line: &str) -> bool {
    line[1..].starts_with(|next: char| next.is_ascii_digit())
}

/// Asks the agent for completions. If it is busy, there are none.
fn complete(mailbox: &Mailbox, text: &str) -> (usize, Vec<String>) {
    type Answer = (usize, Vec<String>);
    let (answer, answered): (Sender<Answer>, Receiver<Answer>) = mpsc::channel();
    let asked = text.to_owned();
    mailbox.post_idle(move |ctx| {
        // Nobody listens any more if it took too long.
        let _ = answer.send(repl::complete(ctx, &asked));
        Ok(())
    });
    answered.recv_timeout(Duration::from_millis(500)).unwrap_or((text.len(), Vec::new()))
}

/// Prints for whoever is at the terminal. If that is gone, there is nobody to tell.
fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
