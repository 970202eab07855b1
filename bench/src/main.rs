//! The chaos driver's program: arguments, runs, table, exit code. `cargo xtask chaos` builds and starts it.

use std::process::ExitCode;

use anyhow::Context;
use chat_bench::cli::Cli;
use chat_bench::run::Run;
use chat_bench::violations::violations;
use chat_bench::{crowd, report, run};
use clap::Parser;
use mimalloc::MiMalloc;

/// Hundreds of clients share one process here, where each has its own outside: they are to take no more of the machine than those would.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.check {
        Some(record) => check(record),
        None if cli.is_crowd() => gather(&cli),
        None => play(&cli),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// True where every promise was kept.
fn play(cli: &Cli) -> anyhow::Result<bool> {
    let runs = cli.runs().map_err(anyhow::Error::msg)?;
    std::fs::create_dir_all(cli.out()).with_context(|| {
        format!("cannot make the folder {}: name another with --out", cli.out().display())
    })?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut reports = Vec::new();
    for (index, options) in runs.into_iter().enumerate() {
        let running = runtime.block_on(Run::start(options))?;
        if index == 0 {
            println!("{}", report::HEAD);
        }
        let played = runtime.block_on(running.play())?;
        println!("{}\n{}", report::row(&played), report::load(&played.load));
        reports.push(played);
        report::write_json(&reports, &cli.out().join("report.json"))?;
    }
    Ok(reports.iter().all(|report| report.violations.is_empty()))
}

/// True where everybody was told the right number.
fn gather(cli: &Cli) -> anyhow::Result<bool> {
    let options = cli.crowd().map_err(anyhow::Error::msg)?;
    let report = tokio::runtime::Runtime::new()?.block_on(crowd::run(&options))?;
    println!("{}", crowd::table(&report));
    crowd::write_json(&report, &options.folder.join("report.json"))?;
    Ok(true)
}

fn check(record: &std::path::Path) -> anyhow::Result<bool> {
    let verdict = run::judge(record)?;
    println!("{}: {:#?}", verdict.scenario, verdict.counts);
    println!("silence ms p50/p99/max: {}", verdict.times.silences().in_ms());
    let violations = violations(&verdict);
    violations.iter().for_each(|violation| println!("VIOLATION {violation}"));
    Ok(violations.is_empty())
}
