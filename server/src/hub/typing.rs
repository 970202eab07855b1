//! Owns how often a room is told that somebody is typing: each user once in three seconds, and so few users together that
//! it costs nobody anything. Whoever reads it is told of several people in any case. Pure: time is passed in.

use chat_protocol::{Person, UserId, limits};

use super::desk::Desk;
use crate::room::{ConnId, Moment};

/// Users of whom a room is told in that time: in a room of thousands, told of each, everybody would read little else.
const TYPISTS_MAX: usize = 8;

/// What one room knows of who is typing.
#[derive(Debug, Default)]
pub(super) struct Typing {
    /// Of those here, of whom the others were told.
    said: Lately,
    /// Of whom those here were told.
    heard: Lately,
}

impl Typing {
    /// A member here is typing: the others hear of it through the backbone, and so do the members here.
    pub(super) fn said(&mut self, now: Moment, conn: ConnId, desk: &mut Desk) {
        if let Some(who) = desk.seats.person(conn)
            && self.said.is_news(now, &who.user_id)
        {
            desk.whisper(who);
        }
    }

    /// Somebody is typing, here or elsewhere, with one client or with several.
    pub(super) fn heard(&mut self, now: Moment, who: &Person, desk: &mut Desk) {
        if self.heard.is_news(now, &who.user_id) {
            desk.seats.tell_typing(who);
        }
    }
}

/// The users of the last seconds.
#[derive(Debug, Default)]
struct Lately(Vec<(UserId, Moment)>);

impl Lately {
    fn is_news(&mut self, now: Moment, user: &UserId) -> bool {
        self.0.retain(|(_, at)| now < *at + limits::TYPING_EVERY);
        let is_news = self.0.len() < TYPISTS_MAX && self.0.iter().all(|(known, _)| known != user);
        if is_news {
            self.0.push((user.clone(), now));
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_user_is_told_once_in_three_seconds_and_a_crowd_not_one_by_one() {
        let user = |number: usize| UserId::parse(&format!("u{number}")).unwrap();
        let ms = Duration::from_millis;
        let mut lately = Lately::default();
        assert!(lately.is_news(ms(0), &user(0)));
        assert!(!lately.is_news(ms(2_999), &user(0)));
        assert!(lately.is_news(ms(3_000), &user(0)));
        let told = (0..5_000).filter(|number| lately.is_news(ms(3_001), &user(*number))).count();
        assert_eq!(told, TYPISTS_MAX - 1);
        assert!(lately.is_news(ms(6_001), &user(4_999)), "later there is place for others");
    }
}
