//! The driver's program where a run cannot begin: it says what to do, and shows nothing that looks like a result.

use std::process::Output;

use tokio::process::Command;

use super::server;

async fn driver(arguments: &[&str], path: &str) -> (String, String) {
    let mut driver = Command::new(env!("CARGO_BIN_EXE_chat-bench"));
    driver.args(["--clients", "4", "--rooms", "1", "--server"]).arg(server()).args(arguments);
    let Output { status, stdout, stderr } = driver.env("PATH", path).output().await.unwrap();
    assert!(!status.success());
    (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_no_table_is_begun() {
    // The shell is there, as on every machine.
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-redis");
    std::fs::create_dir_all(&folder).unwrap();
    drop(std::os::unix::fs::symlink("/bin/sh", folder.join("sh")));
    let out = folder.join("out");
    let (shown, error) = driver(&["--out", out.to_str().unwrap()], folder.to_str().unwrap()).await;
    assert_eq!(shown, "");
    assert!(error.contains("redis-server cannot be started, is it installed?"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_cannot_be_made_is_named() {
    let (shown, error) = driver(&["--out", "/dev/null/here"], "/usr/bin:/bin").await;
    assert_eq!(shown, "");
    assert!(error.contains("/dev/null/here") && error.contains("--out"), "{error}");
}
