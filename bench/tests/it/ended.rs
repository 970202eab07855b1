//! The driver's program is ended in the middle of a run: nothing that it started may outlive it, no folder stay.

use std::fs;
use std::future::Future;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use super::{MACHINE, server};

/// Longer than a cluster takes to come up or to be cleared away.
const DEADLINE: Duration = Duration::from_secs(60);

/// Processes that are run for a temporary folder: who starts a process hands its name down to it. Redis and nginx write
/// their titles over that, and work in a folder below it.
fn processes(temporary: &Path) -> Vec<PathBuf> {
    let mark = format!("TMPDIR={}", temporary.display());
    let is_for_it = |process: &PathBuf| {
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
            || fs::read_link(process.join("cwd")).is_ok_and(|folder| folder.starts_with(temporary))
    };
    fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path()).filter(is_for_it).collect()
}

/// Of a folder in `/proc`.
fn pid_of(process: &Path) -> Pid {
    let number = process.file_name().unwrap().to_str().unwrap().parse().unwrap();
    Pid::from_raw(number).unwrap()
}

/// Waits until a process has ended (pidfd_open(2): readable then).
fn await_end(process: &OwnedFd) {
    let deadline = Timespec { tv_sec: DEADLINE.as_secs() as i64, tv_nsec: 0 };
    let ready = poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&deadline)).unwrap();
    assert_eq!(ready, 1, "a process has outlived its driver by {DEADLINE:?}");
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("{what}: not within {DEADLINE:?}"))
}

/// `front` brings its own processes: nginx' workers are nobody's children that we know.
async fn check_nothing_is_left(front: &str, signal: Signal) {
    let _machine = MACHINE.lock().await;
    // What a run that failed has left is not this one's.
    let name = format!("ended-{front}-{}", std::process::id());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let (temporary, out) = (folder.join("tmp"), folder.join("out"));
    fs::create_dir_all(&temporary).unwrap();
    let mut driver = Command::new(env!("CARGO_BIN_EXE_chat-bench"));
    driver.args(["--scenario", "hang", "--clients", "20", "--front", front, "--server"]).arg(server());
    driver.arg("--out").arg(&out).env("TMPDIR", &temporary).stdout(Stdio::piped());
    let mut driver = driver.kill_on_drop(true).spawn().unwrap();
    // The table begins when all of the cluster is there.
    let mut table = BufReader::new(driver.stdout.take().unwrap()).lines();
    within("the table", table.next_line()).await.unwrap().expect("it begins");
    let started = processes(&temporary);
    // The driver, three nodes, Redis, the front-end and the two shells, at least.
    assert!(started.len() >= 8, "{started:?}");
    let started: Vec<OwnedFd> =
        started.iter().map(|process| pidfd_open(pid_of(process), PidfdFlags::empty()).unwrap()).collect();
    kill_process(Pid::from_raw(i32::try_from(driver.id().unwrap()).unwrap()).unwrap(), signal).unwrap();
    driver.wait().await.unwrap();
    started.iter().for_each(await_end);
    assert_eq!(processes(&temporary), Vec::<PathBuf>::new());
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "folders are left in {}", temporary.display());
    fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_that_is_asked_to_end_leaves_nothing_behind() {
    check_nothing_is_left("balance", Signal::TERM).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_that_is_interrupted_leaves_nothing_behind() {
    check_nothing_is_left("haproxy", Signal::INT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_that_is_killed_leaves_nothing_behind() {
    check_nothing_is_left("nginx", Signal::KILL).await;
}
