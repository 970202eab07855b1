//! Owns what is looked at whenever a Redis is dialled: can it be used, is it the same as before, is the database
//! ours; and what a person is told where not. Knows no rooms.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError, ServerErrorKind, Value};
use tracing::warn;

use super::keys::{FORMAT, PREFIX};
use crate::config::RedisUrl;

/// The format in which this program keeps its data.
const FORMAT_NOW: &str = "1";
/// The oldest Redis whose streams can be trimmed by id, and read backwards exclusively.
const VERSION_MIN: (u32, u32) = (6, 2);
/// Keys looked at to see whether a database is somebody else's.
const KEYS_LOOKED_AT: usize = 100;

/// A Redis that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    /// It may be there in a moment.
    #[error("{0}")]
    Later(String),
    /// Somebody has to do something.
    #[error("{0}")]
    Never(String),
}

/// Which life of which server, and since when it has our data: some may be gone where it is another than before, or
/// has only just begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) run_id: String,
    /// How long its database is ours.
    pub(super) age: Duration,
}

/// Nothing was answered.
pub(super) fn mute(url: &RedisUrl, waited: Duration) -> DialError {
    DialError::Later(format!(
        "redis at {url} does not answer within {} s: see whether it hangs; chat-server --redis-wait 30 waits for it",
        waited.as_secs()
    ))
}

/// What went wrong, and what to do.
pub(super) fn explain(url: &RedisUrl, error: &RedisError) -> DialError {
    let code = error.code().unwrap_or_default();
    match error.kind() {
        ErrorKind::AuthenticationFailed => DialError::Never(refused(url, error)),
        _ if matches!(code, "NOAUTH" | "WRONGPASS") => DialError::Never(refused(url, error)),
        _ if code == "NOPERM" || error.to_string().contains("NOPERM") => DialError::Never(format!(
            "redis at {url} refuses a command: {error}: this user needs more, docs/redis.md has an ACL that is enough"
        )),
        ErrorKind::Server(ServerErrorKind::BusyLoading) => DialError::Later(format!(
            "redis at {url} is loading its data; chat-server --redis-wait 30 waits for it"
        )),
        _ if error.to_string().contains("DB index is out of range") => {
            DialError::Never(format!("redis at {url} has no database of that number: use a lower one"))
        }
        _ => DialError::Later(format!(
            "redis at {url} cannot be reached: {error}: start it; chat-server --redis-wait 30 waits for it"
        )),
    }
}

fn refused(url: &RedisUrl, error: &RedisError) -> String {
    format!("redis at {url} refuses the login: {error}: see user and password in the URL")
}

/// Looks at a server that was just dialled.
pub(super) async fn look(url: &RedisUrl, redis: &mut MultiplexedConnection) -> Result<Server, DialError> {
    let failed = |error: RedisError| explain(url, &error);
    let info: String = redis::cmd("INFO").query_async(redis).await.map_err(failed)?;
    let run_id = judge(url, &info)?;
    let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(redis).await.map_err(failed)?;
    let now = Duration::from_secs(seconds) + Duration::from_micros(micros);
    if let Some(since) = ours_since(url, redis).await? {
        return Ok(Server { run_id, age: now.saturating_sub(since) });
    }
    let (_, keys): (Value, Vec<String>) = redis::cmd("SCAN")
        .arg(0)
        .arg("COUNT")
        .arg(KEYS_LOOKED_AT)
        .query_async(redis)
        .await
        .map_err(failed)?;
    if let Some(key) = keys.iter().find(|key| !key.starts_with(PREFIX)) {
        return Err(DialError::Never(format!(
            "redis at {url} holds somebody else's data (such as the key {key:?}): use an empty database, as in \
             redis://host:6379/1"
        )));
    }
    let () = redis::cmd("SETNX").arg(FORMAT).arg(format(now)).query_async(redis).await.map_err(failed)?;
    // Somebody else may have been first.
    let since = ours_since(url, redis).await?.unwrap_or(now);
    Ok(Server { run_id, age: now.saturating_sub(since) })
}

/// Since when a database is ours, by Redis' clock.
async fn ours_since(
    url: &RedisUrl,
    redis: &mut MultiplexedConnection,
) -> Result<Option<Duration>, DialError> {
    let format: Option<String> =
        redis::cmd("GET").arg(FORMAT).query_async(redis).await.map_err(|error| explain(url, &error))?;
    let Some(format) = format else { return Ok(None) };
    let number = format.split(' ').next().unwrap_or_default();
    if number != FORMAT_NOW {
        return Err(DialError::Never(format!(
            "redis at {url} holds data of another version of chat-server (format {number}, this one has \
             {FORMAT_NOW}): use a version that knows it, or another database"
        )));
    }
    Ok(Some(since(&format)))
}

/// What says that a database is ours, in which format and since when.
pub(super) fn format(since: Duration) -> String {
    format!("{FORMAT_NOW} {}", since.as_millis())
}

/// Since when, by Redis' clock.
pub(super) fn since(format: &str) -> Duration {
    let since = format.split(' ').nth(1).and_then(|since| since.parse().ok());
    Duration::from_millis(since.unwrap_or(0))
}

/// What INFO says: is it new enough, does it take writes, may it forget. Its run id: another one at each start.
fn judge(url: &RedisUrl, info: &str) -> Result<String, DialError> {
    let field =
        |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let version = field("redis_version").unwrap_or("0.0.0");
    if parse_version(version) < VERSION_MIN {
        let (major, minor) = VERSION_MIN;
        return Err(DialError::Never(format!(
            "redis at {url} is version {version}: at least {major}.{minor} is needed"
        )));
    }
    if field("role").is_some_and(|role| role != "master") {
        return Err(DialError::Later(format!(
            "redis at {url} is a replica: give the address of the primary"
        )));
    }
    if let Some(policy) = field("maxmemory_policy").filter(|policy| *policy != "noeviction") {
        warn!(redis = %url, policy, "redis may evict what was acknowledged: set maxmemory-policy noeviction");
    }
    Ok(field("run_id").unwrap_or_default().to_owned())
}

fn parse_version(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(info: &str) -> Result<String, String> {
        let url = RedisUrl::parse("redis://:secret@cache:6379/0").unwrap();
        judge(&url, info).map_err(|error| error.to_string())
    }

    #[test]
    fn a_server_is_judged_by_what_it_says() {
        let info = "# Server\r\nredis_version:6.2.0\r\nrun_id:abc\r\nrole:master\r\n";
        assert_eq!(check(info).unwrap(), "abc");
        assert!(check(&info.replace("6.2.0", "7.0.15")).is_ok());
        assert!(check(&info.replace("6.2.0", "10.1.0")).is_ok());
        let old = check(&info.replace("6.2.0", "6.0.16")).unwrap_err();
        assert_eq!(old, "redis at redis://:***@cache:6379/0 is version 6.0.16: at least 6.2 is needed");
        assert!(check(&info.replace("master", "slave")).unwrap_err().contains("is a replica"));
    }
}
