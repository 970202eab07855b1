//! A message that failed is taken back into the input.

use chat_protocol::{ClientMessage, Epoch, ErrorCode, ErrorMessage, Seq, ServerMessage};
use chat_tui::net::event::Transport;

use super::{Chat, Scene, says};
use crate::fake::{Fake, entered};

pub(super) const SCENE: Scene = Scene { keys: &[("chosen-retry", "r")], commands: "/retry" };

/// Takes the client in and refuses for good whatever it says.
async fn refuse(fake: &Fake) {
    let mut conn = fake.accept().await;
    conn.greet("node-1").await;
    while let Some(request) = conn.request().await {
        let answer = match request.message {
            ClientMessage::Message(message) => ServerMessage::Error(ErrorMessage {
                n: message.n,
                room: message.room,
                ..ErrorMessage::new(ErrorCode::Forbidden, "not today")
            }),
            ClientMessage::Join { room } => ServerMessage::RoomUsers(entered(room, Epoch(1), Seq::START)),
            ClientMessage::Ping { t } => ServerMessage::Pong { t, re: None },
            _ => continue,
        };
        conn.send(&answer).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_is_written_once_more() {
    let fake = Fake::bind(Transport::Tcp).await;
    tokio::select! {
        () = refuse(&fake) => panic!("the program hung up"),
        () = retry(&fake) => {}
    }
}

async fn retry(fake: &Fake) {
    let mut chat = Chat::shell("retry").await;
    chat.open(&format!("--host tcp://{} --name dana", fake.endpoint().authority())).await;
    chat.online().await;
    chat.command("/retry").await;
    chat.shows("nothing failed here").await;
    chat.enter("may I").await;
    chat.shows("not sent to #general: not today (/retry takes it back)").await;
    chat.command("/retry").await;
    chat.input("may I").await;
    chat.until("it is said no more", |picture| says(picture, "dana", "may I").is_none()).await;
    chat.press("Enter").await;
    chat.input("").await;
    chat.until("it failed again", |picture| {
        says(picture, "dana", "may I").is_some_and(|row| picture.rows[row].contains("! not today"))
    })
    .await;
    chat.press("Ctrl-Up").await;
    chat.shows("r retry").await;
    chat.act("chosen-retry", "r").await;
    chat.input("may I").await;
    chat.end(&SCENE);
}
