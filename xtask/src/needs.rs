//! Owns what tests need beyond Rust, and how a Debian or Ubuntu machine gets it.

use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

/// A program that tests start, and the Debian package that brings it.
struct Tool {
    program: &'static str,
    package: &'static str,
    why: &'static str,
}

/// What tests need. A new need is a new row; no test may skip itself because a tool is missing.
const TOOLS: &[Tool] = &[
    Tool { program: "cc", package: "build-essential", why: "links the programs" },
    Tool { program: "redis-server", package: "redis-server", why: "nodes are tested on a real Redis" },
];

/// Parts of the Rust toolchain that rustup may have left out, and how cargo calls them.
const COMPONENTS: &[(&str, &str)] = &[("rustfmt", "fmt"), ("clippy", "clippy")];

/// Installs what is missing, or says exactly what to install.
pub(crate) fn install_missing() -> anyhow::Result<()> {
    check_components()?;
    let missing = missing(TOOLS, is_on_path);
    if missing.is_empty() {
        return Ok(());
    }
    let advice = advice(&missing);
    let Some(privilege) = privilege() else { bail!("{advice}") };
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    apt_get(privilege, &["update"]).context(advice.clone())?;
    apt_get(privilege, &[&["install", "--yes", "--no-install-recommends"], &packages[..]].concat())
        .context(advice)?;
    let still = missing.iter().find(|tool| !is_on_path(tool.program));
    still.map_or(Ok(()), |tool| bail!("{} was installed but brought no {}", tool.package, tool.program))
}

/// Formatter and linter have to be there.
pub(crate) fn check_components() -> anyhow::Result<()> {
    let is_missing = |(_, name): &&(&str, &str)| !succeeds(Command::new("cargo").args([name, "--version"]));
    let missing: Vec<&str> = COMPONENTS.iter().filter(is_missing).map(|(component, _)| *component).collect();
    ensure!(
        missing.is_empty(),
        "parts of Rust are missing, install them: rustup component add {}",
        missing.join(" ")
    );
    Ok(())
}

fn missing(tools: &[Tool], is_there: impl Fn(&str) -> bool) -> Vec<&Tool> {
    tools.iter().filter(|tool| !is_there(tool.program)).collect()
}

fn advice(missing: &[&Tool]) -> String {
    let why: Vec<String> = missing.iter().map(|tool| format!("{} ({})", tool.program, tool.why)).collect();
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    format!("missing: {}; install: sudo apt-get install {}", why.join(", "), packages.join(" "))
}

/// What to put before `apt-get`; none where we may not install.
fn privilege() -> Option<&'static [&'static str]> {
    if !is_on_path("apt-get") {
        return None;
    }
    let id = Command::new("id").arg("-u").output().ok()?;
    if id.stdout.trim_ascii() == b"0" {
        return Some(&[]);
    }
    succeeds(Command::new("sudo").args(["-n", "true"])).then_some(&["sudo", "-n"])
}

fn apt_get(privilege: &[&str], arguments: &[&str]) -> anyhow::Result<()> {
    let line = [privilege, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"], arguments].concat();
    println!("{}", line.join(" "));
    let status = Command::new(line[0]).args(&line[1..]).status()?;
    ensure!(status.success(), "apt-get ended with {status}");
    Ok(())
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        let tools = [
            Tool { program: "one", package: "one-package", why: "for this" },
            Tool { program: "two", package: "two-package", why: "for that" },
            Tool { program: "there", package: "x", why: "x" },
        ];
        let missing = missing(&tools, |program| program == "there");
        assert_eq!(
            advice(&missing),
            "missing: one (for this), two (for that); install: sudo apt-get install one-package two-package"
        );
    }

    #[test]
    fn a_program_is_found_on_the_path() {
        assert!(is_on_path("cargo") && !is_on_path("no-such-program-anywhere"));
    }
}
