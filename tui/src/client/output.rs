//! Owns the notice that nobody reads standard output any more: a tail in a silent room would otherwise go on until
//! something is said.

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
