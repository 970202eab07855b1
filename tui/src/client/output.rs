//! Owns what becomes of standard output where nobody reads it any more: what is printed ends well, and a tail in a silent
//! room ends before something is said.

use std::io::{self, Write};

/// Prints it; whoever reads it may stop at any time.
///
/// # Errors
/// Where standard output cannot be written.
pub fn print(bytes: &[u8]) -> io::Result<()> {
    let mut output = io::stdout();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Ends once whoever read standard output is gone; never where that cannot be known.
pub(super) async fn closed() {
    #[cfg(unix)]
    if watch().await.is_some() {
        return;
    }
    std::future::pending::<()>().await;
}

/// Waits for it; none where it cannot be watched: a file, say.
#[cfg(unix)]
async fn watch() -> Option<()> {
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;
    #[expect(
        deprecated,
        reason = "the other way is unsafe; this descriptor stays open as long as the process"
    )]
    let output = AsyncFd::with_interest(std::io::stdout(), Interest::ERROR).ok()?;
    loop {
        let mut guard = output.ready(Interest::ERROR).await.ok()?;
        if guard.ready().is_error() || guard.ready().is_write_closed() {
            return Some(());
        }
        guard.clear_ready();
    }
}
