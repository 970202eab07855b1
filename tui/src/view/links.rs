//! Owns the addresses that stand on the screen, and how a cell says that it is part of one. A cell has no place for an
//! address: its underline colour, which no theme uses, holds the address's number. So a cell that comes to belong to
//! another address is drawn anew. Only the terminal's backend reads it back, and no colour of it reaches a terminal.

use std::collections::HashMap;

use ratatui::style::Color;

use crate::app::markup::url;

/// The addresses of one frame, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Links(HashMap<u32, String>);

impl Links {
    /// A frame begins.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What marks the cells of an address: the same in every frame. None: it is not to be had as a link.
    pub(super) fn mark(&mut self, address: &str) -> Option<Color> {
        let encoded = url::encoded(address)?;
        let number = number(&encoded);
        // Two of one number, once in millions: the first keeps it.
        let known = self.0.entry(number).or_insert_with(|| encoded.clone());
        let [_, red, green, blue] = number.to_be_bytes();
        (*known == encoded).then_some(Color::Rgb(red, green, blue))
    }

    /// The address of cells marked so, as a terminal may have it, with its number.
    pub(crate) fn target(&self, mark: Color) -> Option<(u32, &str)> {
        let Color::Rgb(red, green, blue) = mark else { return None };
        let number = u32::from_be_bytes([0, red, green, blue]);
        self.0.get(&number).map(|address| (number, address.as_str()))
    }
}

/// 24 bits of FNV-1a.
fn number(address: &str) -> u32 {
    let hash = address
        .bytes()
        .fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 24)) & 0x00FF_FFFF
}
