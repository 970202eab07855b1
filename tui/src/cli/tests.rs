//! What a command line means, and that its help fits a screen.

use std::time::Duration;

use clap::CommandFactory;

use super::*;
use crate::net::event::Transport;

fn cli(args: &str) -> Cli {
    Cli::try_parse_from(std::iter::once("chat-tui").chain(args.split_whitespace())).unwrap()
}

fn refused(args: &str, why: &str) {
    let error = Cli::try_parse_from(std::iter::once("chat-tui").chain(args.split_whitespace()))
        .expect_err(args)
        .to_string();
    assert!(error.contains(why), "{args}: {error}");
}

#[test]
fn the_help_fits_a_screen_and_shows_examples() {
    let help = Cli::command().term_width(80).render_help().to_string();
    assert!(help.lines().count() <= 40, "{} lines:\n{help}", help.lines().count());
    assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    assert!(help.contains("--redis <URL>") && !help.contains("demo-node"), "{help}");
    assert!(help.contains("--demo") && help.contains("Examples:"), "{help}");
    Cli::command().debug_assert();
}

#[test]
fn the_help_of_each_command_fits_a_terminal() {
    let mut cli = Cli::command().term_width(80);
    cli.build();
    for command in cli.get_subcommands_mut().filter(|command| !command.is_hide_set()) {
        let help = command.render_help().to_string();
        let (name, lines) = (command.get_name(), help.lines().count());
        assert!(lines <= 24, "{name}: {lines} lines:\n{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{name}:\n{help}");
        assert!(name == "man" || help.contains("Examples:"), "{name}:\n{help}");
    }
}

#[test]
fn what_only_prints_needs_no_server() {
    assert_eq!(cli("completions zsh").target(), Ok(Target::Itself));
    assert_eq!(cli("man").target(), Ok(Target::Itself));
}

#[test]
fn hosts_are_a_list_and_flags_may_follow_the_command() {
    let endpoint = |host: &str, port| Endpoint::new(host, port, Transport::Tcp);
    let target = cli("--host a:12345,b:12345 --host tcp://c").target().unwrap();
    assert_eq!(target, Target::Hosts(vec![endpoint("a", 12345), endpoint("b", 12345), endpoint("c", 12345)]));
    let send = cli("send --host a --transport tcp --room ops --timeout 2.5 hello there");
    assert_eq!(send.target().unwrap(), Target::Hosts(vec![endpoint("a", 12345)]));
    let Some(Command::Send(args)) = send.command else { panic!("send") };
    assert_eq!((args.text.join(" ").as_str(), args.timeout), ("hello there", Duration::from_millis(2_500)));
    assert_eq!(args.room, Some(RoomName::parse("ops").unwrap()));
}

#[test]
fn neither_host_nor_demo_says_both_ways() {
    let error = cli("--plain").target().unwrap_err();
    assert_eq!(error, CliError::NoTarget);
    assert!(error.to_string().contains("--host HOST") && error.to_string().contains("--demo"));
    assert_eq!(cli("--demo").target(), Ok(Target::Demo));
    assert_eq!(cli("--demo --redis redis://a").target(), Ok(Target::Demo));
}

#[test]
fn what_makes_no_sense_is_refused_in_words() {
    assert_eq!(cli("--host a --demo").target(), Err(CliError::TwoTargets));
    refused("--script x --plain", "--demo");
    refused("--room a/b", "use letters, digits");
    refused("--name a\u{7}b", "U+0007");
    refused("--transport udp", "udp");
    refused("send --timeout 0 x", "above 0");
    refused("send", "TEXT");
    assert_eq!(cli("--demo --script x").target(), Err(CliError::ScriptNeedsPlain));
    assert_eq!(cli("--demo send x").target(), Err(CliError::NeedsHost("send")));
    assert_eq!(cli("--demo tail").target(), Err(CliError::NeedsHost("tail")));
    refused("tail --since yesterday", "10m, 2h or 1d");
    refused("send --most 0 x", "--most");
    refused("completions cmd", "bash");
    assert_eq!(cli("--redis redis://a").target(), Err(CliError::RedisNeedsDemo));
    assert_eq!(cli("--host a --redis redis://a").target(), Err(CliError::RedisNeedsDemo));
    assert!(cli("--host wss://a").target().unwrap_err().to_string().contains("later version"));
}

#[test]
fn rooms_default_to_general_and_repeat() {
    assert_eq!(cli("--demo").rooms(), [RoomName::general()]);
    assert_eq!(cli("--demo --room a --room b").rooms().len(), 2);
    assert_eq!(cli("--demo --json").mode(), Mode::Json);
    assert_eq!(cli("--demo --plain").mode(), Mode::Plain);
}

#[test]
fn a_server_has_a_name_that_is_no_command() {
    assert_eq!(cli("work").named.as_deref(), Some("work"));
    assert!(cli("send x").named.is_none());
    let both = cli("work --name bob send --room ops x");
    assert_eq!(both.named.as_deref(), Some("work"));
    assert!(matches!(both.command, Some(Command::Send(_))), "{both:?}");
    let Some(Command::Config(args)) = cli("work config show").command else { panic!("config") };
    assert_eq!(args.command, ConfigCommand::Show);
    refused("config", "init");
}
