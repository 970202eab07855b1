//! Owns the arguments of the commands for scripts, and how durations and times are written. What the commands do is
//! not known here.

use std::time::Duration;

use chat_protocol::RoomName;
use clap::Args;
use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const SEND_EXAMPLES: &str = "\
Examples:
  chat-tui --host lb.example.com send --room ops \"deploy done\"
  dmesg | tail -50 | chat-tui --host lb.example.com send --room ops -
Exit codes: 0 acknowledged, 1 refused, 2 usage, 3 perhaps sent, 4 not sent.";

/// `chat-tui send`.
#[derive(Debug, Args)]
#[command(after_help = SEND_EXAMPLES)]
pub struct SendArgs {
    /// Where to say it [default: general]
    #[arg(long, value_name = "ROOM")]
    pub room: Option<RoomName>,
    /// Wait so long for the acknowledgement
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub timeout: Duration,
    /// Most messages it may become
    #[arg(long, value_name = "COUNT", default_value = "20", value_parser = clap::value_parser!(u16).range(1..))]
    pub most: u16,
    /// Print each acknowledgement as a line of JSON
    #[arg(long)]
    pub json: bool,
    /// What to say; `-` reads it from standard input
    #[arg(required = true, value_name = "TEXT")]
    pub text: Vec<String>,
}

const TAIL_EXAMPLES: &str = "\
Examples:
  chat-tui --host lb.example.com tail --room ops --since 1h
  chat-tui --host lb.example.com tail --json | jq -r .content
Times: 90s 10m 2h 1d 1w ago, 10:30, 2026-11-21, 2026-11-21T10:30, or with Z.
Exit codes: 0 the reader has gone, 1 failed, 2 usage, 130 by Ctrl-C.";

/// `chat-tui tail`.
#[derive(Debug, Args)]
#[command(after_help = TAIL_EXAMPLES)]
pub struct TailArgs {
    /// Room to listen in; repeat for more [default: general]
    #[arg(long = "room", value_name = "ROOM")]
    pub rooms: Vec<RoomName>,
    /// Lines of JSON as in docs/protocol.md
    #[arg(long)]
    pub json: bool,
    /// Begin with what was said since then
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub since: Option<Timestamp>,
}

const DOCTOR_EXAMPLES: &str = "\
Examples:
  chat-tui --host lb.example.com doctor
  chat-tui --host a.example.com,b.example.com doctor --json | jq .works
Exit codes: 0 a chat would work, 1 it would not, 2 usage.";

/// `chat-tui doctor`.
#[derive(Debug, Args)]
#[command(after_help = DOCTOR_EXAMPLES)]
pub struct DoctorArgs {
    /// One object of JSON for each address of the list
    #[arg(long)]
    pub json: bool,
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  chat-tui completions bash > ~/.local/share/bash-completion/completions/chat-tui
  chat-tui completions fish > ~/.config/fish/completions/chat-tui.fish
  chat-tui completions zsh > ~/.zfunc/_chat-tui";

/// `chat-tui completions`.
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let allowed = || "use seconds above 0, such as 10 or 2.5".to_owned();
    match text.trim_end_matches('s').parse::<f64>() {
        Ok(seconds) if seconds > 0.0 => Duration::try_from_secs_f64(seconds).map_err(|_| allowed()),
        _ => Err(allowed()),
    }
}

fn since(text: &str) -> Result<Timestamp, String> {
    since_at(text, Timestamp::now(), &TimeZone::system())
}

/// A time ago, or a time: with a zone, or as the clock on the wall shows it.
fn since_at(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    let allowed =
        || "use a time ago, such as 10m, 2h or 1d, or a time, such as 10:30 or 2026-11-21T10:30".to_owned();
    if let Some(ago) = ago(text) {
        return now.checked_sub(ago).map_err(|_| allowed());
    }
    if let Ok(timestamp) = text.parse() {
        return Ok(timestamp);
    }
    let today = now.to_zoned(zone.clone()).date();
    let at = |date: civil::Date, time: civil::Time| {
        zone.to_timestamp(date.to_datetime(time)).map_err(|_| allowed())
    };
    // A date is a date with time, too: midnight's.
    if text.contains('-') {
        let moment = text.parse::<civil::DateTime>().map_err(|_| allowed())?;
        return at(moment.date(), moment.time());
    }
    // `10` alone would be an hour to the parser, and minutes to who has forgotten the m.
    let time = Some(text).filter(|text| text.contains(':')).ok_or_else(allowed)?;
    let time = time.parse::<civil::Time>().map_err(|_| allowed())?;
    match at(today, time)? {
        // What is still to come today was yesterday.
        later if later > now => at(today.yesterday().map_err(|_| allowed())?, time),
        earlier => Ok(earlier),
    }
}

fn ago(text: &str) -> Option<SignedDuration> {
    let (number, seconds) = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400), ("w", 604_800)]
        .iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))?;
    let number: u32 = number.parse().ok()?;
    Some(SignedDuration::from_secs(i64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let now = "2026-11-22T19:00:00Z".parse().unwrap();
        let found = since_at(text, now, &TimeZone::fixed(jiff::tz::offset(1)));
        assert_eq!(found, Ok(expected.parse().unwrap()), "{text}");
    }

    #[test]
    fn a_time_is_ago_or_with_a_zone_or_as_the_clock_on_the_wall_shows_it() {
        check("90s", "2026-11-22T18:58:30Z");
        check("10m", "2026-11-22T18:50:00Z");
        check("2h", "2026-11-22T17:00:00Z");
        check("1d", "2026-11-21T19:00:00Z");
        check("1w", "2026-11-15T19:00:00Z");
        check("2026-11-21T10:30:00Z", "2026-11-21T10:30:00Z");
        check("2026-11-21T10:30:00+02:00", "2026-11-21T08:30:00Z");
        check("2026-11-21", "2026-11-20T23:00:00Z");
        check("2026-11-21T10:30", "2026-11-21T09:30:00Z");
        check("2026-11-21 10:30", "2026-11-21T09:30:00Z");
        check("10:30", "2026-11-22T09:30:00Z");
        check("21:30", "2026-11-21T20:30:00Z");
    }

    #[test]
    fn what_is_no_time_is_refused_with_what_is() {
        for text in
            ["", "10", "-5m", "10x", "yesterday", "2026-13-01", "25:00", "99999999999d", "4294967295w"]
        {
            let error = since(text).expect_err(text);
            assert!(error.contains("10m, 2h or 1d"), "{text}: {error}");
        }
    }
}
