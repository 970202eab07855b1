//! Owns what tests and measurements need beyond Rust, and how a Debian or Ubuntu machine gets it.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use crate::steps::say;

/// Something that tests start, and the Debian package that brings it.
struct Tool {
    name: &'static str,
    found: Found,
    package: &'static str,
    why: &'static str,
}

/// How one knows that it is there.
#[derive(Clone, Copy)]
enum Found {
    /// A program of the tool's name stands on the path.
    OnPath,
    /// A question of its own.
    If(fn() -> bool),
}

impl Tool {
    const fn program(name: &'static str, package: &'static str, why: &'static str) -> Self {
        Self { name, found: Found::OnPath, package, why }
    }
}

/// What tests need. A new need is a new row; no test may skip itself because a tool is missing.
const TOOLS: &[Tool] = &[
    Tool::program("cc", "build-essential", "links the programs"),
    Tool::program("redis-server", "redis-server", "nodes are tested on a real Redis"),
    Tool::program("haproxy", "haproxy", "nodes are tested behind it, on deploy/haproxy"),
    Tool::program("nginx", "nginx", "nodes are tested behind it, on deploy/nginx"),
    Tool {
        name: "nginx's stream module",
        found: Found::If(nginx_has_stream),
        package: "libnginx-mod-stream",
        why: "nginx passes on TCP by it",
    },
    Tool::program("tmux", "tmux", "every key of the client is pressed in it"),
];

/// What the client is measured beside: programs that people use.
const PEERS: &[Tool] = &[
    Tool::program("cc", "build-essential", "links the programs"),
    Tool::program("weechat", "weechat-curses", "the client is measured beside it"),
    Tool::program("irssi", "irssi", "the client is measured beside it"),
];

/// Parts of the Rust toolchain that rustup may have left out, and how cargo calls them.
const COMPONENTS: &[(&str, &str)] = &[("rustfmt", "fmt"), ("clippy", "clippy")];

/// Installs what is missing for tests, or says exactly what to install.
pub(crate) fn install_missing() -> anyhow::Result<()> {
    check_components()?;
    install(TOOLS)
}

/// Installs what the client is measured beside, or says exactly what to install.
pub(crate) fn install_peers() -> anyhow::Result<()> {
    install(PEERS)
}

fn install(tools: &[Tool]) -> anyhow::Result<()> {
    let missing = missing(tools, is_there);
    if missing.is_empty() {
        return Ok(());
    }
    let advice = advice(&missing);
    let Some(privilege) = privilege() else { bail!("{advice}") };
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    apt_get(privilege, &["update"]).context(advice.clone())?;
    apt_get(privilege, &[&["install", "--yes", "--no-install-recommends"], &packages[..]].concat())
        .context(advice)?;
    let still = missing.iter().find(|tool| !is_there(tool));
    still.map_or(Ok(()), |tool| bail!("{} was installed but brought no {}", tool.package, tool.name))
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

fn missing(tools: &[Tool], is_there: impl Fn(&Tool) -> bool) -> Vec<&Tool> {
    tools.iter().filter(|tool| !is_there(tool)).collect()
}

fn is_there(tool: &Tool) -> bool {
    match tool.found {
        Found::OnPath => is_on_path(tool.name),
        Found::If(is_there) => is_there(),
    }
}

fn advice(missing: &[&Tool]) -> String {
    let why: Vec<String> = missing.iter().map(|tool| format!("{} ({})", tool.name, tool.why)).collect();
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
    say(&line.join(" "));
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

/// Built in, or a module that the folder brings which deploy/nginx/nginx.conf includes.
fn nginx_has_stream() -> bool {
    const MODULE: &str = "/etc/nginx/modules-enabled/50-mod-stream.conf";
    let built = Command::new("nginx").arg("-V").stdin(Stdio::null()).output();
    let built = built.map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).unwrap_or_default();
    has_stream(&built, Path::new(MODULE).exists())
}

fn has_stream(built: &str, has_module: bool) -> bool {
    built.split_whitespace().any(|option| match option {
        "--with-stream" => true,
        "--with-stream=dynamic" => has_module,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        let tools = [
            Tool::program("one", "one-package", "for this"),
            Tool::program("two", "two-package", "for that"),
            Tool::program("there", "x", "x"),
        ];
        let missing = missing(&tools, |tool| tool.name == "there");
        assert_eq!(
            advice(&missing),
            "missing: one (for this), two (for that); install: sudo apt-get install one-package two-package"
        );
    }

    #[test]
    fn a_program_is_found_on_the_path() {
        assert!(is_on_path("cargo") && !is_on_path("no-such-program-anywhere"));
    }

    #[test]
    fn nginx_needs_its_module_where_it_was_built_without() {
        assert!(has_stream("--with-compat --with-stream --with-threads", false));
        let dynamic = "--with-mail=dynamic --with-stream=dynamic --with-stream_geoip_module=dynamic";
        assert!(has_stream(dynamic, true) && !has_stream(dynamic, false));
        assert!(!has_stream("--with-stream_ssl_module", true) && !has_stream("", true));
    }
}
