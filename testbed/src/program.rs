//! Owns what every real program of a test has: its process and its folder, gone when dropped, and a free port.
//! It knows no program.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::legacy;

/// Where ports are looked for: below those that Linux hands out by itself, so that nobody gets the port of a
/// program that is being restarted, and no connection to it can meet itself.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// The process; dead when dropped, also by a start that is given up.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) child: Child,
    /// What ends it, and its children with it.
    end: Signal,
}

impl Process {
    /// A process that has no children.
    pub(crate) fn single(child: Child) -> Self {
        Self { child, end: Signal::KILL }
    }

    /// A process that takes its children with it when it is asked to end, and would leave them behind else.
    pub(crate) fn with_children(child: Child) -> Self {
        Self { child, end: Signal::TERM }
    }

    pub(crate) fn kill(&mut self) {
        if self.ended().is_ok_and(|ended| ended.is_none()) {
            // One that was stopped hears nothing but SIGKILL. It may be dead by now.
            drop(self.signal(self.end));
            drop(self.signal(Signal::CONT));
            drop(self.child.wait());
        }
    }

    /// How it has ended, if it has.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("a process id")?;
        kill_process(pid, signal).context("the process cannot be signalled")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program's folder; gone when dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn create() -> anyhow::Result<Self> {
        static CREATED: AtomicU32 = AtomicU32::new(0);
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        let mut path = legacy::folders().into_os_string();
        path.push(number.to_string());
        let path = PathBuf::from(path);
        // What a killed run with the same process id may have left is nobody's.
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A port of the loopback that nobody listens on, and that Linux gives to nobody by itself: whoever is to come
/// back at the same place can. Each call begins its search elsewhere, so that tests which run beside one another
/// seldom meet.
///
/// # Errors
/// When there is none.
pub fn free_port() -> anyhow::Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let count = u32::from(PORTS.end - PORTS.start);
    let begin = std::process::id().wrapping_mul(97);
    for _ in 0..count {
        let step = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % count;
        let port = PORTS.start + u16::try_from(step)?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port from {} to {}", PORTS.start, PORTS.end)
}
