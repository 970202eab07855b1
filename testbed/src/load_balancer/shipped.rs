//! Owns how a configuration of `deploy/` becomes that of a test: addresses are put in, and what needs root is
//! taken out; nothing else changes unless the test says so. Pure text.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, ensure};

use super::{Backend, Brand, Edit, LoadBalancerOptions};

const HAPROXY: &str = include_str!("../../../deploy/haproxy/haproxy.cfg");
const NGINX: &str = include_str!("../../../deploy/nginx/nginx.conf");

/// Where a load balancer of a test is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'a> {
    pub(super) tcp: SocketAddr,
    pub(super) http: SocketAddr,
    pub(super) folder: &'a Path,
}

/// The shipped configuration for a test.
pub(super) fn config(options: &LoadBalancerOptions, places: Places<'_>) -> anyhow::Result<String> {
    let mut text = match options.brand {
        Brand::HaProxy => HAPROXY.to_owned(),
        Brand::Nginx => NGINX.to_owned(),
    };
    for edit in &options.edits {
        text = match edit {
            Edit::Uncomment(line) => uncommented(&text, line)?,
            Edit::Replace { from, to } => replaced(&text, from, to)?,
        };
    }
    let text = with_servers(&text, &options.backends)?;
    match options.brand {
        Brand::HaProxy => for_any_user_haproxy(&text, places),
        Brand::Nginx => for_any_user_nginx(&text, places),
    }
}

fn for_any_user_haproxy(text: &str, Places { tcp, http, .. }: Places<'_>) -> anyhow::Result<String> {
    let text = replaced(text, "    user haproxy\n    group haproxy\n", "")?;
    let text = replaced(&text, "bind :12345\n", &format!("bind {tcp}\n"))?;
    replaced(&text, "bind :8000\n", &format!("bind {http}\n"))
}

fn for_any_user_nginx(text: &str, Places { tcp, http, folder }: Places<'_>) -> anyhow::Result<String> {
    let folder = folder.to_str().context("the temporary folder's name is not UTF-8")?;
    let text = replaced(text, "user www-data;\n", "")?;
    let text = replaced(&text, "pid /run/nginx.pid;", &format!("pid {folder}/nginx.pid;"))?;
    let text = replaced(&text, "listen 12345 ", &format!("listen {tcp} "))?;
    let text = replaced(&text, "listen 8000 ", &format!("listen {http} "))?;
    let own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let own = own.map(|name| format!("    {name}_temp_path {folder}/{name};\n")).concat();
    replaced(&text, "\nhttp {\n", &format!("\nhttp {{\n{own}"))
}

fn replaced(text: &str, from: &str, to: &str) -> anyhow::Result<String> {
    ensure!(text.contains(from), "the shipped configuration does not hold {from:?}");
    Ok(text.replace(from, to))
}

fn uncommented(text: &str, line: &str) -> anyhow::Result<String> {
    replaced(text, &format!("# {line}\n"), &format!("{line}\n"))
}

/// Each run of lines for servers becomes one line for each backend, like the first of the run.
fn with_servers(text: &str, backends: &[Backend]) -> anyhow::Result<String> {
    ensure!(!backends.is_empty(), "a load balancer needs a backend");
    let is_server = |line: &str| line.trim_start().starts_with("server node-");
    let (mut changed, mut in_run) = (String::new(), false);
    for line in text.lines() {
        let starts_run = is_server(line) && !in_run;
        in_run = is_server(line);
        if starts_run {
            for (index, backend) in backends.iter().enumerate() {
                changed += &server_line(line, index + 1, backend);
                changed.push('\n');
            }
        } else if !in_run {
            changed += line;
            changed.push('\n');
        }
    }
    Ok(changed)
}

fn server_line(first: &str, number: usize, backend: &Backend) -> String {
    first
        .replace("node-1:12345", &backend.tcp.to_string())
        .replace("node-1:8000", &backend.http.to_string())
        .replace("port 8000", &format!("port {}", backend.http.port()))
        .replace("node-1", &format!("node-{number}"))
}
