//! Owns what was written before, and where in it the writer is.

use std::collections::HashSet;

/// Texts kept.
const TEXTS_MAX: usize = 500;

/// What was written before, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Recall {
    texts: Vec<String>,
    /// The one shown; none: the writer is in a text of its own.
    at: Option<usize>,
    /// That text, kept while older ones are looked at.
    own: String,
}

impl Recall {
    /// Keeps a text that was sent; a repeat of the newest once.
    pub(crate) fn keep(&mut self, text: &str) {
        if self.texts.last().is_some_and(|last| last == text) || text.trim().is_empty() {
            return;
        }
        self.texts.push(text.to_owned());
        if self.texts.len() > TEXTS_MAX {
            self.texts.remove(0);
        }
    }

    /// What the last run left, oldest first.
    pub(crate) fn restore(&mut self, texts: &[String]) {
        texts.iter().for_each(|text| self.keep(text));
    }

    /// Everything, oldest first.
    pub(crate) fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The text before the one shown; `own` is what stands in the composer now.
    pub(crate) fn older(&mut self, own: &str) -> Option<String> {
        let at = match self.at {
            None => {
                own.clone_into(&mut self.own);
                self.texts.len()
            }
            Some(at) => at,
        };
        self.at = Some(at.checked_sub(1)?);
        self.texts.get(at - 1).cloned()
    }

    /// The text after the one shown, at last the writer's own.
    pub(crate) fn newer(&mut self) -> Option<String> {
        let next = self.at? + 1;
        self.at = (next < self.texts.len()).then_some(next);
        Some(self.texts.get(next).cloned().unwrap_or_else(|| std::mem::take(&mut self.own)))
    }

    /// The texts that hold these words in any case, newest first, each once.
    pub(crate) fn found(&self, words: &str) -> Vec<&str> {
        let words = words.to_lowercase();
        let mut seen = HashSet::new();
        let newest_first = self.texts.iter().rev().map(String::as_str);
        newest_first.filter(|text| text.to_lowercase().contains(&words) && seen.insert(*text)).collect()
    }

    /// The writer has sent or left the text.
    pub(crate) fn leave(&mut self) {
        self.at = None;
    }
}
