//! Owns the stage for tests: a front without terminal, network or clock, on which events are played and whose
//! screen is read as a picture.

use std::time::Duration;

use chat_protocol::{ClientId, MessageBody, MessageId, NodeId, RoomMessage, RoomName, Seq, User, UserId};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use crate::app::{App, Setup, text};
use crate::effect::Effect;
use crate::event::{Event, Now};
use crate::net::event::{
    LinkState, LinkStatus, Moment, NetCommand, NetEvent, Origin, OutId, OutState, Recovery, Totals, Transport,
};
use crate::settings::Settings;
use crate::state::front::SavedFront;
use crate::update::update;
use crate::view;
use crate::view::links::Links;

/// The front and its clock.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) now: Moment,
    /// Everything asked for so far.
    pub(crate) effects: Vec<Effect>,
    /// Where the others were told that the user is typing; not among the effects, as it goes with every text.
    pub(crate) typed: Vec<RoomName>,
    /// How far rooms were said to be read.
    pub(crate) read: Vec<(RoomName, Seq)>,
    /// The newest place of each room's log.
    heads: std::collections::HashMap<String, u64>,
}

pub(crate) fn room(name: &str) -> RoomName {
    RoomName::parse(name).expect("a good room name")
}

pub(crate) fn user(name: &str, node: &str) -> User {
    User { user_id: id(name), username: name.to_owned(), node: self::node(node), away: None }
}

pub(crate) fn id(name: &str) -> UserId {
    let hex: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    UserId::parse(&hex[..hex.len().min(60)]).expect("a good id")
}

pub(crate) fn node(name: &str) -> NodeId {
    NodeId::parse(name).expect("a good node name")
}

pub(crate) fn message(in_room: &str, seq: u64, from: &str, text: &str) -> RoomMessage {
    let minute = seq / 2;
    RoomMessage {
        room: room(in_room),
        seq: Seq(seq),
        id: MessageId::new(ClientId::parse("c1").expect("a good id"), seq),
        body: MessageBody {
            sender: from.to_owned(),
            sender_id: id(from),
            content: text.to_owned(),
            timestamp: format!("2025-08-12T{:02}:{:02}:00.000Z", 10 + minute / 60 % 12, minute % 60),
            node: node("node-1"),
            kind: None,
            reference: None,
            reference_id: None,
            reply: None,
            quote: None,
            enc: None,
        },
    }
}

pub(crate) fn online(node_name: &str, since: u64) -> LinkStatus {
    LinkStatus {
        state: LinkState::Online {
            node: node(node_name),
            transport: Transport::Tcp,
            since: Moment::from_secs(since),
            heard: Moment::from_secs(since),
            suspect: false,
        },
        rtt: Some(Duration::from_micros(3_100)),
        rtt_p99: Some(Duration::from_millis(9)),
        ..LinkStatus::default()
    }
}

pub(crate) fn recovery(at: u64, recovered: u64, lost: u64) -> Recovery {
    Recovery {
        at: Moment::from_secs(at),
        from: node("node-2"),
        to: node("node-3"),
        took: Duration::from_millis(1_240),
        planned: false,
        counted: Totals { recovered, lost, dup: 0 },
    }
}

impl Stage {
    /// A front that has heard nothing.
    pub(crate) fn new(width: u16, height: u16) -> Self {
        let settings = Settings { highlight: vec!["deploy".to_owned()], ..Settings::default() };
        Self::with((width, height), settings)
    }

    /// As above, with settings.
    pub(crate) fn with(size: (u16, u16), settings: Settings) -> Self {
        Self::begin(size, settings, SavedFront::default())
    }

    /// A front that begins with what the last run left.
    pub(crate) fn after(saved: SavedFront, size: (u16, u16)) -> Self {
        Self::begin(size, Settings::default(), saved)
    }

    fn begin((width, height): (u16, u16), settings: Settings, saved: SavedFront) -> Self {
        let now = Now { moment: Moment::ZERO, wall: wall(Moment::ZERO) };
        let app = App::new(Setup {
            name: Some("you".to_owned()),
            rooms: ["general", "ops", "random"].map(room).into(),
            settings,
            demo: true,
            size: (width, height),
            zone: TimeZone::UTC,
            now,
            saved,
        });
        let (effects, typed, read) = Default::default();
        Self { app, now: Moment::ZERO, effects, typed, read, heads: std::collections::HashMap::new() }
    }

    /// A front that is online, in three rooms, with something said.
    pub(crate) fn chatting(width: u16, height: u16) -> Self {
        Self::new(width, height).chat()
    }

    /// Goes online, into three rooms, and hears something.
    pub(crate) fn chat(mut self) -> Self {
        let stage = &mut self;
        stage.net(NetEvent::Link(online("node-2", 0)));
        stage.net(NetEvent::Welcome { user_id: id("you"), name: "you".to_owned(), name_wanted: None });
        let users = vec![user("alice", "node-1"), user("bob", "node-3"), user("you", "node-2")];
        for name in ["general", "ops", "random"] {
            let (users, count) = (users.clone(), users.len());
            stage.net(NetEvent::Joined {
                room: room(name),
                users,
                count,
                epoch: chat_protocol::Epoch(1),
                head: Seq::START,
                topic: String::new(),
            });
        }
        stage.says("general", "alice", "rolling node-2 in five");
        stage.says("general", "alice", "fine, go");
        stage.says("ops", "carol", "you: check the graph");
        stage.says("random", "bob", "lunch?");
        stage.says(
            "general",
            "bob",
            "ready when you are, the dashboards are open and the runbook is on page three",
        );
        stage.effects.clear();
        stage.app.notified = None;
        self
    }

    pub(crate) fn at(&mut self, ms: u64) -> &mut Self {
        self.now = Moment::from_millis(ms);
        self.play(Event::Tick)
    }

    pub(crate) fn play(&mut self, event: Event) -> &mut Self {
        let effects = update(&mut self.app, event, Now { moment: self.now, wall: wall(self.now) });
        for effect in effects {
            match effect {
                Effect::Net(NetCommand::Typing(room)) => self.typed.push(room),
                Effect::Net(NetCommand::Read { room, seq }) => self.read.push((room, seq)),
                effect => self.effects.push(effect),
            }
        }
        self
    }

    pub(crate) fn net(&mut self, event: NetEvent) -> &mut Self {
        self.play(Event::Net(Box::new(event)))
    }

    /// The next entry of a room.
    pub(crate) fn says(&mut self, in_room: &str, from: &str, text: &str) -> &mut Self {
        let message = self.next_message(in_room, from, text);
        self.net(NetEvent::Entry { message, out: None, origin: Origin::Live })
    }

    /// Our own message comes back from the log.
    pub(crate) fn arrives(&mut self, in_room: &str, out: OutId, text: &str) -> &mut Self {
        let message = self.next_message(in_room, "you", text);
        self.net(NetEvent::Entry { message, out: Some(out), origin: Origin::Live })
    }

    pub(crate) fn becomes(&mut self, in_room: &str, out: OutId, state: OutState) -> &mut Self {
        self.net(NetEvent::Out { out, room: room(in_room), state })
    }

    fn next_message(&mut self, in_room: &str, from: &str, text: &str) -> RoomMessage {
        let head = self.heads.entry(in_room.to_owned()).or_default();
        *head += 1;
        message(in_room, *head, from, text)
    }

    /// Presses keys named as help names them: `Ctrl-P`, `Alt-Down`, `F1`, `Enter`.
    pub(crate) fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split_whitespace() {
            self.play(Event::Key(key_of(key)));
        }
        self
    }

    pub(crate) fn types(&mut self, text: &str) -> &mut Self {
        for letter in text.chars() {
            self.play(Event::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE)));
        }
        self
    }

    /// Types a line and sends it.
    pub(crate) fn enters(&mut self, line: &str) -> &mut Self {
        self.types(line).press("Enter")
    }

    /// What the network was asked, oldest first; forgets it.
    pub(crate) fn asked(&mut self) -> Vec<NetCommand> {
        let effects = std::mem::take(&mut self.effects);
        effects
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Net(command) => Some(command),
                _ => None,
            })
            .collect()
    }

    /// The screen as cells.
    pub(crate) fn buffer(&self) -> Buffer {
        let (width, height) = self.app.size;
        let mut links = Links::default();
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test terminal");
        terminal.draw(|frame| view::draw(&self.app, frame, &mut links)).expect("a test terminal draws");
        terminal.backend().buffer().clone()
    }

    /// The screen as text; a wide character stands before the empty half it covers.
    pub(crate) fn picture(&self) -> String {
        let (width, height) = self.app.size;
        if let Some(page) = view::bare(&self.app) {
            // Broken as a terminal breaks what runs over its edge.
            let rows = page.iter().flat_map(|text| {
                text::chop(text, width.into()).into_iter().map(|row| text[row].trim_end().to_owned())
            });
            return rows.collect::<Vec<_>>().join("\n");
        }
        let buffer = self.buffer();
        let rows = (0..height).map(|y| {
            let mut row = String::new();
            let mut x = 0;
            while x < width {
                let symbol = buffer[(x, y)].symbol();
                row.push_str(symbol);
                x += u16::try_from(crate::app::text::width(symbol)).unwrap_or(1).max(1);
            }
            row.trim_end().to_owned()
        });
        rows.collect::<Vec<_>>().join("\n")
    }

    /// True where a row of the screen holds the words.
    pub(crate) fn shows(&self, words: &str) -> bool {
        self.picture().lines().any(|line| line.contains(words))
    }

    /// How many rows hold the words.
    pub(crate) fn count(&self, words: &str) -> usize {
        self.picture().lines().filter(|line| line.contains(words)).count()
    }
}

fn wall(now: Moment) -> Timestamp {
    let start: Timestamp = "2025-08-12T10:06:00Z".parse().expect("a good time");
    start + now
}

fn key_of(name: &str) -> KeyEvent {
    let mut held = KeyModifiers::NONE;
    let mut rest = name;
    for (prefix, modifier) in
        [("Ctrl-", KeyModifiers::CONTROL), ("Alt-", KeyModifiers::ALT), ("Shift-", KeyModifiers::SHIFT)]
    {
        if let Some(behind) = rest.strip_prefix(prefix) {
            held |= modifier;
            rest = behind;
        }
    }
    let code = match rest {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "PgUp" => KeyCode::PageUp,
        "PgDn" => KeyCode::PageDown,
        "Backspace" => KeyCode::Backspace,
        _ if rest.len() > 1 => KeyCode::F(rest[1..].parse().expect("a function key")),
        _ => KeyCode::Char(rest.chars().next().map_or(' ', |letter| letter.to_ascii_lowercase())),
    };
    KeyEvent::new(code, held)
}
