//! The project's chores, run as `cargo xtask TASK`. Owns which steps a task has; knows nothing of how they
//! are run.

mod needs;
mod steps;
mod tidy;
mod totals;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use steps::{Cargo, Steps};
use totals::Totals;

const USAGE: &str = "\
Usage: cargo xtask TASK

Tasks:
  test       install what tests need, check format and lints, run all tests
  lint       check format, lints and the arrows of docs/architecture.md
  bench redis
             measure what a cluster costs on Redis
  bench search
             measure what searching costs those who talk meanwhile
  bench tui  measure the client beside weechat and irssi
  chaos [--minutes N] [--seed S] [--scenario NAME] ...
             break a cluster in every way, check every message; chaos --help says more
  pictures [readme] [states] [sizes] [themes]
             take the pictures of docs/pictures.md anew, from real runs
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["test"] => test(),
        ["lint"] => lint(),
        ["bench", what @ ("redis" | "search")] => bench(what),
        ["bench", "tui"] => bench_tui(),
        ["chaos", ref options @ ..] => chaos(options),
        ["pictures", ref sets @ ..] => pictures(sets),
        [] | ["help" | "-h" | "--help"] => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("unknown task: {}\n\n{USAGE}", arguments.join(" "));
            ExitCode::from(2)
        }
    }
}

/// The tidy test is among the tests: no step of its own.
fn test() -> ExitCode {
    let mut steps = Steps::new(root());
    let mut tests = Totals::default();
    if steps.run("needs", |_| needs::install_missing()) {
        steps.run("format", |cargo| cargo.run(&["fmt", "--all", "--check"]));
        steps.run("clippy", steps::Cargo::clippy);
        tests = steps.tests();
    }
    let code = steps.finish();
    // The last line, in these words: machines read it.
    steps::say(&format!("{} passed, {} failed", tests.passed, tests.failed));
    code
}

fn lint() -> ExitCode {
    let mut steps = Steps::new(root());
    steps.run("needs", |_| needs::check_components());
    steps.run("format", |cargo| cargo.run(&["fmt", "--all", "--check"]));
    steps.run("clippy", steps::Cargo::clippy);
    steps.run("tidy", |_| tidy::run(&root()));
    steps.finish()
}

fn bench(what: &str) -> ExitCode {
    let mut steps = Steps::new(root());
    if steps.run("needs", |_| needs::install_missing()) {
        steps.run("bench", |cargo| cargo.run(&["bench", "--package", "chat-server", "--bench", what]));
    }
    steps.finish()
}

/// The program is built with it, optimised.
fn bench_tui() -> ExitCode {
    let mut steps = Steps::new(root());
    let measure = &["bench", "--package", "chat-tui", "--features", "measure", "--bench", "tui"];
    if steps.run("needs", |_| needs::install_peers()) {
        steps.run("bench", |cargo| cargo.run(measure));
    }
    steps.finish()
}

/// The server and the driver as they are shipped: figures of unoptimised programs are nobody's.
fn chaos(options: &[&str]) -> ExitCode {
    let mut steps = Steps::new(root());
    let build = &["build", "--release", "--package", "chat-server", "--package", "chat-bench"];
    if steps.run("needs", |_| needs::install_missing()) && steps.run("build", |cargo| cargo.run(build)) {
        let become_it = |cargo: &Cargo| cargo.become_built("release/chat-bench", options);
        // Where it could be started nothing more is done here: signals are for it, and its exit code is the task's.
        steps.run("chaos", become_it);
    }
    steps.finish()
}

/// All sets, or those that are named.
fn pictures(sets: &[&str]) -> ExitCode {
    let mut steps = Steps::new(root());
    if steps.run("build", |cargo| cargo.run(&["build", "--package", "chat-tui"])) {
        let take = ["run", "--package", "chat-tui", "--example", "pictures", "--", "docs/pictures"];
        steps.run("pictures", |cargo| cargo.run(&[&take, sets].concat()));
    }
    steps.finish()
}

/// The workspace's folder.
fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().expect("xtask lies in the workspace").to_owned()
}
