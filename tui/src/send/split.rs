//! Owns how a text that is too long for one message becomes several: at the ends of lines, else between words, else
//! between letters.

use unicode_segmentation::UnicodeSegmentation;

/// The messages, none of them longer than so many characters and bytes, and none of them empty.
pub fn split(text: &str, chars_max: usize, bytes_max: usize) -> Vec<String> {
    let mut messages = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (message, behind) = cut(rest, chars_max, bytes_max);
        if !message.trim().is_empty() {
            messages.push(message.trim_end_matches(['\n', '\r']).to_owned());
        }
        rest = behind.trim_start_matches(['\n', '\r']);
    }
    messages
}

fn cut(text: &str, chars_max: usize, bytes_max: usize) -> (&str, &str) {
    let fits = fitting(text, chars_max, bytes_max);
    if fits == text.len() {
        return (text, "");
    }
    // A line that ends right behind what fits is whole.
    let at_line = if text[fits..].starts_with('\n') { Some(fits) } else { text[..fits].rfind('\n') };
    if let Some(at) = at_line.filter(|at| *at > 0) {
        return (&text[..at], &text[at + 1..]);
    }
    if let Some(at) = text[..fits].rfind(' ').filter(|at| *at > 0) {
        return (&text[..at], &text[at + 1..]);
    }
    let boundaries = text.grapheme_indices(true).map(|(at, _)| at);
    let at = boundaries.take_while(|at| *at <= fits).last().filter(|at| *at > 0).unwrap_or(fits);
    text.split_at(at)
}

/// How many bytes of it fit, at least one character.
fn fitting(text: &str, chars_max: usize, bytes_max: usize) -> usize {
    let ends = text.char_indices().map(|(at, char)| at + char.len_utf8());
    let fitting = ends.take(chars_max).take_while(|end| *end <= bytes_max).last();
    fitting.unwrap_or_else(|| text.chars().next().map_or(0, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(split(text, 8, 12), expected, "{text:?}");
    }

    #[test]
    fn lines_stay_whole_where_they_fit() {
        check("", &[]);
        check("\n \n", &[]);
        check("one\ntwo\n", &["one\ntwo"]);
        check("one\ntwo\nthree\n", &["one\ntwo", "three"]);
        check("12345678\n12345678\nx", &["12345678", "12345678", "x"]);
        check("one\n\n\n\n\n\n\n\ntwo", &["one", "two"]);
    }

    #[test]
    fn a_line_that_does_not_fit_is_cut_between_words_or_letters() {
        check("one two three", &["one two", "three"]);
        check("1234567890", &["12345678", "90"]);
        check("\n1234567890", &["\n1234567", "890"]);
        // Three bytes a letter: four of them fit.
        check("ああああああ", &["ああああ", "ああ"]);
        // A family is one letter, as long as it fits at all.
        check("abcdef👨‍👩‍👧", &["abcdef", "👨‍👩", "\u{200d}👧"]);
        check("abcde e\u{301}", &["abcde e\u{301}"]);
        check("abcdefge\u{301}", &["abcdefg", "e\u{301}"]);
    }

    #[test]
    fn nothing_is_lost_but_the_white_space_at_the_cuts() {
        let text: String = (0..3_000).map(|line| format!("{line}: some words of a log\n")).collect();
        let messages = split(&text, 4_000, 16_384);
        assert!(messages.iter().all(|message| message.chars().count() <= 4_000));
        assert_eq!(messages.join("\n") + "\n", text);
    }
}
