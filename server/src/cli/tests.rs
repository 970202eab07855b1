use super::*;
use crate::config::{Config, Loaded};

fn parse(arguments: &[&str]) -> Result<Cli, String> {
    let cli =
        Cli::try_parse_from([&["chat-server"], arguments].concat()).map_err(|error| error.to_string())?;
    cli.check().map_err(|error| error.to_string())?;
    Ok(cli)
}

fn config(arguments: &[&str]) -> Config {
    let sources = Sources { system_file: "/nowhere".into(), ..parse(arguments).unwrap().sources(vec![]) };
    Loaded::read(&sources).unwrap().config
}

#[test]
fn the_help_fits_a_screen() {
    let asked = Cli::command().term_width(80).try_get_matches_from(["chat-server", "--help"]);
    let help = asked.unwrap_err().to_string();
    assert!(help.lines().count() <= 40, "{} lines:\n{help}", help.lines().count());
    assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    assert!(help.contains("Examples:"), "{help}");
}

#[test]
fn the_help_of_the_front_end_fits_one_too() {
    let asked = Cli::command().term_width(80).try_get_matches_from(["chat-server", "balance", "--help"]);
    let help = asked.unwrap_err().to_string();
    let (_, flags) = help.split_once("Options:\n").unwrap();
    let (flags, _) = flags.split_once("\n\nExamples:").unwrap();
    assert!(flags.lines().count() <= 24, "{} lines:\n{help}", flags.lines().count());
    assert!(help.lines().count() <= 40 && help.lines().all(|line| line.chars().count() <= 80), "{help}");
}

#[test]
fn the_command_line_contradicts_itself_nowhere() {
    Cli::command().debug_assert();
}

#[test]
fn flags_fill_their_settings() {
    let config = config(&[
        "--node",
        "a",
        "--listen-tcp",
        "127.0.0.1:1",
        "--listen-http",
        "off",
        "--log-format",
        "json",
    ]);
    assert_eq!(config.node.as_str(), "a");
    assert_eq!(config.listen_tcp, Some("127.0.0.1:1".parse().unwrap()));
    assert_eq!(config.listen_http, None);
    assert_eq!(config.log.format, crate::config::LogFormat::Json);
}

#[test]
fn check_config_takes_a_nodes_flags_before_and_behind_it() {
    assert_eq!(config(&["check-config", "--node", "a", "--log-level", "warn"]).node.as_str(), "a");
    assert_eq!(config(&["--node", "a", "--log-level", "warn", "check-config"]).log.level.as_str(), "warn");
}

#[test]
fn the_nodes_of_a_cluster_are_asked_for_where_they_meet() {
    for arguments in [["nodes", "--redis", "redis://h:1/2"], ["--redis", "redis://h:1/2", "nodes"]] {
        assert_eq!(config(&arguments).redis.url.map(|url| url.to_string()), Some("redis://h:1/2".to_owned()));
    }
    let Some(Command::Nodes(flags)) = parse(&["nodes", "--json"]).unwrap().command else { panic!("nodes") };
    assert!(flags.json);
}

#[test]
fn the_front_ends_flags_are_its_own() {
    let config =
        config(&["balance", "--listen-tcp", "127.0.0.1:1", "--backend", "a:1:2", "--backend", "b:3:4"]);
    assert_eq!(config.balancer.listen_tcp, Some("127.0.0.1:1".parse().unwrap()));
    assert_eq!(config.listen_tcp, Config::default().listen_tcp);
    assert_eq!(config.balancer.backends.len(), 2);
    let balancer = self::config(&[
        "balance",
        "--backup",
        "c:5:6",
        "--listen-admin",
        "off",
        "--policy",
        "least-load",
        "--send-proxy",
    ])
    .balancer;
    assert_eq!((balancer.backups.len(), balancer.listen_admin, balancer.send_proxy), (1, None, true));
    assert_eq!(balancer.policy, crate::balancer::Policy::LeastLoad);
    let error = parse(&["--listen-tcp", "127.0.0.1:1", "balance"]).unwrap_err();
    assert!(error.contains("--listen-tcp goes behind `balance`"), "{error}");
}
