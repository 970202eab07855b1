//! Owns where everything stands on a screen of a given size. Plain numbers: `update` needs them to scroll, the view
//! to draw.

/// Under this width only the chat is shown, in columns.
const ROOMS_FROM: u16 = 60;
/// From this width the users too, in columns.
const USERS_FROM: u16 = 100;
/// From this size the link panel too, in columns and rows.
const LINK_FROM: (u16, u16) = (120, 30);
/// Width of the rooms pane with its border.
const ROOMS_CELLS: u16 = 15;
/// Width of the right column with its border.
const RIGHT_CELLS: u16 = 26;
/// Rows of the composer that are shown at once.
const COMPOSER_ROWS_MAX: u16 = 6;

/// Which panes the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panes {
    pub(crate) rooms: bool,
    /// None: where the width allows.
    pub(crate) users: Option<bool>,
    /// None: where the size allows.
    pub(crate) link: Option<bool>,
}

impl Default for Panes {
    fn default() -> Self {
        Self { rooms: true, users: None, link: None }
    }
}

/// A rectangle of cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) x: u16,
    pub(crate) y: u16,
    pub(crate) width: u16,
    pub(crate) height: u16,
}

impl Area {
    pub(crate) fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    fn take_left(&mut self, cells: u16) -> Self {
        let taken = Self { width: cells.min(self.width), ..*self };
        self.x += taken.width;
        self.width -= taken.width;
        taken
    }

    fn take_right(&mut self, cells: u16) -> Self {
        let width = cells.min(self.width);
        self.width -= width;
        Self { x: self.x + self.width, width, ..*self }
    }

    fn take_top(&mut self, rows: u16) -> Self {
        let taken = Self { height: rows.min(self.height), ..*self };
        self.y += taken.height;
        self.height -= taken.height;
        taken
    }

    fn take_bottom(&mut self, rows: u16) -> Self {
        let height = rows.min(self.height);
        self.height -= height;
        Self { y: self.y + self.height, height, ..*self }
    }
}

/// What wants a row of its own just now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Rows of the text being written.
    pub(crate) composer: usize,
    /// The reader is not at the newest line.
    pub(crate) scrolled: bool,
    pub(crate) hint: bool,
}

/// Where everything stands; what is not shown is empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Areas {
    pub(crate) rooms: Area,
    pub(crate) title: Area,
    pub(crate) messages: Area,
    pub(crate) users: Area,
    pub(crate) link: Area,
    /// Says that the reader is not at the newest line.
    pub(crate) below: Area,
    /// What the program has to say.
    pub(crate) hint: Area,
    pub(crate) status: Area,
    pub(crate) composer: Area,
}

impl Areas {
    /// Divides a screen.
    pub(crate) fn of((width, height): (u16, u16), panes: Panes, needs: Needs) -> Self {
        let mut rest = Area { x: 0, y: 0, width, height };
        let wanted = u16::try_from(needs.composer).unwrap_or(COMPOSER_ROWS_MAX).clamp(1, COMPOSER_ROWS_MAX);
        let composer = rest.take_bottom(wanted.min((height / 3).max(1)));
        let status = rest.take_bottom(1);
        let mut areas = Self { composer, status, ..Self::default() };
        if panes.rooms && width >= ROOMS_FROM {
            areas.rooms = rest.take_left(ROOMS_CELLS);
        }
        areas.divide_right(&mut rest, (width, height), panes);
        if rest.height > 3 {
            areas.title = rest.take_top(1);
        }
        if needs.hint && rest.height > 1 {
            areas.hint = rest.take_bottom(1);
        }
        if needs.scrolled && rest.height > 2 {
            areas.below = rest.take_bottom(1);
        }
        areas.messages = rest;
        areas
    }

    fn divide_right(&mut self, rest: &mut Area, (width, height): (u16, u16), panes: Panes) {
        let link_fits = width >= LINK_FROM.0 && height >= LINK_FROM.1;
        let users = panes.users.unwrap_or(width >= USERS_FROM);
        let link = panes.link.unwrap_or(link_fits);
        if !users && !link {
            return;
        }
        let beside = width >= USERS_FROM;
        let mut column = if beside { rest.take_right(RIGHT_CELLS) } else { Self::overlay(*rest) };
        if users && link {
            self.users = column.take_top(column.height / 3);
            self.link = column;
        } else if users {
            self.users = column;
        } else {
            self.link = column;
        }
    }

    /// Over the right of the messages; the left stays readable where there is room.
    fn overlay(mut rest: Area) -> Area {
        rest.take_right(RIGHT_CELLS)
    }
}
