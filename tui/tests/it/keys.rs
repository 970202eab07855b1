//! Every key and every command, pressed in a real terminal: the program runs in a tmux of its own against a cluster, and
//! what a person would notice on the screen is waited for. Each scene says which keys and commands it presses and is
//! held to that; together they have to be all that the program itself says there are.

mod chosen;
mod demo;
mod leaving;
mod link;
mod lists;
mod looks;
mod people;
mod reading;
mod retry;
mod rooms;
mod tmux;
mod unread;
mod writing;

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};

use crate::cluster::TestCluster;
use crate::program::{self, home, text};
use tmux::{PROMPT, Picture, SIZE, Tmux};

/// The program's name on the screen.
const ME: &str = "dana";

/// What is pressed in one test.
struct Scene {
    /// Actions as the settings call them, and keys of theirs.
    keys: &'static [(&'static str, &'static str)],
    /// Commands, one space between them.
    commands: &'static str,
}

const SCENES: [&Scene; 12] = [
    &chosen::SCENE,
    &demo::SCENE,
    &leaving::SCENE,
    &link::SCENE,
    &lists::SCENE,
    &looks::SCENE,
    &people::SCENE,
    &reading::SCENE,
    &retry::SCENE,
    &rooms::SCENE,
    &unread::SCENE,
    &writing::SCENE,
];

impl Scene {
    /// Each key with its action, each command.
    fn presses(&self) -> BTreeSet<String> {
        let each = |(action, keys): &(&str, &str)| -> Vec<String> {
            keys.split(' ').map(|key| format!("{action} = {key}")).collect()
        };
        let keys = self.keys.iter().flat_map(each);
        keys.chain(self.commands.split_whitespace().map(str::to_owned)).collect()
    }
}

/// The program in a shell in a tmux, and what was pressed in it.
struct Chat {
    tmux: Tmux,
    program: String,
    pressed: BTreeSet<String>,
}

impl Deref for Chat {
    type Target = Tmux;

    fn deref(&self) -> &Tmux {
        &self.tmux
    }
}

impl DerefMut for Chat {
    fn deref_mut(&mut self) -> &mut Tmux {
        &mut self.tmux
    }
}

impl Chat {
    /// The program in some rooms of a cluster, in the first of them, online.
    async fn join(test: &str, cluster: &TestCluster, rooms: &[&str]) -> Self {
        let mut chat = Self::shell(test).await;
        let rooms: Vec<String> = rooms.iter().map(|room| format!("--room {room}")).collect();
        chat.open(&format!("--host tcp://{} --name {ME} {}", cluster.tcp(), rooms.join(" "))).await;
        chat.online().await;
        chat
    }

    /// A shell in which the program has a home of its own, and nothing in it.
    async fn shell(test: &str) -> Self {
        let home = home(&format!("keys-{test}"));
        // There may be none yet.
        let _ = std::fs::remove_dir_all(&home);
        std::fs::create_dir_all(home.join("chat-tui")).unwrap();
        let home = home.display().to_string();
        // Where a test puts programs of its own.
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{home}-bin:{path}");
        let variables = [("XDG_STATE_HOME", home.clone()), ("XDG_CONFIG_HOME", home), ("PATH", path)];
        let tmux = Tmux::start(&variables).await;
        Self { tmux, program: env!("CARGO_BIN_EXE_chat-tui").to_owned(), pressed: BTreeSet::new() }
    }

    /// Starts the program, as a person would.
    async fn open(&mut self, arguments: &str) {
        let line = format!("{} {arguments}", self.program);
        self.enter(&line).await;
        self.until("the program", |picture| picture.alternate && picture.has("help")).await;
    }

    /// Presses a key for what it does.
    async fn act(&mut self, action: &str, key: &str) {
        self.pressed.insert(format!("{action} = {key}"));
        self.press(key).await;
    }

    /// Enters a command.
    async fn command(&mut self, line: &str) {
        self.pressed.insert(line.split(' ').next().unwrap_or(line).to_owned());
        self.enter(line).await;
    }

    async fn online(&mut self) {
        self.until("a node in the status line", |picture| status(picture).starts_with("● node-")).await;
    }

    /// Waits for a text on the screen.
    async fn shows(&mut self, text: &str) -> Picture {
        self.until(text, |picture| picture.has(text)).await
    }

    /// Waits until somebody is seen to have said something.
    async fn said(&mut self, name: &str, text: &str) -> Picture {
        self.until(&format!("{name}: {text}"), |picture| says(picture, name, text).is_some()).await
    }

    /// Waits until a text is not on the screen.
    async fn hides(&mut self, text: &str) -> Picture {
        self.until(&format!("no {text:?}"), |picture| picture.alternate && !picture.has(text)).await
    }

    /// Waits until this is what is being written.
    async fn input(&mut self, text: &str) {
        let wanted = format!("[{ME}] {text}");
        self.until(&wanted, |picture| input(picture) == wanted.trim_end()).await;
    }

    /// Waits until a room is shown: the list points at it, and its name stands above its messages.
    async fn room(&mut self, label: &str) {
        let name = label.trim_start_matches('#').to_owned();
        let is_shown = |picture: &Picture| {
            let pointed = picture.rows.iter().find_map(|row| row.strip_prefix('▶'));
            pointed.and_then(|row| row.split_whitespace().nth(1)) == Some(&name)
                && picture.rows[0].contains(&format!("│{label}"))
        };
        self.until(&format!("the room {label}"), is_shown).await;
    }

    /// Waits for the shell's next line: the program has given the terminal back.
    async fn prompt(&mut self) {
        self.until("the shell", |picture| !picture.alternate && !picture.mouse && picture.last() == PROMPT)
            .await;
    }

    /// All that a scene is to press was pressed, and nothing besides.
    fn end(self, scene: &Scene) {
        assert_eq!(self.pressed, scene.presses());
    }
}

/// The row in which somebody says something; of messages in a row only the first has a name.
fn says(picture: &Picture, name: &str, text: &str) -> Option<usize> {
    let said = format!(" {name} ");
    let is_it = |row: &String| {
        let Some((_, row)) = row.split_once('│') else { return false };
        let row = row.replace('▶', " ");
        let (_, words) = row.split_once(&said).unwrap_or(("", &row));
        words.trim_start().starts_with(text)
    };
    picture.rows.iter().position(is_it)
}

/// The message that is chosen, as far as it is seen.
fn chosen(picture: &Picture) -> Option<&str> {
    let messages = picture.rows.iter().filter_map(|row| row.split_once('│'));
    messages.map(|(_, row)| row).find(|row| row.contains('▶'))
}

/// The row above what is being written.
fn status(picture: &Picture) -> &str {
    picture.rows.get(SIZE.1 - 2).map_or("", |row| row.trim())
}

/// What is being written, with what stands before it.
fn input(picture: &Picture) -> &str {
    picture.rows.get(SIZE.1 - 1).map_or("", String::as_str)
}

/// Somebody else in a room, who stays.
struct Other {
    child: tokio::process::Child,
    stdin: tokio::process::ChildStdin,
}

impl Other {
    fn start(test: &str, cluster: &TestCluster, (name, room): (&str, &str)) -> Self {
        let host = format!("tcp://{}", cluster.tcp());
        let args = ["--plain", "--host", &host, "--name", name, "--room", room];
        let home = format!("keys-{test}-{name}-{room}");
        let mut child = program::chat_tui(&home, &args).stdout(std::process::Stdio::null()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        Self { child, stdin }
    }

    async fn says(&mut self, line: &str) {
        use tokio::io::AsyncWriteExt as _;
        self.stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.start_kill();
    }
}

/// What the program says which keys there are: actions with their keys, of which there may be none.
async fn keys_told() -> Vec<(String, Vec<String>)> {
    let output = program::run(program::chat_tui("keys-told", &["config", "show"]), "").await;
    let shown = text(&output.stdout);
    let (_, keys) = shown.split_once("[keys]\n").expect(&shown);
    let lines = keys.lines().take_while(|line| line.contains(" = ["));
    lines
        .map(|line| {
            let (action, keys) = line.split_once(" = [").unwrap();
            let (keys, _) = keys.split_once(']').unwrap();
            // Every second piece between quotes is a key.
            (action.to_owned(), keys.split('"').skip(1).step_by(2).map(str::to_owned).collect())
        })
        .collect()
}

#[tokio::test]
async fn every_key_there_is_is_pressed_in_a_terminal_here() {
    let presses: BTreeSet<String> = SCENES.iter().flat_map(|scene| scene.presses()).collect();
    let told = keys_told().await;
    assert!(told.len() > 50, "{told:?}");
    for (action, keys) in told {
        let is_of_it = |press: &&String| press.starts_with(&format!("{action} = "));
        let pressed: BTreeSet<&String> = presses.iter().filter(is_of_it).collect();
        if keys.is_empty() {
            assert!(
                !pressed.is_empty(),
                "{action} has no usual key: a scene has to give it one and press it"
            );
            continue;
        }
        let expected: Vec<String> = keys.iter().map(|key| format!("{action} = {key}")).collect();
        assert_eq!(pressed, expected.iter().collect(), "usual keys of {action}, on the left those pressed");
    }
}
