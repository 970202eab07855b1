//! Owns how steps are run: one after another, each timed, all of them even when one fails, so that one run
//! shows everything that is wrong.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::totals::{Totals, add_line};

/// The steps of a task, as far as they were run.
pub(crate) struct Steps {
    cargo: Cargo,
    done: Vec<Done>,
}

struct Done {
    name: &'static str,
    took: Duration,
    passed: bool,
}

impl Steps {
    /// Steps run in the workspace at `root`.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { cargo: Cargo { root }, done: Vec::new() }
    }

    /// Runs one step; says whether it passed.
    pub(crate) fn run(
        &mut self,
        name: &'static str,
        step: impl FnOnce(&Cargo) -> anyhow::Result<()>,
    ) -> bool {
        say(&format!("==> {name}"));
        let begun = now();
        let outcome = step(&self.cargo);
        let done = Done { name, took: begun.elapsed(), passed: outcome.is_ok() };
        if let Err(error) = outcome {
            say(&format!("==> {name} failed: {error:#}"));
        }
        self.done.push(done);
        self.done.last().is_some_and(|done| done.passed)
    }

    /// Runs all tests as one step; says how many passed and failed.
    pub(crate) fn tests(&mut self) -> Totals {
        let mut totals = Totals::default();
        self.run("tests", |cargo| cargo.tests(&mut totals));
        totals
    }

    /// Says what each step took; fails when one did.
    pub(crate) fn finish(self) -> ExitCode {
        say("");
        for done in &self.done {
            let outcome = if done.passed { "passed" } else { "FAILED" };
            say(&format!("{:<8} {outcome} {:7.1} s", done.name, done.took.as_secs_f64()));
        }
        if self.done.iter().all(|done| done.passed) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Cargo, run in the workspace.
pub(crate) struct Cargo {
    root: PathBuf,
}

impl Cargo {
    /// Runs `cargo` with `arguments`, its output shown as it comes.
    pub(crate) fn run(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let status = self.command(arguments).status().context("cargo cannot be started")?;
        ensure!(status.success(), "cargo {} ended with {status}", arguments.join(" "));
        Ok(())
    }

    /// Becomes a program that was built before, by its path in the target folder: it has this process' id, so that
    /// whatever ends this one ends it. Comes back only where it cannot be started.
    pub(crate) fn become_built(&self, program: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), PathBuf::from);
        let program = target.join(program);
        let error = Command::new(&program).args(arguments).current_dir(&self.root).exec();
        Err(error).with_context(|| format!("{} cannot be started", program.display()))
    }

    /// The lints, warnings denied.
    pub(crate) fn clippy(&self) -> anyhow::Result<()> {
        // With what is there only for measuring: its code is no worse than other code.
        let targets = ["--workspace", "--all-targets", "--features", "chat-tui/measure"];
        self.run(&[&["clippy"], &targets[..], &["--locked", "--", "-D", "warnings"]].concat())
    }

    /// All tests; their totals are summed while their output is shown as it comes.
    fn tests(&self, totals: &mut Totals) -> anyhow::Result<()> {
        let arguments = ["test", "--workspace", "--locked", "--no-fail-fast"];
        let mut cargo =
            self.command(&arguments).stdout(Stdio::piped()).spawn().context("cargo cannot be started")?;
        let output = cargo.stdout.take().expect("its output is piped");
        for line in BufReader::new(output).split(b'\n') {
            let line = line.context("cargo's output broke off")?;
            let line = String::from_utf8_lossy(&line);
            say(&line);
            add_line(totals, &line);
        }
        let status = cargo.wait()?;
        ensure!(status.success(), "cargo test ended with {status}");
        ensure!(totals.passed > 0, "no test ran");
        Ok(())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(arguments).current_dir(&self.root);
        command
    }
}

/// Shows a line. Whoever has seen enough (`cargo xtask chaos --help | head`) misses nothing but what is shown: steps go
/// on, and their outcome is the exit code.
pub(crate) fn say(line: &str) {
    drop(writeln!(io::stdout(), "{line}"));
}

#[expect(clippy::disallowed_methods, reason = "steps take real time, and nothing else depends on it")]
fn now() -> Instant {
    Instant::now()
}
