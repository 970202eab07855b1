//! What is said, to whom, and as whom.

use super::{Chat, Other, Scene};
use crate::cluster::{RateLimit, TestCluster};

pub(super) const SCENE: Scene =
    Scene { keys: &[], commands: "/me /nick /msg /away /ignore /unignore //half /jion /invite" };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_written_to_ignored_and_told_of() {
    let cluster = TestCluster::start(RateLimit::Off);
    let mut bob = Other::start("people", &cluster, ("bob", "general"));
    let mut chat = Chat::join("people", &cluster, &["general"]).await;
    chat.shows("│ bob ").await;
    chat.command("/me waves").await;
    chat.said("* dana", "waves").await;
    chat.hides("/me").await;

    chat.command("/away lunch").await;
    chat.shows("you are away: lunch (/away ends it)").await;
    chat.shows("[dana (away)]").await;
    chat.command("/away").await;
    chat.shows("you are back").await;
    chat.input("").await;

    bob.says("a word from bob").await;
    chat.shows("a word from bob").await;
    chat.command("/ignore").await;
    chat.shows("nobody is ignored").await;
    chat.command("/ignore bob").await;
    chat.shows("ignored on all your clients: bob").await;
    bob.says("a word that is not heard").await;
    chat.command("/unignore bob").await;
    chat.until("nobody ignored any more", |picture| {
        picture.rows.iter().filter(|row| row.contains("nobody is ignored")).count() == 2
    })
    .await;
    bob.says("another word from bob").await;
    chat.shows("another word from bob").await;

    chat.command("/msg bob between us").await;
    chat.room("@bob").await;
    chat.said("dana", "between us").await;
    chat.press("Alt-1").await;
    chat.room("#general").await;
    chat.command("/msg bob").await;
    chat.room("@bob").await;
    chat.press("Alt-1").await;
    chat.room("#general").await;

    chat.command("/nick danika").await;
    chat.shows("dana is now danika").await;
    chat.shows("[danika]").await;
    chat.command("/nick dana").await;
    chat.input("").await;
    chat.check_what_is_no_command().await;
    chat.end(&SCENE);
}

impl Chat {
    /// What begins with a slash and is no command is said only where it begins with two.
    async fn check_what_is_no_command(&mut self) {
        self.command("//half a joke").await;
        self.said("dana", "/half a joke").await;
        self.input("").await;
        for (line, why) in [
            ("/jion ops", "no command /jion: did you mean /join? (//jion sends it"),
            ("/invite bob", "this version does not have /invite yet; your text is kept"),
        ] {
            self.command(line).await;
            let picture = self.shows(why).await;
            assert_eq!(picture.text().matches(line).count(), 1, "it is still being written, and not said");
            self.input(line).await;
            self.press("Ctrl-U").await;
            self.input("").await;
        }
    }
}
