//! Owns what text may hold: which characters the server refuses, which ones the client strips, how
//! long a text is. Knows nothing of messages or rooms.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// Why a text was refused. The message names what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A C0 or C1 control or DEL other than newline and tab.
    #[error("holds the control character U+{code:04X}: remove it", code = u32::from(*.0))]
    Control(char),
    /// More characters than allowed.
    #[error("has {chars} characters, {max} are allowed: shorten it")]
    TooManyChars {
        /// Characters it has.
        chars: usize,
        /// Characters allowed.
        max: usize,
    },
    /// More bytes than allowed.
    #[error("has {bytes} bytes, {max} are allowed: shorten it")]
    TooManyBytes {
        /// Bytes it has.
        bytes: usize,
        /// Bytes allowed.
        max: usize,
    },
}

/// True for what could move a cursor, change a colour or ring a bell: C0, C1 and DEL, newline and tab aside.
pub fn is_forbidden_control(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

/// True for characters that reorder or hide text: bidi embeddings, overrides and isolates, zero-width
/// characters, and the byte order mark (Unicode TR 36 lists them as spoofing risks).
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}'
        | '\u{115F}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}' | '\u{FEFF}' | '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{2028}' | '\u{2029}' | '\u{E0000}'..='\u{E007F}')
}

/// True for what a name must not hold because it cannot be seen: the above, and variation selectors, format characters and
/// fillers (`Default_Ignorable_Code_Point` and `Prepended_Concatenation_Mark` of Unicode 16). In text they have a use.
pub fn is_hidden_in_name(c: char) -> bool {
    is_invisible(c)
        || matches!(c,
        '\u{034F}' | '\u{0600}'..='\u{0605}' | '\u{06DD}' | '\u{070F}' | '\u{0890}'..='\u{0891}' | '\u{08E2}'
        | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{2065}' | '\u{206A}'..='\u{206F}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0100}'..='\u{E0FFF}')
}

/// Checks content as it came in and folds `\r\n` to `\n`.
///
/// # Errors
/// [`TextError::Control`] with the first forbidden character.
pub fn check(text: &str) -> Result<Cow<'_, str>, TextError> {
    if text.bytes().all(is_plain_byte) {
        return Ok(Cow::Borrowed(text));
    }
    let text =
        if text.contains("\r\n") { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) };
    match text.chars().find(|c| is_forbidden_control(*c)) {
        Some(c) => Err(TextError::Control(c)),
        None => Ok(text),
    }
}

/// True for a byte that is no control and begins none: those of C1 all begin with 0xC2.
fn is_plain_byte(byte: u8) -> bool {
    !matches!(byte, 0..0x20 | 0x7F | 0xC2) || matches!(byte, b'\n' | b'\t')
}

/// Checks a length; a maximum of 0 is off.
///
/// # Errors
/// The first limit that is exceeded.
pub fn check_length(text: &str, chars_max: usize, bytes_max: usize) -> Result<(), TextError> {
    if bytes_max > 0 && text.len() > bytes_max {
        return Err(TextError::TooManyBytes { bytes: text.len(), max: bytes_max });
    }
    let chars = text.chars().count();
    if chars_max > 0 && chars > chars_max {
        return Err(TextError::TooManyChars { chars, max: chars_max });
    }
    Ok(())
}

/// What is safe to draw, copy or print of a text nobody vouches for: controls (and the overrides that
/// turn a line around) are gone, newlines and tabs stay.
pub fn sanitize(text: &str) -> Cow<'_, str> {
    let unsafe_char =
        |c: char| is_forbidden_control(c) || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    if text.chars().any(unsafe_char) {
        Cow::Owned(text.chars().filter(|c| !unsafe_char(*c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// As [`sanitize`], on one line: newlines and tabs become spaces. For names, topics, reasons.
pub fn sanitize_line(text: &str) -> Cow<'_, str> {
    let text = sanitize(text);
    if text.contains(['\n', '\t']) { Cow::Owned(text.replace(['\n', '\t'], " ")) } else { text }
}

/// How many letters a reader would count (extended grapheme clusters, UAX 29).
pub fn graphemes(text: &str) -> usize {
    text.graphemes(true).count()
}

/// The form in which names are compared: NFKC, then case folded (by way of upper case, which folds ß and ſ).
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return text.into();
    }
    text.nfkc().collect::<String>().to_uppercase().to_lowercase().nfkc().collect()
}

#[cfg(test)]
mod tests;
