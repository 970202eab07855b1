//! The program `chat-tui`: command line to log to runtime to exit code. Everything else is the library's.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::Context;
use chat_tui::cli::{Cli, CliError, Command};
use chat_tui::exit::Exit;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(exit) => exit.code().into(),
        Err(error) if error.is::<CliError>() => {
            Cli::command().error(ErrorKind::ValueValidation, error).exit()
        }
        Err(error) => {
            // Nobody is left to tell where that is closed: the code still says it.
            let _ = writeln!(std::io::stderr(), "chat-tui: {error:#}");
            Exit::of(&error).code().into()
        }
    }
}

fn run(mut cli: Cli) -> anyhow::Result<Exit> {
    match &cli.command {
        Some(Command::Config(args)) => {
            let command = args.command;
            let text = cli.config(&command)?;
            chat_tui::client::print(text.as_bytes())?;
            return Ok(Exit::Done);
        }
        // A child of the demo is told everything; what tells of the program itself is the same for everybody.
        Some(Command::DemoNode(_) | Command::Completions(_) | Command::Man) => {}
        _ => cli.settle()?,
    }
    cli.target()?;
    start_log(&cli)?;
    // A client alone needs one thread; the demo's nodes share the cores.
    let mut builder = match cli.demo {
        true => tokio::runtime::Builder::new_multi_thread(),
        false => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = builder.enable_all().build().context("cannot start")?;
    let ended = runtime.block_on(chat_tui::client::run(&cli));
    // A thread may still be blocked reading standard input, which nothing can interrupt.
    runtime.shutdown_background();
    ended
}

/// Nothing is logged to the terminal: it belongs to the chat.
fn start_log(cli: &Cli) -> anyhow::Result<()> {
    let Some(path) = &cli.server.log_file else { return Ok(()) };
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).with_context(|| format!("cannot write the log {}", path.display()))?;
    let filter = EnvFilter::try_from_env("CHAT_TUI_LOG").unwrap_or_else(|_| EnvFilter::new("debug"));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(Mutex::new(file)).init();
    Ok(())
}
