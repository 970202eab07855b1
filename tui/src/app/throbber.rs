//! Owns what turns while something is waited for, and so the one reason for a timer beside countdowns: it asks for one only
//! while it is on the screen.

use std::time::Duration;

use super::finder::Server;
use super::{App, Popup, flow};
use crate::net::event::Moment;

/// Between two of its looks.
const TURNS_EVERY: Duration = Duration::from_millis(120);

impl App {
    /// How it looks now.
    pub(crate) fn throbber(&self) -> &'static str {
        let looks = self.glyphs.throbber;
        let turns = self.now.as_millis() / TURNS_EVERY.as_millis();
        looks[usize::try_from(turns % looks.len() as u128).unwrap_or(0)]
    }

    /// When it looks otherwise; none: it is not shown.
    pub(super) fn next_turn(&self) -> Option<Moment> {
        let turns = self.now.as_millis() / TURNS_EVERY.as_millis() + 1;
        let next = TURNS_EVERY.saturating_mul(u32::try_from(turns).unwrap_or(u32::MAX));
        (self.is_waiting() && self.glyphs.throbber.len() > 1).then_some(next)
    }

    fn is_waiting(&self) -> bool {
        if let Some(Popup::Find(finder)) = &self.popup {
            return finder.server == Server::Asked;
        }
        let loading = self.rooms.current().filter(|room| room.history.loading && self.bare.is_none());
        loading.is_some_and(|room| flow::rows_above(&room.history, self.scrolled_columns(), 1) == 0)
    }
}
