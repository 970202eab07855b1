//! Owns what the manifests must not say: protocol's names no runtime, and cargo finds none below it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};

/// Crates that are a runtime, or bring one.
const RUNTIMES: &[&str] =
    &["tokio", "tokio-util", "mio", "hyper", "tungstenite", "async-std", "smol", "futures-executor"];
/// The packages of this workspace that stand above protocol.
const SIBLINGS: &[&str] = &["chat-server", "chat-tui"];

/// What is wrong with the manifests below `root`.
pub(super) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let manifest =
        std::fs::read_to_string(root.join("protocol/Cargo.toml")).context("protocol/Cargo.toml")?;
    let mut broken = check_manifest(&manifest);
    // A tree that cannot be had must not hide what else is wrong.
    broken.extend(tree(root).map_or_else(|error| vec![format!("{error:#}")], |tree| check_tree(&tree)));
    Ok(broken)
}

fn check_manifest(manifest: &str) -> Vec<String> {
    let keys = manifest.lines().map(|line| line.split(['.', '=', ' ']).next().unwrap_or_default());
    let named = keys.filter(|key| RUNTIMES.contains(key) || SIBLINGS.contains(key));
    named.map(|key| format!("protocol/Cargo.toml: names {key}: protocol knows no runtime")).collect()
}

/// Each line of `cargo tree --prefix none` begins with a package's name.
fn check_tree(tree: &str) -> Vec<String> {
    let packages = tree.lines().filter_map(|line| line.split_whitespace().next());
    let mut named: Vec<&str> =
        packages.filter(|package| RUNTIMES.contains(package) || SIBLINGS.contains(package)).collect();
    named.dedup();
    named.iter().map(|package| format!("cargo tree -p chat-protocol: holds {package}")).collect()
}

fn tree(root: &Path) -> anyhow::Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = [
        "tree",
        "--package",
        "chat-protocol",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--offline",
        "--locked",
    ];
    let output =
        Command::new(cargo).args(arguments).current_dir(root).output().context("cargo cannot be started")?;
    ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(tree.starts_with("chat-protocol "), "cargo tree says something else: {tree}");
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_in_the_manifest_or_below_is_found() {
        assert_eq!(check_manifest("[dependencies]\nbytes.workspace = true\ntokio = \"1\"\n").len(), 1);
        assert_eq!(check_manifest("[dependencies]\ntokio-util.workspace = true\n").len(), 1);
        assert_eq!(check_manifest("[dependencies]\nbytes.workspace = true\n").len(), 0);
        assert_eq!(check_tree("chat-protocol v0.1.0\nbytes v1\nmio v1.0.0\n").len(), 1);
        assert_eq!(check_tree("chat-protocol v0.1.0\nbytes v1\n").len(), 0);
    }
}
