use std::path::Path;

use super::*;

/// A file's text as the only source, read under the name it would have.
fn from_file(text: &str) -> Result<Loaded, String> {
    let directory = Directory::new();
    let path = directory.0.join("chat.toml");
    std::fs::write(&path, text).unwrap();
    let read = Loaded::read(&Sources { file: Some(path), ..nothing() });
    read.map_err(|error| error.to_string().replace(&format!("{}/", directory.0.display()), ""))
}

fn nothing() -> Sources {
    Sources { file: None, system_file: "/nowhere/chat-server.toml".into(), env: vec![], flags: vec![] }
}

fn from_env(name: &str, value: &str) -> Result<Loaded, String> {
    let env = vec![(name.to_owned(), value.to_owned())];
    Loaded::read(&Sources { env, ..nothing() }).map_err(|error| error.to_string())
}

fn refused(text: &str, expected: &str) {
    assert_eq!(from_file(text).unwrap_err(), expected, "{text}");
}

/// A directory of this test's own, gone with it.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("chat-config-{}", chat_protocol::ClientId::random()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn without_any_source_the_defaults_hold() {
    assert_eq!(Loaded::read(&nothing()).unwrap().config, Config::default());
}

#[test]
fn the_example_file_is_the_table_and_says_the_defaults() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config.example.toml");
    let file = std::fs::read_to_string(path).unwrap();
    let (_, servers) = file.split_once("# ---- chat-server ----\n").unwrap();
    let (servers, _) = servers.split_once("\n# ---- chat-tui ----\n").unwrap();
    assert_eq!(servers, example(), "config.example.toml between its headers should be:\n\n{}", example());
    assert_eq!(from_file(servers).unwrap().config, Config::default());
}

#[test]
fn file_then_environment_then_flags() {
    let directory = Directory::new();
    let path = directory.0.join("chat.toml");
    std::fs::write(&path, "[limits]\ncontent_chars = 1\nmessages_per_second = 1\nmessages_burst = 1\n")
        .unwrap();
    let env = [
        ("CHAT_SERVER_CONFIG", path.to_str().unwrap()),
        ("CHAT_SERVER_LIMITS__MESSAGES_PER_SECOND", "0"),
        ("CHAT_SERVER_LIMITS__MESSAGES_BURST", "2"),
        ("PATH", "/bin"),
    ];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let key = ("limits", "messages_burst");
    let flags = vec![Flag { name: "--messages-burst", key, value: "3".into() }];
    let loaded = Loaded::read(&Sources { env, flags, ..nothing() }).unwrap();
    let limits = &loaded.config.limits;
    assert_eq!((limits.wire.content_chars, limits.messages_per_second, limits.messages_burst), (1, 0, 3));

    let shown = loaded.to_toml();
    let line = |key: &str| shown.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    assert!(line("content_chars").ends_with("chat.toml:2"), "{shown}");
    assert!(line("messages_per_second").ends_with("# CHAT_SERVER_LIMITS__MESSAGES_PER_SECOND"), "{shown}");
    assert!(line("messages_burst").ends_with("# --messages-burst"), "{shown}");
    assert!(line("ping_ms").ends_with("# default"), "{shown}");
    assert_eq!(from_file(&shown).unwrap().config, loaded.config, "what is shown can be read");
}

#[test]
fn a_flag_names_its_file_over_the_environment() {
    let directory = Directory::new();
    let (mine, other) = (directory.0.join("mine.toml"), directory.0.join("other.toml"));
    std::fs::write(&mine, "[server]\nnode = \"mine\"").unwrap();
    std::fs::write(&other, "[server]\nnode = \"other\"").unwrap();
    let env = vec![(FILE_VARIABLE.to_owned(), other.display().to_string())];
    let loaded = Loaded::read(&Sources {
        file: Some(mine),
        env: env.clone(),
        system_file: other.clone(),
        flags: vec![],
    });
    assert_eq!(loaded.unwrap().config.node.as_str(), "mine");
    let loaded = Loaded::read(&Sources { env, ..nothing() });
    assert_eq!(loaded.unwrap().config.node.as_str(), "other");
    let loaded = Loaded::read(&Sources { system_file: other, ..nothing() });
    assert_eq!(loaded.unwrap().config.node.as_str(), "other");
}

#[test]
fn the_password_of_redis_is_shown_nowhere() {
    let url = "redis://chat:s3cret@10.0.0.9:6379/2";
    let loaded = from_file(&format!("[redis]\nurl = \"{url}\"\n")).unwrap();
    assert_eq!(loaded.config.redis.url.as_ref().unwrap().as_str(), url);
    assert!(loaded.to_toml().contains("url = \"redis://chat:***@10.0.0.9:6379/2\""), "{}", loaded.to_toml());
    assert!(!format!("{:?}", loaded.config).contains("s3cret"));
    for wrong in ["rediss://:s3cret@host", "redis://:s3cret@host:port", "s3cret"] {
        let error = from_file(&format!("[redis]\nurl = \"{wrong}\"\n")).unwrap_err().to_string();
        assert!(error.contains("redis://127.0.0.1:6379/0") && !error.contains("s3cret"), "{error}");
    }
}

#[test]
fn a_named_file_that_is_not_there_is_an_error() {
    let error = Loaded::read(&Sources { file: Some("/nowhere/chat.toml".into()), ..nothing() }).unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/chat.toml: cannot be read"), "{error}");
}

#[test]
fn every_kind_of_value_is_taken_from_file_and_environment() {
    let file = "[server]\nnode = \"n-1\"\nlisten_tcp = \"[::1]:7\"\nlisten_http = \"off\"\n[limits]\n\
                memory_bytes = 1_000\n[timing]\nping_ms = 250\n[log]\nformat = \"json\"\n\
                level = \"info,chat_server::hub=debug\"\n[balancer]\nbackends = [\"a:1:2\", \"[::1]:3:4\"]\n\
                policy = \"least-load\"\nsend_proxy = true\n";
    let env = [
        ("SERVER__NODE", "n-1"),
        ("SERVER__LISTEN_TCP", "[::1]:7"),
        ("SERVER__LISTEN_HTTP", ""),
        ("LIMITS__MEMORY_BYTES", "1_000"),
        ("TIMING__PING_MS", "250"),
        ("LOG__FORMAT", "json"),
        ("LOG__LEVEL", "info,chat_server::hub=debug"),
        ("BALANCER__BACKENDS", "a:1:2, [::1]:3:4"),
        ("BALANCER__POLICY", "least-load"),
        ("BALANCER__SEND_PROXY", "true"),
    ];
    let env = env.map(|(name, value)| (format!("CHAT_SERVER_{name}"), value.to_owned())).to_vec();
    let by_file = from_file(file).unwrap().config;
    assert_eq!(by_file, Loaded::read(&Sources { env, ..nothing() }).unwrap().config);
    assert_eq!((by_file.timing.ping, by_file.listen_http), (Duration::from_millis(250), None));
    assert_eq!(by_file.balancer.backends[1].host, "::1");
}

#[test]
fn a_wrong_name_is_named_with_its_line_and_the_nearest_right_one() {
    refused(
        "# one\n\n[log]\n\n[server]\nnode = \"a\"\nlisten_tpc = \"\"\n",
        "chat.toml:7: unknown key \"listen_tpc\" in [server]: did you mean \"listen_tcp\"?",
    );
    refused("[sever]\nnode = \"a\"", "chat.toml:1: unknown section [sever]: did you mean [server]?");
    refused(
        "[server]\nping_ms = 1",
        "chat.toml:2: unknown key \"ping_ms\" in [server]: it belongs in [timing]",
    );
    refused("node = \"a\"", "chat.toml:1: key \"node\" stands in no section: it belongs in [server]");
    refused("[log]\nx = 1", "chat.toml:2: unknown key \"x\" in [log]: there are format, level");
    refused(
        "[x]\n",
        "chat.toml:1: unknown section [x]: there are [server], [redis], [limits], [timing], [log], [balancer]",
    );
}

#[test]
fn a_wrong_value_is_named_with_its_line_and_what_is_allowed() {
    let number = "a whole number from 0 on is allowed";
    for (value, shown) in
        [("-3", "-3"), ("\"3\"", "\"3\""), ("3.5", "3.5"), ("[\"3\"]", "[\"3\"]"), ("true", "true")]
    {
        refused(
            &format!("[limits]\noutbox_bytes = {value}"),
            &format!("chat.toml:2: \"outbox_bytes\" in [limits] cannot be {shown}: {number}"),
        );
    }
    refused("[timing]\nping_ms = 0", "chat.toml:2: \"ping_ms\" in [timing] cannot be 0: the least is 1");
    refused(
        "[server]\nlisten_tcp = \"localhost\"",
        "chat.toml:2: \"listen_tcp\" in [server] cannot be \"localhost\": an address with a port as \"0.0.0.0:12345\" \
         or \"[::]:12345\" is allowed, or \"off\"",
    );
    refused(
        "[log]\nlevel = \"inof\"",
        "chat.toml:2: \"level\" in [log] cannot be \"inof\": error, warn, info, debug, trace or off is allowed, \
         also by module as \"info,chat_server::hub=debug\"",
    );
    refused(
        "[limits]\nframe_bytes = 100",
        "limits.content_bytes (16384) does not fit into limits.frame_bytes (100): raise frame_bytes",
    );
    refused(
        "[balancer]\nbackends = [\"a:1:2\"]\nbackups = [\"a:1:2\"]",
        "balancer.backends and balancer.backups name a:1:2 twice: it would count as two, name it once",
    );
    let error = from_file("[server]\nnode = \"a\nlisten_tcp = 3").unwrap_err();
    assert!(error.starts_with("chat.toml:2: not TOML: "), "{error}");
}

#[test]
fn wrong_environment_names_and_values_are_named() {
    assert_eq!(
        from_env("CHAT_SERVER_LIMITS__CONTENT_CHRS", "1").unwrap_err(),
        "unknown environment variable CHAT_SERVER_LIMITS__CONTENT_CHRS: did you mean CHAT_SERVER_LIMITS__CONTENT_CHARS?"
    );
    assert_eq!(
        from_env("CHAT_SERVER_LOG__FORMAT", "xml").unwrap_err(),
        "CHAT_SERVER_LOG__FORMAT: \"format\" in [log] cannot be \"xml\": \"text\" or \"json\" is allowed"
    );
}

#[test]
fn names_that_kubernetes_makes_for_a_service_are_passed_over() {
    for name in ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_8000_TCP_ADDR"] {
        let read = from_env(&format!("CHAT_SERVER_{name}"), "tcp://10.0.0.1:8000");
        assert_eq!(read.unwrap().config, Config::default(), "{name}");
    }
}

#[test]
fn the_filter_takes_what_the_settings_take() {
    for level in ["info", "off", "info,chat_server::hub=debug", "hyper=off,warn"] {
        let config = from_env("CHAT_SERVER_LOG__LEVEL", level).unwrap().config;
        config.log.level.as_str().parse::<tracing_subscriber::filter::Targets>().unwrap();
    }
}
