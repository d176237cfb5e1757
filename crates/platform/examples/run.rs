//! The smallest program that runs a JavaScript file: an agent, the platform, and the loop.

use agent::{Agent, AgentOptions};
use tombolo_platform::Options;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let path = args.get(1).ok_or("usage: run <file.mjs> [arguments]")?.clone();
    let agent = Agent::new(AgentOptions::default())?;
    tombolo_platform::set_module_loader(&agent);
    let options = Options { exec_path: args[0].clone(), argv: args, expose_gc: true, ..Options::default() };
    agent.with(|ctx| tombolo_platform::install(ctx, options))?;
    agent.run_task(|ctx| tombolo_platform::run_main(ctx, &path));
    let outcome = agent.run();
    drop(agent);
    std::process::exit(outcome.exit_code)
}
