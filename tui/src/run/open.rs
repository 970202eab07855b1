//! Owns the program that opens links: started with nothing but the address, waited for, its failure told. Knows nothing of
//! where addresses come from; they are http or https, of printable ASCII.

use std::io;
use std::process::Stdio;

use tokio::process::{Child, Command};

/// What opens a link on this system.
const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };

/// The program, while it runs.
#[derive(Debug, Default)]
pub(super) struct Opener {
    running: Option<Child>,
}

impl Opener {
    /// Starts it. One that still runs goes on: it may be the browser itself.
    ///
    /// # Errors
    /// Where there is none, in words for a person.
    pub(super) fn open(&mut self, address: &str) -> Result<(), String> {
        // A group of its own: what ends us does not end the browser.
        let child = Command::new(OPENER)
            .arg(address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        self.running = Some(child.map_err(|error| refused(&error))?);
        Ok(())
    }

    /// Waits until it has ended: why it failed, if it did. Cancel-safe: who ended is still known to have ended.
    pub(super) async fn ended(&mut self) -> Option<String> {
        let Some(child) = &mut self.running else { return std::future::pending().await };
        let ended = child.wait().await;
        self.running = None;
        match ended {
            Ok(status) if status.success() => None,
            Ok(status) => Some(format!("{OPENER} could not open it ({status}): o then c copies the link")),
            Err(error) => Some(refused(&error)),
        }
    }
}

fn refused(error: &io::Error) -> String {
    format!("cannot start {OPENER} ({error}): o then c copies the link")
}
