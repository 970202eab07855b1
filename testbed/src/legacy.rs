//! Owns what becomes of programs and folders when the program that started them ends, whatever ends it: SIGKILL and
//! Ctrl-C run no destructor. They share a process group, and a shell outside of it waits for that end.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, anyhow};

/// Both shells see their input end with the program that holds its other end. The one kills the group (SIGKILL, which
/// those that were stopped hear too) and removes the folders; `$1`: the group, `$2`: how the folders' names begin.
const CLEAR: &str =
    r#"trap "" TERM INT HUP; while read -r _; do :; done; kill -s KILL -- "-$1"; rm -rf -- "$2"*"#;
/// The other one gives the group its number, and is in it.
const HOLD: &str = r#"trap "" TERM INT HUP; while read -r _; do :; done"#;

/// The processes of the group, and who clears up after it. Never dropped: their inputs end with this program.
struct Legacy {
    group: i32,
    _holder: Child,
    _clearer: Child,
}

impl Legacy {
    fn begin() -> anyhow::Result<Self> {
        let holder = shell(HOLD, &[])?;
        let group = i32::try_from(holder.id()).context("a process id")?;
        let folders = folders().to_string_lossy().into_owned();
        let clearer = shell(CLEAR, &[&group.to_string(), &folders])?;
        Ok(Self { group, _holder: holder, _clearer: clearer })
    }
}

/// A shell in a group of its own: Ctrl-C is not for it.
fn shell(script: &str, arguments: &[&str]) -> anyhow::Result<Child> {
    let mut command = Command::new("sh");
    command.args(["-c", script, "chat-testbed"]).args(arguments).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().context("sh cannot be started")
}

/// How the names of this program's temporary folders begin.
pub(crate) fn folders() -> PathBuf {
    std::env::temp_dir().join(format!("chat-testbed-{}-", std::process::id()))
}

/// The process group for a program that is not to outlive this one: it is killed when this one has ended, however it
/// ended, and the testbed's temporary folders are removed. Signals of the terminal do not reach it.
///
/// # Errors
/// When there is no `sh`.
pub fn group() -> anyhow::Result<i32> {
    static LEGACY: OnceLock<Result<Legacy, String>> = OnceLock::new();
    let legacy = LEGACY.get_or_init(|| Legacy::begin().map_err(|error| format!("{error:#}")));
    legacy.as_ref().map(|legacy| legacy.group).map_err(|error| anyhow!("{error}"))
}
