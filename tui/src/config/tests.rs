//! What the file, the environment and the flags come to, and what is said where they cannot.

use std::path::PathBuf;

use super::*;
use crate::keymap::Action;
use crate::notify::{Level, Way};
use crate::settings::TimeFormat;
use crate::theme::{Role, Theme};

/// A file of this test's own.
fn file(test: &str, text: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("chat-tui-config-{}-{test}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("config.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn sources(test: &str, text: &str) -> Sources {
    let commands = ["send", "config"].map(str::to_owned).into();
    Sources { usual_file: Some(file(test, text)), commands, ..Sources::default() }
}

fn read(test: &str, text: &str) -> Loaded {
    Loaded::read(&sources(test, text)).unwrap()
}

/// Reads a text that cannot be; gives what is said behind the path.
#[track_caller]
fn refused(test: &str, text: &str) -> String {
    let error = Loaded::read(&sources(test, text)).unwrap_err().to_string();
    let path = file(test, text).display().to_string();
    error.strip_prefix(&path).unwrap_or_else(|| panic!("{error} names {path}")).to_owned()
}

#[track_caller]
fn check_refused(test: &str, text: &str, expected: &str) {
    let error = refused(test, text);
    assert!(error.starts_with(expected), "{text}\n{error}\n{expected}");
}

#[test]
fn no_file_is_the_defaults_and_a_named_one_has_to_exist() {
    let nowhere = PathBuf::from("/nonexistent/chat-tui/config.toml");
    let usual = Sources { usual_file: Some(nowhere.clone()), ..Sources::default() };
    assert_eq!(Loaded::read(&usual).unwrap().config.settings.theme, "dark");
    let named = Sources { file: Some(nowhere.clone()), ..Sources::default() };
    assert!(Loaded::read(&named).unwrap_err().to_string().contains("cannot be read"));
    let env = vec![(FILE_VARIABLE.to_owned(), nowhere.display().to_string())];
    assert!(Loaded::read(&Sources { env, ..Sources::default() }).is_err());
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let mut sources =
        sources("order", "theme = \"light\"\nhighlight = [\"a\"]\nascii = false\ntime = \"12h\"\n");
    let holds = |sources: &Sources| {
        let settings = Loaded::read(sources).unwrap().config.settings;
        (settings.theme, settings.highlight, settings.ascii)
    };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert_eq!(holds(&sources), ("light".into(), words(&["a"]), false));
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    sources.env = vec![
        set("CHAT_TUI_THEME", "high-contrast"),
        set("CHAT_TUI_HIGHLIGHT", "b, c"),
        set("CHAT_TUI_ASCII", "true"),
        set("CHAT_TUI_TIME", ""),
    ];
    assert_eq!(holds(&sources), ("high-contrast".into(), words(&["b", "c"]), true));
    let value = FlagValue::Words(words(&["d"]));
    sources.flags = vec![Flag { name: "--highlight", key: "highlight", value }];
    assert_eq!(holds(&sources).1, words(&["d"]));
    let shown = Loaded::read(&sources).unwrap().to_toml();
    for (line, origin) in [
        ("theme = \"high-contrast\"", "# CHAT_TUI_THEME"),
        ("highlight = [\"d\"]", "# --highlight"),
        ("time = \"12h\"", "config.toml:4"),
        ("mouse = false", "# default"),
        ("send = [\"Enter\"]", "# default"),
    ] {
        let found = shown.lines().find(|shown| shown.starts_with(line));
        assert!(found.is_some_and(|found| found.ends_with(origin)), "{line} {origin}\n{shown}");
    }
    sources.env = vec![set("CHAT_TUI_PANES__USERS", "perhaps")];
    let error = Loaded::read(&sources).unwrap_err().to_string();
    assert_eq!(
        error,
        "CHAT_TUI_PANES__USERS: \"users\" in [panes] cannot be \"perhaps\": \"on\", \"off\" or \"auto\" is allowed"
    );
}

const WHOLE: &str = r##"
server = "work"
theme = "mine"
ascii = true
accessible = true
mouse = true
time = "%H:%M:%S"
highlight = ["deploy"]

[panes]
rooms = false
users = "on"
link = "off"

[notifications]
when = "all"
how = ["bell", "osc777"]

[notifications.rooms]
"#random" = "none"
"@bob" = "all"

[keys]
page-up = ["ctrl-g"]
redraw = []
send = "alt-enter"
newline = ["enter"]

[servers.work]
host = ["lb.example.com", "ws://other:8000"]
name = "alice"
rooms = ["ops", "#general"]

[servers."ho.me"]
host = "localhost"
transport = "tcp"

[themes.mine]
base = "light"
mention = "#ff0000 on black bold"
trouble = 196
authors = ["red", "blue italic"]
"##;

#[test]
fn everything_can_be_set() {
    let loaded = read("whole", WHOLE);
    let Config { settings, server, servers } = &loaded.config;
    assert_eq!((server.as_deref(), settings.theme.as_str()), (Some("work"), "mine"));
    assert!(settings.ascii && settings.accessible && settings.mouse);
    assert_eq!(settings.time, TimeFormat::parse("%H:%M:%S").unwrap());
    assert_eq!(
        (settings.panes.rooms, settings.panes.users, settings.panes.link),
        (false, Some(true), Some(false))
    );
    let told = &settings.notifications;
    assert_eq!((told.level, &told.ways[..]), (Level::All, &[Way::Bell, Way::Osc777][..]));
    assert_eq!(told.rooms.get("random"), Some(&Level::None));
    assert_eq!(told.rooms.get("@bob"), Some(&Level::All));
    let way = |action| settings.keymap.way(action);
    assert_eq!((way(Action::PageUp), way(Action::Redraw)), ("Ctrl-G".to_owned(), String::new()));
    assert_eq!((way(Action::Send), way(Action::Newline)), ("Alt-Enter".to_owned(), "Enter".to_owned()));
    assert_eq!(servers["work"].hosts, ["lb.example.com", "ws://other:8000"]);
    assert_eq!(servers["work"].name.as_ref().map(|name| name.as_str()), Some("alice"));
    assert_eq!(servers["work"].rooms.len(), 2);
    let theme =
        Theme::new(&settings.palettes.iter().find(|(name, _)| name == "mine").unwrap().1, Depth::True);
    let light = Theme::new(&settings.palettes[1].1, Depth::True);
    assert_ne!(theme.style(Role::Mention), light.style(Role::Mention));
    assert_eq!(theme.style(Role::Unread), light.style(Role::Unread));
}

#[test]
fn what_is_shown_can_be_read_again() {
    let loaded = read("again", WHOLE);
    let shown = loaded.to_toml();
    insta::assert_snapshot!(
        "shown",
        shown.replace(&loaded.path.as_ref().unwrap().display().to_string(), "/etc/config.toml")
    );
    let again = read("again2", &shown);
    assert_eq!(again.config.servers, loaded.config.servers);
    let settings = |loaded: &Loaded| format!("{:?}", loaded.config.settings);
    assert_eq!(settings(&again), settings(&loaded));
}

#[test]
fn the_sample_says_what_holds_without_it() {
    let sample = sample();
    let comments = read("sample", &sample);
    assert!(comments.origins.iter().all(|origin| *origin == Origin::Default) && comments.places.is_empty());
    let lines = sample.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => setting,
        _ => line,
    });
    let whole: Vec<&str> = lines.collect();
    let loaded = read("sample2", &whole.join("\n"));
    assert!(loaded.origins.iter().all(|origin| *origin != Origin::Default), "every setting is in it");
    let (is, was) = (&loaded.config.settings, Settings::default());
    assert_eq!((&is.keymap, &is.theme, &is.time, is.panes), (&was.keymap, &was.theme, &was.time, was.panes));
    assert_eq!((is.ascii, is.mouse, &is.highlight), (was.ascii, was.mouse, &was.highlight));
    assert_eq!(
        (is.notifications.level, &is.notifications.ways),
        (was.notifications.level, &was.notifications.ways)
    );
    assert!(
        loaded.config.servers.contains_key("work") && is.palettes.len() == 5,
        "and an example of the rest"
    );
}

#[test]
fn init_writes_the_sample_once() {
    let path = file("init", "").with_file_name("new").join("config.toml");
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap_or_default();
    init(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), sample());
    assert_eq!(init(&path).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
}

#[test]
fn mistakes_are_named_with_line_and_nearest() {
    let check = |text, expected| check_refused("mistakes", text, expected);
    check("\ntehme = \"dark\"", ":2: unknown key \"tehme\": did you mean \"theme\"?");
    check("users = \"on\"", ":1: unknown key \"users\": it belongs in [panes]");
    check("host = \"a\"", ":1: unknown key \"host\": it belongs in [servers.NAME]");
    check("[pane]\nusers = \"on\"", ":1: unknown section [pane]: did you mean \"panes\"?");
    check("[panes]\nuser = \"on\"", ":2: unknown key \"user\" in [panes]: did you mean \"users\"?");
    check("mouse = \"yes\"", ":1: \"mouse\" cannot be \"yes\": true or false is allowed");
    check("time = \"24\"", ":1: \"time\" cannot be \"24\": 24h, 12h or a strftime pattern");
    check("theme = \"drak\"", ":1: theme: no theme \"drak\": did you mean dark? there are dark, light");
    check("theme = dark", ":1: not TOML: ");
    check(
        "[notifications]\nhow = [\"horn\"]",
        ":2: \"how\" in [notifications] cannot be [\"horn\"]: a list of",
    );
    check(
        "[notifications.rooms]\nops = \"some\"",
        ":2: notifications of \"ops\" cannot be \"some\": \"all\", \"mentions\"",
    );
    check("[keys]\nsned = [\"enter\"]", ":2: no action is called \"sned\": did you mean \"send\"?");
    check("[keys]\nsend = [\"entre\"]", ":2: \"send\": \"entre\" is no key: did you mean \"Enter\"?");
    check("[keys]\nsend = [\"x\"]", ":2: \"send\": \"x\" writes a letter");
    check("[keys]\nsend = 1.5", ":2: the keys of \"send\" are a list");
    check("[themes.a]\nbase = \"drak\"", ":2: no theme \"drak\" to begin with: did you mean \"dark\"?");
    check("[themes.a]\nmentoin = \"red\"", ":2: no role is called \"mentoin\": did you mean \"mention\"?");
    check("[themes.a]\nmention = \"rde\"", ":2: \"mention\": \"rde\" is no colour: did you mean \"red\"?");
    check("[themes.a]\nauthors = 7.5", ":2: \"authors\" are a list of colours");
}

#[test]
fn servers_are_checked_where_they_stand() {
    let check = |text, expected| check_refused("servers", text, expected);
    check(
        "[servers.a]\nhosts = \"x\"",
        ":2: \"hosts\" in [servers.a]: there is no such key: did you mean \"host\"?",
    );
    check("[servers.a]\nname = \"b\"", ":1: \"host\" in [servers.a]: \"\" is no server address: it is empty");
    check(
        "[servers.a]\nhost = \"http://x\"",
        ":1: \"host\" in [servers.a]: \"http://x\" is no server address",
    );
    check(
        "[servers.a]\nhost = \"x\"\ntransport = \"udp\"",
        ":3: \"transport\" in [servers.a]: \"auto\", \"tcp\" or",
    );
    check("[servers.a]\nhost = \"x\"\nrooms = [\"a/b\"]", ":3: \"rooms\" in [servers.a]: ");
    check("[servers.\"a b\"]\nhost = \"x\"", ":1: no server can be called \"a b\": use letters");
    check("[servers.send]\nhost = \"x\"", ":1: no server can be called \"send\": that is a command");
    check("[servers]\nwork = \"x\"", ":2: a server is a section: [servers.work]");
    check(
        "server = \"wrok\"\n[servers.work]\nhost = \"x\"",
        ":1: server: there is no server \"wrok\": did you mean \"work\"?",
    );
}

#[test]
fn a_key_bound_twice_names_both() {
    let check = |text, expected| check_refused("twice", text, expected);
    check(
        "[keys]\npage-up = [\"ctrl-g\"]\n\npage-down = [\"CTRL-G\"]",
        ":4: Ctrl-G is bound twice, to \"page-up\" (line 2) and to \"page-down\" (line 4): give \"page-down\" other keys",
    );
    check(
        "[keys]\npage-up = [\"ctrl-t\"]",
        ":2: Ctrl-T is bound twice, to \"switcher\" (usual) and to \"page-up\" (line 2): give \"switcher\" other keys",
    );
}

#[track_caller]
fn check_server(wanted: Wanted<'_>, expected: Result<Option<&str>, &str>) {
    let loaded =
        read("named", "server = \"home\"\n[servers.home]\nhost = \"h\"\n[servers.work]\nhost = \"w\"");
    let commands = ["send".to_owned()];
    match (loaded.server(wanted, &commands), expected) {
        (Ok(server), Ok(host)) => assert_eq!(server.map(|server| server.hosts[0].as_str()), host),
        (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
        (found, expected) => panic!("{found:?}, not {expected:?}"),
    }
}

#[test]
fn a_server_is_found_by_its_name() {
    check_server(Wanted::Named("work"), Ok(Some("w")));
    check_server(Wanted::Nothing, Ok(Some("h")));
    check_server(Wanted::Place, Ok(None));
    check_server(
        Wanted::Named("wrok"),
        Err("no server \"wrok\": did you mean \"work\"? there are home, work"),
    );
    check_server(Wanted::Named("sned"), Err("is it the command \"send\"?"));
    check_server(Wanted::Named("lb.example.com"), Err("a host goes with --host lb.example.com"));
}

#[test]
fn what_is_far_too_large_is_no_file_of_settings() {
    let error = Loaded::read(&Sources { file: Some("/dev/zero".into()), ..Sources::default() }).unwrap_err();
    assert!(error.to_string().contains("/dev/zero: has more than 1048576 bytes"), "{error}");
}
