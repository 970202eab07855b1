//! Owns the front's one loop: waits for the terminal, the network and the clock, lets `update` change the model,
//! performs what it returns, draws. Knows nothing of sockets; the caller owns the network and ends it.

mod open;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use anyhow::Context as _;
use chat_protocol::RoomName;
use crossterm::event as terminal_event;
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::app::line::Said;
use crate::app::{App, Setup};
use crate::effect::{DemoCommand, Effect};
use crate::event::{Event, Mouse, Now};
use crate::net::event::{Moment, NetCommand, NetEvent};
use crate::settings::Settings;
use crate::state::front::SavedFront;
use crate::terminal::{Endings, Screen};
use crate::update::{start, update};
use open::Opener;

/// Frames are at least this far apart: 60 a second are more than anybody reads.
const FRAME_GAP: Duration = Duration::from_millis(16);
/// Most events taken before a frame is due again: a flood must not keep the screen still.
const EVENTS_A_TURN: usize = 2_000;

/// Everything the front is given.
#[derive(Debug)]
pub struct Front {
    /// What the network tells.
    pub events: mpsc::Receiver<NetEvent>,
    /// What the network is asked; a full queue makes the front wait with the command, never lose it.
    pub commands: mpsc::Sender<NetCommand>,
    /// What the demo is asked; none outside the demo.
    pub demo: Option<mpsc::Sender<DemoCommand>>,
    /// The moment 0 of every [`Moment`] in the events.
    pub started: Instant,
    /// How it looks and begins.
    pub options: FrontOptions,
}

/// How the front looks and begins.
#[derive(Debug, Clone, Default)]
pub struct FrontOptions {
    /// The name shown until the server gives one.
    pub name: Option<String>,
    /// Rooms shown from the first frame on; the front asks the network to join them.
    pub rooms: Vec<RoomName>,
    /// What the user has set.
    pub settings: Settings,
    /// Lines the first room begins with: what a person should know first.
    pub notices: Vec<String>,
    /// What the last run left.
    pub saved: SavedFront,
}

/// Runs the front until the user quits, a signal ends the program, or the network's channel closes. The terminal
/// is given back on every way out; the caller then ends the network, which may still flush its outbox. What the next run
/// is to start with is told, however this one ends.
///
/// # Errors
/// When there is no terminal, or it goes away.
pub async fn run(front: Front, kept: oneshot::Sender<SavedFront>) -> anyhow::Result<()> {
    let mut endings = Endings::listen().context("cannot listen for signals")?;
    let mut screen = Screen::enter().context("cannot take over the terminal")?;
    let mut turn = Turn::new(front)?;
    screen.mouse(turn.app.settings.mouse)?;
    // Before anything is awaited: the first frame comes before the first name is looked up.
    screen.draw(&turn.app)?;
    turn.perform(&mut screen)?;
    let ended = turn.play(&mut screen, &mut endings).await;
    // Whoever asked may have no place to keep it.
    drop(kept.send(turn.app.keep()));
    turn.hand_over().await;
    ended
}

/// What one turn of the loop works on.
struct Turn {
    app: App,
    events: mpsc::Receiver<NetEvent>,
    commands: mpsc::Sender<NetCommand>,
    demo: Option<mpsc::Sender<DemoCommand>>,
    started: Instant,
    effects: Vec<Effect>,
    opener: Opener,
    /// Commands the network had no room for yet, in order.
    unsent: VecDeque<NetCommand>,
    quit: bool,
}

impl Turn {
    fn new(front: Front) -> anyhow::Result<Self> {
        let Front { events, commands, demo, started, options } = front;
        let mut app = App::new(Setup {
            name: options.name,
            rooms: options.rooms,
            settings: options.settings,
            demo: demo.is_some(),
            size: crossterm::terminal::size().context("cannot ask the terminal's size")?,
            zone: TimeZone::system(),
            now: now(started),
            saved: options.saved,
        });
        app.say_here(&Said::Notice, options.notices);
        let effects = start(&app);
        Ok(Self {
            app,
            events,
            commands,
            demo,
            started,
            effects,
            opener: Opener::default(),
            unsent: VecDeque::new(),
            quit: false,
        })
    }

    /// Until it is over.
    async fn play(&mut self, screen: &mut Screen, endings: &mut Endings) -> anyhow::Result<()> {
        let mut keys = terminal_event::EventStream::new();
        let mut drawn = Instant::now();
        let mut dirty = false;
        while !self.quit {
            let next_frame = dirty.then(|| drawn + FRAME_GAP);
            let next_change = self.app.next_change().map(|at| self.started + at);
            let commands = self.commands.clone();
            tokio::select! {
                // Nothing polled here loses anything when another branch is first: both queues keep what is not
                // taken, a permit not used goes back, signals stay pending.
                event = keys.next() => match event {
                    Some(event) => self.terminal(event?),
                    None => break,
                },
                event = self.events.recv() => match event {
                    Some(event) => self.event(Event::Net(Box::new(event))),
                    None => break,
                },
                () = sleep_until_some(next_frame) => {}
                () = sleep_until_some(next_change) => self.event(Event::Tick),
                permit = commands.reserve(), if !self.unsent.is_empty() => match (permit, self.unsent.pop_front()) {
                    (Ok(permit), Some(command)) => permit.send(command),
                    _ => break,
                },
                failed = self.opener.ended() => {
                    if let Some(failed) = failed {
                        self.event(Event::Refused(failed));
                    }
                }
                () = endings.next() => break,
            }
            self.drain(&mut keys).await?;
            dirty = true;
            self.perform(screen)?;
            if Instant::now() >= drawn + FRAME_GAP && !self.quit {
                screen.draw(&self.app)?;
                (drawn, dirty) = (Instant::now(), false);
            }
        }
        Ok(())
    }

    fn event(&mut self, event: Event) {
        let effects = update(&mut self.app, event, now(self.started));
        self.effects.extend(effects);
    }

    fn terminal(&mut self, event: terminal_event::Event) {
        match event {
            terminal_event::Event::Key(key) => self.event(Event::Key(key)),
            terminal_event::Event::Paste(text) => self.event(Event::Paste(text)),
            terminal_event::Event::Resize(width, height) => self.event(Event::Resize { width, height }),
            terminal_event::Event::FocusGained => self.event(Event::Focus(true)),
            terminal_event::Event::FocusLost => self.event(Event::Focus(false)),
            terminal_event::Event::Mouse(event) => {
                if let Some(mouse) = mouse(event) {
                    self.event(Event::Mouse(mouse));
                }
            }
        }
    }

    /// Takes everything that waits, keys first: one frame shows it all.
    async fn drain(&mut self, keys: &mut terminal_event::EventStream) -> anyhow::Result<()> {
        for _ in 0..EVENTS_A_TURN {
            // Polled with the task's own waker: the stream wakes only the first waker it was given, so that a
            // throw-away one would leave the loop asleep over the next key.
            let waiting = poll_fn(|context| Poll::Ready(keys.poll_next_unpin(context))).await;
            if let Poll::Ready(Some(event)) = waiting {
                self.terminal(event?);
            } else if let Ok(event) = self.events.try_recv() {
                self.event(Event::Net(Box::new(event)));
            } else {
                break;
            }
        }
        Ok(())
    }

    fn perform(&mut self, screen: &mut Screen) -> anyhow::Result<()> {
        for effect in std::mem::take(&mut self.effects) {
            match effect {
                Effect::Net(command) => self.unsent.push_back(command),
                Effect::Demo(command) => self.ask_demo(command),
                Effect::Redraw => screen.clear()?,
                Effect::Mouse(wanted) => screen.mouse(wanted)?,
                Effect::Suspend => screen.suspend()?,
                Effect::Quit => self.quit = true,
                Effect::Notify(told) => screen.notify(&told, &self.app.settings.notifications.ways)?,
                Effect::Copy(text) => screen.copy(&text)?,
                Effect::Open(address) => {
                    if let Err(refused) = self.opener.open(&address) {
                        self.event(Event::Refused(refused));
                    }
                }
            }
        }
        self.send();
        Ok(())
    }

    /// Hands over what the network has room for; the rest waits in order, and the loop with it for a permit.
    fn send(&mut self) {
        while let Some(command) = self.unsent.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(command)) = self.commands.try_send(command) {
                self.unsent.push_front(command);
                break;
            }
        }
    }

    fn ask_demo(&mut self, command: DemoCommand) {
        let sent = self.demo.as_ref().map(|demo| demo.try_send(command));
        if !matches!(sent, Some(Ok(()))) {
            self.event(Event::Refused("the demo is busy: try again".to_owned()));
        }
    }

    /// Before the front goes, the network gets what it was still owed: a typed message is in its outbox then.
    async fn hand_over(mut self) {
        let owed = async {
            while let Some(command) = self.unsent.pop_front() {
                if self.commands.send(command).await.is_err() {
                    break;
                }
            }
        };
        // A network that takes nothing for so long is gone.
        let _gone = tokio::time::timeout(HAND_OVER_MAX, owed).await;
    }
}

/// Longest wait for the network to take the last commands.
const HAND_OVER_MAX: Duration = Duration::from_secs(1);

/// What of the mouse means anything here.
fn mouse(event: MouseEvent) -> Option<Mouse> {
    match event.kind {
        MouseEventKind::ScrollUp => Some(Mouse::WheelUp),
        MouseEventKind::ScrollDown => Some(Mouse::WheelDown),
        MouseEventKind::Down(MouseButton::Left) => Some(Mouse::Click { x: event.column, y: event.row }),
        _ => None,
    }
}

fn now(started: Instant) -> Now {
    let moment: Moment = started.elapsed();
    Now { moment, wall: Timestamp::now() }
}

async fn sleep_until_some(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
