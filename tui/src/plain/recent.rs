//! Owns which message a command without a place is about: one's last in a room, and the last of somebody else.

use std::collections::BTreeMap;

use chat_protocol::{Kind, RoomMessage, RoomName, Seq, UserId};

use crate::net::event::{NetEvent, Target};

/// The newest messages of each room.
#[derive(Debug, Default)]
pub(super) struct Recent {
    me: Option<UserId>,
    rooms: BTreeMap<RoomName, Newest>,
}

#[derive(Debug, Default)]
struct Newest {
    own: Option<Target>,
    others: Option<Target>,
}

impl Recent {
    pub(super) fn own(&self, room: &RoomName) -> Option<Target> {
        self.rooms.get(room)?.own.clone()
    }

    pub(super) fn others(&self, room: &RoomName) -> Option<Target> {
        self.rooms.get(room)?.others.clone()
    }

    pub(super) fn event(&mut self, event: &NetEvent) {
        match event {
            NetEvent::Welcome { user_id, .. } => self.me = Some(user_id.clone()),
            NetEvent::Entry { message, .. } => self.entry(message),
            // What stood above is none any more, or stands elsewhere when it comes again.
            NetEvent::Rewound { room, to } => self.forget(room, |target| target.seq <= *to),
            NetEvent::Reset { room, .. } => self.forget(room, |_| false),
            _ => {}
        }
    }

    fn entry(&mut self, message: &RoomMessage) {
        let RoomMessage { room, seq, id, body } = message;
        match (body.kind, &body.reference_id) {
            (None | Some(Kind::Action), _) => {
                let newest = self.rooms.entry(room.clone()).or_default();
                let target = Some(Target { seq: Seq(seq.0), id: Some(id.clone()) });
                if self.me.as_ref() == Some(&body.sender_id) {
                    newest.own = target;
                } else {
                    newest.others = target;
                }
            }
            (Some(Kind::Delete), Some(of)) => self.forget(room, |target| target.id.as_ref() != Some(of)),
            _ => {}
        }
    }

    fn forget(&mut self, room: &RoomName, stays: impl Fn(&Target) -> bool) {
        let Some(newest) = self.rooms.get_mut(room) else { return };
        newest.own.take_if(|target| !stays(target));
        newest.others.take_if(|target| !stays(target));
    }
}
